import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { exampleFolder } from "../examples/example.ts";

describe("With Pulumi's mocks", () => {
  it("unit tests run, the example's among them, and ask no service", () => {
    const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
    const files = [join(import.meta.dirname, "underMocks.ts"), join(exampleFolder("unit-test"), "index.test.ts")];
    const run = spawnSync(process.execPath, [mocha, "--no-config", ...files], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /4 passing/);
  });
});
