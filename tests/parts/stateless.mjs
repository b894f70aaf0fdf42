// An MCP server on the official SDK that keeps no sessions, as servers behind load balancers do: each message is whole.
//
// Settings: PORT (0). One tool: `echo`.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import { answer, listen, ready, serverToBe } from './part.mjs';

function mcp() {
  const server = new McpServer({ name: 'stateless', version: '1.0.0' });
  server.registerTool('echo', { description: 'Says it again.', inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  return server;
}

const server = serverToBe();
server.handler = async (request, response) => {
  if (request.method !== 'POST') return answer(response, 405, {});
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.once('close', () => transport.close());
  await mcp().connect(transport);
  return transport.handleRequest(request, response);
};
const url = await listen(server);
ready('stateless', { port: server.address().port, url: `${url}/mcp` });
