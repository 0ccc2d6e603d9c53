/** How each agent's tools read and edit a file: by the names that the agents give them. */
const READERS = [
  ['Read', (file) => ({ file_path: file })],
  ['exec_command', (file) => ({ cmd: `cat ${file}` })],
  ['shell_command', (file) => ({ command: `cat ${file}` })],
  ['shell', (file) => ({ command: ['cat', file] })],
];
const EDITORS = [
  ['Edit', (file) => ({ file_path: file, old_string: 'wrold', new_string: 'world' })],
  ['exec_command', (file) => ({ cmd: `sed -i s/wrold/world/ ${file}` })],
  ['shell_command', (file) => ({ command: `sed -i s/wrold/world/ ${file}` })],
  ['shell', (file) => ({ command: ['sed', '-i', 's/wrold/world/', file] })],
];

/** A behaviour of the double that reads the file, corrects it, and says so: one step for each result that it was given. */
export function scriptedCoder(file) {
  return ({ body }) => {
    const tools = toolNames(body);
    const step = resultCount(body);
    const table = [READERS, EDITORS][step];
    const use = table?.find(([name]) => tools.includes(name));
    // Agents also ask for titles and summaries, without tools.
    if (use === undefined) return { kind: 'answer', text: 'The typo is fixed.', chunkCount: 4 };
    const [name, argumentsOf] = use;
    // Agents take a call whose id they have seen for the one that they have answered.
    const toolCalls = [{ id: `call_step_${step}`, name, argumentsJson: JSON.stringify(argumentsOf(file)) }];
    return { kind: 'answer', pieces: [], toolCalls, usage: { promptTokens: 5_000, completionTokens: 40 } };
  };
}

function toolNames(body) {
  return (body?.tools ?? []).map((tool) => tool.function?.name ?? tool.name);
}

/** Results of tools in the conversation, in whatever dialect it is. */
function resultCount(body) {
  const items = body?.messages ?? body?.input ?? [];
  if (!Array.isArray(items)) return 0;
  const isResult = ({ role, type }) =>
    role === 'tool' || type === 'tool_result' || type === 'function_call_output';
  const blocks = items.flatMap((item) => [item, ...(Array.isArray(item.content) ? item.content : [])]);
  return blocks.filter(isResult).length;
}
