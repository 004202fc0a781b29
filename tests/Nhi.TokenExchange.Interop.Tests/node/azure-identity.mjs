// @azure/identity as it is published: gets a token by each line of standard input, one JSON object each, and prints a line of JSON each.
import { createInterface } from 'node:readline';
import { ClientAssertionCredential, ManagedIdentityCredential, WorkloadIdentityCredential } from '@azure/identity';

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const options = { authorityHost: asked.authorityHost, disableInstanceDiscovery: asked.disableInstanceDiscovery };
  const credential = asked.kind === 'assertion' ? new ClientAssertionCredential(asked.tenantId, asked.clientId, async () => asked.assertion, options)
    : asked.kind === 'workload' ? new WorkloadIdentityCredential({ ...options, tenantId: asked.tenantId, clientId: asked.clientId, tokenFilePath: asked.file })
    : new ManagedIdentityCredential(asked.clientId ? { clientId: asked.clientId } : {});
  try {
    const token = await credential.getToken(asked.scope);
    console.log(JSON.stringify({ token: token.token, expiresOn: token.expiresOnTimestamp }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.name, message: error.message }));
  }
}
