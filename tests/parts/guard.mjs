// A token check in front of any MCP server that speaks HTTP: what a company's gateway does.
//
// Settings: TARGET (the server's URL, such as http://127.0.0.1:3001/mcp), ISSUER, PORT (0), SERVED_AS (`/mcp`),
// SCOPE (`mcp:tools`); with INTROSPECT_AS=`id:secret` tokens are introspected (RFC 7662), else they must be JWTs;
// ASKS (ISSUER) is where it asks the issuer itself.
// Beside MCP: GET /__seen tells which requests arrived, with a SHA-256 of each header value and of each word in it.

import { createHash } from 'node:crypto';
import http from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { answer, listen, ready, required, serverToBe } from './part.mjs';

const REMEMBERED = 5_000;
const target = new URL(required('TARGET'));
const issuer = required('ISSUER');
const servedAs = process.env.SERVED_AS ?? '/mcp';
const scopes = (process.env.SCOPE ?? 'mcp:tools').split(' ');

const server = serverToBe();
const origin = await listen(server);
const resource = `${origin}${servedAs}`;
const metadataUrl = `${origin}/.well-known/oauth-protected-resource${servedAs}`;
const issuerMetadata = await (await fetch(`${process.env.ASKS ?? issuer}/.well-known/openid-configuration`)).json();
const check = process.env.INTROSPECT_AS ? introspect : verify;
const keys = createRemoteJWKSet(new URL(issuerMetadata.jwks_uri));
// A connection for each request: one that is kept may be closed at the other end just as it is used again.
const connections = new http.Agent({ keepAlive: false });
const seen = { accepted: 0, refused: 0, requests: [] };

server.handler = async (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/__seen') return answer(response, 200, seen);
  if (request.url === new URL(metadataUrl).pathname) return answer(response, 200, metadata());
  if (path !== servedAs) return answer(response, 404, { error: 'not_found' });

  const record = remember(request);
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!token) return refuse(response, record, 401, undefined, 'no token');
  try {
    const claims = await check(token);
    const granted = (claims.scope ?? '').split(' ');
    if (!scopes.every((scope) => granted.includes(scope))) {
      return refuse(response, record, 403, 'insufficient_scope', 'a scope is missing');
    }
    Object.assign(record, { verdict: 'accepted', subject: claims.sub, client_id: claims.client_id });
    seen.accepted += 1;
    return forward(request, response, record);
  } catch (error) {
    return refuse(response, record, 401, 'invalid_token', error.message);
  }
};
ready('guard', { port: server.address().port, url: resource });

function metadata() {
  return { resource, authorization_servers: [issuer], scopes_supported: scopes, bearer_methods_supported: ['header'] };
}

/** The token must be made for this resource, whoever made it for whatever else. */
async function verify(token) {
  return (await jwtVerify(token, keys, { issuer, audience: resource, typ: 'at+jwt' })).payload;
}

async function introspect(token) {
  const authorization = `Basic ${Buffer.from(process.env.INTROSPECT_AS).toString('base64')}`;
  const body = new URLSearchParams({ token });
  const reply = await fetch(issuerMetadata.introspection_endpoint, { method: 'POST', headers: { authorization }, body });
  const claims = await reply.json();
  if (!claims.active) throw new Error('the token is not active');
  if (![claims.aud].flat().includes(resource)) throw new Error('the token is for another resource');
  return claims;
}

function refuse(response, record, status, error, description) {
  Object.assign(record, { verdict: error ?? 'no token' });
  seen.refused += 1;
  const parts = [`resource_metadata="${metadataUrl}"`, `scope="${scopes.join(' ')}"`];
  if (error) parts.unshift(`error="${error}"`, `error_description="${description.replaceAll('"', "'")}"`);
  answer(response, status, { error: error ?? 'unauthorized' }, { 'www-authenticate': `Bearer ${parts.join(', ')}` });
}

function remember({ method, url, headers }) {
  const hashed = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value);
    hashed[name] = [...new Set([text, ...text.split(/[\s,;]+/)])].map(sha256);
  }
  const record = { method, url, headers: hashed };
  seen.requests.push(record);
  if (seen.requests.length > REMEMBERED) seen.requests.shift();
  return record;
}

/** Sends the request on without its token, and records what its body hashes to. */
function forward(request, response, record) {
  const { authorization: _, ...headers } = request.headers;
  const path = `${target.pathname}${request.url.slice(servedAs.length)}`;
  const options = { method: request.method, path, headers: { ...headers, host: target.host }, agent: connections };
  const onward = http.request(new URL(target.origin), options, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
    reply.once('error', () => response.destroy());
  });
  onward.once('error', (error) => (response.headersSent ? response.destroy() : answer(response, 502, { error: error.message })));
  response.once('close', () => onward.destroy());
  const digest = createHash('sha256');
  request.on('data', (chunk) => digest.update(chunk)).once('end', () => (record.body = digest.digest('hex')));
  request.pipe(onward);
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}
