// docs/reference/errors.md, written from the error catalogue.
import { table } from './table.mjs';

const GROUPS = [
  [400, 'The request is wrong'],
  [401, 'Nobody is known by this credential'],
  [402, 'Not paid for'],
  [403, 'Known, but not allowed'],
  [404, 'Not there'],
  [405, 'Wrong method'],
  [408, 'Too slow'],
  [409, 'It contradicts what is already there'],
  [413, 'Too large'],
  [414, 'Address too long'],
  [415, 'Wrong media type'],
  [422, 'Understood, but refused'],
  [429, 'Too much at once'],
  [500, 'Our fault'],
  [502, "A supplier's fault"],
  [503, 'Not now'],
  [504, 'A supplier was too slow'],
  [null, 'Only in receipts'],
];

const HEAD = ['Code', 'HTTP', 'Message', 'OpenAI type', 'Anthropic type', 'Repeat'];

const RETRY = {
  yes: 'yes',
  later: 'later',
  inference_only: 'inference only',
  no: 'no',
  with_key: 'with an Idempotency-Key',
  after_change: 'after a change of the order',
  after_fixing: 'after mending the payment method',
  after_funding: 'after funding',
  after_login: 'after a login',
  after_mode_switch: 'after a switch of the account mode',
  after_onboarding: 'after onboarding',
  after_query: 'after looking what happened',
  after_refresh: 'after refreshing the token',
  after_top_up: 'after a top-up',
  from_first_hop: 'from the first address',
  re_sign: 'signed anew',
};

const INTRODUCTION = `# Errors

<!-- Written by scripts/generate-docs.mjs from packages/wire/src/errors/catalogue.ts. Do not edit by hand. -->

Every error is JSON, whatever caused it, and has the response headers \`x-grid-request-id\` (quote it when you ask for
help) and \`x-grid-error-code\` (the code below). No error repeats anything of your request but parameter names, numbers and
the name of the model, and none holds what a supplier sent.

Routes that OpenAI clients use send OpenAI's shape, with the exchange's own beside it:

\`\`\`json
{
  "error": {
    "message": "No instrument of that name is served.",
    "type": "invalid_request_error",
    "param": "model",
    "code": "model_not_found"
  },
  "errors": {
    "detail": "model_not_found",
    "message": "No instrument of that name is served.",
    "code": "model_not_found"
  }
}
\`\`\`

Market data and platform routes send the \`errors\` member only. After the first byte of a streamed answer the HTTP status is
already sent: the error then comes as an event of the stream, and the stream ends without \`data: [DONE]\`.

"Repeat" tells whether the same request may be sent again. With 429 and 503 wait for \`Retry-After\` seconds.
`;

function statusText(status) {
  if (typeof status !== 'object' || status === null) return status === null ? '' : String(status);
  return Object.entries(status)
    .map(([surface, number]) => `${number} (${surface})`)
    .join(', ');
}

function lowestStatus(status) {
  return typeof status === 'object' && status !== null ? Math.min(...Object.values(status)) : status;
}

function row([code, entry]) {
  return [
    `\`${code}\``,
    statusText(entry.httpStatus),
    entry.defaultMessage,
    entry.openAiType === null ? '' : `\`${entry.openAiType}\``,
    entry.anthropicType === null ? '' : `\`${entry.anthropicType}\``,
    RETRY[entry.retry] ?? entry.retry,
  ];
}

function section(entries, [status, title]) {
  const rows = entries.filter(([, entry]) => lowestStatus(entry.httpStatus) === status).map(row);
  if (rows.length === 0) return '';
  return `
## ${status === null ? '' : `${status}: `}${title}

${table(HEAD, rows)}
`;
}

/** The page, from the catalogue of `@opengrid/wire`. Codes of a status without a section would be lost: that throws. */
export function errorPage(catalogue) {
  const entries = Object.entries(catalogue);
  const known = new Set(GROUPS.map(([status]) => status));
  const lost = entries.filter(([, entry]) => !known.has(lowestStatus(entry.httpStatus)));
  if (lost.length > 0) throw new Error(`no section for ${lost.map(([code]) => code).join(', ')}`);
  return INTRODUCTION + GROUPS.map((group) => section(entries, group)).join('');
}
