import type { BodyBuilder } from '../conversation/body-builder.ts';
import type { Sampling } from '../conversation/model.ts';
import type { JsonObject } from '../json/parse.ts';

/** Fields that are written alike whether a request is translated or goes on as it came. */
export interface CommonFields extends Sampling {
  readonly format?: JsonObject;
  /** The kind of summary the client wants of the reasoning. */
  readonly summary?: string;
  /** The client wants opaque reasoning, to send it back. */
  readonly wantsEncrypted?: boolean;
}

function setText(builder: BodyBuilder, { format, verbosity }: CommonFields): void {
  const { capabilities } = builder.upstream;
  const isFormat =
    format !== undefined && (format.type !== 'json_schema' || capabilities.jsonSchema === true);
  const isVerbosity = verbosity !== undefined && capabilities.verbosity === true;
  if (format !== undefined && !isFormat) builder.leaveOut('outputFormat');
  if (verbosity !== undefined && !isVerbosity) builder.leaveOut('verbosity');
  if (isFormat || isVerbosity)
    builder.set('text', { ...(isFormat ? { format } : {}), ...(isVerbosity ? { verbosity } : {}) });
}

function setReasoning(builder: BodyBuilder, { summary }: CommonFields): void {
  const { capabilities } = builder.upstream;
  const effort = builder.effort();
  const isSummary = summary !== undefined && capabilities.reasoningSummary === true;
  if (summary !== undefined && !isSummary) builder.leaveOutNames(['reasoning.summary']);
  // A client of another dialect is shown what reasoning there is; here that is a summary.
  const isForeign = builder.surface !== 'responses' && builder.request.showsReasoning;
  const shown = isSummary
    ? { summary }
    : isForeign && capabilities.reasoningSummary
      ? { summary: 'auto' }
      : {};
  const fields = { ...(effort === undefined ? {} : { effort }), ...shown };
  if (Object.keys(fields).length > 0) builder.set('reasoning', fields);
}

function setInclude(builder: BodyBuilder, fields: CommonFields): void {
  const { capabilities, seal } = builder.upstream;
  const include: string[] = [];
  const wantsEncrypted = fields.wantsEncrypted ?? builder.surface === 'messages';
  const isEncrypted = capabilities.encryptedReasoning === true && seal !== undefined;
  if (wantsEncrypted && isEncrypted) include.push('reasoning.encrypted_content');
  else if (fields.wantsEncrypted === true) builder.leaveOutNames(['include.reasoning.encrypted_content']);
  if (fields.logprobs === true) {
    if (capabilities.logprobs === true) include.push('message.output_text.logprobs');
    else builder.leaveOut('logprobs');
  }
  const isOffered = capabilities.logprobs;
  builder.offer('topLogprobs', 'top_logprobs', { value: fields.topLogprobs, isOffered });
  if (include.length > 0) builder.set('include', include);
}

/** Writes sampling, shape, reasoning and limits. Nothing is ever stored. */
export function setCommonFields(builder: BodyBuilder, fields: CommonFields): void {
  const { request, upstream } = builder;
  const isOffered = upstream.capabilities.temperature;
  builder.offer('temperature', 'temperature', { value: fields.temperature, isOffered });
  builder.set('top_p', fields.topP);
  setText(builder, fields);
  setReasoning(builder, fields);
  setInclude(builder, fields);
  builder.set('max_output_tokens', upstream.maxOutputTokens);
  builder.set('store', false);
  builder.set('stream', request.stream);
}
