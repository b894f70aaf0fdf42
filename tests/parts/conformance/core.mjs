// A core with a home of its own and one server, `upstream`, for as long as one scenario lasts.
//
// Settings: KEYBEARER (the program). Everything is allowed by a rule, and a sign-in page is followed to its end by a
// browser without a window, so that nothing ever waits for a person.

import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { required } from '../part.mjs';

const run = promisify(execFile);

/** The `[servers.upstream]` table of a server that never asks for a token. */
export const OPEN = 'auth = "none"';

/** Where the suite thinks that our client metadata document is; it reads it in no scenario that counts. */
const DOCUMENT = 'https://conformance-test.local/client-metadata.json';

/** Starts a core before `url`; `server` is what else its settings say of that server, `client` one that IT registered. */
export async function startCore(url, server = OPEN, client = undefined) {
  const program = required('KEYBEARER');
  const home = await mkdtemp(join(tmpdir(), 'kbc'));
  const settings = {
    KEYBEARER_HOME: home,
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
    BROWSER: await browser(home),
  };
  const env = { ...process.env, ...settings };
  await writeFile(join(home, 'config.toml'), configuration(client ? undefined : url, server));
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
  if (client) await declare(program, env, url, client);
  /** What a person does who is told that their sign-in is not accepted. */
  const signIn = () => run(program, ['login', 'upstream'], { env });
  const bridge = { command: program, args: ['stdio', 'upstream'], env: settings };
  return { stop, abandon, bridge, socket: JSON.parse(ready).socket, register: () => register(program, env), signIn };
}

/** The command that opens a page: a person who is signed in at the suite's issuer and agrees to everything. */
async function browser(home) {
  const file = join(home, 'browser');
  const script = join(import.meta.dirname, '..', 'browser.mjs');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  await chmod(file, 0o700);
  return file;
}

/** Declares the server with a client that its issuer knows; the secret goes to the key store. */
async function declare(program, env, url, { client_id: id, client_secret: secret, issuer }) {
  const client = ['--client-id', id, '--issuer', issuer, '--client-secret-stdin'];
  const adding = run(program, ['servers', 'add', 'upstream', url, ...client], { env });
  adding.child.stdin.end(secret);
  await adding;
}

/** A client's way in at the HTTP door: `upstream`'s URL there, and the header that carries its key. */
async function register(program, env) {
  const { stdout } = await run(program, ['clients', 'add', 'conformance', '--json'], { env });
  const { key, urls } = JSON.parse(stdout);
  return { url: new URL(urls.find((url) => url.endsWith('/upstream'))), authorization: `Bearer ${key}` };
}

function configuration(url, server) {
  const declared = url ? ['[servers.upstream]', `url = ${JSON.stringify(url)}`, server] : [];
  return [
    'keystore = "memory"',
    'unknown = "deny"',
    'http_port = 0',
    `client_metadata_url = "${DOCUMENT}"`,
    ...declared,
    '[[rules]]',
    'effect = "allow"',
    '',
  ].join('\n');
}
