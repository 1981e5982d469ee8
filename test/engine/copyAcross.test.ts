import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { CloudProcess } from "../cloud/process.ts";
import { connectionOf } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { writtenBy } from "../support/memory.ts";
import { until } from "./imageBench.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, Stack } from "./stack.ts";

const disk = noise("across", 40_000);
const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };

describe("ImageCopy between clouds", () => {
  let dir: string;
  let cloud: LocalCloud;
  let owner: ImageApi;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-across-"));
    cloud = await startCloud({ dir: join(dir, "source"), services: ["openstack", "glance-v1"] });
    const { authUrl, accounts, regions } = cloud.openstack;
    owner = await ImageApi.signIn(authUrl, accounts.owner, regions[0]?.imageUrl as string);
  });
  after(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const copy = (name: string, service: string, of: unknown, to: Record<string, unknown>, more = {}): Declared => ({
    kind: "ImageCopy",
    name,
    args: { service, connection: service, imageId: of, to, ...more },
  });

  describe("of the Image API v2 and v1", () => {
    let stack: Stack;
    let v1: GlanceV1Api;
    const connections = () => {
      const { authUrl, accounts, region } = cloud.services["glance-v1"];
      const { username, password, userDomain, projectName, projectDomain } = accounts.owner;
      const names = { userDomainName: userDomain, projectName, projectDomainName: projectDomain, region };
      return {
        openstack: connectionOf(cloud.openstack, cloud.openstack.accounts.owner),
        "glance-v1": { service: "glance-v1", authUrl, username, password, ...names },
      };
    };
    const declared = (): Declared[] => [
      {
        kind: "Image",
        name: "new",
        args: {
          ...{ service: "openstack", connection: "openstack", name: "new", ...data, minDisk: 2, tags: ["a", "b"] },
          properties: { os_distro: "debian", note: "ü 1", "com.example:Team": "x", empty: "" },
        },
      },
      {
        kind: "Image",
        name: "old",
        args: {
          ...{ service: "glance-v1", connection: "glance-v1", name: "old", ...data, minRam: 64, isPublic: true },
          properties: { os_distro: "debian", note: "ü 1", visibility: "none of v2's" },
        },
      },
      copy(
        "to-v1",
        "openstack",
        { $output: "new.id" },
        { ...toV1, visibility: "public", protected: true },
        {
          forceDelete: true,
        },
      ),
      copy("to-v2", "glance-v1", { $output: "old.id" }, { ...toV2, visibility: "community", tags: ["t"] }),
    ];
    const toV1 = { connection: "glance-v1", service: "glance-v1" };
    const toV2 = { connection: "openstack", service: "openstack", name: "renewed" };
    const idOf = async (name: string) => (await stack.state())[name]?.id as string;

    before(async () => {
      const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
      v1 = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
      stack = await Stack.create({ project: "versions", config: { "images:connections": connections() } });
      await writeFile(join(stack.folder, "disk.raw"), disk);
    });
    after(() => stack.dispose());

    it("takes along what the other version knows, in its own words, and says what stays behind", async () => {
      const run = await stack.up(declared());
      const older = await v1.image(await idOf("to-v1"));
      assert.deepEqual([older.name, older.min_disk, older.is_public, older.protected], ["new", 2, true, true]);
      assert.deepEqual(own(older.properties), { os_distro: "debian", note: "ü 1" });
      assert.deepEqual(await v1.data(older.id), disk);
      const newer = await owner.image(await idOf("to-v2"));
      assert.deepEqual(
        [newer.name, newer.min_ram, newer.visibility, newer.tags, newer.os_distro, newer.note, newer.os_hash_value],
        ["renewed", 64, "community", ["t"], "debian", "ü 1", sha512(disk)],
      );
      const warnings = run.events
        .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
        .filter(({ severity }) => severity === "warning")
        .map(({ message }) => message.trim());
      assert.deepEqual(warnings.toSorted(), [
        "the copy is without tags, the property com.example:Team, the property empty: glance-v1 has no place for it",
        "the copy is without the property visibility: openstack has no place for it",
      ]);
    });

    it("shows no drift, and writes nothing, when nothing changed", async () => {
      cloud.requests.length = 0;
      const quiet = await stack.up(declared(), "--refresh");
      assert.deepEqual(new Set(Object.values(quiet.steps)), new Set(["same"]));
      const writes = cloud.requests.filter(
        ({ method, path }) => !["GET", "HEAD"].includes(method) && /v[12]\/images/.test(path),
      );
      assert.deepEqual(writes, []);
    });

    it("shows and repairs what changed at either side, and takes away what the source has lost", async () => {
      const [older, newer] = [await idOf("to-v1"), await idOf("to-v2")];
      await v1.set(older, { is_public: "False", "property-note": "theirs", "property-added": "stays" });
      await owner.set(newer, { tags: ["t", "theirs"], visibility: "private" });
      await owner.patch(newer, { op: "add", path: "/added", value: "stays" });
      const less = declared();
      for (const { name, args } of less) {
        if (name === "new" || name === "old") delete (args.properties as Record<string, string>).os_distro;
      }
      const run = await stack.up(less, "--refresh");
      assert.deepEqual(run.steps, { new: "update", old: "update", "to-v1": "update", "to-v2": "update" });
      assert.deepEqual([run.diffs["to-v1"], run.diffs["to-v2"]], [["metadata"], ["metadata"]]);
      const { is_public, properties } = await v1.image(older);
      assert.deepEqual([is_public, own(properties)], [true, { note: "ü 1", added: "stays" }]);
      const { tags, visibility, os_distro, note, added } = await owner.image(newer);
      assert.deepEqual([tags, visibility], [["t"], "community"]);
      assert.deepEqual([os_distro, note, added], [undefined, "ü 1", "stays"]);
    });

    it("fails the check of what the other version can't have", async () => {
      const formats = { disk_format: "raw", container_format: "bare" };
      const { id: compressed } = await owner.create({ name: "x", ...formats, container_format: "compressed" }, disk);
      const { id: raw } = await owner.create({ name: " raw", ...formats }, disk);
      const config = { "images:connections": JSON.stringify(connections()) };
      const provider = await ProviderProcess.start(stack.folder, {}, config);
      const failures = async (imageId: string, to: Record<string, unknown>) =>
        (await provider.check("imageCopy", copy("x", "openstack", imageId, { ...toV1, ...to }).args))
          .map(({ property, reason }) => `${property}: ${reason}`)
          .join("\n");
      try {
        assert.match(
          await failures(compressed, {}),
          /^imageId: containerFormat must be one of ami, .*; not "compressed"$/,
        );
        assert.match(await failures(raw, {}), /^to\.name: name must not begin or end with a blank/);
        const named = { name: "raw" };
        assert.match(
          await failures(raw, { ...named, tags: ["t"] }),
          /^to\.tags: glance-v1 has no tags: .*use properties/,
        );
        assert.match(await failures(raw, { ...named, store: "fast" }), /^to\.store: glance-v1 has no store: /);
        const shared = await failures(raw, { ...named, visibility: "shared" });
        assert.match(shared, /^to\.visibility: glance-v1 has no visibility: use isPublic.* ImageMember/);
        const properties = await failures(raw, { ...named, properties: { "os-Distro": "x" } });
        assert.match(properties, /^to\.properties\.os-Distro: .*call it os_distro$/);
        assert.equal(await failures(raw, named), "");
      } finally {
        await provider.stop();
        for (const id of [compressed, raw]) await owner.delete(id);
      }
    });
  });

  it("streams the data: nothing of it is written to a disk on the way", async function () {
    // Only Linux tells what a process had written.
    if (!existsSync("/proc/self/io")) this.skip();
    const stack = await Stack.create({ project: "streamed" });
    const here = connectionOf(cloud.openstack, cloud.openstack.accounts.owner);
    const config = { "images:connections": JSON.stringify({ openstack: here }) };
    const provider = await ProviderProcess.start(stack.folder, {}, config);
    const size = 32 * 2 ** 20;
    const formats = { disk_format: "raw", container_format: "bare" };
    const { id } = await owner.create({ name: "large", ...formats }, new Uint8Array(size));
    try {
      const { args } = copy("x", "openstack", id, { connection: "openstack", name: "streamed" });
      assert.deepEqual(await provider.check("imageCopy", args), []);
      // Node keeps what it compiled.
      const before = await writtenBy(stack.folder);
      const made = await provider.make("imageCopy", args, "urn:pulumi:dev::test::copy::streamed");
      assert.deepEqual([made.outputs.status, made.outputs.size], ["active", size]);
      const written = (await writtenBy(stack.folder)) - before;
      assert.ok(written < 2 ** 20, `${written} bytes`);
      await owner.delete(made.id);
    } finally {
      await provider.stop();
      await stack.dispose();
      await owner.delete(id);
    }
  });

  it("is repaired by the next up when its target is killed in the middle of the data", async () => {
    const there = join(dir, "target");
    const target = await CloudProcess.start({ dir: there, services: ["openstack"] });
    const { openstack } = target.services;
    const connections = {
      openstack: connectionOf(cloud.openstack, cloud.openstack.accounts.owner),
      target: connectionOf(openstack, openstack.accounts.owner),
    };
    const stack = await Stack.create({ project: "killed-target", config: { "images:connections": connections } });
    try {
      // Large enough to be met under way on a busy machine.
      const size = 256 * 2 ** 20;
      await writeFile(join(stack.folder, "disk.raw"), disk);
      await truncate(join(stack.folder, "disk.raw"), size);
      const image: Declared = {
        kind: "Image",
        name: "large",
        args: { service: "openstack", connection: "openstack", name: "large", ...data },
      };
      await stack.up([image]);
      const source = await owner.image((await stack.state()).large?.id as string);
      const limits = { customTimeouts: { create: "12s" } };
      const copied = { ...copy("copy", "openstack", source.id, { connection: "target" }), options: limits };
      await stack.declare([image, copied]);
      const failing = stack.tryUp();
      // The data is under way, and the cloud has written down that it is, which it does a little later.
      const underWay = until(async () => {
        return (await notesSaving(join(there, "openstack"))) && (await bytesIn(join(there, "openstack"))) > 2 ** 20
          ? true
          : undefined;
      });
      const missed = failing.then(({ text }) => assert.fail(`it ended before it was met under way: ${text}`));
      await Promise.race([underWay, missed]);
      missed.catch(() => {});
      await target.kill();
      const { code, text } = await failing;
      assert.notEqual(code, 0);
      assert.match(text, /the upload broke off: No usable answer from 127\.0\.0\.1:\d+: /);
      assert.match(text, /and then: No usable answer .*ECONNREFUSED.*\d+ attempts in/s);
      assert.match(text, /the next up goes on with it/);
      const left = (await stack.outputs("copy")).status;
      assert.equal(left, "unfinished");

      await target.restart();
      const imageUrl = openstack.regions[0]?.imageUrl as string;
      const api = await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, imageUrl);
      const [cut] = await api.list();
      assert.equal(cut?.status, "saving", "and takes no more data");
      const run = await stack.up(undefined, "--refresh");
      assert.equal(run.steps.copy, "replace");
      const images = await api.list();
      assert.deepEqual(
        images.map(({ id, status, os_hash_value }) => [id, status, os_hash_value]),
        [[(await stack.state()).copy?.id, "active", source.os_hash_value]],
      );
      assert.equal(await bytesIn(join(there, "openstack")), size, "nothing is left of the first try");
    } finally {
      await stack.dispose();
      await target.stop();
    }
  });
});

/** An image's properties without its mark. */
function own(properties: Record<string, string | null>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !name.startsWith("pulumi_images_")));
}

/** Whether a local cloud's state on disk has an image whose data is coming in. */
async function notesSaving(folder: string): Promise<boolean> {
  const files = (await readdir(folder)).filter(name => name.endsWith(".json"));
  const texts = await Promise.all(files.map(name => readFile(join(folder, name), "utf8").catch(() => "")));
  return texts.some(text => text.includes('"status":"saving"'));
}

/** Bytes of image data that a local cloud has on disk. */
async function bytesIn(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true })).filter(path => path.includes("glance-RegionOne-"));
  const sizes = await Promise.all(
    files.map(async path => {
      const found = await stat(join(folder, path)).catch(() => undefined);
      return found?.isFile() ? found.size : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
