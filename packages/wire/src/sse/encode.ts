/** An event of the OpenAI dialect: one line, exactly one space, a blank line. The JSON has no line break. */
export function encodeData(json: string): string {
  return `data: ${json}\n\n`;
}

/** An event with a name, as the Responses and Messages dialects send them. */
export function encodeEvent(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}

/** A comment, which every client skips: keeps the connection alive. */
export const KEEP_ALIVE_COMMENT = ': keep-alive\n\n';
