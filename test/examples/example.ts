import assert from "node:assert/strict";
import { join } from "node:path";
import type { Stack } from "../engine/stack.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");

/** The folder of an example. */
export const exampleFolder = (name: string): string => join(examples, name);

/** A small disk image that is part of the repository. */
export const disk = join(examples, "quickstart", "disk.raw");

/** What a program exports. */
export async function stackOutputs(stack: Stack): Promise<Record<string, unknown>> {
  const run = await stack.run(["stack", "output", "--json"]);
  assert.equal(run.code, 0, run.text);
  return JSON.parse(run.text) as Record<string, unknown>;
}
