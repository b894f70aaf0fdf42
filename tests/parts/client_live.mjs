// An official TypeScript client that starts its server, as desktop apps do, and stays connected.
//
//   client_live.mjs sdk|client -- COMMAND [ARGUMENT...]
//
// The command inherits what the library hands down, and `KEYBEARER_HOME`. Each line of standard input is a tool call
// (`{"name": ..., "arguments": ...}`); what comes of it is printed as one line of JSON. So is each change of the tools.

import { createInterface } from 'node:readline';

import { LIBRARIES, parse } from './client.mjs';

const { library, command: [command, ...args] } = parse(process.argv.slice(2));
const { KEYBEARER_HOME } = process.env;
const kit = await LIBRARIES[library]();
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const client = new kit.Client({ name: 'keybearer-story', version: '1.0.0' }, kit.options);
const heard = { sdk: (await notification()), client: 'notifications/tools/list_changed' }[library];
client.setNotificationHandler(heard, () => print({ changed: true }));
client.onclose = () => print({ closed: true });
client.onerror = (error) => print({ broken: error.message });
const env = { ...kit.getDefaultEnvironment(), ...(KEYBEARER_HOME ? { KEYBEARER_HOME } : {}) };
await client.connect(new kit.StdioClientTransport({ command, args, env, stderr: 'inherit' }));
print({ ready: true, tools: (await client.listTools()).tools.map((tool) => tool.name) });

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  kit.call(client, request, { timeout: 120_000 }).then(
    (result) => print({ called: request.name, text: result.content?.[0]?.text }),
    (error) => print({ called: request.name, error: error.message, code: error.code }),
  );
}
await client.close();
process.exit(0);

async function notification() {
  if (library !== 'sdk') return undefined;
  return (await import('@modelcontextprotocol/sdk/types.js')).ToolListChangedNotificationSchema;
}
