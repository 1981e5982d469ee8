import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noise } from "../support/disk.ts";
import { ImageBench } from "./imageBench.ts";
import { describeImage } from "./imageLifecycle.ts";
import { ProviderProcess } from "./providerProcess.ts";
import type { Declared, Stack } from "./stack.ts";

const service = "istack";

describe("istack", () => {
  let bench: ImageBench;
  before(async () => {
    bench = await ImageBench.start(service);
  });
  after(() => bench.stop());

  describeImage(() => bench, service, {
    updates: {
      // Publishing is for admins.
      visibility: {
        from: { connection: "admin", visibility: "private" },
        to: { connection: "admin", visibility: "public" },
        is: { visibility: "public" },
      },
      deactivate: { to: { state: "deactivated" }, is: { status: "deactivated" } },
      reactivate: { from: { state: "deactivated" }, to: { state: "active" }, is: { status: "active" } },
    },
  });

  describe("what only iStack has", () => {
    let stack: Stack;
    before(async () => {
      stack = await bench.newStack("own");
    });
    after(() => stack.dispose());

    it("gives out the fields of a snapshot that the compute service made, and they aren't properties", async () => {
      const fields = {
        image_location: "snapshot",
        image_state: "available",
        image_type: "snapshot",
        instance_uuid: crypto.randomUUID(),
        base_image_ref: crypto.randomUUID(),
        kernel_id: "kernel",
        ramdisk_id: "ramdisk",
      };
      const made = await bench.owner.create(
        { name: "snapshot", disk_format: "raw", container_format: "bare", ...fields, p: "1" },
        bench.disk,
      );
      const args = { service, connection: "owner" };
      await stack.up([
        { kind: "Image", name: "snapshot", args: { ...args, adopt: { id: made.id } } },
        bench.image("plain"),
      ]);
      const outputs = await stack.outputs("snapshot");
      const { imageLocation, imageState, imageType, instanceUuid, baseImageRef, kernelId, ramdiskId } = outputs;
      assert.deepEqual(
        { imageLocation, imageState, imageType, instanceUuid, baseImageRef, kernelId, ramdiskId },
        {
          imageLocation: "snapshot",
          imageState: "available",
          imageType: "snapshot",
          instanceUuid: fields.instance_uuid,
          baseImageRef: fields.base_image_ref,
          kernelId: "kernel",
          ramdiskId: "ramdisk",
        },
      );
      assert.deepEqual([outputs.userId, outputs.ownerId], [made.user_id, made.owner_id]);
      assert.equal(outputs.ownerId, outputs.owner);
      assert.deepEqual(outputs.properties, { p: "1" });
      const plain = await stack.outputs("plain");
      assert.deepEqual([plain.imageType, plain.instanceUuid, plain.userId], [undefined, undefined, made.user_id]);
    });
  });

  describe("ImageTag and ImageCopy", () => {
    let stack: Stack;
    const tag = (name: string, of: string, text: string): Declared => ({
      kind: "ImageTag",
      name,
      args: { service, connection: "owner", imageId: { $output: `${of}.id` }, tag: text },
    });
    const declared = (): Declared[] => [
      bench.image("tagged", { properties: { os_distro: "debian" } }),
      tag("one", "tagged", "one"),
      tag("slash", "tagged", "a/b"),
      {
        kind: "ImageCopy",
        name: "there",
        args: {
          ...{ service, connection: "owner", imageId: { $output: "tagged.id" } },
          to: { connection: "consumer", name: "copied" },
        },
        options: { dependsOn: ["one", "slash"] },
      },
      {
        kind: "ImageCopy",
        name: "elsewhere",
        args: {
          ...{ service, connection: "owner", imageId: { $output: "tagged.id" } },
          to: { connection: "openstack", service: "openstack", visibility: "community" },
        },
        options: { dependsOn: ["one", "slash"] },
      },
    ];
    const imageOf = async () => await bench.owner.image((await stack.state()).tagged?.id as string);

    before(async () => {
      stack = await bench.newStack("parts");
      bench.forget();
      await stack.up(declared());
    });
    after(() => stack.dispose());

    it("tags through the image, in one queue, without losing any", async () => {
      assert.deepEqual((await imageOf()).tags.toSorted(), ["a/b", "one"]);
      assert.ok(!bench.requests().some(request => request.includes("/tags/")), "no call for single tags is documented");
      assert.equal((await stack.state()).slash?.id, `${(await imageOf()).id}/a%2Fb`);
    });

    it("copies to another project, and to another service", async () => {
      const state = await stack.state();
      const consumer = await bench.as("consumer");
      const copy = await consumer.image(state.there?.outputs.copyId as string);
      assert.deepEqual(
        [copy.name, copy.status, copy.os_distro, copy.checksum],
        ["copied", "active", "debian", (await imageOf()).checksum],
      );
      const elsewhere = state.elsewhere?.outputs;
      assert.deepEqual([elsewhere?.status, elsewhere?.progress, elsewhere?.size], ["active", 100, bench.disk.length]);
      assert.match(String(elsewhere?.digest), /^sha512:/);
    });

    it("changes nothing the next time", async () => {
      bench.forget();
      const run = await stack.up(declared(), "--refresh");
      assert.deepEqual(
        Object.entries(run.steps).filter(([, step]) => step !== "same"),
        [],
      );
      assert.deepEqual(bench.writes(), []);
    });

    it("shows and repairs what was removed outside", async () => {
      const { id } = await imageOf();
      await bench.owner.set(id, { tags: ["a/b", "theirs"] });
      const consumer = await bench.as("consumer");
      await consumer.delete((await stack.state()).there?.outputs.copyId as string);
      const run = await stack.up(declared(), "--refresh");
      assert.deepEqual([run.steps.one, run.steps.slash, run.steps.there], ["create", "same", "create"]);
      assert.deepEqual((await imageOf()).tags.toSorted(), ["a/b", "one", "theirs"]);
    });

    it("are read by their ids, without being managed", async () => {
      const { there, slash } = await stack.state();
      const get = (kind: "ImageTag" | "ImageCopy", connection: string, id: unknown, show: string[]): Declared => ({
        ...{ kind, name: `read ${kind}`, args: { service, connection }, get: id, show },
      });
      await stack.up([
        ...declared(),
        get("ImageTag", "owner", slash?.id, ["tag"]),
        get("ImageCopy", "consumer", there?.id, ["copyId", "status"]),
      ]);
      const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(shown["read ImageTag"], { tag: "a/b" });
      assert.deepEqual(shown["read ImageCopy"], { copyId: there?.id, status: "active" });
    });

    it("takes its own tag away, and no other", async () => {
      await stack.up(declared().filter(({ name }) => name === "tagged"));
      assert.deepEqual((await imageOf()).tags, ["theirs"]);
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    const cases: Record<string, { args: Record<string, unknown>; says: RegExp }> = {
      "a format of OpenStack's": {
        args: { diskFormat: "vhdx" },
        says: /diskFormat must be one of ami, .*iso; not "vhdx"/,
      },
      "a container of OpenStack's": {
        args: { containerFormat: "compressed" },
        says: /containerFormat must be one of .*docker; not/,
      },
      "a visibility of OpenStack's": {
        args: { visibility: "shared" },
        says: /visibility must be one of private, public; not "shared"/,
      },
      "a state that isn't one": { args: { state: "off" }, says: /state must be one of active, deactivated; not "off"/ },
      "a name of 256 characters": {
        args: { name: "x".repeat(256) },
        says: /name must have at most 255 characters, not 256/,
      },
      "no name": { args: { name: undefined }, says: /a new image needs a name/ },
      "a tag of 256 characters": { args: { tags: ["x".repeat(256)] }, says: /tags\[0\].*at most 255 characters/ },
      "an empty tag": { args: { tags: [""] }, says: /a tag must not be empty/ },
      "a tag twice": { args: { tags: ["x", "x"] }, says: /holds "x" twice/ },
      "a negative minDisk": { args: { minDisk: -1 }, says: /minDisk must be a whole number of GB from 0/ },
      "a fraction of minRam": { args: { minRam: 0.5 }, says: /minRam must be a whole number of MB/ },
      "an imageId that isn't one": { args: { imageId: "x" }, says: /imageId must be a UUID/ },
      "protected as text": { args: { protected: "yes" }, says: /protected must be true or false/ },
      "data without a format": { args: { diskFormat: undefined }, says: /an image with data needs diskFormat/ },
      "a property of the service's": {
        args: { properties: { image_type: "x" } },
        says: /image_type is the service's own: it is the output imageType/,
      },
      "an output as an argument": { args: { kernelId: "x" }, says: /istack has no kernelId: the service sets it/ },
      hidden: { args: { hidden: true }, says: /istack has no hidden: this service can't hide an image/ },
      stores: { args: { stores: ["fast"] }, says: /istack has no stores: this service has one store/ },
      members: {
        args: { members: ["0".repeat(32)] },
        says: /istack has no members: .*visibility: "public", or ImageCopy/,
      },
      "the service's own import": {
        args: { source: { url: "http://127.0.0.1:9/x", mode: "import", digest: `sha256:${"0".repeat(64)}` } },
        says: /doesn't offer web-download .*use mode "stream"/,
      },
      "a field of DigitalOcean's": { args: { regions: ["nyc3"] }, says: /istack has no regions: copy the image/ },
      "a field of Glance v1's": { args: { isPublic: true }, says: /istack has no isPublic: use visibility: "public"/ },
    };

    before(async () => {
      stack = await bench.newStack("bad");
      await writeFile(join(stack.folder, "disk.raw"), noise("bad", 100));
      provider = await ProviderProcess.start(
        stack.folder,
        {},
        { "images:connections": JSON.stringify(bench.connections()) },
      );
      bench.forget();
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
    });

    for (const [name, { args, says }] of Object.entries(cases)) {
      it(`${name}: a failed check`, async () => {
        const failures = await provider.check("image", bench.image("x", args).args);
        assert.match(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"), says);
      });
    }

    it("of a tag, of a copy, and of what this service hasn't", async () => {
      const imageId = crypto.randomUUID();
      const check = async (...[kind, args]: Parameters<ProviderProcess["check"]>) =>
        (await provider.check(kind, { service, connection: "owner", imageId, ...args }))
          .map(({ reason }) => reason)
          .join("\n");
      assert.match(
        await check("imageMember", { member: "0".repeat(32) }),
        /istack has no ImageMember: .*use visibility: "public", or ImageCopy/,
      );
      assert.match(await check("imageTag", { tag: "x".repeat(256) }), /at most 255 characters/);
      assert.match(await check("imageCopy", { to: { stores: ["fast"] } }), /to has no stores/);
      assert.match(await check("imageCopy", { to: { tenant: "0".repeat(32) } }), /to has no tenant/);
      assert.match(
        await check("imageCopy", { to: { connection: "consumer", visibility: "shared" } }),
        /visibility must be one of private, public; not "shared"/,
      );
      assert.match(await check("imageCopy", { to: { connection: "consumer" } }), /there is no image/);
    });

    it("sends nothing to the service that it would refuse", () => assert.deepEqual(bench.writes(), []));
  });
});
