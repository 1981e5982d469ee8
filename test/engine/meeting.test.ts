import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Recorder } from "../../tools/recorder/recorder.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { providerOf, shareOfWork } from "./matrix/processes.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { Stack } from "./stack.ts";

/** Something that listens where an engine would, and can be killed as one. */
const listener =
  'require("net").createServer(s => s.on("error", () => {})).listen(0, "127.0.0.1", function () { console.log(this.address().port) })';

onEachCloud("a provider process that outlives its run", cloud => {
  const disk = noise("meeting", 50_000);
  let stack: Stack;
  let files: FileServer;
  let api: ImageApi;
  let config: Record<string, string>;
  const recorder = () => cloud().recorders[0] as Recorder;

  before(async () => {
    stack = await Stack.create({ project: "meeting" });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    files = await startFileServer();
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
    api = await cloud().as("owner");
    config = { "images:connections": JSON.stringify({ owner: connectionOf(cloud(), cloud().accounts.owner) }) };
  });
  after(async () => {
    await files.stop();
    await stack.dispose();
  });
  afterEach(async () => {
    recorder().faults.clear();
    for (const { id } of await api.list("name=meeting")) await api.delete(id);
  });

  const start = (engine?: string) => ProviderProcess.start(stack.folder, {}, config, "kept", engine);
  const order = (args: Record<string, unknown> = {}) => ({
    ...{ service: "openstack", connection: "owner", name: "meeting", source: { file: "disk.raw" } },
    ...{ diskFormat: "raw", containerFormat: "bare", ...args },
  });
  const urn = (name: string) => `urn:pulumi:dev::meeting::pulumi-nodejs:dynamic/images:Image::${name}`;
  /** Holds the so-manieth request from now on, until it is released. */
  function hold(skip: number, after: boolean, path?: RegExp) {
    let reached = () => {};
    let release = () => {};
    const held = new Promise<void>(resolve => {
      reached = resolve;
    });
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    const hook = async () => {
      reached();
      await released;
    };
    recorder().faults.add({ skip, after, ...(path === undefined ? {} : { path }), hook });
    return { held, release };
  }
  async function exactlyOne(id: string): Promise<void> {
    const found = await api.list("name=meeting");
    assert.deepEqual(
      found.map(image => [image.id, image.status, image.os_hash_value]),
      [[id, "active", sha512(disk)]],
    );
  }

  it("ends when its engine is killed, without a word or much work, and the next run finds what it did", async () => {
    const engine = spawn(process.execPath, ["-e", listener], { stdio: ["ignore", "pipe", "inherit"] });
    const [port] = await once(createInterface({ input: engine.stdout }), "line");
    const orphan = await start(`127.0.0.1:${port}`);
    const { held, release } = hold(0, false, /\/file$/);
    const created = orphan.make("image", order(), urn("orphan")).catch(() => "no answer");
    await held;
    const pid = await providerOf(orphan.pid);
    assert.ok(pid);
    engine.kill("SIGKILL");
    orphan.closeOutput();
    const work = await shareOfWork(pid);
    assert.deepEqual([await orphan.ended, orphan.said], [1, ""]);
    assert.ok(work < 0.5, `it was busy for ${Math.round(work * 100)} % of its last seconds`);
    await created;
    release();
    const [left] = await api.list("name=meeting");
    assert.equal(left?.status, "queued");
    const next = await start();
    try {
      assert.equal((await next.make("image", order(), urn("orphan"))).id, left?.id);
      await exactlyOne(left?.id as string);
    } finally {
      await orphan.stop();
      await next.stop();
    }
  });

  /** Hidden or not, and declared the other way in the repeat. */
  for (const hidden of [true, false]) {
    it(`finds what an earlier run left ${hidden ? "hidden" : "unhidden"}, whatever is declared now, in a first life and a later one`, async () => {
      const provider = await start();
      const resource = urn(`left, ${hidden}`);
      const all = async () => [...(await api.list("name=meeting")), ...(await api.list("name=meeting&os_hidden=true"))];
      try {
        for (const life of [1, 2]) {
          const left = await provider.make("image", order({ hidden }), resource);
          // As a run leaves it that is killed before its last request.
          await api.patch(left.id, { op: "add", path: "/pulumi_images_unfinished", value: new Date().toISOString() });
          const before = recorder().requests.length;
          const found = await provider.make("image", order({ hidden: !hidden }), resource);
          assert.equal(found.id, left.id, `life ${life}`);
          assert.deepEqual(
            (await all()).map(image => [image.id, image.status, image.os_hidden]),
            [[left.id, "active", !hidden]],
          );
          if (life === 2) {
            // The day's own ids would have led to it too, but another day has others.
            const looks = recorder().requests.slice(before);
            assert.equal(looks.filter(({ method, path }) => method === "POST" && path === "/v2/images").length, 1);
          }
          await provider.delete(found.id, found.outputs);
          assert.deepEqual(await all(), []);
        }
      } finally {
        await provider.stop();
      }
    });
  }

  it("takes an image for gone that a Glance, killed over its deletion, shows as deleted for ever", async () => {
    const provider = await start();
    const resource = urn("deleted");
    try {
      const made = await provider.make("image", order(), resource);
      await cloud().tamper(made.id, { status: "deleted" });
      await assert.rejects(api.delete(made.id), /400/);
      assert.equal((await provider.read(made.id, made.outputs)).id, "");
      await provider.delete(made.id, made.outputs);
      const again = await provider.make("image", order(), resource);
      assert.notEqual(again.id, made.id);
      assert.equal((await api.image(again.id)).status, "active");
    } finally {
      await provider.stop();
      for (const { id } of await api.list("name=meeting")) await cloud().tamper(id, { status: "active" });
    }
  });

  const ways: Record<string, () => Record<string, unknown>> = {
    "an upload": () => ({}),
    "an import": () => ({ source: { url: `${files.url}/disk.raw`, mode: "import" } }),
    "an upload to two stores": () => ({ stores: ["fast", "slow"] }),
    "an upload of a deactivated, protected image": () => ({ state: "deactivated", protected: true }),
  };
  for (const [way, args] of Object.entries(ways)) {
    it(`${way}: meets a new run at each of its requests, and they never share an image`, async () => {
      const [old, next] = await Promise.all([start(), start()]);
      try {
        for (let skip = 0, more = true; more; skip++) {
          const after = skip % 2 === 1;
          const resource = urn(`${way}, ${skip}`);
          const before = recorder().requests.length;
          const { held, release } = hold(skip, after, /^\/v2\/images/);
          const first = old.make("image", order(args()), resource).then(
            ({ id }) => id,
            () => undefined,
          );
          more = await Promise.race([held.then(() => true), first.then(() => false)]);
          if (more) {
            const { id } = await next.make("image", order(args()), resource);
            release();
            const ids = [id, await first].filter(one => one !== undefined);
            const found = await api.list("name=meeting");
            const at = recorder().requests.slice(before);
            const story = at.map(({ method, path, status }) => `${method} ${path} ${status}`).join("\n");
            assert.equal(new Set(ids).size, ids.length, `both have one image:\n${story}`);
            assert.deepEqual(
              found.map(image => [image.id, image.os_hash_value, image.pulumi_images_unfinished]).toSorted(),
              ids.map(one => [one, sha512(disk), undefined]).toSorted(),
              story,
            );
          }
          recorder().faults.clear();
          for (const { id } of await api.list("name=meeting")) {
            await api.set(id, { protected: false });
            await api.delete(id);
          }
        }
      } finally {
        await old.stop();
        await next.stop();
      }
    });
  }
});
