import assert from "node:assert/strict";
import { glob } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..");
const { spec } = createRequire(import.meta.url)("../fast.mocharc.cjs") as { spec: string[] };

describe("npm run test:fast", () => {
  it("runs no test that needs the engine, OpenStack or a build", async () => {
    const files: string[] = [];
    for await (const file of glob(spec, { cwd: root })) files.push(file);
    assert.ok(files.length > spec.length, files.join(" "));
    const { metafile } = await build({
      ...{ absWorkingDir: root, entryPoints: files, outdir: "none", bundle: true, write: false, metafile: true },
      ...{ packages: "external", platform: "node", format: "esm", logLevel: "silent" },
    });
    const slow = Object.keys(metafile.inputs).filter(path =>
      /^(test\/openstack\/clouds|tools\/(pulumi|openstack)\/|dist\/)/.test(path),
    );
    assert.deepEqual(slow, []);
  });
});
