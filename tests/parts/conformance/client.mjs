// The client that the conformance suite drives: it does what a scenario wants of a client, either at the suite's server
// itself or through Keybearer.
//
//   client.mjs direct|http|stdio URL
//
// Settings: MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_PROTOCOL_VERSION and MCP_CONFORMANCE_CONTEXT (set by the suite),
// KEYBEARER (the program). Each run has a core of its own. Ends with 0 when the client was content.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { startCore } from './core.mjs';
import { scenarios } from './scenarios.mjs';

/** Less than the suite's own limit, which would leave a core behind. */
const LONGEST_MS = 25_000;
const INFO = { name: 'keybearer-conformance', version: '1.0.0' };
const [way, url] = process.argv.slice(2);
const scenario = scenarios[process.env.MCP_CONFORMANCE_SCENARIO];
if (!scenario) throw new Error(`no script for the scenario \`${process.env.MCP_CONFORMANCE_SCENARIO}\``);

const ways = {
  direct: () => new StreamableHTTPClientTransport(new URL(url)),
  http: async (core) => {
    const { url: door, authorization } = await core.register();
    return new StreamableHTTPClientTransport(door, { requestInit: { headers: { authorization } } });
  },
  stdio: ({ bridge: { command, args, env } }) => new StdioClientTransport({ command, args, env, stderr: 'inherit' }),
};

const modern = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const core =
  way === 'direct' ? undefined : await startCore(url, scenario.server, scenario.isRegistered ? context : undefined);
setTimeout(() => {
  process.stderr.write(`the client was not done after ${LONGEST_MS} ms\n`);
  core?.abandon();
  process.exit(1);
}, LONGEST_MS).unref();
try {
  await (scenario.isRefused ? refused() : whole());
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
} finally {
  await core?.stop();
}
process.exit();

/**
 * The scenario, as a person goes through it. At the stdio door a client is answered before anybody has signed in, and
 * takes a server that it has never met for an older one; where that server knows no older client, it is started again.
 */
async function whole() {
  try {
    await once();
  } catch (error) {
    if (!modern || way !== 'stdio' || !error.message.includes('cannot be reached')) throw error;
    await once();
  }
}

/** From the handshake to the end. */
async function once() {
  const options = modern ? { versionNegotiation: { mode: 'auto' } } : {};
  const client = new Client(INFO, { ...options, capabilities: scenario.capabilities ?? {} });
  scenario.prepare?.(client);
  try {
    await client.connect(await ways[way](core));
    await runs(client);
  } finally {
    // A bridge that outlived its core would start another one.
    await client.close();
  }
}

/** At the stdio door a list opens no sign-in page by itself, not even where the server has left its issuer: the person does. */
async function runs(client) {
  try {
    await scenario.run(client, context);
  } catch (error) {
    if (way !== 'stdio' || scenario.isRefused || !error.message.includes("refuses the company's sign-in")) throw error;
    await core.signIn();
    await scenario.run(client, context);
  }
}

/** The same where somebody must refuse: it is an error that nobody does. */
async function refused() {
  try {
    await whole();
  } catch (error) {
    process.stderr.write(`refused, as it must be: ${error.message}\n`);
    return;
  }
  throw new Error('nothing was refused');
}
