import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const root = join(import.meta.dirname, "..", "..");
/** What a clone doesn't have after npm ci, or has as a link here. */
const notCloned = new Set([".git", ".pulumi-images", ".cloud", "node_modules", "tools/pulumi/bin/pulumi"]);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

describe("npm start", () => {
  let clone: string;

  before(async () => {
    clone = await mkdtemp(join(tmpdir(), "pulumi-images-clone-"));
    await cp(root, clone, { recursive: true, filter: path => !notCloned.has(relative(root, path)) });
    await symlink(join(root, "node_modules"), join(clone, "node_modules"));
  });
  after(() => rm(clone, { recursive: true, force: true }));

  function start(command: string, ...args: string[]): { child: ChildProcess; ended: Promise<Ended>; seen: Ended } {
    // Whatever cloud the tests' own shell is set up for has no part in it.
    const env = { ...process.env, OS_CLOUD: "none-of-ours", INIT_CWD: clone };
    // A group of its own, as a terminal makes one: its Ctrl-C reaches npm and what npm runs.
    const child = spawn(command, args, { cwd: clone, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const seen: Ended = { code: null, out: "", err: "" };
    child.stdout.on("data", data => {
      seen.out += data;
    });
    child.stderr.on("data", data => {
      seen.err += data;
    });
    const ended = once(child, "close").then(([code]) => Object.assign(seen, { code: code as number | null }));
    return { child, ended, seen };
  }

  async function untilSays(run: { seen: Ended; child: ChildProcess }, text: RegExp): Promise<void> {
    while (!text.test(run.seen.out)) {
      assert.equal(run.child.exitCode, null, `ended without saying ${text}:\n${run.seen.out}\n${run.seen.err}`);
      await pause(20);
    }
  }

  it("ends at Ctrl-C with its image service stopped", async () => {
    const run = start(process.execPath, "tools/start/main.ts");
    await untilSays(run, /^\$ pulumi up/m);
    pressControlC(run.child);
    const { code, err } = await run.ended;
    assert.equal(code, 130, err);
    assert.match(err, /Stopped\. The next npm start begins afresh\./);
    await assert.rejects(fetch(addressIn(run.seen.out)), "the image service answers no more");
  });

  it("tells the whole story, whatever an earlier run left", async () => {
    const { code, out, err } = await start("npm", "start").ended;
    assert.equal(code, 0, `${out}\n${err}`);
    const acts = [
      /^It has no images yet\.$/m,
      /^\$ pulumi preview --diff$/m,
      /^\s*\+ pulumi-nodejs:dynamic\/images:Image: \(create\)$/m,
      /^ +\+ 2 to create$/m,
      /^\$ pulumi up --yes --skip-preview$/m,
      /^ +\+ 2 created$/m,
      /^ +name +rescue-2026\.11$/m,
      /^ +status +active$/m,
      /^ +size +262144$/m,
      /^ +os_hash_value +[0-9a-f]{64}…$/m,
      /^ +tags +golden, rescue$/m,
      /^Somebody changes the image behind Pulumi's back$/m,
      /^\$ pulumi preview --refresh --diff$/m,
      /^ +~ pulumi-nodejs:dynamic\/images:Image: \(refresh\)$/m,
      /^ +~ name +: "rescue-2026\.11" => "rescue-OLD-do-not-use"$/m,
      /^ +~ os_version: "3\.22" => "3\.17"$/m,
      /^ +- \[1\]: "rescue"$/m,
      /^ +~ pulumi-nodejs:dynamic\/images:Image: \(update\)$/m,
      /^ +~ name +: "rescue-OLD-do-not-use" => "rescue-2026\.11"$/m,
      /^ +~ 1 to update$/m,
      /^\$ pulumi up --refresh --yes --skip-preview$/m,
      /^ +~ 1 updated$/m,
      /^ +name +rescue-2026\.11$/m,
      /^ +tags +golden, rescue$/m,
      /^\$ pulumi up --yes --skip-preview --expect-no-changes$/m,
      /^ +2 unchanged$/m,
      /npm run cloud -- --dir \.pulumi-images\/start\/cloud$/m,
    ];
    let rest = out;
    for (const act of acts) {
      const at = rest.search(act);
      assert.notEqual(at, -1, `${act} isn't there, or not in its place:\n${out}`);
      rest = rest.slice(at + 1);
    }
    const [drift = ""] = out.match(/^\$ pulumi preview --refresh --diff\n.*?\(same\)$/ms) ?? [];
    const changed = [...drift.matchAll(/^ {6}[~+-] (\w+)/gm)].map(([, field]) => field);
    assert.deepEqual(changed, ["name", "properties", "tags"], "just that drift shows");
    const readme = await readFile(join(root, "README.md"), "utf8");
    const shown = /^```text\n( +~ pulumi-nodejs.*?)^```$/ms.exec(readme)?.[1] ?? "no drift";
    const printed = drift.replaceAll(/^ +\[(id|urn)=.*\n/gm, "");
    assert.ok(printed.includes(shown), `the README shows another drift than this:\n${drift}`);
    // npm complains of settings of the machine's own.
    const complaints = `${out}\n${err}`
      .split("\n")
      .filter(line => /warn/i.test(line) && !/^npm warn.* config /.test(line));
    assert.deepEqual(complaints, []);
  });

  it("lets a person go on, as it says", async () => {
    const cloud = start("npm", "run", "cloud", "--", "--dir", ".pulumi-images/start/cloud");
    try {
      await untilSays(cloud, /# Ctrl-C stops it/);
      const settings = "source .pulumi-images/start/env.sh";
      const same = await start("bash", "-c", `${settings}; npm run pulumi -- preview --refresh --diff`).ended;
      assert.equal(same.code, 0, same.err);
      assert.match(same.out, /^ +2 unchanged$/m);

      const refused = await start("npm", "start").ended;
      assert.equal(refused.code, 1);
      assert.match(refused.err, /of an earlier npm start is still running/);
      assert.match(
        await readFile(join(clone, ".pulumi-images", "start", "env.sh"), "utf8"),
        /^export PULUMI_STACK='local'$/m,
      );
    } finally {
      pressControlC(cloud.child);
      await cloud.ended;
    }
  });

  it("ends with what went wrong, and a code that says so", async () => {
    const program = join(clone, "examples", "quickstart", "index.ts");
    await writeFile(program, (await readFile(program, "utf8")).replace("minDisk: 1", "minDisk: -1"));
    const { code, out, err } = await start("npm", "start").ended;
    assert.equal(code, 1);
    assert.match(out + err, /minDisk must be a whole number of GB from 0/);
    assert.match(err, /pulumi preview --diff failed \(\d+\); what it says above is why\./);
    await assert.rejects(fetch(addressIn(out)), "the image service answers no more");
  });
});

function pressControlC({ pid }: ChildProcess): void {
  process.kill(-(pid as number), "SIGINT");
}

function addressIn(text: string): string {
  const address = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
  assert.ok(address, text);
  return address;
}
