import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { asUsers, Stack } from "../engine/stack.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { fromRegistry } from "./fromRegistry.ts";
import { pack } from "./installed.ts";

const run = promisify(execFile);
const sdk = createRequire(import.meta.url)("@pulumi/pulumi/package.json").version as string;
const inCache = (folder: string, path: string) => join(folder, "node_modules", path);

interface Manager {
  /** What to get of the registry, where it isn't there anyway. */
  wanted?: Record<string, string>;
  /** @param folder that has what is wanted */
  install(folder: string): string[];
  /** How it writes that a package is in the same workspace. */
  sibling: string;
  /** Beside package.json. */
  settings?: Record<string, string>;
  /** Of the program, and of the package in between. */
  type: "commonjs" | "module";
}

const managers: Record<string, Manager> = {
  npm: {
    install: () => ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund"],
    sibling: "*",
    type: "commonjs",
  },
  pnpm: {
    wanted: { pnpm: "pnpm@12.21.0" },
    install: folder => [
      process.execPath,
      inCache(folder, "pnpm/bin/pnpm.mjs"),
      "install",
      "--prefer-offline",
      "--ignore-scripts",
    ],
    sibling: "workspace:*",
    settings: { "pnpm-workspace.yaml": "packages: [infra, packages/*]\n" },
    type: "module",
  },
  yarn: {
    wanted: { yarn: "@yarnpkg/cli-dist@4.18.1" },
    install: folder => [process.execPath, inCache(folder, "yarn/bin/yarn.js"), "install", "--no-immutable"],
    sibling: "workspace:*",
    // Pulumi doesn't work with Plug'n'Play.
    settings: { ".yarnrc.yml": "nodeLinker: node-modules\nenableTelemetry: false\nenableScripts: false\n" },
    type: "commonjs",
  },
  bun: {
    wanted: { bun: "bun@1.4.5" },
    install: folder => [inCache(folder, "bun/bin/bun.exe"), "install", "--ignore-scripts"],
    sibling: "workspace:*",
    type: "module",
  },
};

describe("A dependency of a dependency, in a workspace", () => {
  let dir: string;
  let tarball: string;
  let cloud: LocalCloud;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-workspaces-"));
    ({ tarball } = await pack(dir));
    cloud = await startCloud({ dir: join(dir, "cloud"), services: ["openstack"] });
  });
  after(async () => {
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  for (const [name, manager] of Object.entries(managers)) {
    it(`of ${name}: the engine finds the provider, and goes on finding it`, async function () {
      const got = manager.wanted ? await fromRegistry(manager.wanted) : { folder: "" };
      if ("missing" in got) {
        if (this.test) this.test.title += `: not tried, ${got.missing}`;
        this.skip();
      }
      const program = join(dir, name);
      await writeWorkspace(program, name, manager);
      const env = { ...environmentOf(cloud.openstack, cloud.openstack.accounts.owner), ...asUsers };
      const stack = await Stack.create({ program, env });
      try {
        await rm(join(stack.folder, "node_modules"));
        await cp(tarball, join(stack.folder, "pulumi-images.tgz"));
        const [command, ...args] = manager.install(got.folder) as [string, ...string[]];
        await run(command, args, { cwd: stack.folder, maxBuffer: 2 ** 26 });
        await stack.up();
        assert.equal((await stack.outputs("golden")).status, "queued");
        // From the state, without the program.
        await stack.destroy();
        assert.deepEqual(await stack.state(), {});
      } finally {
        await stack.dispose();
      }
    });
  }

  /** infra/ is the program; it knows packages/golden only, which makes an image. */
  async function writeWorkspace(folder: string, name: string, { sibling, settings, type }: Manager): Promise<void> {
    const isModule = type === "module";
    const pulumi = { "@pulumi/pulumi": sdk };
    const files: Record<string, string | object> = {
      "package.json": { name: "workspace", private: true, workspaces: ["infra", "packages/*"] },
      "Pulumi.yaml": `name: workspace-${name}\nmain: infra\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n`,
      "infra/package.json": {
        ...{ name: "infra", private: true, type, main: "index.js" },
        dependencies: { "@acme/golden": sibling, ...pulumi },
      },
      "infra/index.js": `${isModule ? 'import { golden } from "@acme/golden"' : 'const { golden } = require("@acme/golden")'};\ngolden("golden");\n`,
      "packages/golden/package.json": {
        ...{ name: "@acme/golden", version: "1.0.0", type, main: "index.js" },
        dependencies: { "pulumi-images": "file:../../pulumi-images.tgz" },
        peerDependencies: { "@pulumi/pulumi": "^3.200.0" },
        devDependencies: pulumi,
      },
      "packages/golden/index.js": `${isModule ? 'import { Image } from "pulumi-images";\nexport const golden' : 'const { Image } = require("pulumi-images");\nexports.golden'} = name => new Image(name, { service: "openstack", name });\n`,
      ...settings,
    };
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(folder, path, ".."), { recursive: true });
      await writeFile(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
    }
  }
});
