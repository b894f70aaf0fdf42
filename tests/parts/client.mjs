// What the official TypeScript clients do the same way over HTTP and stdio: connect, list the tools, call some, and
// print one line of JSON. Not run by itself: see client_http.mjs and client_stdio.mjs.

const INFO = { name: 'keybearer-story', version: '1.0.0' };

/** The two generations of the official client, behind one shape. */
export const LIBRARIES = {
  sdk: async () => ({
    ...(await import('@modelcontextprotocol/sdk/client/index.js')),
    ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
    ...(await import('@modelcontextprotocol/sdk/client/stdio.js')),
    options: {},
    call: (client, request, options) => client.callTool(request, undefined, options),
  }),
  client: async () => ({
    ...(await import('@modelcontextprotocol/client')),
    ...(await import('@modelcontextprotocol/client/stdio')),
    options: { versionNegotiation: { mode: 'auto' } },
    call: (client, request, options) => client.callTool(request, options),
  }),
};

/** Reads `LIBRARY [WORD...] [--call TOOL JSON]... [-- COMMAND ARGUMENT...]`. */
export function parse(words) {
  const [library, ...rest] = words;
  if (!(library in LIBRARIES)) throw new Error(`the library is one of ${Object.keys(LIBRARIES).join(', ')}`);
  const end = rest.indexOf('--');
  const own = end < 0 ? rest : rest.slice(0, end);
  const calls = [];
  for (let at = own.indexOf('--call'); at >= 0; at = own.indexOf('--call')) {
    const [, name, json] = own.splice(at, 3);
    calls.push({ name, arguments: JSON.parse(json) });
  }
  return { library, words: own, calls, command: end < 0 ? [] : rest.slice(end + 1) };
}

/** Connects by the transport that `open` makes of the library, and prints what came of it. */
export async function run({ library, calls }, open) {
  const report = { library, ok: false };
  try {
    const kit = await LIBRARIES[library]();
    const client = new kit.Client(INFO, kit.options);
    const transport = open(kit);
    await client.connect(transport);
    report.server = client.getServerVersion()?.name;
    report.tools = (await client.listTools()).tools.map((tool) => tool.name);
    report.results = [];
    for (const call of calls) report.results.push(await use(kit, client, call));
    await transport.terminateSession?.();
    await client.close();
    report.ok = true;
  } catch (error) {
    Object.assign(report, { error: error.message, code: error.code });
  }
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(report.ok ? 0 : 1));
}

async function use(kit, client, call) {
  let progress = 0;
  const options = { timeout: 120_000, resetTimeoutOnProgress: true, onprogress: () => (progress += 1) };
  const result = await kit.call(client, call, options);
  const text = result.content.filter((part) => part.type === 'text').map((part) => part.text).join('\n');
  return { tool: call.name, text, is_error: result.isError === true, progress };
}
