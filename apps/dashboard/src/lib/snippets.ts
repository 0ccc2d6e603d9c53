/** A piece of code to paste. */
export type Snippet = { id: string; label: string; code: string };

const quoted = (text: string): string => JSON.stringify(text);

const curl = (origin: string, model: string): string => `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $OPENGRID_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": ${quoted(model)}, "max_tokens": 64,
       "messages": [{"role": "user", "content": "Hello"}]}'`;

const python = (origin: string, model: string): string => `import os
from openai import OpenAI

client = OpenAI(base_url=${quoted(`${origin}/v1`)},
                api_key=os.environ["OPENGRID_API_KEY"])
stream = client.chat.completions.create(
    model=${quoted(model)}, stream=True, max_tokens=64,
    messages=[{"role": "user", "content": "Hello"}])
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="")`;

const javascript = (origin: string, model: string): string => `import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: ${quoted(`${origin}/v1`)},
  apiKey: process.env.OPENGRID_API_KEY,
});
const stream = await client.chat.completions.create({
  model: ${quoted(model)}, stream: true, max_tokens: 64,
  messages: [{ role: 'user', content: 'Hello' }],
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? '');
}`;

/** A first request in three tongues. */
export const quickstart = (origin: string, model: string): Snippet[] => [
  { id: 'curl', label: 'curl', code: curl(origin, model) },
  { id: 'javascript', label: 'JavaScript', code: javascript(origin, model) },
  { id: 'python', label: 'Python', code: python(origin, model) },
];

/** The request that a part of the page is drawn from. */
export const readCommand = (origin: string, path: string): string => `curl ${origin}${path}`;

/** The same for what needs a key. */
export const readWithKeyCommand = (origin: string, path: string): string =>
  `curl ${origin}${path} \\\n  -H "Authorization: Bearer $OPENGRID_API_KEY"`;
