import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { load } from "js-yaml";
import { actionlint } from "../../tools/actionlint/command.ts";
import { runCommand } from "../../tools/command.ts";
import { DriftStack } from "../cli/driftStack.ts";
import { type ForgeServer, startForge } from "../support/forge.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = join(root, "examples", "ci");
const github = join(folder, "github", "drift.yml");
const gitlab = join(folder, ".gitlab-ci.yml");

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  if?: string;
}

interface Workflow {
  env: Record<string, string>;
  jobs: Record<string, { env: Record<string, string>; permissions: Record<string, string>; steps: Step[] }>;
}

interface GitLabJob {
  before_script: string[];
  script: string[];
}

describe("The CI files of examples/ci", function () {
  this.timeout(300_000);

  it("hold to what GitHub Actions and GitLab CI take, by actionlint and by GitLab's own schema", async () => {
    const lint = await actionlint();
    await runCommand(lint, ["-shellcheck=", "-pyflakes=", github], { cwd: root });
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-gitlab-"));
    try {
      // It looks for a repository, and works in it.
      await runCommand("git", ["init", "--quiet", dir], {});
      await cp(gitlab, join(dir, ".gitlab-ci.yml"));
      const local = join(root, "node_modules", "gitlab-ci-local", "dist", "index.js");
      const said = await runCommand(process.execPath, [local, "--list-all", "--home", dir], { cwd: dir });
      for (const job of ["merge-request", "scheduled", "up"]) assert.match(said, new RegExp(`^${job} `, "m"));
      // It does look: a file with a mistake is none.
      const wrong = (await readFile(gitlab, "utf8")).replace("interruptible: true", "interruptible: [1]");
      await writeFile(join(dir, ".gitlab-ci.yml"), wrong);
      await assert.rejects(runCommand(process.execPath, [local, "--list-all", "--home", dir], { cwd: dir }));
      await writeFile(
        join(dir, "wrong.yml"),
        (await readFile(github, "utf8")).replace("steps.drift.outputs", "steps.drfit.outputs"),
      );
      await assert.rejects(runCommand(lint, ["-shellcheck=", "-pyflakes=", join(dir, "wrong.yml")], { cwd: dir }));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it("give their tokens no more than they need", async () => {
    const { permissions, jobs } = load(await readFile(github, "utf8")) as Workflow & {
      permissions: Record<string, string>;
    };
    assert.deepEqual(permissions, { contents: "read" });
    const writes = Object.entries(jobs).map(([name, job]) => [
      name,
      Object.keys(job.permissions).filter(scope => job.permissions[scope] === "write"),
    ]);
    assert.deepEqual(writes, [
      ["pull-request", ["pull-requests", "id-token"]],
      ["scheduled", ["security-events", "id-token"]],
      ["up", ["id-token"]],
    ]);
  });

  it("fail where the command itself can't run", async () => {
    const all = load(await readFile(gitlab, "utf8")) as Record<string, GitLabJob>;
    const { steps = [] } = (load(await readFile(github, "utf8")) as Workflow).jobs["pull-request"] ?? {};
    const last = steps.at(-1)?.run ?? "";
    const codes = { 0: 0, 1: 1, 2: 0, 3: 0, 127: 127 };
    for (const [code, expected] of Object.entries(codes)) {
      for (const script of [last, all["merge-request"]?.script.at(-1) ?? ""]) {
        const done = await new Promise<number>(resolve =>
          spawn("bash", ["-e", "-c", script], { env: { CODE: code, code } }).once("close", status =>
            resolve(status ?? -1),
          ),
        );
        assert.equal(done, expected, script);
      }
    }
  });

  describe("run their steps", () => {
    let bench: DriftStack;
    /** GitHub's and GitLab's. */
    const forges: ForgeServer[] = [];
    const codes: Record<string, number> = {};
    const said: Record<string, string> = {};
    const comments: Record<string, string[]> = {};

    before(async () => {
      forges.push(await startForge(), await startForge());
      // The workflows' own variable STACK names it.
      bench = await DriftStack.start("ci", "prod");
      await bench.stack.up([bench.image("golden", { protected: true }), bench.image("plain")]);
      const { id = "" } = (await bench.stack.state()).golden ?? {};
      await bench.api.set(id, { protected: false });
      await run("GitHub, drifted", () => githubJob("pull-request"));
      await run("GitLab, drifted", () => gitlabJob("merge-request"));
      await run("GitHub, scheduled", () => githubJob("scheduled"));
      await run("GitHub, up", () => githubJob("up"));
      await run("GitHub, repaired", () => githubJob("pull-request"));
      await run("GitLab, repaired", () => gitlabJob("merge-request"));
      await run("GitLab, scheduled", () => gitlabJob("scheduled"));
    });
    after(async () => {
      await bench?.stop();
      for (const forge of forges) await forge.stop();
    });

    async function run(name: string, job: () => Promise<{ code: number; text: string }>): Promise<void> {
      const { code, text } = await job();
      const forge = forges[name.startsWith("GitHub") ? 0 : 1];
      [codes[name], said[name], comments[name]] = [code, text, forge?.comments.map(({ body }) => body) ?? []];
    }

    /** As a runner does: one `bash -e` for each step, outputs by a file, until one fails. Steps with `uses` and `npm ci` are the machine's here. */
    async function githubJob(name: string): Promise<{ code: number; text: string }> {
      const [forge] = forges as [ForgeServer];
      const { env, jobs } = load(await readFile(github, "utf8")) as Workflow;
      const { steps = [], env: jobEnv = {} } = jobs[name] ?? {};
      const outputs = join(bench.stack.folder, `outputs-${name}`);
      const known: Record<string, string> = { "github.token": forge.token };
      let text = "";
      for (const step of steps) {
        const [, needed] = /^hashFiles\('(.+)'\) != ''$/.exec(step.if ?? "") ?? [];
        if (needed !== undefined && !existsSync(join(bench.stack.folder, needed))) continue;
        if (step.run === undefined || step.run === "npm ci") continue;
        await writeFile(outputs, "");
        const own = Object.entries({ ...env, ...jobEnv, ...step.env }).map(([key, value]): [string, string] => [
          key,
          value.replace(/\$\{\{ (\S+) \}\}/g, (_, path: string) => known[path] ?? ""),
        ]);
        const done = await shell("-e", step.run, {
          ...Object.fromEntries(own.filter(([, value]) => value !== "")),
          ...{
            GITHUB_ACTIONS: "true",
            GITHUB_API_URL: forge.url,
            GITHUB_REPOSITORY: "o/r",
            GITHUB_REF: "refs/pull/7/merge",
          },
          ...{ GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: join(bench.stack.folder, "summary.md") },
        });
        text += done.text;
        if (done.code !== 0) return { code: done.code, text };
        for (const line of (await readFile(outputs, "utf8")).split("\n")) {
          const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
          if (key !== undefined && value !== undefined) known[`steps.${step.id}.outputs.${key}`] = value;
        }
      }
      return { code: 0, text };
    }

    /** As a runner does: all lines in one bash that ends at the first that fails. */
    async function gitlabJob(name: string): Promise<{ code: number; text: string }> {
      const [, forge] = forges as [ForgeServer, ForgeServer];
      const all = load(await readFile(gitlab, "utf8")) as Record<string, GitLabJob> & {
        variables: Record<string, string>;
      };
      const lines = [...(all[".images"]?.before_script ?? []), ...(all[name]?.script ?? [])];
      return await shell("-eo pipefail", lines.filter(line => !line.startsWith("npm ci")).join("\n"), {
        ...all.variables,
        ...{ GITLAB_CI: "true", CI_API_V4_URL: `${forge.url}/api/v4`, CI_PROJECT_ID: "9" },
        ...{ CI_MERGE_REQUEST_IID: "7", GITLAB_TOKEN: forge.token },
      });
    }

    async function shell(
      flags: string,
      script: string,
      env: Record<string, string>,
    ): Promise<{ code: number; text: string }> {
      const file = join(bench.stack.folder, "step.sh");
      await writeFile(file, script);
      const { PATH = "", ...stackEnv } = bench.stack.env;
      const child = spawn("bash", ["--noprofile", "--norc", ...flags.split(" "), file], {
        cwd: bench.stack.folder,
        env: {
          ...stackEnv,
          PATH: [join(root, "node_modules", ".bin"), PATH].join(delimiter),
          npm_config_offline: "true",
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const chunks: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on("data", chunk => chunks.push(chunk));
      const code = await new Promise<number>(resolve => child.once("close", status => resolve(status ?? -1)));
      return { code, text: Buffer.concat(chunks).toString() };
    }

    for (const kind of ["GitHub", "GitLab"]) {
      it(`comment on what drifted, and are green, as a reviewer decides (${kind})`, () => {
        assert.equal(codes[`${kind}, drifted`], 0, said[`${kind}, drifted`]);
        assert.match(said[`${kind}, drifted`] ?? "", /^created/m);
        const [comment = "", ...others] = comments[`${kind}, drifted`] ?? [];
        assert.match(comment, /^<!-- pulumi-images drift ci-\w+\/prod -->\n/);
        assert.match(comment, /1 resource drifted \(1 security\)\./);
        assert.match(comment, /<code>protected<\/code> \(security\) \| <code>true<\/code> \| <code>false<\/code>/);
        assert.deepEqual(others, []);
      });

      it(`update the comment in its place afterwards (${kind})`, () => {
        assert.equal(codes[`${kind}, repaired`], 0, said[`${kind}, repaired`]);
        assert.match(said[`${kind}, repaired`] ?? "", /^updated/m);
        const [comment = "", ...others] = comments[`${kind}, repaired`] ?? [];
        assert.match(comment, /No drift in 2 resources\./);
        assert.deepEqual(others, []);
      });
    }

    it("are red on schedule where security drifted, and green where nothing did", () => {
      assert.equal(codes["GitHub, scheduled"], 2, said["GitHub, scheduled"]);
      assert.equal(codes["GitLab, scheduled"], 0, said["GitLab, scheduled"]);
    });

    it("apply on merge, which repairs the drift", async () => {
      assert.equal(codes["GitHub, up"], 0, said["GitHub, up"]);
      const { id = "" } = (await bench.stack.state()).golden ?? {};
      assert.equal((await bench.api.image(id)).protected, true);
      const jobs = load(await readFile(gitlab, "utf8")) as Record<string, GitLabJob>;
      const last = (load(await readFile(github, "utf8")) as Workflow).jobs.up?.steps.at(-1)?.run;
      assert.deepEqual(jobs.up?.script, [last]);
    });
  });
});
