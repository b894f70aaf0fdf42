// A server that has everything the conformance suite asks a server for, in both eras and on one address: sessions with
// streams that can be resumed up to 2025-11-25, and stateless requests from 2026-07-28 on. On the official library.
//
// Settings: PORT (0). It does not look at Host or Origin: what stands before it must.

import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
  classifyInboundRequest,
  createMcpHandler,
  createRequestStateCodec,
  isInitializeRequest,
  McpServer,
} from '@modelcontextprotocol/server';
import { answer, listen, ready, serverToBe } from '../part.mjs';
import { addContent } from './content.mjs';
import { addRounds } from './rounds.mjs';
import { addTools } from './tools.mjs';

const RETRY_MS = 5_000;
const INFO = { name: 'keybearer-conformance-server', version: '1.0.0' };
const state = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });
const sessions = new Map();
const events = new Map();

const modern = createMcpHandler(makeServer, { onerror: complain });
const serveModern = toNodeHandler(modern);
const http = serverToBe();
http.handler = async (request, response) => {
  try {
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    await serve(request, response, body);
  } catch (error) {
    complain(error);
    if (!response.headersSent) answer(response, 500, { error: error.message });
  }
};
const origin = await listen(http);
ready('conformance-server', { port: http.address().port, url: `${origin}/mcp` });

async function serve(request, response, body) {
  if (request.method === 'POST' && isModern(request, body)) return serveModern(request, response, body);
  const id = request.headers['mcp-session-id'];
  const transport = id ? sessions.get(id) : isInitializeRequest(body) && (await openSession());
  if (transport) return transport.handleRequest(request, response, body);
  return id ? refuse(response, 404, -32_001, 'no such session') : refuse(response, 400, -32_000, 'no session id');
}

function isModern({ method, headers }, body) {
  const protocolVersionHeader = headers['mcp-protocol-version'];
  const mcpMethodHeader = headers['mcp-method'];
  return classifyInboundRequest({ httpMethod: method, protocolVersionHeader, mcpMethodHeader, body }).kind !== 'legacy';
}

async function openSession() {
  const server = makeServer();
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: { storeEvent, replayEventsAfter },
    retryInterval: RETRY_MS,
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  transport.onclose = () => sessions.delete(transport.sessionId);
  await server.connect(transport);
  return transport;
}

/** Each session has a server of its own, and so has each request without one. */
function makeServer() {
  const capabilities = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
  };
  const server = new McpServer(INFO, { capabilities, requestState: { verify: state.verify } });
  addTools(server, { closeStream, changed: modern?.notify });
  addRounds(server, state);
  addContent(server);
  return server;
}

/** Hangs up on a call that goes on: the client is to come back for the result. */
function closeStream(session, request) {
  sessions.get(session)?.closeSSEStream(request);
}

function storeEvent(stream, message) {
  const id = `${stream}::${String(events.size).padStart(9, '0')}`;
  events.set(id, { stream, message });
  return id;
}

async function replayEventsAfter(last, { send }) {
  const [stream] = last.split('::');
  for (const [id, event] of events) {
    if (event.stream === stream && id > last && Object.keys(event.message ?? {}).length > 0) await send(id, event.message);
  }
  return stream;
}

function refuse(response, status, code, message) {
  answer(response, status, { jsonrpc: '2.0', error: { code, message }, id: null });
}

async function readJson(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    return undefined;
  }
}

function complain(error) {
  process.stderr.write(`conformance-server: ${error.stack}\n`);
}
