// Clients as they are published, by nothing but their environment: each gets a credential once and prints a line of JSON. Called as: node exec.mjs CLIENT [ARGUMENT…]
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const clients = {
  async azure(scope) {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return { token: (await new DefaultAzureCredential().getToken(scope)).token };
  },

  async aws(endpoint) {
    const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
    return { arn: (await new STSClient({ endpoint, maxAttempts: 1 }).send(new GetCallerIdentityCommand({}))).Arn };
  },

  async google(...scopes) {
    const { GoogleAuth } = await import('google-auth-library');
    const auth = new GoogleAuth({ scopes });
    return { token: await auth.getAccessToken(), project: await auth.getProjectId() };
  },

  async openid(audience) {
    const client = await import('openid-client');
    const own = readFileSync(process.env.NHI_BROKER_TOKEN_FILE, 'utf8');
    const issuer = new URL(process.env.NHI_BROKER);
    const config = await client.discovery(issuer, 'nhi', undefined, client.ClientSecretPost(own), { algorithm: 'oauth2', execute: [client.allowInsecureRequests] });
    const got = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: own, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience,
    });
    const { active } = await client.tokenIntrospection(config, got.access_token);
    return { token: got.access_token, active };
  },

  async kubernetes(path) {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromDefault();
    const options = { headers: {} };
    await config.applyToHTTPSOptions(options);
    const status = await new Promise((resolve, reject) => request(`${config.getCurrentCluster().server}${path}`, options, answer => resolve(answer.resume().statusCode)).on('error', reject).end());
    return { token: options.headers.Authorization?.replace('Bearer ', ''), status };
  },
};

const [name, ...rest] = process.argv.slice(2);
try {
  console.log(JSON.stringify(await clients[name](...rest)));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}` }));
  process.exitCode = 1;
}
