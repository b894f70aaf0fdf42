// Keybearer's HTTP door for a client that can send no key, or its socket door for one that knows only ports: a core
// before `TARGET`, and a forwarder before the core that adds the key and changes nothing else.
//
// A request that names this forwarder as its host is for the door, and gets the door's name; any other Host or Origin
// goes on as it came, so that the door's own gate judges it. This forwarder's own Origin stands for a program that
// sends none: the door lets in no page of any origin (SEC-04).
//
// Settings: TARGET (the server's URL), DOOR (`http` or `socket`), KEYBEARER (the program), PORT (0).

import http from 'node:http';
import { startCore } from './core.mjs';
import { listen, ready, required, serverToBe } from '../part.mjs';

const core = await startCore(required('TARGET'));
process.once('exit', core.abandon);
const doors = {
  http: async () => {
    const { url, authorization } = await core.register();
    return { at: { hostname: url.hostname, port: url.port }, host: url.host, key: ['authorization', authorization] };
  },
  socket: () => ({ at: { socketPath: core.socket }, host: 'localhost', key: [] }),
};
const door = await doors[required('DOOR')]();
const server = serverToBe();
const origin = await listen(server);
const here = new URL(origin).host;
const agent = new http.Agent({ keepAlive: true });

server.handler = (request, response) => {
  const headers = withDoorsName(request.rawHeaders);
  const path = `/mcp/upstream${request.url.slice('/mcp'.length)}`;
  const onward = http.request({ ...door.at, agent, path, method: request.method, headers, setHost: false });
  onward.once('response', (reply) => {
    response.writeHead(reply.statusCode, reply.rawHeaders);
    response.flushHeaders();
    reply.pipe(response);
    reply.once('error', () => response.destroy());
  });
  onward.once('error', (error) => response.destroy(error));
  response.once('close', () => onward.destroy());
  request.pipe(onward);
};
ready('conformance-door', { port: server.address().port, url: `${origin}/mcp` });

/** The headers as they came, one by one. */
function withDoorsName(raw) {
  const headers = [...door.key];
  for (let at = 0; at < raw.length; at += 2) {
    const [name, value] = [raw[at].toLowerCase(), raw[at + 1]];
    if (name === 'origin' && value === origin) continue;
    headers.push(raw[at], name === 'host' && value === here ? door.host : value);
  }
  return headers;
}
