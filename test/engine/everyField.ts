import assert from "node:assert/strict";
import type { ServiceName } from "../../provider/services/names.ts";
import { services } from "../../provider/services/registry.ts";

/**
 * Defines a test that a suite's changes leave out none of the fields that the service's table lets one change in place.
 * @param elsewhere fields that another test changes: the field's name to that test's title
 */
export function itChangesEveryField(
  service: ServiceName,
  changes: Iterable<{ to: object }>,
  elsewhere: Record<string, string> = {},
): void {
  it("leaves out no field that can be changed in place", () => {
    const fields = Object.entries(services[service]?.tables.Image?.().fields ?? {})
      // A difference from what is expected is an error, with tests of its own.
      .filter(([, { change, expected }]) => change === "update" && !expected)
      .map(([name]) => name);
    const changed = new Set([...changes].flatMap(({ to }) => Object.keys(to)).concat(Object.keys(elsewhere)));
    assert.deepEqual(
      fields.filter(name => !changed.has(name)),
      [],
    );
  });
}
