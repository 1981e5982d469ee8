import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { asUsers, Stack } from "../engine/stack.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { noise } from "../support/disk.ts";
import { install, npm, pack } from "./installed.ts";
import { root, shipped } from "./shipped.ts";

const run = promisify(execFile);

/** Licences that ask for no more than to be named; a package under any other one has to be looked at by a person first. */
const allowed = new Set([
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "PSF-2.0", "Python-2.0"],
  "(MIT OR CC0-1.0)",
]);

describe("What is shipped", () => {
  let dir: string;
  let tarball: string;
  let files: string[];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-package-"));
    ({ files, tarball } = await pack(dir));
    await mkdir(join(dir, "unpacked"));
    await run("tar", ["-xzf", tarball, "-C", join(dir, "unpacked"), "--strip-components=1"]);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it("runs nothing when it is installed, of which npm would warn", async () => {
    const { scripts } = JSON.parse(await readFile(join(dir, "unpacked", "package.json"), "utf8"));
    const run = Object.keys(scripts).filter(name => /^((pre|post)?(install|prepare)|dependencies)$/.test(name));
    assert.deepEqual(run, []);
  });

  it("has only licences that allow it", async () => {
    const packages = await shipped();
    assert.ok(packages.size > 30, `${packages.size} packages`);
    const others = [...packages].filter(([, { license }]) => !allowed.has(license ?? "none"));
    assert.deepEqual(
      others.map(([place, { license }]) => `${place}: ${license}`),
      [],
    );
  });

  it("has no known vulnerability, as far as the registry says", async function () {
    const { vulnerabilities, message } = await audit();
    if (vulnerabilities === undefined) {
      // Mirrors of the registry often have no audit.
      if (this.test) this.test.title += `: not looked at, npm audit gave no report (${message ?? "no answer"})`;
      this.skip();
    }
    assert.deepEqual(vulnerabilities, {});
  });

  it("would be seen to have one: by a registry of the tests' that knows one of what is shipped, and then none", async () => {
    let advisories: Record<string, object[]> = {
      got: [{ id: 1, url: "https://example.org/1", title: "planted", severity: "low", vulnerable_versions: "*" }],
    };
    const asked: string[] = [];
    // Source: npm's documentation of `npm audit`, "Bulk Advisory Endpoint".
    const registry = createServer(async (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      for await (const _ of request);
      const isAudit = request.url === "/-/npm/v1/security/advisories/bulk";
      response.end(JSON.stringify(isAudit ? advisories : { name: "got", versions: {}, "dist-tags": {} }));
    });
    await new Promise<void>(resolve => registry.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
      const planted = await audit("--registry", url);
      assert.ok("got" in (planted.vulnerabilities ?? {}), JSON.stringify(planted));
      advisories = {};
      assert.deepEqual((await audit("--registry", url)).vulnerabilities, {});
      assert.ok(asked.includes("POST /-/npm/v1/security/advisories/bulk"));
    } finally {
      registry.closeAllConnections();
      registry.close();
    }
  });

  it("is the compiled code with its types, the docs, and nothing else", async () => {
    const known =
      /^(dist\/(cli|provider|sdk|shared)\/.*(\.c?js|\.d\.c?ts)|dist\/commonjs\/(.*\.d\.c?ts|package\.json)|docs\/[\w.-]+\.(md|json|svg)|[A-Z]+(\.md)?|package\.json)$/;
    assert.deepEqual(
      files.filter(path => !known.test(path)),
      [],
    );
    assert.deepEqual(
      files.filter(path => /\btest\b|\.test\.|\.map$/.test(path)),
      [],
    );
    assert.deepEqual(
      files
        .filter(path => path.startsWith("dist/commonjs/") && path.endsWith(".ts"))
        .map(path => path.slice("dist/commonjs".length)),
      files
        .filter(path => path.startsWith("dist/sdk/") && path.endsWith(".d.ts"))
        .map(path => path.slice("dist/sdk".length)),
    );
    // The provider in one file is made of the others.
    const joined = "dist/provider/bundled/index.js";
    assert.ok(files.includes(joined));
    for (const path of files.filter(path => /\.c?js$/.test(path) && path !== joined)) {
      // A file without a source is what an earlier build left.
      const source = path.replace(/^dist\//, "").replace(/js$/, "ts");
      await assert.doesNotReject(readFile(join(root, source)), `${path} has no source any more`);
      assert.ok(files.includes(path.replace(/(c?)js$/, "d.$1ts")), `${path} has no types`);
    }
  });

  it("names no folder of the machine that packed it", async () => {
    for (const path of files) {
      const text = await readFile(join(dir, "unpacked", path), "utf8");
      for (const folder of [root, homedir(), tmpdir()]) {
        // A program may name /tmp; a build has no business there.
        if (folder.split("/").length > 2) assert.ok(!text.includes(folder), `${path} names ${folder}`);
      }
      assert.doesNotMatch(text, /sourceMappingURL/, path);
    }
  });

  it("has each page that its README and its docs point to", async () => {
    for (const page of files.filter(path => path.endsWith(".md"))) {
      const text = await readFile(join(dir, "unpacked", page), "utf8");
      for (const [, link = ""] of text.matchAll(/\]\(((?:\.\.\/)?(?:docs\/)?[\w-]+\.(?:md|json))(?:#[\w-]*)?\)/g)) {
        const target = join(page, "..", link);
        // For those who work on the repository.
        if (target !== "CONTRIBUTING.md") assert.ok(files.includes(target), `${page} points to ${link}`);
      }
    }
  });

  describe("installed in an empty project", () => {
    let cloud: LocalCloud;
    let stack: Stack;

    before(async () => {
      cloud = await startCloud({ dir: join(dir, "cloud"), services: ["openstack"] });
      const env = environmentOf(cloud.openstack, cloud.openstack.accounts.owner);
      stack = await Stack.create({ project: "installed", env: { ...env, ...asUsers }, ownProcess: true });
      await rm(join(stack.folder, "node_modules"));
      await install(tarball, stack.folder);
    });
    after(async () => {
      await stack?.dispose();
      await cloud?.stop();
    });

    it("makes an image", async () => {
      await writeFile(join(stack.folder, "disk.raw"), noise("installed", 1000));
      const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
      await stack.up([{ kind: "Image", name: "one", args: { service: "openstack", name: "one", ...data } }]);
      assert.equal((await stack.outputs("one")).status, "active");
      assert.ok((await readdir(join(stack.folder, "node_modules"))).includes("got"), "its dependencies are its own");
    });

    it("gives a program in TypeScript its types", async () => {
      const program = `import { Image } from "pulumi-images";
        export const image = new Image("x", { service: "istack", name: "x" });
        // @ts-expect-error: iStack can't hide an image.
        export const wrong = new Image("y", { service: "istack", name: "y", hidden: true });`;
      await writeFile(join(stack.folder, "program.ts"), program);
      const compilerOptions = { strict: true, noEmit: true, module: "nodenext", types: ["node"] };
      await writeFile(join(stack.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
      await run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", stack.folder]).catch(
        (error: { stdout: string }) => assert.fail(error.stdout),
      );
    });

    it("has the command", async () => {
      const { stdout } = await run(join(stack.folder, "node_modules", ".bin", "pulumi-images"), ["--version"]);
      assert.match(stdout, /^\d+\.\d+\.\d+/);
    });
  });
});

/** What `npm audit` says of what is shipped; without vulnerabilities where the registry has no audit. */
async function audit(
  ...options: string[]
): Promise<{ message?: string; vulnerabilities?: Record<string, { severity: string; via: unknown[] }> }> {
  const { stdout } = await npm(["audit", "--omit=dev", "--json", ...options], root).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  return JSON.parse(stdout || "{}");
}
