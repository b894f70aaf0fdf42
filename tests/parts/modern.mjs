// An MCP server of the era without sessions alone, that wants to know a name before it goes on, and whose tools change.
//
// Settings: PORT (0). `GET /__change` adds a tool and tells whoever listens.

import { answer, listen, ready, serverToBe } from './part.mjs';

const VERSION = '2026-07-28';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const STATE = 'opaque-1';

const tools = [{ name: 'ask', inputSchema: { type: 'object' }, 'x-kept': [1.5] }];
const listeners = new Set();

const form = { type: 'object', properties: { name: { type: 'string' } } };
const question = { method: 'elicitation/create', params: { mode: 'form', message: 'Who?', requestedSchema: form } };
const whole = (result) => ({ resultType: 'complete', ...result });
const cached = (result) => whole({ ...result, ttlMs: 0, cacheScope: 'private' });

const methods = {
  'server/discover': () =>
    cached({ supportedVersions: [VERSION], capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'modern', version: '1' } }),
  'tools/list': () => cached({ tools }),
  'tools/call': ({ inputResponses, requestState }) => {
    if (!inputResponses) return { resultType: 'input_required', inputRequests: { who: question }, requestState: STATE };
    const text = requestState === STATE ? `hello ${inputResponses.who.content.name}` : 'the state is not mine';
    return whole({ content: [{ type: 'text', text }] });
  },
};

const tell = (response, message) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);

const server = serverToBe();
server.handler = async (request, response) => {
  if (request.url === '/__change') {
    tools.push({ name: 'more', inputSchema: { type: 'object' } });
    for (const { id, response: stream } of listeners) {
      tell(stream, { method: 'notifications/tools/list_changed', params: { _meta: { [SUBSCRIPTION]: id } } });
    }
    return answer(response, 200, { listeners: listeners.size });
  }
  if (request.method !== 'POST') return answer(response, 405, {});
  let body = '';
  for await (const chunk of request) body += chunk;
  const { id, method, params = {} } = JSON.parse(body);
  if (id === undefined) return response.writeHead(202).end();
  const fails = (status, code, message) => answer(response, status, { jsonrpc: '2.0', id, error: { code, message } });
  if (!(method in methods) && method !== 'subscriptions/listen') return fails(404, -32601, 'unknown method');
  const { 'mcp-protocol-version': version, 'mcp-method': said } = request.headers;
  if (version !== VERSION || said !== method) return fails(400, -32020, 'the headers do not say what the body says');
  if (!params._meta?.['io.modelcontextprotocol/clientCapabilities']) return fails(400, -32602, 'no capabilities');
  if (method !== 'subscriptions/listen') return answer(response, 200, { jsonrpc: '2.0', id, result: methods[method](params) });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const meta = { [SUBSCRIPTION]: id };
  tell(response, { method: 'notifications/subscriptions/acknowledged', params: { _meta: meta, notifications: params.notifications } });
  const listener = { id, response };
  listeners.add(listener);
  response.once('close', () => listeners.delete(listener));
};
const url = await listen(server);
ready('modern', { url: `${url}/mcp`, origin: url });
