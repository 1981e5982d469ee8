import assert from "node:assert/strict";
import { join } from "node:path";
import type { Stack } from "../engine/stack.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");

/** The folder of an example. */
export const exampleFolder = (name: string): string => join(examples, name);

/** A small disk image that is part of the repository. */
export const disk = join(examples, "quickstart", "disk.raw");

/** Demands that a preview has nothing to do, as right after the first `up`. */
export async function demandStable(stack: Stack): Promise<void> {
  const run = await stack.preview(undefined, "--expect-no-changes");
  assert.equal(run.code, 0, run.text);
}

/** What a program exports. */
export async function stackOutputs(stack: Stack): Promise<Record<string, unknown>> {
  const run = await stack.run(["stack", "output", "--json"]);
  assert.equal(run.code, 0, run.text);
  return JSON.parse(run.text) as Record<string, unknown>;
}
