// An official TypeScript client that stays connected and does what it is told, line by line.
//
//   own_client.mjs sdk|client|modern URL                      over Streamable HTTP, with HEADER (`Name: value`)
//   own_client.mjs sdk|client|modern -- COMMAND [ARGUMENT...]  starting its server, which inherits `KEYBEARER_HOME`
//
// `client` is of the era with sessions, `modern` the same library in the era without. Each line of standard input is
// `{"do": ..., ...}`; what came of it is one line of JSON. It answers questions of servers by accepting, with the first
// name Ada, and says so in `asked`.

import { createInterface } from 'node:readline';

import { LIBRARIES } from './client.mjs';

const [wanted, ...rest] = process.argv.slice(2);
const kit = await LIBRARIES[wanted === 'sdk' ? 'sdk' : 'client']();
const types = wanted === 'sdk' ? await import('@modelcontextprotocol/sdk/types.js') : undefined;
const options = wanted === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {};
const client = new kit.Client(
  { name: 'keybearer-story', version: '1.0.0' },
  { ...options, capabilities: { elicitation: {}, roots: { listChanged: true }, sampling: {} } },
);

let asked = 0;
let changes = 0;
let waiting = () => {};
client.setRequestHandler(types?.ElicitRequestSchema ?? 'elicitation/create', () => {
  asked += 1;
  return { action: 'accept', content: { name: 'Ada' } };
});
client.setRequestHandler(types?.ListRootsRequestSchema ?? 'roots/list', () => ({ roots: [] }));
client.setNotificationHandler(types?.ToolListChangedNotificationSchema ?? 'notifications/tools/list_changed', () => {
  changes += 1;
  waiting();
});

const { HEADER = '', KEYBEARER_HOME } = process.env;
const [name, ...value] = HEADER.split(':');
const headers = HEADER ? { [name]: value.join(':').trim() } : {};
const env = { ...kit.getDefaultEnvironment(), ...(KEYBEARER_HOME ? { KEYBEARER_HOME } : {}) };
const transport =
  rest[0] === '--'
    ? new kit.StdioClientTransport({ command: rest[1], args: rest.slice(2), env, stderr: 'inherit' })
    : new kit.StreamableHTTPClientTransport(new URL(rest[0]), { requestInit: { headers } });
await client.connect(transport);
if (wanted === 'modern') await client.listen({ toolsListChanged: true });

const deeds = {
  tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
  call: async ({ tool, arguments: values }) => {
    let progress = 0;
    const options = { timeout: 120_000, onprogress: () => (progress += 1) };
    const result = await kit.call(client, { name: tool, arguments: values }, options);
    return { text: result.content.map((part) => part.text ?? '').join('\n'), failed: result.isError === true, progress, asked };
  },
  resources: async () => (await client.listResources()).resources.map((resource) => resource.uri),
  templates: async () => (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate),
  read: async ({ uri }) => (await client.readResource({ uri })).contents,
  prompts: async () => (await client.listPrompts()).prompts.map((prompt) => prompt.name),
  prompt: async ({ name, arguments: values }) => (await client.getPrompt({ name, arguments: values })).messages,
  complete: async ({ ref, argument }) => (await client.complete({ ref, argument })).completion.values,
  changed: async ({ since }) => {
    while (changes <= since) await new Promise((resolve) => (waiting = resolve));
    return changes;
  },
  changes: async () => changes,
  end: async () => {
    await transport.terminateSession?.();
    await client.close();
    return true;
  },
};

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
print({ done: client.getServerVersion()?.name ?? null });
for await (const line of createInterface({ input: process.stdin })) {
  const what = JSON.parse(line);
  try {
    print({ done: await deeds[what.do](what) });
  } catch (error) {
    print({ failed: error.message, code: error.code });
  }
}
process.exit(0);
