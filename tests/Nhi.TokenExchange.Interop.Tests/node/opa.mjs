// Open Policy Agent's own client as it is published: asks a rule with the input that came, and one that is undefined, and prints what it understood as one line of JSON.
import { createInterface } from 'node:readline';
import { OPAClient } from '@open-policy-agent/opa';

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const opa = new OPAClient(asked.server);
  const told = {};
  const attempt = async (name, action) => {
    try {
      told[name] = await action() ?? null;
    } catch (error) {
      told[name] = { error: error.name, status: error.statusCode ?? error.rawResponse?.status, code: error.code };
    }
  };
  await attempt('decision', () => opa.evaluate(asked.path, asked.input));
  await attempt('undefined', () => opa.evaluate('tokens/nothing', asked.input));
  await attempt('broken', () => opa.evaluate(asked.path, { ...asked.input, fail: true }));
  console.log(JSON.stringify(told));
  process.exit(0);
}
