import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Recorder } from "../../tools/recorder/recorder.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { checkpointOf } from "./matrix/bench.ts";
import { type Declared, Stack } from "./stack.ts";

/** More than what lies in sockets on the way. */
const disk = noise("interrupted", 4 * 2 ** 20);
const small = noise("copied", 2 ** 20);

onEachCloud("Ctrl-C in an up", cloud => {
  let stack: Stack;
  let owner: ImageApi;
  let consumer: ImageApi;
  let base: string;
  const recorder = () => cloud().recorders[0] as Recorder;

  before(async () => {
    const { accounts } = cloud();
    const connections = {
      owner: connectionOf(cloud(), accounts.owner),
      consumer: connectionOf(cloud(), accounts.consumer),
    };
    stack = await Stack.create({ project: "interrupted", config: { "images:connections": connections } });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    [owner, consumer] = await Promise.all([cloud().as("owner"), cloud().as("consumer")]);
    base = (await owner.create({ name: "base of a copy", disk_format: "raw", container_format: "bare" }, small)).id;
  });
  after(async () => {
    recorder().faults.clear();
    for (const { id } of [...(await owner.list("name=interrupted")), { id: base }]) await owner.delete(id);
    for (const { id } of await consumer.list("name=interrupted")) await consumer.delete(id);
    await stack.dispose();
  });

  const declared = (): Declared[] => {
    const own = { service: "openstack", connection: "owner" };
    const formats = { diskFormat: "raw", containerFormat: "bare" };
    return [
      {
        kind: "Image",
        name: "upload",
        args: { ...own, name: "interrupted", ...formats, source: { file: "disk.raw" } },
      },
      {
        kind: "ImageCopy",
        name: "copy",
        args: { ...own, imageId: base, to: { connection: "consumer", name: "interrupted" } },
      },
    ];
  };

  /** Holds so many requests on their way, until they are released. */
  function hold(method: string, path: RegExp, times: number) {
    let release = () => {};
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    let resolve = () => {};
    const held = new Promise<void>(done => {
      resolve = done;
    });
    let count = 0;
    const hook = async () => {
      if (++count === times) resolve();
      await released;
    };
    recorder().faults.add({ method, path, times, hook });
    return { held, release };
  }

  /** An up as in a terminal, whose process group gets the signals. */
  function start() {
    const run = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
    const up = {
      text: "",
      over: false,
      ended: once(run, "close"),
      press: () => process.kill(-(run.pid as number), "SIGINT"),
    };
    for (const stream of [run.stdout, run.stderr]) stream?.on("data", piece => (up.text += String(piece)));
    void up.ended.then(() => {
      up.over = true;
    });
    return up;
  }

  async function exactlyOne(api: ImageApi, data: Buffer): Promise<void> {
    const found = await api.list("name=interrupted");
    const own = found.filter(({ owner: project }) => api === owner || project === cloud().accounts.consumer.projectId);
    assert.deepEqual(
      own.map(({ status, os_hash_value }) => [status, os_hash_value]),
      [["active", sha512(data)]],
    );
  }

  it("once: an upload and a copy end at once, the state notes what was begun, and the stack isn't locked", async () => {
    const { held, release } = hold("PUT", /\/file$/, 2);
    await stack.declare(declared());
    const up = start();
    await held;
    up.press();
    // Not when the requests are let go: they are held still.
    const [code] = await up.ended;
    release();
    assert.notEqual(code, 0, up.text);
    assert.match(up.text, /interrupted/);
    const { pending_operations: pending = [] } = await checkpointOf(stack);
    assert.deepEqual(pending, [], "what the engine knows the end of");
    const { upload, copy } = await stack.state();
    assert.deepEqual([upload?.outputs.status, copy?.outputs.status], ["unfinished", "unfinished"]);
  });

  it("twice: the run ends at once, whatever it waits for", async () => {
    // A request without data is waited for after the first one.
    const { held, release } = hold("POST", /\/v2\/images$/, 1);
    const name = "another";
    const [upload] = declared() as [Declared];
    await stack.declare([...declared(), { ...upload, name, args: { ...upload.args, name } }]);
    const up = start();
    await held;
    up.press();
    while (!up.over && !up.text.includes("^C received")) await pause(20);
    assert.equal(up.over, false, up.text);
    for (; !up.over; await pause(100)) up.press();
    release();
    await stack.run(["cancel", "--yes"]);
  });

  it("and the next up makes exactly one image of each, with the right data", async () => {
    await stack.up(declared());
    await exactlyOne(owner, disk);
    await exactlyOne(consumer, small);
    assert.deepEqual(await owner.list("name=another"), []);
    const { upload, copy } = await stack.state();
    assert.deepEqual([upload?.initErrors, copy?.initErrors], [undefined, undefined]);
  });
});
