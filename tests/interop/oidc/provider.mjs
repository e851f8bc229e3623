// A real OpenID provider on loopback for the interop tests; started by ../oidc_provider.py.
//
// argv[2]: one JSON object
//   { clients: [{ client_id, client_secret | null, token_endpoint_auth_method,
//                 redirect_uris, grant_types, jwks | null }],
//     access_token_lifetime_seconds: 3600,
//     features: ["pushedAuthorizationRequests" | "dPoP" | "deviceFlow" | "clientCredentials"],
//     requires_pushed_requests: false, requires_dpop_nonce: false }
// stdout: one JSON line when ready, { issuer, control }; everything else goes to stderr.
// control: GET /stats, POST /reset (the counters only; sessions and grants stay).
// Ends when stdin does.

import { Console } from 'node:console';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

// The provider announces its development settings through console.info, which is stdout: the
// channel of the ready line. Hence also the import below this line and not above it.
globalThis.console = new Console(process.stderr, process.stderr);
const { Provider } = await import('oidc-provider');

process.stdin.on('close', () => process.exit(0)).resume();

const TOGGLES = ['pushedAuthorizationRequests', 'dPoP', 'deviceFlow', 'clientCredentials'];

const options = JSON.parse(process.argv[2] ?? '{}');
const features = new Set(options.features ?? []);
const unknown = [...features].filter((name) => !TOGGLES.includes(name));
if (unknown.length) throw new Error(`unknown features: ${unknown.join(', ')}`);

const listen = (server) => new Promise((resolve, reject) => {
  server.on('error', reject);
  server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
});

const day = 24 * 60 * 60;

const configuration = {
  clients: (options.clients ?? []).map(({ client_secret: secret, jwks, ...client }) => ({
    ...client,
    ...(jwks == null ? {} : { jwks }),
    ...(secret == null ? {} : { client_secret: secret }),
    // A client without the code grant may not register a response type.
    response_types: client.grant_types.includes('authorization_code') ? ['code'] : [],
  })),

  // Any login name is an account.
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: id.includes('@') ? id : `${id}@example.test`,
      email_verified: true,
    }),
  }),
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  // read and write stand for the scopes of an API that is not OpenID.
  scopes: ['openid', 'offline_access', 'read', 'write'],

  pkce: { required: () => true },
  rotateRefreshToken: true,
  // By default only offline_access, and that only with prompt=consent, earns a refresh token, and
  // tokens without it die with the browser's session: plain OAuth 2.0 providers know neither rule.
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,

  ttl: {
    AccessToken: options.access_token_lifetime_seconds ?? 3600,
    ClientCredentials: options.access_token_lifetime_seconds ?? 3600,
    AuthorizationCode: 60,
    DeviceCode: 600,
    Grant: 14 * day,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 14 * day,
    Session: 14 * day,
  },
  cookies: { keys: ['interop'] },

  features: {
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    ...Object.fromEntries(TOGGLES.map((name) => [name, { enabled: features.has(name) }])),
    ...(options.requires_pushed_requests
      ? { pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } }
      : {}),
    ...(options.requires_dpop_nonce
      ? { dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true } }
      : {}),
  },
};

const zero = { token_requests: 0, refresh_requests: 0, invalid_grant: 0, revocations: 0 };
let stats = { ...zero };

// The issuer holds the port, so the port comes first.
const server = createServer();
const issuer = await listen(server);
const provider = new Provider(issuer, configuration);

// Counted after the provider has judged and before the response is sent: whoever holds a
// response finds it in the counters.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route === 'token') {
    stats.token_requests += 1;
    if (ctx.oidc.params?.grant_type === 'refresh_token') stats.refresh_requests += 1;
    if (ctx.body?.error === 'invalid_grant') stats.invalid_grant += 1;
  } else if (ctx.oidc?.route === 'revocation' && ctx.status === 200) {
    stats.revocations += 1;
  }
});
provider.on('server_error', (_ctx, error) => console.error(error));
server.on('request', provider.callback());

// Otherwise a client's metadata is judged when it is first used.
for (const { client_id: id } of configuration.clients) await provider.Client.find(id);

const control = await listen(createServer((request, response) => {
  const route = `${request.method} ${request.url}`;
  if (route === 'POST /reset') stats = { ...zero };
  const known = route === 'POST /reset' || route === 'GET /stats';
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
  response.end(known ? JSON.stringify(stats) : '{}');
}));

process.stdout.write(`${JSON.stringify({ issuer, control })}\n`);
