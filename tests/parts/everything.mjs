// The official `server-everything` over Streamable HTTP, on loopback alone and on a free port.
//
// Settings: PORT (0). The package listens on every address and prints on standard output; both are put right here.

import net from 'node:net';
import { ready } from './part.mjs';

process.env.PORT ??= '0';
console.log = () => {};

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function onLoopback(port, ...rest) {
  const callback = rest.find((argument) => typeof argument === 'function');
  this.once('listening', () => {
    const { port: taken } = this.address();
    ready('everything', { port: taken, url: `http://127.0.0.1:${taken}/mcp` });
  });
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, callback);
};

await import('@modelcontextprotocol/server-everything/dist/transports/streamableHttp.js');
