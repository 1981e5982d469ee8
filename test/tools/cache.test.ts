import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached } from "../../tools/cache.ts";

describe("cache", () => {
  const usual = process.env.XDG_CACHE_HOME;
  let home: string;
  let folder: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "pulumi-images-cache-"));
    folder = join(home, "pulumi-images");
    process.env.XDG_CACHE_HOME = home;
  });

  afterEach(async () => {
    if (usual === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = usual;
    await rm(home, { recursive: true });
  });

  const fill = (text: string) => (into: string) => writeFile(join(into, "file"), text);

  it("makes a folder once", async () => {
    const made = await cached("thing-1", fill("first"));
    assert.equal(made, join(folder, "thing-1"));
    assert.equal(await cached("thing-1", fill("second")), made);
    assert.equal(await readFile(join(made, "file"), "utf8"), "first");
    assert.deepEqual(await readdir(folder), ["thing-1"]);
  });

  it("makes it once for many who ask at the same time, and tells those who wait", async () => {
    let made = 0;
    const told: string[] = [];
    const make = async (into: string): Promise<void> => {
      made++;
      while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
      await fill("once")(into);
    };
    await Promise.all([1, 2, 3].map(() => cached("thing", make, message => told.push(message))));
    assert.equal(made, 1);
    assert.ok(told.every(message => message.includes(`waiting for process ${process.pid}`)));
  });

  it("leaves nothing of what failed", async () => {
    const make = async (into: string): Promise<void> => {
      await fill("half")(into);
      throw new Error("no");
    };
    await assert.rejects(cached("thing", make), { message: "no" });
    assert.deepEqual(await readdir(folder), []);
  });

  it("starts over after a process that was killed while making it", async () => {
    const program = join(home, "program.ts");
    const module = JSON.stringify(join(import.meta.dirname, "../../tools/cache.ts"));
    await writeFile(
      program,
      `import { cached } from ${module};
       import { writeFileSync } from "node:fs";
       void cached("thing", async into => {
         writeFileSync(into + "/rest-of-the-first", "");
         process.send?.("making");
         await new Promise(resolve => setTimeout(resolve, 1e6));
       });`,
    );
    const child = fork(program, { execArgv: [] });
    await once(child, "message");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.deepEqual((await readdir(folder)).sort(), ["thing.lock", "thing.partial"]);
    const made = await cached("thing", fill("whole"));
    assert.deepEqual(await readdir(made), ["file"]);
    assert.deepEqual(await readdir(folder), ["thing"]);
  });

  it("does not take over a lock whose owner lives", async () => {
    await mkdir(join(folder, "thing.lock"), { recursive: true });
    await writeFile(join(folder, "thing.lock", "pid"), String(process.ppid));
    let message = "";
    let made = false;
    const making = cached(
      "thing",
      async () => {
        made = true;
      },
      text => {
        message = text;
      },
    );
    while (message === "") await new Promise(resolve => setTimeout(resolve, 5));
    assert.equal(made, false);
    await rm(join(folder, "thing.lock"), { recursive: true });
    await making;
    assert.equal(made, true);
  });
});
