// A core with a home of its own and one server, `upstream`, for as long as one scenario lasts.
//
// Settings: KEYBEARER (the program). Everything is allowed by a rule, so that nothing ever waits for a person.

import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { required } from '../part.mjs';

const run = promisify(execFile);

/** The `[servers.upstream]` table of a server that never asks for a token. */
export const OPEN = 'auth = "none"';

/** Starts a core before `url`; `server` is what else its settings say of that server. */
export async function startCore(url, server = OPEN) {
  const program = required('KEYBEARER');
  const home = await mkdtemp(join(tmpdir(), 'kbc'));
  const settings = { KEYBEARER_HOME: home, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
  const env = { ...process.env, ...settings };
  await writeFile(join(home, 'config.toml'), configuration(url, server));
  const core = spawn(program, ['serve', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => core.once('close', resolve));
  const complaints = [];
  core.stderr.setEncoding('utf8').on('data', (text) => complaints.push(text));
  const stop = async () => {
    core.kill('SIGTERM');
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  /** For a program that ends at once. */
  const abandon = () => {
    core.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  };
  const lines = createInterface(core.stdout);
  const ready = await Promise.race([new Promise((resolve) => lines.once('line', resolve)), ended]);
  if (typeof ready !== 'string') {
    await stop();
    throw new Error(`the core did not start: ${complaints.join('')}`);
  }
  const bridge = { command: program, args: ['stdio', 'upstream'], env: settings };
  return { stop, abandon, bridge, socket: JSON.parse(ready).socket, register: () => register(program, env) };
}

/** A client's way in at the HTTP door: `upstream`'s URL there, and the header that carries its key. */
async function register(program, env) {
  const { stdout } = await run(program, ['clients', 'add', 'conformance', '--json'], { env });
  const { key, urls } = JSON.parse(stdout);
  return { url: new URL(urls.find((url) => url.endsWith('/upstream'))), authorization: `Bearer ${key}` };
}

function configuration(url, server) {
  return [
    'keystore = "memory"',
    'unknown = "deny"',
    'http_port = 0',
    '[servers.upstream]',
    `url = ${JSON.stringify(url)}`,
    server,
    '[[rules]]',
    'effect = "allow"',
    '',
  ].join('\n');
}
