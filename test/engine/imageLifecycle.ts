import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiImage } from "../openstack/imageApi.ts";
import { noise, sha256 } from "../support/disk.ts";
import { itChangesEveryField } from "./everyField.ts";
import { type ImageBench, until } from "./imageBench.ts";
import type { Declared, Run, Stack } from "./stack.ts";

/** One field's way through an update in place: declared so, then so, and what the service has to say after it. */
export interface Update {
  from?: Record<string, unknown>;
  to: Record<string, unknown>;
  is: Record<string, unknown>;
}

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

const updates: Record<string, Update> = {
  name: { to: { name: "renamed" }, is: { name: "renamed" } },
  minDisk: { to: { minDisk: 5 }, is: { min_disk: 5 } },
  minRam: { from: { minRam: 64 }, to: { minRam: 128 }, is: { min_ram: 128 } },
  protect: { from: { protected: false }, to: { protected: true }, is: { protected: true } },
  unprotect: { from: { protected: true }, to: { protected: false }, is: { protected: false } },
  tags: { from: { tags: ["a", "b"] }, to: { tags: ["c", "b"] }, is: { tags: ["b", "c"] } },
  properties: {
    from: { properties: { one: "1", two: "2", "a/b~c": "x" } },
    to: { properties: { two: "zwei", three: "3", "a/b~c": "x" } },
    is: { one: undefined, two: "zwei", three: "3", "a/b~c": "x" },
  },
  forget: { from: { minDisk: 3 }, to: {}, is: { min_disk: 3 } },
};

/** The life of an Image on a service that speaks the Image API v2, with what only this service has. */
export function describeImage(
  bench: () => ImageBench,
  service: "ecl" | "istack",
  own: {
    updates: Record<string, Update>;
    /** Fields whose change another test shows, see everyField.ts. */
    elsewhere?: Record<string, string>;
  },
): void {
  const idOf = async (stack: Stack, name: string) => {
    const resource = (await stack.state())[name];
    assert.ok(resource, `the state has no ${name}`);
    return resource.id;
  };
  const image = (...args: Parameters<ImageBench["image"]>) => bench().image(...args);
  const allSame = (run: Run) => assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));

  describe("create", () => {
    let stack: Stack;
    const imageId = crypto.randomUUID();
    const declared = () => [
      {
        ...image("full", {
          tags: ["b", "a"],
          properties: { os_distro: "ubuntu", "with.dot": "", ünï: "çödé" },
          ...{ minDisk: 1, minRam: 64, visibility: "private", protected: true, forceDelete: true },
        }),
        show: ["file", "schema", "self"],
      },
      image("chosen", { imageId }),
      image("empty", { source: undefined, diskFormat: undefined, containerFormat: undefined }),
    ];

    before(async () => {
      stack = await bench().newStack("create");
      bench().forget();
      await stack.up(declared());
    });
    after(() => stack.dispose());

    it("brings data and every declared field in", async () => {
      const { owner, disk } = bench();
      const made = await owner.image(await idOf(stack, "full"));
      assert.deepEqual(Buffer.from(await owner.data(made.id)), disk);
      assert.deepEqual(
        [made.status, made.name, made.os_distro, made["with.dot"], made.ünï, made.min_disk, made.min_ram],
        ["active", "full", "ubuntu", "", "çödé", 1, 64],
      );
      assert.deepEqual([made.visibility, made.protected, made.tags.toSorted()], ["private", true, ["a", "b"]]);
      assert.equal(await idOf(stack, "chosen"), imageId);
      assert.equal((await owner.image(await idOf(stack, "empty"))).status, "queued");
    });

    it("gives out what the service reports, its MD5 as the checksum", async () => {
      const made = await bench().owner.image(await idOf(stack, "full"));
      const outputs = await stack.outputs("full");
      const expected = {
        status: "active",
        size: bench().disk.length,
        checksum: md5(bench().disk),
        content: `sha256:${sha256(bench().disk)}`,
        owner: made.owner,
        createdAt: made.created_at,
        updatedAt: made.updated_at,
        virtualSize: bench().disk.length,
        minDisk: 1,
        minRam: 64,
      };
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map(key => [key, outputs[key]])), expected);
      for (const absent of ["hidden", "stores", "hashValue", "hashAlgorithm"]) assert.equal(outputs[absent], undefined);
      const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text).full;
      assert.deepEqual(shown, { file: made.file, schema: made.schema, self: made.self });
    });

    it("asks for nothing that the service's documents don't name", () => {
      const asked = bench().requests();
      const id = imageId;
      assert.ok(
        asked.every(request => !/\/(stores|info|import|stage|tasks)|os_hidden|visibility=all|id=in/.test(request)),
      );
      assert.ok(
        asked.every(request => !request.includes("pulumi_images_")),
        "an owner tag is looked for here, not there",
      );
      assert.deepEqual(
        asked.filter(request => request.includes(id)),
        [`PUT /v2/images/${id}/file`, `PATCH /v2/images/${id}`],
      );
    });

    it("changes nothing, and writes nothing, when nothing changed; nothing drifted", async () => {
      bench().forget();
      allSame(await stack.up(declared()));
      const run = await stack.preview(declared(), "--refresh", "--expect-no-changes");
      assert.equal(run.code, 0, run.text);
      assert.deepEqual(bench().writes(), []);
    });

    it("replaces the image for other data and another format, shown in the preview", async () => {
      const before = await idOf(stack, "full");
      const changed = noise("other", 5000);
      await writeFile(join(stack.folder, "disk.raw"), changed);
      const others = declared().filter(({ name }) => name !== "chosen");
      const preview = await stack.preview(others);
      assert.deepEqual([preview.steps.full, preview.diffs.full], ["replace", ["content"]]);
      await stack.up(others);
      const after = await idOf(stack, "full");
      assert.notEqual(after, before);
      assert.equal(await bench().owner.exists(before), false);
      assert.equal((await bench().owner.image(after)).checksum, md5(changed));
      await writeFile(join(stack.folder, "disk.raw"), bench().disk);
    });
  });

  describe("update", () => {
    let stack: Stack;
    const all = { ...updates, ...own.updates };

    before(async () => {
      stack = await bench().newStack("update");
      await stack.up(Object.entries(all).map(([name, { from }]) => image(name, from)));
      bench().forget();
      await stack.up(Object.entries(all).map(([name, { to }]) => image(name, to)));
    });
    after(async () => {
      await stack.up(
        Object.entries(all).map(([name, { to }]) =>
          image(name, { connection: to.connection ?? "owner", protected: false }),
        ),
      );
      await stack.dispose();
    });

    itChangesEveryField(service, Object.values(all), own.elsewhere);

    for (const [name, { is }] of Object.entries(all)) {
      it(`${name}: ${name === "forget" ? "no longer declared, so left as it is" : "in place, by one write"}`, async () => {
        const { id, createdAt } = await stack
          .outputs(name)
          .then(
            async outputs =>
              ({ ...outputs, id: await idOf(stack, name) }) as unknown as { id: string; createdAt: string },
          );
        const made = bench()
          .writes()
          .filter(write => write.includes(id));
        assert.equal(made.length, name === "forget" ? 0 : 1, made.join("\n"));
        const now = await bench().owner.image(id);
        const actual: Record<string, unknown> = { ...now, tags: now.tags.toSorted() };
        assert.deepEqual(Object.fromEntries(Object.keys(is).map(key => [key, actual[key]])), is);
        assert.equal(now.created_at, createdAt, "not made anew");
      });
    }

    it("changes nothing the next time", async () => {
      bench().forget();
      allSame(await stack.up());
      assert.deepEqual(bench().writes(), []);
    });
  });

  describe("adopt, get, delete", () => {
    let stack: Stack;
    let made: Record<"byId" | "byName" | "withData" | "otherData", ApiImage>;

    before(async () => {
      stack = await bench().newStack("adopt");
      const existing = (name: string, data = bench().disk) =>
        bench().owner.create(
          { name, disk_format: "raw", container_format: "bare", min_disk: 1, tags: ["old"], os_distro: "debian" },
          data,
        );
      made = {
        byId: await existing("by-id"),
        byName: await existing("by-name"),
        withData: await existing("with-data"),
        otherData: await existing("other-data", noise("else", 1000)),
      };
    });
    after(async () => {
      await stack.dispose();
      await bench().owner.delete(made.otherData.id);
    });

    const adopting = (name: string, args: Record<string, unknown>): Declared => ({
      kind: "Image",
      name,
      args: { service: bench().service, connection: "owner", ...args },
    });
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };

    it("takes images over by id and by name, without an upload, and reads one without managing it", async () => {
      bench().forget();
      await stack.up([
        adopting("byId", { adopt: { id: made.byId.id }, name: "by-id", tags: ["old"] }),
        adopting("byName", { adopt: { name: "by-name" }, minDisk: 7, properties: { os_distro: "ubuntu" } }),
        adopting("withData", { adopt: { id: made.withData.id }, ...data }),
        { ...adopting("theirs", {}), get: made.otherData.id, show: ["name", "size", "properties", "checksum"] },
      ]);
      const written = [made.byId.id, made.byName.id, made.byName.id, made.withData.id].map(
        id => `PATCH /v2/images/${id}`,
      );
      assert.deepEqual(
        bench().writes().toSorted(),
        written.toSorted(),
        "their owner tags, and what is declared differently",
      );
      const state = await stack.state();
      assert.deepEqual(
        [state.byId?.id, state.byName?.id, state.withData?.id],
        [made.byId.id, made.byName.id, made.withData.id],
      );
      const now = await bench().owner.image(made.byName.id);
      assert.deepEqual([now.min_disk, now.os_distro, now.tags], [7, "ubuntu", ["old"]]);
      const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(shown.theirs, {
        ...{ name: "other-data", size: 1000, properties: { os_distro: "debian" }, checksum: made.otherData.checksum },
      });
      const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
    });

    it("refuses what it can't tell: several of the name, none, other data", async () => {
      const { owner } = bench();
      const twins = [await owner.create({ name: "twin" }), await owner.create({ name: "twin" })];
      const several = await stack.preview([adopting("twin", { adopt: { name: "twin" } })]);
      assert.notEqual(several.code, 0);
      for (const { id } of twins) assert.ok(several.text.includes(id), several.text);
      const run = await stack.tryUp(
        [
          adopting("none", { adopt: { name: "no such image" } }),
          adopting("otherData", { adopt: { id: made.otherData.id }, ...data }),
        ],
        "--continue-on-error",
      );
      assert.notEqual(run.code, 0);
      assert.match(run.text, /there is no image named "no such image" to adopt/);
      assert.match(run.text, /isn't what the declared source gives/);
      assert.equal(await owner.exists(made.otherData.id), true, "somebody else's image is never removed");
      for (const { id } of twins) await owner.delete(id);
    });

    it("deletes, but a protected image only when it is told to; one that is gone is fine", async () => {
      await stack.up([image("kept", { protected: true }), image("gone")]);
      const kept = await idOf(stack, "kept");
      await bench().owner.delete(await idOf(stack, "gone"));
      const refused = await stack.tryUp([]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /is protected, so it is not deleted.*forceDelete: true/s);
      await stack.up([image("kept", { protected: true, forceDelete: true })]);
      await stack.up([]);
      assert.equal(await bench().owner.exists(kept), false);
      assert.deepEqual(await stack.state(), {});
    });
  });

  describe("failures", () => {
    let stack: Stack;
    before(async () => {
      stack = await bench().newStack("failures");
    });
    after(() => stack.dispose());

    const named = (name: string) => bench().owner.list(`name=${encodeURIComponent(name)}`);

    it("takes over what a killed run left, although the service can't be asked for its mark", async () => {
      const { cloud } = bench();
      bench().forget();
      cloud.faults.add({ method: "PUT", path: /\/file$/, delay: 1500 });
      await stack.declare([image("killed")]);
      const run = stack.start(["up", "--yes", "--skip-preview"]);
      await until(() =>
        bench()
          .writes()
          .some(write => write.endsWith("/file"))
          ? true
          : undefined,
      );
      run.kill("SIGKILL");
      await stack.run(["cancel", "--yes"]);
      await stack.up();
      const found = (await named("killed")).filter(({ name }) => name === "killed");
      assert.deepEqual(
        found.map(({ id }) => id),
        [await idOf(stack, "killed")],
        "exactly one image",
      );
      assert.equal(found[0]?.checksum, md5(bench().disk));
    });

    it("leaves somebody's snapshot alone, which has taken the mark along with the other properties", async () => {
      const { owner } = bench();
      await stack.up([image("original")]);
      const original = await owner.image(await idOf(stack, "original"));
      const marks = Object.fromEntries(Object.entries(original).filter(([key]) => key.startsWith("pulumi_images_")));
      assert.equal(Object.keys(marks).length, 2);
      const formats = { disk_format: "raw", container_format: "bare" };
      const snapshot = await owner.create({ name: "snapshot", ...formats, ...marks }, noise("snapshot", 500));
      const queued = await owner.create({ name: "snapshot under way", ...formats, ...marks });
      await owner.delete(original.id);
      const run = await stack.up(undefined, "--refresh");
      assert.equal(run.steps.original, "create");
      assert.ok(![original.id, snapshot.id, queued.id].includes(await idOf(stack, "original")));
      for (const { id } of [snapshot, queued]) {
        assert.equal(await owner.exists(id), true);
        await owner.delete(id);
      }
    });

    it("tries again after a 503 and a broken upload, and renews its token after a 401", async () => {
      const { faults } = bench().cloud;
      faults.add({ method: "POST", path: /^\/v2\/images$/, status: 503, count: 2 });
      faults.add({ method: "PUT", path: /\/file$/, status: 401 });
      faults.add({ method: "PUT", path: /\/file$/, drop: "request", afterBytes: 1000 });
      await stack.up([image("shaken")]);
      const found = (await named("shaken")).filter(({ name }) => name === "shaken");
      assert.deepEqual(
        found.map(({ status, checksum }) => [status, checksum]),
        [["active", md5(bench().disk)]],
      );
    });

    it("notices by the checksum that other data arrived than was sent, and leaves nothing", async () => {
      const { faults } = bench().cloud;
      const wrong = { status: "active", size: bench().disk.length, checksum: "0".repeat(32), id: "", name: "damaged" };
      await stack.declare([image("damaged")]);
      // The answer to the last request, by which the data is verified.
      faults.add({
        method: "PATCH",
        path: /^\/v2\/images\/[-0-9a-f]{36}$/,
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wrong),
      });
      const run = await stack.tryUp();
      assert.notEqual(run.code, 0);
      assert.match(run.text, /isn't what the source gives: md5 0{32}, not/);
      assert.equal((await named("damaged")).filter(({ name }) => name === "damaged").length, 0);
    });
  });
}
