import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Functions } from "../../provider/functions/index.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ApiImage, ImageApi } from "../openstack/imageApi.ts";
import { noise, qcow2 } from "../support/disk.ts";
import { functionsOn } from "./open.ts";

onEachCloud("Functions", cloud => {
  let functions: Functions;
  let api: ImageApi;
  const service = "openstack";
  /** What all images of this test have in common, so that others on the cloud don't count. */
  const run = randomUUID();
  const made: Record<string, ApiImage> = {};
  const disk = noise("functions", 3000);

  before(async () => {
    const { owner, consumer } = cloud().accounts;
    functions = functionsOn({
      openstack: connectionOf(cloud(), owner),
      consumer: connectionOf(cloud(), consumer),
      elsewhere: connectionOf(cloud(), owner, cloud().regions[1]?.name),
    });
    api = await cloud().as("owner");
    const images: Record<string, [Record<string, unknown>, Uint8Array?]> = {
      first: [{ name: `${run} b`, tags: ["one", "two"], min_disk: 1, min_ram: 64, os_distro: "debian" }, disk],
      second: [{ name: `${run} a`, tags: ["one"], visibility: "private", protected: true }, noise("other", 70_000)],
      third: [{ name: `${run}: "odd", name`, disk_format: "qcow2", os_hidden: true }, qcow2("functions")],
      fourth: [{ name: `${run}: "odd", name`, disk_format: "iso", visibility: "community" }],
    };
    for (const [name, [body, data]] of Object.entries(images)) {
      made[name] = await api.create({ disk_format: "raw", container_format: "bare", run, ...body }, data);
    }
  });
  after(async () => {
    await api.set(made.second?.id as string, { protected: false });
    for (const { id } of Object.values(made)) await api.delete(id);
  });

  const idOf = (name: string) => (made[name] as ApiImage).id;
  /** Names of the images of this test that a listing has, in its order. */
  async function listed(filters: Record<string, unknown>): Promise<(string | undefined)[]> {
    const images = await functions.getImages({ service, properties: { run }, ...filters });
    return images.map(({ id }) => Object.keys(made).find(name => idOf(name) === id));
  }

  describe("getImage", () => {
    it("finds by id and by name, hidden ones too, with everything that the service says", async () => {
      const byId = await functions.getImage({ service, id: idOf("third") });
      assert.equal(byId?.name, `${run}: "odd", name`);
      assert.equal(byId.hidden, true);
      assert.equal(byId.virtualSize, 10 * 2 ** 30);
      assert.deepEqual(byId.properties, { run });
      const byName = await functions.getImage({ service, name: `${run} b` });
      const first = await api.image(idOf("first"));
      assert.deepEqual(byName, {
        id: first.id,
        status: "active",
        name: `${run} b`,
        diskFormat: "raw",
        containerFormat: "bare",
        minDisk: 1,
        minRam: 64,
        visibility: "shared",
        protected: false,
        hidden: false,
        tags: ["one", "two"],
        size: disk.length,
        virtualSize: disk.length,
        checksum: first.checksum,
        hashAlgorithm: "sha512",
        hashValue: first.os_hash_value,
        owner: cloud().accounts.owner.projectId,
        createdAt: first.created_at,
        updatedAt: first.updated_at,
        file: `/v2/images/${first.id}/file`,
        schema: "/v2/schemas/image",
        self: `/v2/images/${first.id}`,
        state: "active",
        stores: ["fast"],
        properties: { run, os_distro: "debian" },
      });
    });

    it("says what isn't there, unless that may be", async () => {
      const id = randomUUID();
      await assert.rejects(functions.getImage({ service, id }), {
        code: "not-found",
        message: `there is no image with the id ${id} on the connection openstack. Set ignoreMissing to get undefined instead`,
      });
      assert.equal(await functions.getImage({ service, id, ignoreMissing: true }), undefined);
      assert.equal(await functions.getImage({ service, name: `${run} none`, ignoreMissing: true }), undefined);
      // The same image of another region isn't there.
      assert.equal(
        await functions.getImage({ service, connection: "elsewhere", id: idOf("first"), ignoreMissing: true }),
        undefined,
      );
    });

    it("lists the candidates where a name is that of several", async () => {
      const twin = await api.create({ name: `${run} a` });
      try {
        await assert.rejects(functions.getImage({ service, name: `${run} a`, ignoreMissing: true }), (error: Error) => {
          assert.match(error.message, /^2 images on the connection openstack are named /);
          assert.ok(error.message.includes(`${idOf("second")} (active, created ${made.second?.created_at})`));
          assert.ok(error.message.includes(`${twin.id} (queued, created ${twin.created_at})`));
          assert.equal((error as Error & { code: string }).code, "conflict");
          return true;
        });
      } finally {
        await api.delete(twin.id);
      }
    });

    it("takes just one of id and name, and knows what it takes", async () => {
      const message = /give one of id and name/;
      await assert.rejects(functions.getImage({ service }), { code: "invalid", message });
      await assert.rejects(functions.getImage({ service, id: "x", name: "y" }), { code: "invalid", message });
      await assert.rejects(functions.getImage({ service, nane: "y" }), {
        code: "invalid",
        message: /did you mean name\?/,
      });
      await assert.rejects(functions.getImage({ service: "openstac", id: "x" }), {
        code: "invalid",
        message: /openstac/,
      });
    });
  });

  describe("getImages", () => {
    const all = ["first", "second", "third", "fourth"];
    const filters: [Record<string, unknown>, string[]][] = [
      [{}, ["first", "second", "fourth"]],
      [{ hidden: true }, ["third"]],
      [{ tags: ["one"] }, ["first", "second"]],
      [{ tags: ["one", "two"] }, ["first"]],
      [{ status: "queued" }, ["fourth"]],
      [{ status: ["queued", "active"] }, ["first", "second", "fourth"]],
      [{ visibility: "private" }, ["second"]],
      [{ visibility: "community" }, ["fourth"]],
      [{ visibility: "all" }, ["first", "second", "fourth"]],
      [{ protected: true }, ["second"]],
      [{ diskFormat: ["iso", "qcow2"] }, ["fourth"]],
      [{ containerFormat: "bare", sizeMin: 3001 }, ["second"]],
      [{ sizeMax: 3000 }, ["first"]],
      [{ minDisk: 1 }, ["first"]],
      [{ minRam: 64 }, ["first"]],
      [{ minRam: 65 }, []],
      [{ createdAt: "gte:2026-01-01T00:00:00Z", updatedAt: "gt:2026-01-01" }, ["first", "second", "fourth"]],
      [{ createdAt: "lt:2026-01-01T00:00:00Z" }, []],
      [{ properties: { os_distro: "debian", run } }, ["first"]],
      [{ properties: { os_distro: "debian", run: "another" } }, []],
      [{ owner: "0123456789abcdef0123456789abcdef" }, []],
    ];
    for (const [filter, expected] of filters) {
      it(`filters by ${JSON.stringify(filter).replaceAll(run, "run")}`, async () => {
        assert.deepEqual((await listed(filter)).toSorted(), expected.toSorted());
      });
    }

    it("filters by ids, names with every character, digests and owner", async () => {
      assert.deepEqual(await listed({ id: [idOf("second"), randomUUID()] }), ["second"]);
      assert.deepEqual(await listed({ name: `${run}: "odd", name` }), ["fourth"]);
      assert.deepEqual((await listed({ name: [`${run}: "odd", name`, `${run} a`] })).toSorted(), ["fourth", "second"]);
      const first = await api.image(idOf("first"));
      assert.deepEqual(await listed({ checksum: first.checksum }), ["first"]);
      assert.deepEqual(await listed({ hashValue: first.os_hash_value }), ["first"]);
      assert.equal((await listed({ owner: cloud().accounts.owner.projectId })).length, 3);
    });

    it("asks for any number of ids at once", async () => {
      const ids = [...Array.from({ length: 250 }, () => randomUUID()), idOf("first"), idOf("second")];
      assert.deepEqual(await listed({ id: ids, sort: ["name"] }), ["second", "first"]);
    });

    it("filters by who has answered what to an invitation", async () => {
      await api.send("POST", `/v2/images/${idOf("first")}/members`, {
        body: { member: cloud().accounts.consumer.projectId },
      });
      const connection = "consumer";
      assert.deepEqual(await listed({ connection, visibility: "shared", memberStatus: "pending" }), ["first"]);
      assert.deepEqual(await listed({ connection, visibility: "shared" }), []);
      assert.deepEqual(await listed({ connection, visibility: "shared", memberStatus: "all" }), ["first"]);
    });

    it("sorts by several keys, either way, and stops at the limit", async () => {
      assert.deepEqual(await listed({ sort: ["name"], status: "active" }), ["second", "first"]);
      assert.deepEqual(await listed({ sort: ["name:desc"], status: "active" }), ["first", "second"]);
      assert.deepEqual(await listed({ sort: ["status:desc", "size:asc"] }), ["fourth", "first", "second"]);
      assert.deepEqual(await listed({ sort: ["status:desc", "size:asc"], limit: 2 }), ["fourth", "first"]);
    });

    it("gives the newest alone", async () => {
      // Times have seconds, so the three may be of one: the service's own order decides then.
      const [newest] = await listed({ sort: ["createdAt:desc"] });
      assert.deepEqual(await listed({ latest: true }), [newest]);
      assert.deepEqual(await listed({ latest: true, tags: ["two"] }), ["first"]);
      assert.deepEqual(await listed({ latest: true, minRam: 65 }), []);
      await assert.rejects(listed({ latest: true, sort: ["name"], limit: 1 }), {
        code: "invalid",
        message: /leave sort out; .*leave limit out/,
      });
    });

    it("asks for no more than is wanted", async () => {
      cloud().forget();
      await listed({ limit: 2 });
      const [request, ...others] = cloud().requests();
      assert.deepEqual(others, []);
      assert.equal(new URL(request?.path as string, "http://x").searchParams.get("limit"), "2");
    });

    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ tag: "one" }, /openstack has no tag: use tags: \[ … \]/],
      [{ hiden: true }, /openstack has no hiden; did you mean hidden\?/],
      [{ sort: ["nmae"] }, /a sort key must be one of name, .*, with :asc or :desc behind it, not "nmae"/],
      [{ createdAt: "yesterday" }, /a time must be an ISO 8601 time/],
      [{ properties: { name: "x" } }, /images can't be filtered by a property named name: use the filter name/],
      [{ properties: { limit: "x" } }, /images can't be filtered by a property named limit/],
      [{ visibility: "secret", sizeMin: -1 }, /visibility must be one of .*; sizeMin must be a whole number of bytes/],
    ];
    for (const [filter, message] of wrong) {
      it(`says what is wrong with ${JSON.stringify(filter)}`, async () => {
        await assert.rejects(functions.getImages({ service, ...filter }), { code: "invalid", message });
      });
    }

    it("leaves nothing of the four out, once asked for everything", async () => {
      assert.deepEqual(
        [...(await listed({ visibility: "all" })), ...(await listed({ hidden: true }))].toSorted(),
        all.toSorted(),
      );
    });
  });

  describe("getMembers", () => {
    it("lists them", async () => {
      const { consumer } = cloud().accounts;
      const image = await api.create({ name: `${run} shared` });
      try {
        assert.deepEqual(await functions.getMembers({ service, imageId: image.id }), []);
        await api.send("POST", `/v2/images/${image.id}/members`, { body: { member: consumer.projectId } });
        const [member, ...others] = await functions.getMembers({ service, imageId: image.id });
        assert.deepEqual(others, []);
        assert.equal(member?.memberId, consumer.projectId);
        assert.equal(member.id, `${image.id}/${consumer.projectId}`);
        assert.equal(member.status, "pending");
        assert.deepEqual(
          (await functions.getMembers({ service, connection: "consumer", imageId: image.id })).map(({ id }) => id),
          [member.id],
        );
      } finally {
        await api.delete(image.id);
      }
    });

    it("has none to list of an image that isn't shared, and says what isn't there", async () => {
      assert.deepEqual(await functions.getMembers({ service, imageId: idOf("second") }), []);
      await assert.rejects(functions.getMembers({ service, imageId: randomUUID() }), { code: "not-found" });
    });
  });

  describe("getSchema", () => {
    const names = ["namespace", "object", "property", "resource_type"].map(name => `metadefs/${name}`);
    for (const schema of ["image", "images", "member", "members", ...names]) {
      it(`reads that of ${schema}`, async () => {
        const { name, properties } = await functions.getSchema({ service, schema });
        const expected = schema === "metadefs/resource_type" ? "resource_type_association" : schema;
        assert.equal(name, expected.replace("metadefs/", ""));
        assert.ok(Object.keys(properties as object).length > 0);
      });
    }

    it("knows what there is", async () => {
      await assert.rejects(functions.getSchema({ service, schema: "picture" }), {
        code: "invalid",
        message: /schema must be one of image, images, .*; not "picture"/,
      });
    });
  });

  it("getStores and getImportMethods say what the cloud offers", async () => {
    const stores = await functions.getStores({ service });
    assert.deepEqual(
      stores.map(({ id, isDefault, readOnly }) => ({ id, isDefault, readOnly })),
      [
        { id: "fast", isDefault: true, readOnly: false },
        { id: "slow", isDefault: false, readOnly: false },
      ],
    );
    assert.deepEqual((await functions.getImportMethods({ service })).toSorted(), [
      "copy-image",
      "glance-direct",
      "glance-download",
      "web-download",
    ]);
  });

  it("says who has what this service hasn't", async () => {
    await assert.rejects(functions.getRegions({ service }), {
      code: "unsupported",
      message: "openstack hasn't that: only digitalocean has regions",
    });
    await assert.rejects(functions.getLicenses({ service }), { code: "unsupported", message: /only ecl has licenses/ });
    await assert.rejects(functions.getCopyJobs({ service }), {
      code: "unsupported",
      message: /only ecl has copy jobs/,
    });
    await assert.rejects(functions.getCopyJob({ service, id: "x" }), { code: "unsupported" });
    await assert.rejects(functions.cancelCopyJob({ service, id: "x" }), { code: "unsupported" });
  });
});
