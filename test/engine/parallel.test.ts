import assert from "node:assert/strict";
import { environmentOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { type Declared, Stack } from "./stack.ts";

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
      ...Array.from(
        { length: 4 },
        (_, p): Declared => ({
          kind: "Image",
          name: `${n}-property-${p}`,
          args: { service: "openstack", adopt: { id }, properties: { [`p${p}`]: `v${p}` } },
        }),
      ),
    ]);
    let running: Promise<unknown> | undefined;
    try {
      const uploads = await Promise.all(ids.map(id => api.beginUpload(id, disk)));
      cloud().forget();
      running = stack.up(declared, "--parallel", "64");
      // The data is all there only once the run has come to the image: it has to wait, as Glance would lose what is written meanwhile.
      await Promise.all(
        ids.map(async (id, n) => {
          await cloud().seen(({ path }) => path.includes(id));
          await uploads[n]?.finish();
        }),
      );
      await running;
      for (const id of ids) {
        const image = await api.image(id);
        assert.equal(image.os_hash_value, sha512(disk));
        assert.deepEqual(image.tags.toSorted(), Array.from({ length: 12 }, (_, t) => `t${t}`).toSorted());
        assert.deepEqual([image.p0, image.p1, image.p2, image.p3], ["v0", "v1", "v2", "v3"]);
      }
      const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(quiet.code, 0, quiet.text);
    } finally {
      await Promise.allSettled([running]);
      await stack.dispose();
    }
  }).timeout(300_000);
});
