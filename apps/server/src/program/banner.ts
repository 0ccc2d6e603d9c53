/** What a person reads after the start. The snippets work when pasted into the folder of the checkout. */

export interface BannerFacts {
  readonly url: string;
  /** Shown once, at the first start of a demo market. */
  readonly key: string | undefined;
  readonly model: string;
}

export function curlSnippet({ url, key, model }: BannerFacts): string {
  return `curl -N ${url}/v1/chat/completions \\
  -H "Authorization: Bearer ${key ?? '$OPENGRID_API_KEY'}" \\
  -H "Content-Type: application/json" \\
  -d '{"model":"${model}","stream":true,"max_tokens":120,"messages":[{"role":"user","content":"The sea was"}]}'`;
}

export function sdkSnippet({ url, key, model }: BannerFacts): string {
  const apiKey = key === undefined ? 'process.env.OPENGRID_API_KEY' : `"${key}"`;
  return `node --input-type=module <<'SNIPPET'
import OpenAI from "openai";
const client = new OpenAI({ baseURL: "${url}/v1", apiKey: ${apiKey} });
const answer = await client.chat.completions.create({
  model: "${model}", max_tokens: 120, messages: [{ role: "user", content: "My fellow citizens," }],
});
console.log(answer.choices[0].message.content, answer.usage);
SNIPPET`;
}

export function banner(facts: BannerFacts): string {
  const key =
    facts.key === undefined
      ? 'Make a key with `npx opengrid keys create --account <email>`; the snippets read it from OPENGRID_API_KEY.'
      : `Buyer's key, shown this once:  ${facts.key}`;
  return `
OpenGrid is running at ${facts.url}

${key}

Try it with curl:

${curlSnippet(facts)}

or with the OpenAI SDK (installed here already):

${sdkSnippet(facts)}

Receipts: ${facts.url}/v1/usage    Market: ${facts.url}/    Stop: Ctrl-C
`;
}
