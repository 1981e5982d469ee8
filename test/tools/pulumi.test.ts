import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { type PulumiCli, pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";
import { installationOnPath } from "../../tools/pulumi/onPath.ts";

const ROOT = join(import.meta.dirname, "../..");

/** A resource class by a loader string, as this package's own are made. */
const THING = `
import * as pulumi from "@pulumi/pulumi";
export class Thing extends pulumi.CustomResource {
  declare readonly said: pulumi.Output<string>;
  constructor(name: string, args: { word: pulumi.Input<string> }) {
    const inputs = { __provider: 'exports.handler = () => require("thing").thing;', said: undefined, ...args };
    super("pulumi-nodejs:dynamic/test:Thing", name, inputs);
  }
}
`;

const PROVIDER = `
import { setTimeout as sleep } from "node:timers/promises";
import { writeFileSync } from "node:fs";
export const thing = {
  async create({ word }) {
    if (word === "slow") { writeFileSync("creating", String(process.pid)); await sleep(600_000); }
    return { id: "1", outs: { word, said: word + "!" } };
  },
  async diff(id, olds, news) { return { changes: olds.word !== news.word }; },
  async update(id, olds, { word }) { return { outs: { word, said: word + "!" } }; },
  async read(id, props) { return { id, props }; },
  async delete() {},
};
`;

describe("Pulumi CLI", function () {
  // The first time on a machine, it is built.
  this.timeout(900_000);

  let cli: PulumiCli;
  let dir: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    cli = await pulumiCli();
  });

  beforeEach(async () => {
    dir = await realpath(await mkdtemp(join(tmpdir(), "pulumi-images-cli-")));
    await mkdir(join(dir, "state"));
    env = pulumiEnvironment(cli, { backend: join(dir, "state") });
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** A program in a folder of its own; `yaml` goes under `runtime:`. */
  async function project(files: Record<string, string>, yaml = "nodejs"): Promise<string> {
    const folder = join(dir, "program");
    await mkdir(join(folder, "node_modules", "thing"), { recursive: true });
    for (const name of ["@pulumi", "@types", "typescript"]) {
      await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    }
    const options = {
      target: "es2022",
      module: "nodenext",
      moduleResolution: "nodenext",
      strict: true,
      types: ["node"],
    };
    const all = {
      "Pulumi.yaml": `name: demo\nruntime: ${yaml}\n`,
      "package.json": "{}",
      "tsconfig.json": JSON.stringify({ compilerOptions: options }),
      "node_modules/thing/package.json": '{"type":"module","exports":"./index.js"}',
      "node_modules/thing/index.js": PROVIDER,
      ...files,
    };
    for (const [name, content] of Object.entries(all)) await writeFile(join(folder, name), content);
    return folder;
  }

  function start(cwd: string, args: string[]): ChildProcess {
    return spawn(cli.command, [...args, "--non-interactive"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function run(cwd: string, ...args: string[]): Promise<{ code: number; output: string }> {
    const child = start(cwd, args);
    const { stdout, stderr } = child;
    assert.ok(stdout !== null && stderr !== null);
    const [out, err] = await Promise.all([text(stdout), text(stderr), once(child, "close")]);
    return { code: child.exitCode ?? -1, output: out + err };
  }

  async function must(cwd: string, ...args: string[]): Promise<string> {
    const { code, output } = await run(cwd, ...args);
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /warning/i);
    return output;
  }

  it("tells its version", () => {
    assert.match(cli.version, /^3\.\d+\.\d+/);
  });

  it("previews, creates, changes, refreshes and destroys what a TypeScript program declares", async () => {
    const folder = await project({
      "thing.ts": THING,
      "index.ts": `
        import * as pulumi from "@pulumi/pulumi";
        import { Thing } from "./thing";
        const config = new pulumi.Config();
        console.log("printed by", process.version);
        console.error("printed to stderr");
        export const said = new Thing("a", { word: config.get("word") ?? "hi" }).said;
        export const secret = config.requireSecret("token");
        export const twice = config.requireSecretNumber("number").apply(number => number * 2);
        export const where = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
      `,
    });
    await must(folder, "stack", "init", "dev");
    await must(folder, "config", "set", "--secret", "token", "abc-secret");
    await must(folder, "config", "set", "--secret", "number", "21");
    assert.match(await must(folder, "preview"), /2 to create/);
    const created = await must(folder, "up", "--yes", "--skip-preview");
    assert.match(created, /2 created/);
    assert.ok(created.includes(`printed by ${process.version}`), created);
    assert.match(created, /printed to stderr/);
    assert.doesNotMatch(created, /abc-secret/);
    assert.match(await must(folder, "up", "--yes", "--skip-preview"), /2 unchanged/);
    assert.match(await must(folder, "preview", "--refresh", "--expect-no-changes"), /2 unchanged/);
    assert.match(await must(folder, "up", "--yes", "--skip-preview", "--config", "demo:word=bye"), /1 updated/);
    assert.match(await must(folder, "refresh", "--yes", "--skip-preview"), /2 unchanged/);
    assert.deepEqual(JSON.parse(await must(folder, "stack", "output", "--json", "--show-secrets")), {
      said: "bye!",
      secret: "abc-secret",
      twice: 42,
      where: "organization/demo/dev",
    });
    const state = await must(folder, "stack", "export");
    assert.doesNotMatch(state, /abc-secret/);
    assert.match(await must(folder, "destroy", "--yes", "--skip-preview"), /2 deleted/);
  });

  it("runs JavaScript programs that are ES modules, and stack references between programs", async () => {
    const folder = await project({
      "package.json": '{"type":"module","main":"index.js"}',
      "index.js": `
        import * as pulumi from "@pulumi/pulumi";
        const other = pulumi.getStack() === "two" ? new pulumi.StackReference("organization/demo/one") : undefined;
        export const word = other === undefined ? "from one" : other.getOutput("word");
      `,
    });
    for (const stack of ["one", "two"]) {
      await must(folder, "stack", "init", stack);
      await must(folder, "up", "--yes", "--skip-preview", "--stack", stack);
    }
    assert.equal((await must(folder, "stack", "output", "word", "--stack", "two")).trim(), "from one");
  });

  it("takes the runtime's options", async () => {
    const yaml =
      "\n  name: nodejs\n  options:\n    typescript: false\n    nodeargs: --title=by-options --no-warnings\nmain: src/";
    const folder = await project({}, yaml);
    await mkdir(join(folder, "src"));
    await writeFile(
      join(folder, "src", "index.js"),
      "exports.seen = [process.title, process.env.PULUMI_NODEJS_TYPESCRIPT ?? null];",
    );
    await must(folder, "stack", "init", "dev");
    await must(folder, "up", "--yes", "--skip-preview");
    assert.deepEqual(JSON.parse(await must(folder, "stack", "output", "seen", "--json")), ["by-options", null]);
  });

  it("shows a program's failure once, and fails", async () => {
    const folder = await project({ "index.ts": 'throw new Error("the program is wrong");' });
    await must(folder, "stack", "init", "dev");
    const { code, output } = await run(folder, "preview");
    assert.notEqual(code, 0);
    assert.equal(output.match(/Error: the program is wrong/g)?.length, 1, output);
    assert.doesNotMatch(output, /non-zero exit code/);
  });

  it("says what to do when a program's packages are missing", async () => {
    const folder = await project({ "index.ts": "" });
    await rm(join(folder, "node_modules"), { recursive: true });
    await must(folder, "stack", "init", "dev");
    const { code, output } = await run(folder, "preview");
    assert.notEqual(code, 0);
    assert.match(output, /npm install/);
  });

  it("ends on Ctrl-C, with all it started", async () => {
    const folder = await project({
      "thing.ts": THING,
      "index.ts": 'import { Thing } from "./thing";\nnew Thing("a", { word: "slow" });',
    });
    await must(folder, "stack", "init", "dev");
    const child = start(folder, ["up", "--yes"]);
    const output = Promise.all([child.stdout, child.stderr].map(stream => (stream === null ? "" : text(stream))));
    const mark = join(folder, "creating");
    while (!(await exists(mark))) await sleep(20);
    const exited = once(child, "exit");
    // The first asks to stop when the running step is done, which takes too long here; the second means now.
    while (child.exitCode === null) {
      child.kill("SIGINT");
      await Promise.race([exited, sleep(200)]);
    }
    assert.notEqual(child.exitCode, 0);
    await output;
    const provider = Number(await readFile(mark, "utf8"));
    while (isAlive(provider)) await sleep(20);
  });

  it("serves the Automation API, with programs in folders and inline", async () => {
    const folder = await project({ "index.ts": 'export const word = "from a folder";' });
    const envVars = Object.fromEntries(
      ["PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE", "PATH"].map(name => [name, env[name] ?? ""]),
    );
    const usualPath = process.env.PATH;
    process.env.PATH = env.PATH;
    try {
      const local = await LocalWorkspace.createStack({ stackName: "dev", workDir: folder }, { envVars });
      assert.equal((await local.up()).outputs.word?.value, "from a folder");
      const inline = await LocalWorkspace.createStack(
        { stackName: "dev", projectName: "inline", program: async () => ({ word: "inline" }) },
        { envVars },
      );
      assert.equal((await inline.up()).outputs.word?.value, "inline");
    } finally {
      process.env.PATH = usualPath;
    }
  });

  it("runs by npm run pulumi in the caller's folder, with its exit code", async () => {
    const folder = await project({ "index.ts": "" });
    const runner = async (...args: string[]): Promise<[number | null, string]> => {
      const child = spawn(process.execPath, [join(ROOT, "tools/pulumi/run.ts"), ...args], {
        env: { ...env, INIT_CWD: folder },
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [out] = await Promise.all([text(child.stdout), once(child, "close")]);
      return [child.exitCode, out];
    };
    assert.deepEqual(await runner("version"), [0, `v${cli.version}\n`]);
    assert.equal((await runner("stack", "init", "dev"))[0], 0);
    assert.ok(await exists(join(dir, "state", ".pulumi", "stacks", "demo", "dev.json")));
    assert.notEqual((await runner("stack", "select", "nope"))[0], 0);
  });

  it("finds the installation on PATH, if its language host is beside it", async () => {
    const usual = process.env.PATH;
    const [half, whole, links] = ["half", "whole", "links"].map(name => join(dir, name)) as [string, string, string];
    try {
      for (const [folder, names] of [
        [half, ["pulumi"]],
        [whole, ["pulumi", "pulumi-language-nodejs"]],
      ] as const) {
        await mkdir(folder);
        for (const name of names) {
          await writeFile(join(folder, name), "#!/bin/sh\n");
          await chmod(join(folder, name), 0o755);
        }
      }
      await mkdir(links);
      await symlink(join(whole, "pulumi"), join(links, "pulumi"));
      process.env.PATH = [half, dirname(process.execPath)].join(delimiter);
      assert.equal(await installationOnPath(), undefined);
      process.env.PATH = ["", links, half].join(delimiter);
      assert.equal(await installationOnPath(), whole);
    } finally {
      process.env.PATH = usual;
    }
  });

  it("builds the version that it looks for", async () => {
    const { PULUMI_VERSION } = await import("../../tools/pulumi/version.ts");
    const module = await readFile(join(ROOT, "tools/pulumi/build/go.mod"), "utf8");
    assert.ok(module.includes(`github.com/pulumi/pulumi/pkg/v3 v${PULUMI_VERSION} `));
  });
});

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
