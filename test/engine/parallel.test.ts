import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { environmentOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { type Declared, nameOf, readEvents, Stack } from "./stack.ts";

/** Glance saves a whole image from what it read before, and puts an image back to what it was when an upload began: nothing may get lost. */
onEachCloud("Twelve tags and four properties in parallel, while data is being uploaded", cloud => {
  const images = 10;
  const disk = noise("parallel", 300_000);
  let api: ImageApi;

  before(async () => {
    api = await cloud().as("owner");
  });

  it("are all there at the end, on ten images of ten", async () => {
    const stack = await Stack.create({ project: "parallel", env: environmentOf(cloud(), cloud().accounts.owner) });
    const ids: string[] = [];
    for (let n = 0; n < images; n++) {
      ids.push((await api.create({ name: `parallel ${n}`, disk_format: "raw", container_format: "bare" })).id);
    }
    const declared: Declared[] = ids.flatMap((id, n) => [
      ...Array.from(
        { length: 12 },
        (_, t): Declared => ({
          kind: "ImageTag",
          name: `${n}-tag-${t}`,
          args: { service: "openstack", imageId: id, tag: `t${t}` },
        }),
      ),
      {
        kind: "Image",
        name: `${n}-properties`,
        args: { service: "openstack", adopt: { id }, properties: { p0: "v0", p1: "v1", p2: "v2", p3: "v3" } },
      },
    ]);
    const uploads = await Promise.all(ids.map(id => api.beginUpload(id, disk)));
    let ended: Promise<unknown> | undefined;
    let run: ReturnType<Stack["start"]> | undefined;
    try {
      cloud().forget();
      await stack.declare(declared);
      const log = join(stack.folder, "up.json");
      run = stack.start(["up", "--yes", "--skip-preview", "--parallel", "64"], { log });
      let text = "";
      for (const stream of [run.stdout, run.stderr]) stream?.on("data", chunk => (text += String(chunk)));
      ended = once(run, "close").then(([code]) => code);
      // The data is all there only once the run has come to write to the image, and waits: Glance would lose what is written meanwhile.
      const waiting = new Set<string>();
      const look = async () => {
        for (const { diagnosticEvent } of await readEvents(log)) {
          if (diagnosticEvent?.message.includes("waiting for the image's data (saving)"))
            waiting.add(nameOf(diagnosticEvent.urn ?? "").split("-")[0] as string);
        }
      };
      for (const [n, id] of ids.entries()) {
        const [upload] = uploads;
        const written = () =>
          cloud()
            .writes()
            .filter(write => write.includes(id));
        while (run.exitCode === null && written().length === 0 && !waiting.has(String(n))) {
          await pause(100);
          await look();
        }
        assert.deepEqual(written(), [], text);
        await upload?.finish();
        uploads.shift();
      }
      assert.equal(await ended, 0, text);
      for (const id of ids) {
        const image = await api.image(id);
        assert.equal(image.os_hash_value, sha512(disk));
        assert.deepEqual(image.tags.toSorted(), Array.from({ length: 12 }, (_, t) => `t${t}`).toSorted());
        assert.deepEqual([image.p0, image.p1, image.p2, image.p3], ["v0", "v1", "v2", "v3"]);
      }
      const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(quiet.code, 0, quiet.text);
    } finally {
      // What waits for them ends, too; where the test failed, so does the run.
      run?.kill("SIGKILL");
      await Promise.allSettled(uploads.map(upload => upload.finish()));
      await ended;
      await stack.dispose();
    }
  }).timeout(300_000);
});
