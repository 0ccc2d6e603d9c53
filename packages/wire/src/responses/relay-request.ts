import { openContent } from '../content.ts';
import { BodyBuilder } from '../conversation/body-builder.ts';
import { notOnThisWire, type Upstream, type UpstreamBody } from '../conversation/upstream.ts';
import type { JsonObject } from '../json/parse.ts';
import type { Result } from '../result.ts';
import type { ResponsesRequest } from './types.ts';
import { setCommonFields } from './upstream-fields.ts';

/** Reasoning goes back only to the endpoint that made it. */
function openedItem(item: JsonObject, upstream: Upstream): readonly JsonObject[] {
  if (item.type !== 'reasoning') return [item];
  const sealed = item.encrypted_content;
  const isTaken = upstream.capabilities.encryptedReasoning === true && upstream.withoutReasoning !== true;
  const opaque = typeof sealed === 'string' && isTaken ? upstream.seal?.unwrap(sealed) : undefined;
  return opaque === undefined ? [] : [{ ...item, encrypted_content: opaque.value }];
}

/**
 * Makes the body for an endpoint on the Responses wire from a Responses request: the fields that may be
 * forwarded, as they came.
 *
 * Error: `unsupported_value` for tools called with free text, where the endpoint takes none.
 */
export function relayResponsesRequest(request: ResponsesRequest, upstream: Upstream): Result<UpstreamBody> {
  const { capabilities } = upstream;
  if (request.needs.customTools === true && capabilities.customTools !== true) return notOnThisWire('tools');
  const body = openContent(request.body);
  const builder = new BodyBuilder(request, upstream);
  const { input } = body;
  builder.set('model', upstream.upstreamModel);
  builder.set('instructions', body.instructions);
  builder.set(
    'input',
    typeof input === 'string' ? input : input.flatMap((item) => openedItem(item, upstream)),
  );
  const isOffered = capabilities.tools;
  builder.offer('tools', 'tools', { value: body.tools, isOffered });
  builder.offer('toolChoice', 'tool_choice', { value: body.tool_choice, isOffered });
  builder.offer('parallelToolCalls', 'parallel_tool_calls', { value: body.parallel_tool_calls, isOffered });
  setCommonFields(builder, {
    ...(body.temperature === undefined ? {} : { temperature: body.temperature }),
    ...(body.top_p === undefined ? {} : { topP: body.top_p }),
    ...(body.logprobs === undefined ? {} : { logprobs: body.logprobs }),
    ...(body.top_logprobs === undefined ? {} : { topLogprobs: body.top_logprobs }),
    ...(body.verbosity === undefined ? {} : { verbosity: body.verbosity }),
    ...(body.text_format === undefined ? {} : { format: body.text_format }),
    ...(request.reasoningSummary === undefined ? {} : { summary: request.reasoningSummary }),
    wantsEncrypted: request.includesEncryptedReasoning,
  });
  builder.passThrough(body.unknown);
  return { ok: true, value: builder.build() };
}
