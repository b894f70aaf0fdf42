// An official TypeScript client whose server wants a sign-in, as a desktop app meets it: it gives the handshake 60
// seconds, uses the tool that signs in, and waits for the tools to change.
//
//   client_sign_in.mjs sdk|client|auto --call TOOL JSON -- COMMAND [ARGUMENT...]
//
// `auto` is `client` that asks for the era of 2026-07-28 first. Prints one line of JSON as soon as it has listed the tools, and one at
// the end; ends with 0 when all went well. See client_stdio.mjs.

import { LIBRARIES, parse } from './client.mjs';

const LIMIT_MS = 60_000;
const CHANGED = 'notifications/tools/list_changed';
const SIGN_IN = { name: 'sign_in', arguments: {} };
const MODERN = '2026-07-28';
const word = process.argv[2];
const { library, calls, command } = parse([word === 'auto' ? 'client' : word, ...process.argv.slice(3)]);
const kit = await LIBRARIES[library]();
const options = word === 'auto' ? kit.options : {};
const client = new kit.Client({ name: 'keybearer-sign-in-story', version: '1.0.0' }, options);
const [program, ...args] = command;
const env = { ...kit.getDefaultEnvironment(), KEYBEARER_HOME: process.env.KEYBEARER_HOME };

try {
  const what = library === 'sdk' ? (await import('@modelcontextprotocol/sdk/types.js')).ToolListChangedNotificationSchema : CHANGED;
  const changed = new Promise((resolve) => client.setNotificationHandler(what, resolve));
  const start = performance.now();
  await client.connect(new kit.StdioClientTransport({ command: program, args, env, stderr: 'inherit' }), { timeout: LIMIT_MS });
  const handshakeMs = performance.now() - start;
  if (client.getNegotiatedProtocolVersion?.() === MODERN) await client.listen({ toolsListChanged: true });
  print({ handshake_ms: handshakeMs, tools: await names() });
  const signedIn = await kit.call(client, SIGN_IN, { timeout: LIMIT_MS });
  await changed;
  const tools = await names();
  const results = [];
  for (const call of calls) results.push(text(await kit.call(client, call, { timeout: LIMIT_MS })));
  print({ ok: true, sign_in: text(signedIn), tools, results });
  await client.close();
  process.exit();
} catch (error) {
  print({ ok: false, error: error.message, code: error.code });
  process.exit(1);
}

async function names() {
  return (await client.listTools()).tools.map((tool) => tool.name);
}

function text({ content, isError }) {
  return { text: content.map((part) => part.text ?? '').join('\n'), is_error: isError === true };
}

function print(report) {
  process.stdout.write(`${JSON.stringify({ client: word, ...report })}\n`);
}
