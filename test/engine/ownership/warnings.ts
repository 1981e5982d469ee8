import assert from "node:assert/strict";
import type { Run } from "../stack.ts";

/** What a run warned of. */
export function warningsOf({ events }: Run): string[] {
  return events.flatMap(({ diagnosticEvent }) =>
    diagnosticEvent?.severity === "warning" && !diagnosticEvent.ephemeral ? [diagnosticEvent.message] : [],
  );
}

/** A finished image was left alone by a create: which one, and how to go on with it. */
export function assertLeftByCreate(warnings: readonly string[], image: { id: string; name: string }): void {
  const found = warnings.filter(text => text.includes(image.id));
  assert.ok(found.length > 0, `no warning names image ${image.id}: ${JSON.stringify(warnings)}`);
  for (const text of found) {
    assert.match(text, new RegExp(`adopt: \\{ id: "${image.id}" \\}`));
    assert.ok(text.includes(image.name), text);
    assert.match(text, /\d{4}-\d\d-\d\d/, "when it was made");
  }
}

/** A delete left an image, or a part of one, alone: which one. */
export function assertLeftByDelete(warnings: readonly string[], id: string): void {
  assert.ok(
    warnings.some(text => text.includes(id)),
    `no warning names ${id}: ${JSON.stringify(warnings)}`,
  );
}

/** Nothing was done, and there was nothing to say. */
export function assertSilent(run: Run): void {
  assert.equal(run.code, 0, run.text);
  assert.deepEqual(
    Object.entries(run.steps).filter(([, step]) => step !== "same" && step !== "refresh"),
    [],
    run.text,
  );
  assert.deepEqual(warningsOf(run), []);
}
