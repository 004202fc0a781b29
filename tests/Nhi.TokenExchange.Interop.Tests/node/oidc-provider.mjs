// An OpenID provider that we did not write, with the token exchange grant that it leaves to its host.
// Reads one line of JSON from standard input: public keys, resources and scopes; no secret goes in.
// Prints "port <number>" when it listens, and ends when its standard input ends.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { createLocalJWKSet, errors as joseErrors, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { Provider, errors } from 'oidc-provider';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

const input = createInterface({ input: process.stdin });
const setup = JSON.parse(await new Promise((resolve) => input.once('line', resolve)));
input.once('close', () => process.exit(0));

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const workloadKeys = createLocalJWKSet(setup.workloads.jwks);
const { privateKey } = await generateKeyPair('ES256', { extractable: true });

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'provider' }] },
  clients: setup.clients.map((client) => ({
    client_id: client.client_id,
    jwks: client.jwks,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials', TOKEN_EXCHANGE],
    response_types: [],
    redirect_uris: [],
    scope: setup.scopes.join(' '),
  })),
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'PS256', 'RS256'], idTokenSigningAlgValues: ['ES256'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: setup.scopes,
  ttl: { ClientCredentials: setup.lifetime },
  extraTokenClaims: (ctx) => ctx.exchanged,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: { enabled: true, defaultResource: () => undefined, getResourceServerInfo: (ctx, resource) => resourceOf(resource) },
  },
});

provider.registerGrantType(
  TOKEN_EXCHANGE,
  exchange,
  ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'audience', 'resource', 'scope'],
  ['audience', 'resource'],
);
server.on('request', provider.callback());
console.log(`port ${server.address().port}`);

function resourceOf(identifier) {
  if (!setup.resources.includes(identifier)) throw new errors.InvalidTarget('resource is not known here');
  // Opaque, because this provider neither introspects nor revokes structured tokens.
  return { audience: identifier, scope: setup.scopes.join(' '), accessTokenFormat: 'opaque', accessTokenTTL: setup.lifetime };
}

// RFC 8693 §2. Client authentication, repeated parameters and unknown ones are the provider's, before this.
async function exchange(ctx) {
  const { client, params } = ctx.oidc;
  if (!params.subject_token) throw new errors.InvalidRequest('subject_token is missing');
  if (!params.subject_token_type) throw new errors.InvalidRequest('subject_token_type is missing');
  if ((params.actor_token === undefined) !== (params.actor_token_type === undefined)) {
    throw new errors.InvalidRequest('actor_token and actor_token_type come together or not at all');
  }
  if (params.requested_token_type !== undefined && params.requested_token_type !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest('requested_token_type is not issued here');
  }
  const sub = await subjectOf(params.subject_token, params.subject_token_type, client);
  const act = params.actor_token === undefined ? undefined : { sub: await subjectOf(params.actor_token, params.actor_token_type, client) };

  const targets = [params.audience, params.resource].flat().filter((target) => target !== undefined);
  if (targets.length !== 1) throw new errors.InvalidTarget('exactly one audience or resource is wanted');
  const resource = new provider.ResourceServer(targets[0], resourceOf(targets[0]));

  const scopes = params.scope ? params.scope.split(' ') : [];
  const unknown = scopes.filter((scope) => !setup.scopes.includes(scope));
  if (unknown.length > 0) throw new errors.InvalidScope('requested scope is not known here', unknown.join(' '));

  ctx.exchanged = { sub, act };
  const token = new provider.ClientCredentials({ client, scope: scopes.join(' ') || undefined, resourceServer: resource });
  ctx.oidc.entity('ClientCredentials', token);
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope: token.scope,
  };
}

async function subjectOf(value, type, client) {
  if (type === ACCESS_TOKEN) {
    const token = await provider.ClientCredentials.find(value);
    if (!token?.isValid || token.clientId !== client.clientId) throw new errors.InvalidGrant('the token is not a valid one of this client');
    return token.extra?.sub ?? token.clientId;
  }
  if (type !== JWT) throw new errors.InvalidRequest('this token type is not taken as a proof');
  try {
    const { payload } = await jwtVerify(value, workloadKeys, { issuer: setup.workloads.issuer, audience: issuer, requiredClaims: ['sub', 'exp'] });
    return payload.sub;
  } catch (cause) {
    if (!(cause instanceof joseErrors.JOSEError)) throw cause;
    throw new errors.InvalidGrant(`the proof was refused: ${cause.code}`);
  }
}
