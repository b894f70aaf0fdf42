// What every part has in common: it listens on loopback, says in one JSON line that it is ready, and ends with its
// starter: on SIGTERM, or when its standard input closes.

import http from 'node:http';

/** Listens on 127.0.0.1, on `PORT` or a free port, and returns the origin. */
export function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

/** Says that the part is ready, and from then on ends with its starter. */
export function ready(part, facts) {
  process.stdout.write(`${JSON.stringify({ ready: part, pid: process.pid, ...facts })}\n`);
  process.once('SIGTERM', () => process.exit(0));
  process.stdin.once('end', () => process.exit(0)).once('error', () => process.exit(0)).resume();
}

/** Answers with JSON. */
export function answer(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** A server whose handler may be set later, because what it needs to know is the port. */
export function serverToBe() {
  const server = http.createServer((request, response) => server.handler(request, response));
  // A machine that is busy for some seconds must not look like a server that closes connections.
  server.keepAliveTimeout = 0;
  return server;
}

/** The setting, or an end that says which one is missing. */
export function required(name) {
  const value = process.env[name];
  if (value === undefined) {
    process.stderr.write(`error: \`${name}\` is not set\n`);
    process.exit(2);
  }
  return value;
}
