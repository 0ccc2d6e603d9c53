/** What a person reads after the start. The snippets work when pasted into the folder of the checkout. */

export interface BannerFacts {
  readonly url: string;
  /** Shown once, at the first start of a demo market. */
  readonly key: string | undefined;
  readonly model: string;
  /** Who can have a key made: the demo market's buyer, when there is one. */
  readonly buyer: string | undefined;
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

function howToGetKey(buyer: string | undefined): string {
  const make = (email: string) => `npx opengrid keys create --account ${email}`;
  const use = 'The snippets read the key from OPENGRID_API_KEY.';
  if (buyer !== undefined)
    return `The key was shown at the first start. To make another:  ${make(buyer)}\n${use}`;
  return `To open an account, give it credit and make a key:
  npx opengrid accounts create you@example.com
  npx opengrid accounts credit you@example.com 25.00
  ${make('you@example.com')}
${use}`;
}

export function banner(facts: BannerFacts): string {
  const key =
    facts.key === undefined ? howToGetKey(facts.buyer) : `Buyer's key, shown this once:  ${facts.key}`;
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
