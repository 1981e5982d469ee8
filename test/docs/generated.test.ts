import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { driftsOf } from "../../provider/drifts.ts";
import type { ServiceName } from "../../provider/services/names.ts";
import { services } from "../../provider/services/registry.ts";
import { generatedFiles } from "../../tools/docs/files.ts";

describe("Pages that are written from the code", () => {
  it("are as npm run docs writes them", async function () {
    // TypeScript reads the sdk.
    this.timeout(60_000);
    for (const [file, text] of await generatedFiles()) {
      assert.equal(await readFile(file, "utf8"), text, `${file} isn't up to date: run npm run docs`);
    }
  });

  it("promise drifts of each service that its tests make, and name every field in which a service reports drift", async () => {
    for (const [service, { tables }] of Object.entries(services)) {
      const name = service.replace("-v1", "V1");
      const tests = await readFile(`${import.meta.dirname}/../engine/drift/${name}.test.ts`, "utf8");
      // It has a test of its own that each drift of the table has a case.
      assert.match(tests, /describeDrifts(On)?\(/, service);
      for (const [kind, table] of Object.entries(tables)) {
        const shown = new Set(
          driftsOf(service as ServiceName)
            .filter(drift => drift.kind === kind)
            .flatMap(({ shows }) => shows),
        );
        for (const [field, { reported }] of Object.entries(table().fields)) {
          // A tag is its name: another one is another tag. And a transfer that isn't accepted any more is gone.
          const another = kind === "ImageTag" || `${service} ${kind}.${field}` === "digitalocean ImageMember.status";
          if (reported && !another) assert.ok(shown.has(field), `${service} ${kind}.${field}`);
        }
      }
    }
  });
});
