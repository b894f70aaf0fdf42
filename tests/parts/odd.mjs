// An MCP server of the era with sessions that says more than any library's types know, on two pages, and with names that
// no client takes as they are. Its tool `slow`, which it does not list, never ends.
//
// Settings: PORT (0). `GET /__seen` tells what was called.

import { answer, listen, ready, serverToBe } from './part.mjs';

export const TOOLS = [
  {
    name: 'odd.tool/with a name that is much longer than the sixty-four characters that clients hand on',
    title: 'Odd',
    'x-vendor': { deep: [1, 2.5, { é: null }], big: 12345678901234567000 },
    inputSchema: { type: 'object', $defs: { x: { const: 1 } }, properties: { a: { $ref: '#/$defs/x', 'x-ui': 'wide' } }, 'x-order': ['a'] },
    annotations: { readOnlyHint: true, 'x-cost': 3 },
    execution: { taskSupport: 'optional', 'x-later': true },
    icons: [{ src: 'data:image/png;base64,AA==', 'x-dpi': 2 }],
    _meta: { 'example.com/a': { b: [true] } },
  },
  { name: 'plain', description: 'Plain.', inputSchema: { type: 'object' } },
];

const RESULT = {
  content: [{ type: 'text', text: 'done', 'x-part': 1 }, { type: 'x-unknown', what: [1] }],
  structuredContent: { b: 1, a: { z: 1.5 } },
  'x-result': { kept: true },
  _meta: { 'example.com/trace': 'abc' },
};

const seen = [];
const slow = new Map();

const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: { listChanged: true }, resources: {}, prompts: {} },
    serverInfo: { name: 'odd', version: '1' },
  }),
  ping: () => ({}),
  'tools/list': ({ cursor }) => (cursor === 'p2' ? { tools: [TOOLS[1]] } : { tools: [TOOLS[0]], nextCursor: 'p2' }),
  'tools/call': ({ name, arguments: values, _meta }) => {
    seen.push({ name, arguments: values, _meta });
    return name === 'plain' ? { content: [{ type: 'text', text: 'plain' }] } : RESULT;
  },
  'resources/list': () => ({ resources: [{ uri: 'odd://a', name: 'a' }, { uri: 'demo://resource/static/document/features.md', name: 'same' }] }),
  'resources/templates/list': () => ({ resourceTemplates: [] }),
  'resources/read': ({ uri }) => ({ contents: [{ uri, text: `odd's ${uri}` }] }),
  'prompts/list': () => ({ prompts: [{ name: 'greet', 'x-p': 1 }] }),
  'prompts/get': ({ name }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `prompt ${name}` } }] }),
};

const server = serverToBe();
server.handler = async (request, response) => {
  if (request.url === '/__seen') return answer(response, 200, seen);
  if (request.method !== 'POST') return answer(response, 405, {});
  let body = '';
  for await (const chunk of request) body += chunk;
  const { id, method, params = {} } = JSON.parse(body);
  if (method === 'notifications/cancelled') {
    seen.push({ cancelled: slow.get(params.requestId) ?? null });
  }
  if (id === undefined || method === undefined) return response.writeHead(202).end();
  // It is never answered; what calls it off is noted.
  if (params.name === 'slow') return seen.push({ begun: slow.set(id, 'slow').get(id) });
  const deed = methods[method];
  if (!deed) return answer(response, 200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'unknown' } });
  // Written with white space, as some servers do.
  response.writeHead(200, { 'content-type': 'application/json', ...(method === 'initialize' ? { 'mcp-session-id': 'odd' } : {}) });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: deed(params) }, null, 1));
};
const url = await listen(server);
ready('odd', { url: `${url}/mcp`, origin: url });
