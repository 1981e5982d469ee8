import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { environmentOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, qcow2, sha256, sha512 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { itChangesEveryField } from "./everyField.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, Stack } from "./stack.ts";

/** An image of a few bytes, with the fields that a test is about. */
function image(name: string, args: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Declared {
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  return { kind: "Image", name, args: { service: "openstack", name, ...data, ...args }, options };
}

/** What the state knows of the resource's id. */
async function idOf(stack: Stack, name: string): Promise<string> {
  const resource = (await stack.state())[name];
  assert.ok(resource, `the state has no ${name}`);
  return resource.id;
}

onEachCloud("Image", cloud => {
  let api: ImageApi;
  let files: FileServer;
  const disk = noise("disk", 100_000);

  before(async () => {
    api = await cloud().as("owner");
    files = await startFileServer();
  });
  after(() => files.stop());

  async function newStack(project: string): Promise<Stack> {
    const stack = await Stack.create({ project, env: environmentOf(cloud(), cloud().accounts.owner) });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    return stack;
  }

  describe("create", () => {
    let stack: Stack;
    const big = qcow2("create");
    const declared = [
      image("file", {
        tags: ["b", "a"],
        properties: { os_distro: "ubuntu", "with.dot": "", ünï: "çödé" },
        minDisk: 1,
        minRam: 64,
      }),
      { ...image("qcow2", { diskFormat: "qcow2", source: { file: "disk.qcow2" } }), show: ["file", "schema", "self"] },
      image("gz", { source: { file: "disk.raw.gz", decompress: "gz" } }),
      image("zst", { source: { file: "disk.raw.zst", decompress: "auto" } }),
      image("bz2", { source: { file: "disk.raw.bz2", decompress: "bz2" } }),
      image("xz", { source: { file: "disk.raw.xz", decompress: "xz" } }),
      image("streamed", { source: { url: "", headers: { "X-Pass": "sesame-open-up" }, checksums: "" } }),
      image("imported", { source: { url: "", mode: "import" } }),
      image("hidden", { hidden: true, visibility: "private", protected: true, forceDelete: true }),
      image("empty", { source: undefined, diskFormat: undefined, containerFormat: undefined }),
    ];

    before(async () => {
      stack = await newStack("create");
      await writeFile(join(stack.folder, "disk.qcow2"), big);
      await writeFile(join(stack.folder, "disk.raw.gz"), gzipSync(disk));
      await writeFile(join(stack.folder, "disk.raw.zst"), zstdCompressSync(disk));
      for (const format of ["bz2", "lzma"]) {
        const code = `import sys,${format};sys.stdout.buffer.write(${format}.compress(sys.stdin.buffer.read()))`;
        const packed = execFileSync("python3", ["-c", code], { input: disk });
        await writeFile(join(stack.folder, `disk.raw.${format === "bz2" ? "bz2" : "xz"}`), packed);
      }
      files.files.set("/private.raw", { body: disk, needs: { "X-Pass": "sesame-open-up" } });
      files.files.set("/SHA256SUMS", {
        body: Buffer.from(`${sha256(disk)} *private.raw\n`),
        needs: { "X-Pass": "sesame-open-up" },
      });
      files.files.set("/public.raw", { body: disk, headers: { etag: '"v1"' } });
      const streamed = declared.find(({ name }) => name === "streamed");
      Object.assign(streamed?.args.source as object, {
        url: `${files.url}/private.raw`,
        checksums: `${files.url}/SHA256SUMS`,
      });
      Object.assign(declared.find(({ name }) => name === "imported")?.args.source as object, {
        url: `${files.url}/public.raw`,
      });
      cloud().forget();
      await stack.up(declared);
    });
    after(() => stack.dispose());

    for (const name of ["file", "gz", "zst", "bz2", "xz", "streamed", "imported", "hidden"]) {
      it(`brings the bytes in: ${name}`, async () => {
        const made = await api.image(await idOf(stack, name));
        assert.equal(made.status, "active");
        assert.equal(made.size, disk.length);
        assert.equal(made.os_hash_value, sha512(disk));
        assert.deepEqual(Buffer.from(await api.data(made.id)), disk);
      });
    }

    it("brings every declared field in", async () => {
      const made = await api.image(await idOf(stack, "file"));
      assert.deepEqual(made.tags.toSorted(), ["a", "b"]);
      assert.deepEqual(
        [
          made.name,
          made.os_distro,
          made["with.dot"],
          made.ünï,
          made.min_disk,
          made.min_ram,
          made.disk_format,
          made.container_format,
        ],
        ["file", "ubuntu", "", "çödé", 1, 64, "raw", "bare"],
      );
      const hidden = await api.image(await idOf(stack, "hidden"));
      assert.deepEqual([hidden.os_hidden, hidden.protected, hidden.visibility], [true, true, "private"]);
      assert.equal((await api.image(await idOf(stack, "empty"))).status, "queued");
    });

    it("gives out everything that the server reports", async () => {
      const made = await api.image(await idOf(stack, "qcow2"));
      const outputs = await stack.outputs("qcow2");
      const expected = {
        status: "active",
        size: big.length,
        virtualSize: 10 * 2 ** 30,
        checksum: made.checksum,
        hashAlgorithm: "sha512",
        hashValue: sha512(big),
        owner: cloud().accounts.owner.projectId,
        createdAt: made.created_at,
        updatedAt: made.updated_at,
        stores: ["fast"],
        visibility: "shared",
        protected: false,
        hidden: false,
        minDisk: 0,
        minRam: 0,
        content: `sha256:${sha256(big)}`,
      };
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map(key => [key, outputs[key]])), expected);
    });

    it("works out the paths that the server reports too, and keeps none in the state", async () => {
      const { file, schema, self } = await api.image(await idOf(stack, "qcow2"));
      const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text).qcow2;
      assert.deepEqual(shown, { file, schema, self });
      const outputs = await stack.outputs("qcow2");
      for (const name of ["file", "schema", "self"]) assert.equal(outputs[name], undefined);
    });

    it("needs four requests for an image with data", async () => {
      const id = await idOf(stack, "file");
      const own = cloud()
        .requests()
        .filter(({ path, json }) => path.includes(id) || json?.includes(id))
        .map(({ method, path }) => `${method} ${path}`);
      assert.deepEqual(own, ["POST /v2/images", `PUT /v2/images/${id}/file`, `PATCH /v2/images/${id}`]);
      const looks = cloud()
        .requests()
        .filter(({ path }) => /pulumi_images_(resource|stack)=/.test(path));
      assert.ok(looks.length <= declared.length, "at most one look for the owner tag an image");
    });

    it("announces the size of what it sends", async () => {
      for (const name of ["file", "gz", "zst", "bz2", "xz", "streamed"]) {
        const path = `/v2/images/${await idOf(stack, name)}/file`;
        const upload = cloud()
          .requests()
          .find(request => request.method === "PUT" && request.path === path);
        assert.equal(upload?.headers["x-openstack-image-size"], String(disk.length), name);
      }
    });

    it("changes nothing, and writes nothing, when nothing changed", async () => {
      cloud().forget();
      const run = await stack.up(declared);
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
      assert.deepEqual(cloud().writes(), []);
    });

    it("shows no drift when nothing drifted", async () => {
      const run = await stack.preview(declared, "--refresh", "--expect-no-changes");
      assert.equal(run.code, 0, run.text);
      assert.doesNotMatch(run.text, /dynamic\/images/);
    });
  });

  describe("update", () => {
    let stack: Stack;
    const changes: Record<
      string,
      { from?: Record<string, unknown>; to: Record<string, unknown>; is: Record<string, unknown> }
    > = {
      name: { to: { name: "renamed" }, is: { name: "renamed" } },
      minDisk: { to: { minDisk: 5 }, is: { min_disk: 5 } },
      minRam: { from: { minRam: 64 }, to: { minRam: 128 }, is: { min_ram: 128 } },
      visibility: { to: { visibility: "private" }, is: { visibility: "private" } },
      protect: { from: { protected: false }, to: { protected: true }, is: { protected: true } },
      unprotect: { from: { protected: true }, to: { protected: false }, is: { protected: false } },
      hidden: { from: { hidden: false }, to: { hidden: true }, is: { os_hidden: true } },
      tags: { from: { tags: ["a", "b"] }, to: { tags: ["c", "b"] }, is: { tags: ["b", "c"] } },
      properties: {
        from: { properties: { one: "1", two: "2", "a/b~c": "x" } },
        to: { properties: { two: "zwei", three: "3", "a/b~c": "x" } },
        is: { one: undefined, two: "zwei", three: "3", "a/b~c": "x" },
      },
      state: { to: { state: "deactivated" }, is: { status: "deactivated" } },
      reactivate: { from: { state: "deactivated" }, to: { state: "active" }, is: { status: "active" } },
      forget: { from: { minDisk: 3 }, to: {}, is: { min_disk: 3 } },
    };

    before(async () => {
      stack = await newStack("update");
      await stack.up(Object.entries(changes).map(([name, { from }]) => image(name, from)));
      cloud().forget();
      await stack.up(Object.entries(changes).map(([name, { to }]) => image(name, to)));
    });
    after(async () => {
      // Protected images would stay.
      await stack.up(Object.keys(changes).map(name => image(name, { protected: false })));
      await stack.dispose();
    });

    itChangesEveryField("openstack", Object.values(changes), {
      members: "shows and repairs what happened outside: removed, rejected, an undeclared member",
      stores: "takes the data to the stores that are declared, and keeps it there",
    });

    for (const [name, { is }] of Object.entries(changes)) {
      it(`${name}: ${name === "forget" ? "no longer declared, so left as it is" : "in place, by one write and one read"}`, async () => {
        const made = await api.image(await idOf(stack, name));
        const actual = { ...made, tags: made.tags.toSorted() } as Record<string, unknown>;
        assert.deepEqual(Object.fromEntries(Object.keys(is).map(key => [key, actual[key]])), is);
        const own = cloud()
          .requests()
          .filter(({ path }) => path.includes(made.id));
        const writes = own.filter(({ method }) => method !== "GET");
        assert.equal(
          writes.length,
          name === "forget" ? 0 : 1,
          JSON.stringify(own.map(({ method, path }) => `${method} ${path}`)),
        );
        assert.equal(own.length - writes.length, 1);
        assert.equal(made.created_at, (await stack.outputs(name)).createdAt, "not made anew");
      });
    }

    it("changes nothing the next time", async () => {
      cloud().forget();
      const run = await stack.up();
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
      assert.deepEqual(cloud().writes(), []);
    });
  });

  describe("data that changes", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("data");
    });
    after(() => stack.dispose());

    it("replaces the image, shown in the preview", async () => {
      await stack.up([image("data")]);
      const before = await idOf(stack, "data");
      const changed = noise("other", 100_000);
      await writeFile(join(stack.folder, "disk.raw"), changed);
      const preview = await stack.preview();
      assert.equal(preview.steps.data, "replace");
      assert.deepEqual(preview.diffs.data, ["content"]);
      assert.ok(preview.text.includes(`"sha256:${sha256(disk)}" => "sha256:${sha256(changed)}"`), preview.text);
      await stack.up();
      const after = await idOf(stack, "data");
      assert.notEqual(after, before);
      assert.equal(await api.exists(before), false);
      assert.equal((await api.image(after)).os_hash_value, sha512(changed));
    });

    it("replaces the image when a url's ETag changes, and not when its signature does", async () => {
      const url = `${files.url}/etag.raw`;
      files.files.set("/etag.raw", { body: disk, headers: { etag: '"one"' } });
      await stack.up([image("data", { source: { url: `${url}?X-Amz-Signature=first-signature` } })]);
      const before = await idOf(stack, "data");
      const same = await stack.up([image("data", { source: { url: `${url}?X-Amz-Signature=second-signature` } })]);
      assert.equal(same.steps.data, "same");
      files.files.set("/etag.raw", { body: disk, headers: { etag: '"two"' } });
      const run = await stack.up();
      assert.equal(run.steps.data, "replace");
      assert.notEqual(await idOf(stack, "data"), before);
    });

    it("is replaced by --replace too, without taking the old image for a leftover", async () => {
      const before = await idOf(stack, "data");
      const urn = (await stack.state()).data?.urn as string;
      await stack.up(undefined, "--replace", urn);
      const after = await idOf(stack, "data");
      assert.notEqual(after, before);
      assert.equal(await api.exists(before), false);
      assert.equal(await api.exists(after), true);
    });

    it("replaces the image for another format", async () => {
      const run = await stack.up([image("data", { containerFormat: "ova", source: { url: `${files.url}/etag.raw` } })]);
      assert.equal(run.steps.data, "replace");
      assert.deepEqual(run.diffs.data, ["containerFormat"]);
    });
  });

  describe("delete", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("delete");
    });
    after(() => stack.dispose());

    it("refuses a protected image, saying what to do, and takes it once it is told to", async () => {
      await stack.up([image("kept", { protected: true })]);
      const id = await idOf(stack, "kept");
      const refused = await stack.tryUp([]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /is protected, so it is not deleted/);
      assert.match(refused.text, /forceDelete: true/);
      assert.equal(await api.exists(id), true);
      await stack.up([image("kept", { protected: true, forceDelete: true })]);
      await stack.up([]);
      assert.equal(await api.exists(id), false);
    });

    it("is fine with an image that is gone already", async () => {
      await stack.up([image("gone")]);
      await api.delete(await idOf(stack, "gone"));
      const run = await stack.up([]);
      assert.equal(run.steps.gone, "delete");
      assert.deepEqual(await stack.state(), {});
    });
  });

  describe("adopt", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("adopt");
    });
    after(() => stack.dispose());

    const writesTo = (id: string) =>
      cloud()
        .writes()
        .filter(write => write.includes(id));
    const existing = (name: string) =>
      api.create(
        { name, disk_format: "raw", container_format: "bare", min_disk: 1, tags: ["old"], os_distro: "debian" },
        disk,
      );
    const adopting = (name: string, args: Record<string, unknown>): Declared => ({
      kind: "Image",
      name,
      args: { service: "openstack", ...args },
    });

    it("takes an image over by its id, as it is: all it writes is the owner tag", async () => {
      const { id } = await existing("by-id");
      cloud().forget();
      await stack.up([adopting("byId", { adopt: { id }, name: "by-id", tags: ["old"] })]);
      assert.equal(await idOf(stack, "byId"), id);
      assert.deepEqual(writesTo(id), [`PATCH /v2/images/${id}`]);
      const { pulumi_images_resource, pulumi_images_stack, ...adopted } = await api.image(id);
      assert.match(`${pulumi_images_resource} ${pulumi_images_stack}`, /^[0-9a-f]{32} [0-9a-f]{32}$/);
      assert.deepEqual(
        [adopted.name, adopted.min_disk, adopted.tags, adopted.os_distro],
        ["by-id", 1, ["old"], "debian"],
      );
      const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
    });

    it("takes an image over by its name, and changes what is declared differently", async () => {
      const { id } = await existing("by-name");
      cloud().forget();
      await stack.up([
        adopting("byName", { adopt: { name: "by-name" }, minDisk: 7, properties: { os_distro: "ubuntu" } }),
      ]);
      assert.equal(await idOf(stack, "byName"), id);
      const owner = `PATCH /v2/images/${id}`;
      assert.deepEqual(writesTo(id), [owner, `PATCH /v2/images/${id}`]);
      const made = await api.image(id);
      assert.deepEqual([made.min_disk, made.os_distro, made.tags], [7, "ubuntu", ["old"]]);
    });

    it("refuses to adopt another image in the first one's place, and deletes neither", async () => {
      const [one, two] = [await existing("one"), await existing("two")];
      await stack.up([adopting("only", { adopt: { id: one.id } })]);
      const run = await stack.preview([adopting("only", { adopt: { id: two.id } })]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /this resource manages image [-0-9a-f]+ already/);
      const renamed = await stack.up([adopting("only", { adopt: { name: "two" } })]);
      assert.equal(renamed.steps.only, "same");
      assert.deepEqual([await api.exists(one.id), await api.exists(two.id)], [true, true]);
      await api.delete(two.id);
    });

    it("lists the candidates when several have the name", async () => {
      const ids = [(await existing("twin")).id, (await existing("twin")).id];
      const run = await stack.tryUp([adopting("twin", { adopt: { name: "twin" } })]);
      assert.notEqual(run.code, 0);
      for (const id of ids) assert.ok(run.text.includes(id), run.text);
      assert.match(run.text, /adopt: \{ id \}/);
      for (const id of ids) await api.delete(id);
    });

    it("says that there is none", async () => {
      const run = await stack.tryUp([adopting("none", { adopt: { name: "no such image" } })]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /there is no image named "no such image" to adopt/);
    });

    it("takes over an image whose data is the declared source's, and refuses another", async () => {
      const { id } = await existing("with-source");
      const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
      cloud().forget();
      await stack.up([adopting("withSource", { adopt: { id }, ...data })]);
      assert.deepEqual(writesTo(id), [`PATCH /v2/images/${id}`], "the owner tag");
      const other = await api.create(
        { name: "other", disk_format: "raw", container_format: "bare" },
        noise("else", 1000),
      );
      const run = await stack.tryUp([adopting("otherData", { adopt: { id: other.id }, ...data })]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /isn't what the declared source gives/);
      assert.equal(await api.exists(other.id), true, "somebody else's image is never removed");
      await api.delete(other.id);
    });
  });

  describe("get", () => {
    it("reads an image without managing it", async () => {
      const stack = await newStack("get");
      const { id } = await api.create(
        { name: "read me", disk_format: "raw", container_format: "bare", p: "1", tags: ["t"] },
        disk,
      );
      try {
        cloud().forget();
        const run = await stack.up([
          {
            kind: "Image",
            name: "theirs",
            args: { service: "openstack" },
            get: id,
            show: ["name", "size", "properties", "tags", "status"],
          },
        ]);
        assert.equal(run.steps.theirs, "read");
        const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
        assert.deepEqual(shown.theirs, {
          name: "read me",
          size: disk.length,
          properties: { p: "1" },
          tags: ["t"],
          status: "active",
        });
        assert.deepEqual(cloud().writes(), []);
      } finally {
        await stack.dispose();
      }
      assert.equal(await api.exists(id), true, "destroy leaves it alone");
      await api.delete(id);
    });
  });

  describe("an id of the user's choice", () => {
    it("is used, and can't be used again", async () => {
      const stack = await newStack("imageid");
      const imageId = crypto.randomUUID();
      try {
        await stack.up([image("chosen", { imageId: imageId.toUpperCase() })]);
        assert.equal(await idOf(stack, "chosen"), imageId);
        const same = await stack.up();
        assert.equal(same.steps.chosen, "same");
        await writeFile(join(stack.folder, "disk.raw"), noise("new", 1000));
        const replaced = await stack.preview();
        assert.notEqual(replaced.code, 0);
        assert.match(replaced.text, /imageId [-0-9a-f]+ can't be used again/);
        await stack.up([]);
        const again = await stack.tryUp([image("chosen", { imageId })]);
        assert.notEqual(again.code, 0);
        assert.match(again.text, /has been deleted, or belongs to somebody else/);
      } finally {
        await stack.dispose();
      }
    });
  });

  describe("stores", () => {
    it("takes the data to the stores that are declared, and keeps it there", async () => {
      const stack = await newStack("stores");
      try {
        await stack.up([
          image("one", { store: "slow" }),
          image("both", { stores: ["fast", "slow"] }),
          image("later", { stores: ["fast"] }),
        ]);
        const storesOf = async (name: string) =>
          String((await api.image(await idOf(stack, name))).stores)
            .split(",")
            .toSorted();
        assert.deepEqual(await storesOf("one"), ["slow"]);
        assert.deepEqual(await storesOf("both"), ["fast", "slow"]);
        assert.equal((await api.image(await idOf(stack, "both"))).os_hash_value, sha512(disk));
        const run = await stack.up([
          image("one", { store: "slow" }),
          image("both", { stores: ["slow", "fast"] }),
          image("later", { stores: ["fast", "slow"] }),
        ]);
        assert.deepEqual(run.steps, { one: "same", both: "same", later: "update" });
        assert.deepEqual(await storesOf("later"), ["fast", "slow"]);
        const admin = await cloud().as("admin");
        await admin.send("DELETE", `/v2/stores/slow/${await idOf(stack, "both")}`);
        const preview = await stack.preview(undefined, "--refresh");
        assert.deepEqual(preview.diffs.both, ["stores"]);
        assert.equal(preview.steps.one, "same");
        await stack.up(undefined, "--refresh");
        assert.deepEqual(await storesOf("both"), ["fast", "slow"]);
      } finally {
        await stack.dispose();
      }
    });
  });

  describe("failures", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("failures");
      await writeFile(join(stack.folder, "not.qcow2"), noise("no header", 5000));
    });
    after(() => stack.dispose());

    const leftovers = async (name: string) => (await api.list(`name=${encodeURIComponent(name)}`)).length;

    it("reports data that isn't what the format says, and leaves nothing", async () => {
      const run = await stack.tryUp([image("wrong format", { diskFormat: "qcow2", source: { file: "not.qcow2" } })]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /isn't what diskFormat says/);
      assert.equal(await leftovers("wrong format"), 0);
    });

    it("reports a failed import at once, with the task's message", async () => {
      files.files.set("/short.raw", { body: disk, headers: { etag: '"x"' } });
      const args = {
        source: { url: `${files.url}/short.raw`, mode: "import", digest: `sha256:${sha256(disk)}` },
        diskFormat: "qcow2",
      };
      const run = await stack.tryUp([image("failed import", args)]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /the import into the store fast of image [-0-9a-f]+ failed: \w+/);
      assert.equal(await leftovers("failed import"), 0);
    });

    it("tries again after a 503, and renews its token after a 401", async () => {
      const [recorder] = cloud().recorders;
      recorder?.faults.add({ method: "POST", path: /^\/v2\/images$/, status: 503, times: 2 });
      recorder?.faults.add({ method: "PUT", path: /\/file$/, status: 401 });
      recorder?.faults.add({ method: "PUT", path: /\/file$/, drop: "during-body" });
      await stack.up([image("shaken")]);
      assert.equal((await api.image(await idOf(stack, "shaken"))).os_hash_value, sha512(disk));
      assert.equal(await leftovers("shaken"), 1);
    });

    it("leaves somebody's snapshot alone, which has taken the mark along with the other properties", async () => {
      const original = await api.image(await idOf(stack, "shaken"));
      const marks = Object.fromEntries(Object.entries(original).filter(([key]) => key.startsWith("pulumi_images_")));
      assert.equal(Object.keys(marks).length, 2);
      const formats = { disk_format: "raw", container_format: "bare" };
      const snapshot = await api.create({ name: "snapshot", ...formats, ...marks }, noise("snapshot", 500));
      const queued = await api.create({ name: "snapshot under way", ...formats, ...marks });
      await api.delete(original.id);
      const run = await stack.up([image("shaken")], "--refresh");
      assert.equal(run.steps.shaken, "create");
      assert.ok(![original.id, snapshot.id, queued.id].includes(await idOf(stack, "shaken")));
      for (const { id } of [snapshot, queued]) {
        assert.equal(await api.exists(id), true);
        await api.delete(id);
      }
    });

    it("takes over what a killed run left", async () => {
      const [recorder] = cloud().recorders;
      for (const point of ["before", "after"] as const) {
        const name = `killed ${point}`;
        let killed = () => {};
        const reached = new Promise<void>(resolve => {
          killed = resolve;
        });
        recorder?.faults.add({ method: "PUT", path: /\/file$/, [point]: true, hook: () => killed(), delayMs: 1500 });
        await stack.declare([image("shaken"), image(name)]);
        const run = stack.start(["up", "--yes", "--skip-preview"]);
        await reached;
        run.kill("SIGKILL");
        await stack.run(["cancel", "--yes"]);
        await stack.up();
        const found = await api.list(`name=${encodeURIComponent(name)}`);
        assert.equal(found.length, 1, `${name}: exactly one image`);
        assert.equal(found[0]?.id, await idOf(stack, name));
        assert.equal(found[0]?.os_hash_value, sha512(disk));
      }
    });

    it("waits no longer than customTimeouts says, and goes on the next time", async () => {
      let release = () => {};
      const released = new Promise<void>(resolve => {
        release = resolve;
      });
      files.files.set("/slow.raw", { body: disk, headers: { etag: '"slow"' }, until: released });
      const source = { url: `${files.url}/slow.raw`, mode: "import" };
      const declared = [image("shaken"), image("late", { source }, { customTimeouts: { create: "3s" } })];
      const run = await stack.tryUp(declared);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /waited \d+ s for the import into image [-0-9a-f]+ \(status importing\)/);
      assert.match(run.text, /customTimeouts/);
      const unfinished = (await stack.state()).late;
      assert.equal(unfinished?.initErrors?.length, 1, "what was made so far is in the state");
      release();
      await stack.up(declared);
      const found = await api.list("name=late");
      assert.deepEqual(
        found.map(({ id, status, os_hash_value }) => [id, status, os_hash_value]),
        [[unfinished?.id, "active", sha512(disk)]],
      );
      assert.equal((await stack.state()).late?.initErrors, undefined);
    });

    it("shows progress while data moves", async () => {
      const big = join(stack.folder, "big.raw");
      await writeFile(big, "");
      await truncate(big, 400 * 2 ** 20);
      const run = await stack.up([image("big", { source: { file: "big.raw" } })]);
      const shown = run.events.flatMap(({ diagnosticEvent }) => (diagnosticEvent?.ephemeral ? [diagnosticEvent] : []));
      const progress = shown.filter(({ message }) => /^uploading \d+ % \(\d+ MiB\/s\)/.test(message));
      assert.ok(progress.length > 0, JSON.stringify(shown.map(({ message }) => message)));
      assert.match(progress[0]?.urn ?? "", /Image::big$/, "in the resource's own line");
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    const cases: Record<string, { args: Record<string, unknown>; says: RegExp }> = {
      "a file that isn't there": { args: { source: { file: "nowhere.raw" } }, says: /there is no file nowhere\.raw/ },
      "a directory": { args: { source: { file: "folder" } }, says: /folder.* is a directory/ },
      "an empty file": { args: { source: { file: "empty.raw" } }, says: /empty\.raw.* is empty/ },
      "a digest of the wrong form": {
        args: { source: { file: "disk.raw", digest: "abc" } },
        says: /source\.digest.*sha256:/s,
      },
      "a digest that isn't the file's": {
        args: { source: { file: "disk.raw", digest: `sha256:${"0".repeat(64)}` } },
        says: /0{64}/,
      },
      "an unknown disk format": { args: { diskFormat: "qcow3" }, says: /diskFormat must be one of .*qcow2/ },
      "an unknown container format": { args: { containerFormat: "box" }, says: /containerFormat must be one of ami, / },
      "a negative minDisk": { args: { minDisk: -1 }, says: /minDisk must be a whole number of GB from 0 to/ },
      "a fraction of a minRam": { args: { minRam: 1.5 }, says: /minRam must be a whole number of MB/ },
      "a tag of 256 characters": {
        args: { tags: ["x".repeat(256)] },
        says: /tags\[0\].*at most 255 characters, not 256/,
      },
      "a tag twice": { args: { tags: ["x", "x"] }, says: /holds "x" twice/ },
      "a reserved property": { args: { properties: { os_glance_x: "1" } }, says: /os_glance_x is reserved/ },
      "a property that is a field": { args: { properties: { min_disk: "1" } }, says: /use the field minDisk/ },
      "a property that isn't text": {
        args: { properties: { answer: 42 } },
        says: /properties\.answer.*must be text, not 42/,
      },
      "an emoji": { args: { name: "🚀" }, says: /beyond U\+FFFF/ },
      "a line break": { args: { name: "a\nb" }, says: /control characters/ },
      "both file and url": {
        args: { source: { file: "disk.raw", url: "http://127.0.0.1/x" } },
        says: /both file and url/,
      },
      "a source of neither": { args: { source: {} }, says: /neither file nor url/ },
      "an ftp url": { args: { source: { url: "ftp://127.0.0.1/x" } }, says: /https? / },
      "an unknown field": { args: { minDisc: 3 }, says: /openstack has no minDisc; did you mean minDisk\?/ },
      "a field of another service": {
        args: { regions: ["nyc3"] },
        says: /openstack has no regions: copy the image .* with ImageCopy/,
      },
      "an unknown visibility": {
        args: { visibility: "secret" },
        says: /visibility must be one of private, shared, community, public/,
      },
      "an image id that isn't a UUID": { args: { imageId: "mine" }, says: /imageId must be a UUID such as/ },
      "adopt by nothing": { args: { adopt: {} }, says: /adopt must be \{ id \} or \{ name \}/ },
      "adopt by an id that isn't a UUID": { args: { adopt: { id: "x" } }, says: /adopt\.id must be a UUID/ },
      "an unknown store": {
        args: { store: "fats" },
        says: /has no store fats; it has fast, slow: did you mean fast\?/,
      },
      "store and stores": { args: { store: "fast", stores: ["fast"] }, says: /say the same thing/ },
      "data without a format": { args: { diskFormat: undefined }, says: /an image with data needs diskFormat/ },
      "no name": { args: { name: undefined }, says: /a new image needs a name/ },
      "an unknown service": { args: { service: "openstak" }, says: /service must be one of openstack/ },
      "an unknown connection": { args: { connection: "nowhere" }, says: /nowhere/ },
    };

    before(async () => {
      stack = await newStack("bad-input");
      await writeFile(join(stack.folder, "empty.raw"), "");
      await writeFile(join(stack.folder, "folder"), "").then(() => rm(join(stack.folder, "folder")));
      execFileSync("mkdir", [join(stack.folder, "folder")]);
      cloud().forget();
      provider = await ProviderProcess.start(stack.folder, environmentOf(cloud(), cloud().accounts.owner));
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
    });

    for (const [name, { args, says }] of Object.entries(cases)) {
      it(`${name}: a failed check`, async () => {
        const failures = await provider.check("image", image(name, args).args);
        assert.ok(failures.length > 0, "the check passed");
        assert.match(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"), says);
      });
    }

    it("is an error at preview, without a stack trace", async () => {
      const preview = await stack.preview([image("wrong", { minDisk: -1, minDisc: 3 })]);
      assert.notEqual(preview.code, 0);
      assert.match(preview.text, /resource 'wrong': property minDisk value \{-1\} has a problem: minDisk must be/);
      assert.match(preview.text, /did you mean minDisk\?/);
      assert.doesNotMatch(preview.text, /^ +at /m);
    });

    it("sends nothing to the cloud that it would refuse", () => {
      assert.deepEqual(cloud().writes(), []);
    });

    it("a wrong password, an unreachable cloud, settings that are missing", async () => {
      const wrong = { ...environmentOf(cloud(), cloud().accounts.owner), OS_PASSWORD: "not-the-password" };
      await stack.declare([image("x")]);
      const refused = await stack.run(["preview"], { env: wrong });
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /401/);
      assert.ok(!refused.text.includes("not-the-password"));
      const unreachable = await stack.run(["preview"], { env: { ...wrong, OS_AUTH_URL: "http://127.0.0.1:9/v3" } });
      assert.notEqual(unreachable.code, 0);
      assert.match(unreachable.text, /127\.0\.0\.1:9/);
      const missing = await stack.run(["preview"], { env: { ...wrong, OS_PASSWORD: "", OS_USERNAME: "" } });
      assert.notEqual(missing.code, 0);
      assert.match(missing.text, /password/);
      assert.deepEqual(cloud().writes(), []);
    });
  });
});
