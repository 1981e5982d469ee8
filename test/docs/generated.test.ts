import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { generatedFiles } from "../../tools/docs/files.ts";

describe("Pages that are written from the code", () => {
  it("are as npm run docs writes them", async function () {
    // TypeScript reads the sdk.
    this.timeout(60_000);
    for (const [file, text] of await generatedFiles()) {
      assert.equal(await readFile(file, "utf8"), text, `${file} isn't up to date: run npm run docs`);
    }
  });
});
