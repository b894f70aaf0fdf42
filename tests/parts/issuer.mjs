// An identity provider on npm `oidc-provider`: dynamic registration, resource indicators, rotation of refresh tokens,
// introspection, revocation. Any user name signs in, with any password.
//
// Settings: PORT (0), ACCESS_TTL (300) and REFRESH_TTL (86400) in seconds, ROTATE (`always` or `never`),
// OPAQUE (resources whose URL contains this word get opaque access tokens; `opaque`), GRACE (0; seconds in which a used
// refresh token serves again, see grace.mjs), ISSUER (its identifier where something stands before it),
// REFUSE (user agents that contain this word are led to a page that refuses them).
// Beside the protocol: GET /__counts (requests by endpoint and grant type), GET /__issued (every secret it gave out),
// GET /__end (ends every opaque access token).

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';
import { giveGrace } from './grace.mjs';
import { body, codePage, confirmPage, donePage, pages } from './issuer_pages.mjs';
import { answer, listen, ready, serverToBe } from './part.mjs';

const seconds = (name, fallback) => Number(process.env[name] ?? fallback);
const ACCESS_TTL = seconds('ACCESS_TTL', 300);
const REFRESH_TTL = seconds('REFRESH_TTL', 86_400);
const GRACE = seconds('GRACE', 0);
const OPAQUE = process.env.OPAQUE ?? 'opaque';
const SCOPES = ['mcp:tools', 'mcp:read', 'mcp:admin'];

const secret = () => `cAnArY-${randomBytes(24).toString('base64url')}`;
const resourceServer = { client_id: 'resource-server', client_secret: secret() };
const confidential = { client_id: 'registered-confidential', client_secret: secret() };
const registered = { client_id: 'registered-public' };

const server = serverToBe();
const here = await listen(server);
const origin = process.env.ISSUER ?? here;
const provider = new Provider(origin, configuration());
if (GRACE > 0) giveGrace(provider, GRACE * 1000);
const seen = observe(provider);
const serveProtocol = provider.callback();
const servePages = pages(provider, () => { seen.counts.passwords += 1; });

server.handler = async (request, response) => {
  if (request.url === '/__end') return answer(response, 200, { ended: await seen.endAccess() });
  if (request.url === '/__counts') return answer(response, 200, seen.counts);
  if (request.url === '/__issued') return answer(response, 200, { secrets: [...seen.secrets] });
  if (request.url === '/__drawn') {
    seen.counts.drawn_page += 1;
    seen.counts.typed = '';
    return answer(response, 200, {});
  }
  if (request.url === '/__typed') {
    seen.counts.typed = await body(request);
    return answer(response, 200, {});
  }
  if (request.url.startsWith('/interaction/')) {
    if (request.method === 'POST') seen.counts.answered_page += 1;
    return servePages(request, response);
  }
  if (refuses(request)) {
    response.writeHead(302, { location: '/refused?error=disallowed_useragent' });
    return response.end();
  }
  if (request.url.startsWith('/refused')) return answer(response, 403, { error: 'disallowed_useragent' });
  return serveProtocol(request, response);
};
ready('issuer', { port: server.address().port, issuer: origin, resource_server: resourceServer, confidential, registered });

/** Whether this is the sign-in page, in a program that may not show it. */
function refuses(request) {
  const agent = request.headers['user-agent'] ?? '';
  return process.env.REFUSE !== undefined && request.url.startsWith('/auth?') && agent.includes(process.env.REFUSE);
}

function configuration() {
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  return {
    jwks: { keys: [{ ...signing, use: 'sig', alg: 'RS256', kid: randomBytes(6).toString('hex') }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    clients: clients(),
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access', 'email', 'profile', ...SCOPES],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    findAccount: (_context, id) => ({ accountId: id, claims: () => person(id) }),
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (process.env.ROTATE ?? 'always') === 'always',
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      AccessToken: ACCESS_TTL, RefreshToken: REFRESH_TTL, AuthorizationCode: 60, IdToken: 3600,
      Interaction: 600, Session: 86_400, Grant: 1_209_600,
    },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      deviceFlow: { enabled: true, userCodeInputSource: codePage, userCodeConfirmSource: confirmPage, successSource: donePage },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          scope: SCOPES.join(' '),
          audience: resource,
          accessTokenTTL: ACCESS_TTL,
          ...(resource.includes(OPAQUE)
            ? { accessTokenFormat: 'opaque' }
            : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
        }),
      },
    },
  };
}

function clients() {
  const codeFlow = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
  // A native client's loopback redirect may have any port (RFC 8252 §7.3).
  const native = { application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'] };
  return [
    { ...resourceServer, redirect_uris: [], grant_types: [], response_types: [] },
    { ...confidential, ...native, ...codeFlow },
    { ...registered, ...native, ...codeFlow, token_endpoint_auth_method: 'none' },
  ];
}

function person(id) {
  return { sub: id, email: `${id}@example.test`, email_verified: true, name: id, preferred_username: id };
}

/** Counts requests by endpoint, and remembers what a search for leaked secrets must look for. */
function observe(provider) {
  const counts = { typed: '', drawn_page: 0, answered_page: 0, authorization: 0, registration: 0, token: 0, refused_token: 0, revocation: 0, introspection: 0, passwords: 0, by_grant: {} };
  const secrets = new Set();
  const access = new Set();
  provider.use(async (context, next) => {
    await next();
    const endpoint = context.oidc?.route;
    if (endpoint in counts) counts[endpoint] += 1;
    if (endpoint === 'token') {
      const grant = context.oidc.params?.grant_type ?? 'unknown';
      counts.by_grant[grant] = (counts.by_grant[grant] ?? 0) + 1;
      if (context.status !== 200) counts.refused_token += 1;
    }
    if (endpoint === 'token' || endpoint === 'registration') {
      const given = ['access_token', 'refresh_token', 'id_token', 'client_secret', 'registration_access_token'];
      for (const name of given) if (context.body?.[name]) secrets.add(context.body[name]);
      if (context.body?.access_token) access.add(context.body.access_token);
    }
  });
  provider.on('server_error', (_context, error) => process.stderr.write(`issuer: ${error.stack}\n`));
  for (const event of ['authorization.error', 'grant.error', 'registration_create.error', 'revocation.error']) {
    provider.on(event, (_context, error) =>
      process.stderr.write(`issuer: ${event}: ${error.message} ${error.error_description ?? ''}\n`));
  }
  const endAccess = async () => {
    const all = await Promise.all([...access].map((token) => provider.AccessToken.find(token)));
    access.clear();
    await Promise.all(all.map((token) => token?.destroy()));
    return all.filter(Boolean).length;
  };
  return { counts, secrets, endAccess };
}
