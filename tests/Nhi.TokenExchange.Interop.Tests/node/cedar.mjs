// Cedar as it is published: decides the requests of each document, and prints for each its decision and the policies that determine it, as one line of JSON.
import { createInterface } from 'node:readline';
import cedar from '@cedar-policy/cedar-wasm/nodejs';

const principal = { type: 'Workload', id: 'job' }, action = { type: 'Action', id: 'exchange' }, resource = { type: 'Target', id: 'target' };

for await (const line of createInterface({ input: process.stdin })) {
  const answers = JSON.parse(line).map(({ policies, requests }, document) => {
    const preparsedPolicySetId = `document${document}`;
    const parsed = cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies: policies });
    if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
    return requests.map(context => {
      const { type, response, errors } = cedar.statefulIsAuthorized({ principal, action, resource, context, preparsedPolicySetId, entities: [] });
      if (type !== 'success' || response.diagnostics.errors.length > 0) throw new Error(JSON.stringify(errors ?? response.diagnostics.errors));
      return `${response.decision} ${response.diagnostics.reason.sort().join(', ')}`.trimEnd();
    });
  });
  console.log(JSON.stringify(answers));
}
