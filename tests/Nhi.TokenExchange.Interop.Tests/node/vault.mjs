// node-vault as it is published: logs in, reads a dynamic secret, renews and revokes its lease, wraps and unwraps, and prints what came as one line of JSON.
import { createInterface } from 'node:readline';
import connect from 'node-vault';

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const vault = connect({ endpoint: asked.endpoint, namespace: asked.namespace });
  const told = {};
  const attempt = async (name, action) => {
    try {
      told[name] = await action() ?? null;
    } catch (error) {
      told[name] = { error: error.message, status: error.response?.statusCode };
    }
  };
  await attempt('login', () => asked.kubernetes ? vault.kubernetesLogin({ mount_point: 'kubernetes', role: asked.role, jwt: asked.jwt }) : vault.jwtLogin({ role: asked.role, jwt: asked.jwt }));
  await attempt('self', () => vault.tokenLookupSelf());
  await attempt('secret', () => vault.read(asked.path));
  const lease_id = told.secret.lease_id;
  await attempt('looked', () => vault.write('sys/leases/lookup', { lease_id }));
  await attempt('renewed', () => vault.renew({ lease_id, increment: 1800 }));
  await attempt('capped', () => vault.renew({ lease_id, increment: 10000000 }));
  // Its own revoke() can't say sync, and takes Vault's 202 (queued) for an error.
  await attempt('revoked', () => vault.write('sys/leases/revoke', { lease_id, sync: true }));
  await attempt('renewedAfterEnd', () => vault.renew({ lease_id, increment: 1800 }));
  await attempt('wrapped', () => vault.read(asked.path, { headers: { 'X-Vault-Wrap-TTL': '60s' } }));
  const token = told.wrapped.wrap_info?.token;
  await attempt('unwrapped', () => vault.unwrap({ token }));
  await attempt('unwrappedAgain', () => vault.unwrap({ token }));
  await attempt('tokenRenewed', () => vault.tokenRenewSelf({ increment: '30m' }));
  await attempt('tokenRevoked', () => vault.tokenRevokeSelf());
  await attempt('afterEnd', () => vault.tokenLookupSelf());
  console.log(JSON.stringify(told));
}
