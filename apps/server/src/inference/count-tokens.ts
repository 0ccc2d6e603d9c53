import { estimateInputTokens, type GridError, gridError, parseMessagesRequest } from '@opengrid/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Entrance, Parts } from './entrance.ts';
import { contextOf } from './http/context.ts';
import { sendError } from './http/errors.ts';
import { refuseOtherMethods } from './http/methods.ts';
import { sendJson } from './http/send.ts';
import { formatTokens, inputText } from './metering/input-text.ts';

const PATH = '/messages/count_tokens';

/** Mounts `POST /messages/count_tokens`: what a request would count as input. Free, without a receipt. */
export function registerCountTokens(
  scope: FastifyInstance,
  deps: Pick<Parts, 'counter' | 'instruments'> & { readonly entrance: Entrance },
): void {
  scope.route({
    method: 'POST',
    url: PATH,
    onRequest: (request, reply, done) => {
      const error = deps.entrance.check(request);
      if (error === undefined) return done();
      sendError(reply, contextOf(request), error);
    },
    handler: async (request, reply) => answer(request, reply, deps),
  });
  refuseOtherMethods(scope, PATH, 'POST');
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: Pick<Parts, 'counter' | 'instruments'>,
): Promise<FastifyReply> {
  const context = contextOf(request);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const parsed = parseMessagesRequest(body, { purpose: 'count' });
  if (!parsed.ok) return sendError(reply, context, parsed.error);
  const { model } = parsed.value;
  const instrument = model === undefined ? undefined : deps.instruments.find(model);
  if (instrument === undefined || instrument.status === 'inactive')
    return sendError(reply, context, unknownModel(model));
  const exact = parsed.value.imageCount > 0 ? undefined : await deps.counter.count(inputText(parsed.value));
  const texts = exact ?? estimateInputTokens(parsed.value);
  return sendJson(reply, context, { input_tokens: texts + formatTokens(parsed.value) });
}

function unknownModel(model: string | undefined): GridError {
  return model === undefined
    ? gridError('invalid_request', { param: 'model', message: "'model' is required." })
    : gridError('model_not_found', { param: 'model' });
}
