import assert from "node:assert/strict";
import { type Clients, installClients, type Outcome, type REQUIREMENTS } from "./environment.ts";

/** Installs clients; where that can't be done, the tests are skipped, but in CI they fail. */
export async function installOrSkip(test: Mocha.Context, name: keyof typeof REQUIREMENTS): Promise<Clients> {
  try {
    return await installClients(name, line => console.log(`      ${line}`));
  } catch (error) {
    if (process.env.CI) throw error;
    console.log(`      skipped, as the clients can't be installed: ${(error as Error).message.split("\n")[0]}`);
    return test.skip() as never;
  }
}

/** What each operation gave back, once it is sure that all worked but those that must fail, and that these failed as they must. */
// biome-ignore lint/suspicious/noExplicitAny: clients give back many shapes
export function worked(report: Record<string, Outcome>, failing: Record<string, RegExp>): Record<string, any> {
  for (const [name, { error, message }] of Object.entries(report)) {
    const expected = failing[name];
    if (expected) assert.ok(expected.test(`${error}: ${message}`), `${name}: ${error}: ${message}`);
    else assert.equal(error, undefined, `${name}: ${error}: ${message}`);
  }
  for (const name of Object.keys(failing)) assert.ok(name in report, `${name} was not called`);
  return Object.fromEntries(Object.entries(report).map(([name, { result }]) => [name, result]));
}
