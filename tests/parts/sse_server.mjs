// A server of the transport of 2024-11-05: `SSEServerTransport` of the official SDK, on loopback alone.
//
// Settings: PORT (0); ENDPOINT (`/messages`), where it tells clients to post. One tool: `echo`. Asked for `/__seen`, it
// tells what came.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { z } from 'zod';
import { answer, listen, ready, serverToBe } from './part.mjs';

const sessions = new Map();
const seen = [];

function mcp() {
  const server = new McpServer({ name: 'sse-server', version: '1.0.0' });
  server.registerTool('echo', { description: 'Says it again.', inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  return server;
}

const server = serverToBe();
server.handler = async (request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  if (url.pathname === '/__seen') return answer(response, 200, seen);
  const { authorization = null, cookie = null, 'x-api-key': key = null } = request.headers;
  seen.push({ method: request.method, path: url.pathname, authorization, cookie, key });
  if (request.method === 'GET' && url.pathname === '/sse') {
    const transport = new SSEServerTransport(process.env.ENDPOINT ?? '/messages', response);
    sessions.set(transport.sessionId, transport);
    response.once('close', () => sessions.delete(transport.sessionId));
    return mcp().connect(transport);
  }
  const transport = sessions.get(url.searchParams.get('sessionId'));
  if (request.method === 'POST' && transport) return transport.handlePostMessage(request, response);
  return answer(response, request.method === 'POST' ? 405 : 404, {});
};

const origin = await listen(server);
ready('sse-server', { port: server.address().port, url: `${origin}/sse` });
