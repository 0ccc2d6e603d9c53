// What is asked: a line of chat, and the request of a coding agent in the middle of its work, in both dialects. The agent's is
// built once and translated, so that a relay of one dialect and a router of the other carry the same things.

const TOOL_NAMES = [
  'Bash',
  'Edit',
  'Glob',
  'Grep',
  'Read',
  'Write',
  'Task',
  'WebFetch',
  'WebSearch',
  'TodoWrite',
];
const RULE =
  'Before changing a file, read it; keep to the style that is there; run its tests when you are done. ';
const CODE =
  'export function sum(values: readonly number[]): number {\n  return values.reduce((a, b) => a + b, 0);\n}\n';

/** Room for the head and the punctuation of the smallest chat request is part of its 150 bytes. */
const SMALL_PROMPT = 'Say something about the sea, in one short sentence.';

function schemaOf(name) {
  return {
    type: 'object',
    properties: {
      file_path: { type: 'string', description: `The absolute path that ${name} works on. ${RULE}` },
      pattern: { type: 'string', description: 'A regular expression in the syntax of the runtime.' },
      limit: { type: 'integer', minimum: 1, description: 'How many lines or matches are wanted at most.' },
    },
    required: ['file_path'],
    additionalProperties: false,
  };
}

const tools = ['MultiEdit', 'NotebookEdit', ...TOOL_NAMES].map((name) => ({
  name,
  description: `${name}: ${RULE.repeat(10)}`,
  input_schema: schemaOf(name),
}));

const SYSTEM = `You are a coding agent. ${RULE.repeat(144)}`;
const HISTORY = [
  { role: 'user', content: [{ type: 'text', text: 'The sums in the report are wrong. Find out why.' }] },
  ...Array.from({ length: 4 }, (_, turn) => [
    {
      role: 'assistant',
      content: [
        { type: 'text', text: `I read file ${turn}.` },
        {
          type: 'tool_use',
          id: `toolu_${turn}`,
          name: 'Read',
          input: { file_path: `/project/src/sum-${turn}.ts` },
        },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: `toolu_${turn}`, content: CODE.repeat(38) }],
    },
  ]).flat(),
];

function agentMessages(model, stream) {
  const cache = { cache_control: { type: 'ephemeral' } };
  return {
    model,
    max_tokens: 4096,
    stream,
    system: [{ type: 'text', text: SYSTEM, ...cache }],
    tools,
    messages: HISTORY,
  };
}

function agentChat(model, stream) {
  return {
    model,
    max_tokens: 4096,
    stream,
    messages: [{ role: 'system', content: SYSTEM }, ...HISTORY.map(chatMessage)],
    tools: tools.map(({ input_schema: parameters, ...rest }) => ({
      type: 'function',
      function: { ...rest, parameters },
    })),
  };
}

function chatMessage({ role, content }) {
  const [first, second] = content;
  if (first.type === 'tool_result')
    return { role: 'tool', tool_call_id: first.tool_use_id, content: first.content };
  if (second === undefined) return { role, content: first.text };
  const call = { name: second.name, arguments: JSON.stringify(second.input) };
  return {
    role,
    content: first.text,
    tool_calls: [{ id: second.id, type: 'function', function: call }],
  };
}

function smallBody(model, stream) {
  return { model, max_tokens: 64, stream, messages: [{ role: 'user', content: SMALL_PROMPT }] };
}

const SURFACES = [
  { surface: 'chat', path: '/v1/chat/completions', agent: agentChat },
  { surface: 'messages', path: '/v1/messages', agent: agentMessages },
];

/** Every surface with the small and the agent's body, whole and streamed. */
export const scenarios = SURFACES.flatMap(({ surface, path, agent }) =>
  [smallBody, agent].flatMap((bodyOf) =>
    [false, true].map((stream) => {
      const bytes = JSON.stringify(bodyOf('text-standard', stream)).length;
      const size = bytes < 1_000 ? `${bytes} byte` : `${Math.round(bytes / 1_000)} KB, ${tools.length} tools`;
      const name = `${path}, ${stream ? 'stream of 20 chunks' : 'JSON'}, ${size}`;
      return { name, surface, path, stream, isSmall: bodyOf === smallBody, bodyOf };
    }),
  ),
);
