import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Functions } from "../../provider/functions/index.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { connectionTo, ownerConnections } from "../cloud/connections.ts";
import { client } from "../cloud/digitalocean/exercise.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { functionsOn } from "./open.ts";

describe("Functions on the other services", () => {
  let dir: string;
  let cloud: LocalCloud;
  let functions: Functions;
  const disk = noise("functions", 200_000);

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-functions-"));
    cloud = await startCloud({ dir, services: ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"] });
    functions = functionsOn({
      ...ownerConnections(cloud.services),
      "v1-admin": connectionTo(cloud.services, "glance-v1", "admin"),
    });
  });
  after(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function names(args: Record<string, unknown>): Promise<unknown[]> {
    return (await functions.getImages(args)).map(({ name }) => name);
  }

  describe("ecl", () => {
    const service = "ecl";
    let api: ImageApi;
    let imageId: string;

    before(async () => {
      const { authUrl, accounts, imageUrls } = cloud.services.ecl;
      api = await ImageApi.signIn(authUrl, accounts.owner, imageUrls.jp1);
      const body = {
        name: "b",
        disk_format: "raw",
        container_format: "bare",
        tags: ["one", "two"],
        ".os.type": "linux",
      };
      imageId = (await api.create(body, disk)).id;
      await api.create({ name: "a", disk_format: "iso", container_format: "bare", tags: ["one"] });
      await api.create({ name: "c", disk_format: "qcow2", container_format: "bare" });
    });

    it("finds images", async () => {
      const image = await functions.getImage({ service, name: "b" });
      assert.equal(image?.id, imageId);
      assert.equal(image.osType, "linux");
      assert.deepEqual(await functions.getImage({ service, id: imageId }), image);
      assert.equal(await functions.getImage({ service, id: randomUUID(), ignoreMissing: true }), undefined);
      await assert.rejects(functions.getImage({ service, name: "nobody" }), { code: "not-found" });
    });

    const filters: [Record<string, unknown>, string[]][] = [
      [{}, ["a", "b", "c"]],
      [{ name: "a" }, ["a"]],
      [{ name: ["a", "c"] }, ["a", "c"]],
      [{ status: "queued" }, ["a", "c"]],
      [{ status: ["active", "queued"] }, ["a", "b", "c"]],
      [{ tags: ["one"] }, ["a", "b"]],
      [{ tags: ["one", "two"] }, ["b"]],
      [{ diskFormat: ["iso", "qcow2"], containerFormat: "bare" }, ["a", "c"]],
      [{ visibility: "private" }, ["a", "b", "c"]],
      [{ visibility: "public" }, []],
      [{ sizeMin: 200_000 }, ["b"]],
      [{ sizeMax: 199_999 }, []],
      [{ createdAt: "gte:2026-01-01T00:00:00Z", updatedAt: "gt:2026-01-01T00:00:00" }, ["a", "b", "c"]],
      [{ createdAt: "lt:2026-01-01" }, []],
    ];
    for (const [filter, expected] of filters) {
      it(`lists by ${JSON.stringify(filter)}`, async () => {
        assert.deepEqual((await names({ service, ...filter })).toSorted(), expected);
      });
    }

    it("sorts, limits, and lists by ids", async () => {
      assert.deepEqual(await names({ service, sort: ["name"] }), ["a", "b", "c"]);
      assert.deepEqual(await names({ service, sort: ["status", "name:desc"], limit: 2 }), ["b", "c"]);
      assert.deepEqual(await names({ service, id: [imageId, randomUUID()] }), ["b"]);
      assert.equal((await names({ service, latest: true })).length, 1);
    });

    it("puts pages together", async () => {
      cloud.settings.ecl.maxPageSize = 2;
      try {
        assert.deepEqual((await names({ service })).toSorted(), ["a", "b", "c"]);
      } finally {
        cloud.settings.ecl.maxPageSize = 1000;
      }
    });

    it("lists members", async () => {
      assert.deepEqual(await functions.getMembers({ service, imageId }), []);
      const member = cloud.services.ecl.accounts.consumer.projectId;
      await api.send("POST", `/v2/images/${imageId}/members`, { body: { member } });
      const [found] = await functions.getMembers({ service, imageId });
      assert.deepEqual([found?.memberId, found?.status], [member, "pending"]);
      await assert.rejects(functions.getMembers({ service, imageId: randomUUID() }), { code: "not-found" });
    });

    const schemas = {
      image: "image",
      images: "images",
      member: "member",
      "metadefs/namespace": "namespace",
      "metadefs/object": "object",
      "metadefs/property": "property",
      "metadefs/resource_type": "resource_type_association",
    };
    for (const [schema, name] of Object.entries(schemas)) {
      it(`reads the schema of ${schema}`, async () => {
        assert.equal((await functions.getSchema({ service, schema: schema as keyof typeof schemas })).name, name);
      });
    }

    it("lists licenses", async () => {
      const licenses = await functions.getLicenses({ service });
      assert.ok(licenses.includes("Red_Hat_Enterprise_Linux_6_64bit_BYOL"), licenses.join(", "));
    });

    it("lists, reads and cancels copy jobs", async () => {
      assert.deepEqual(await functions.getCopyJobs({ service }), []);
      cloud.settings.ecl.copyHold = 50;
      const tenant = cloud.services.ecl.accounts.overseas.projectId;
      const answer = await api.send("POST", "/v2/extension/image_replicator/jobs", {
        body: { image_id: imageId, tenant_id_dst: tenant },
      });
      const { job_id: id } = (await answer.json()) as { job_id: string };
      const atHalf = async () => {
        const job = await functions.getCopyJob({ service, id });
        return job.progress === 50 ? job : undefined;
      };
      let job = await atHalf();
      while (job === undefined) job = await atHalf();
      const { destinationImageId, ...rest } = job;
      assert.match(String(destinationImageId), /^[0-9a-f-]{36}$/);
      assert.deepEqual(rest, {
        id,
        status: "replicating",
        progress: 50,
        imageId,
        imageName: "b",
        tenantId: cloud.services.ecl.accounts.owner.projectId,
        destinationTenantId: tenant,
        region: "jp1",
        destinationRegion: "jp2",
      });
      assert.deepEqual(await functions.getCopyJobs({ service }), [job]);
      await functions.cancelCopyJob({ service, id });
      const canceled = async () => (await functions.getCopyJob({ service, id })).status === "canceled";
      while (!(await canceled()));
      await assert.rejects(functions.cancelCopyJob({ service, id }), {
        code: "conflict",
        message: /can't be cancelled: it is canceled\. Only one that is replicate_requested or replicating can be/,
      });
      await assert.rejects(functions.cancelCopyJob({ service, id: randomUUID() }), { code: "not-found" });
      await assert.rejects(functions.getCopyJob({ service, id: randomUUID() }), { code: "not-found" });
    });

    it("downloads, held against the MD5 that it has", async () => {
      const file = join(dir, "ecl.raw");
      await writeFile(`${file}.${imageId}.part`, disk.subarray(0, 100_000));
      const { digest } = await functions.downloadImage({ service, imageId, file });
      assert.match(digest as string, /^md5:[0-9a-f]{32}$/);
      assert.deepEqual(await readFile(file), disk);
    });

    it("has no stores, import methods and regions", async () => {
      for (const name of ["getStores", "getImportMethods", "getRegions"] as const) {
        await assert.rejects(functions[name]({ service }), { code: "unsupported" });
      }
    });
  });

  describe("istack", () => {
    const service = "istack";
    let imageId: string;

    before(async () => {
      const { authUrl, accounts, imageUrl } = cloud.services.istack;
      const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrl);
      imageId = (await api.create({ name: "b", disk_format: "raw", container_format: "bare", tags: ["one"] }, disk)).id;
      await api.create({ name: "a", disk_format: "iso", container_format: "bare" });
    });

    it("finds, lists and sorts images", async () => {
      assert.equal((await functions.getImage({ service, name: "b" }))?.id, imageId);
      assert.equal((await functions.getImage({ service, id: imageId }))?.state, "active");
      assert.deepEqual(await names({ service, sort: ["name"] }), ["a", "b"]);
      assert.deepEqual(await names({ service, tags: ["one"], status: "active", visibility: "private" }), ["b"]);
      assert.deepEqual(await names({ service, diskFormat: "iso" }), ["a"]);
      assert.equal((await names({ service, latest: true })).length, 1);
    });

    it("reads its schemas, and downloads", async () => {
      assert.equal((await functions.getSchema({ service, schema: "image" })).name, "image");
      assert.equal((await functions.getSchema({ service, schema: "images" })).name, "images");
      const file = join(dir, "istack.raw");
      await functions.downloadImage({ service, imageId, file });
      assert.deepEqual(await readFile(file), disk);
    });

    it("has no members", async () => {
      await assert.rejects(functions.getMembers({ service, imageId }), {
        code: "unsupported",
        message: "istack hasn't that: members are listed on openstack, ecl and glance-v1",
      });
    });
  });

  describe("glance-v1", () => {
    const service = "glance-v1";
    let api: GlanceV1Api;
    let imageId: string;

    before(async () => {
      const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
      api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
      const formats = { disk_format: "raw", container_format: "bare" };
      const b = { name: "b", ...formats, min_disk: "1", min_ram: "64", "property-os": "debian" };
      imageId = (await api.create(b, Uint8Array.from(disk))).id;
      await api.create({ name: "a", disk_format: "iso", container_format: "bare", is_public: "True" });
      await api.create({ name: "c", ...formats, protected: "True" });
    });

    it("finds images", async () => {
      const image = await functions.getImage({ service, name: "b" });
      assert.equal(image?.id, imageId);
      assert.deepEqual(image.properties, { os: "debian" });
      assert.equal((await functions.getImage({ service, id: imageId }))?.name, "b");
    });

    const filters: [Record<string, unknown>, string[]][] = [
      [{}, ["a", "b", "c"]],
      [{ name: "a" }, ["a"]],
      [{ status: "active" }, ["b"]],
      [{ diskFormat: "raw", containerFormat: "bare" }, ["b", "c"]],
      [{ minDisk: 1, minRam: 64 }, ["b"]],
      [{ sizeMin: 200_000, sizeMax: 200_000 }, ["b"]],
      [{ isPublic: true }, ["a"]],
      [{ isPublic: false }, ["b", "c"]],
      [{ protected: true }, ["c"]],
      [{ protected: false }, ["a", "b"]],
      [{ properties: { os: "debian" } }, ["b"]],
      [{ properties: { os: "ubuntu" } }, []],
      [{ changesSince: "2026-01-01T00:00:00Z" }, ["a", "b", "c"]],
    ];
    for (const [filter, expected] of filters) {
      it(`lists by ${JSON.stringify(filter)}`, async () => {
        assert.deepEqual((await names({ service, ...filter })).toSorted(), expected);
      });
    }

    it("lists as an admin, too", async () => {
      const connection = "v1-admin";
      assert.deepEqual(await names({ service, connection, isPublic: true }), ["a"]);
      assert.deepEqual((await names({ service, connection })).toSorted(), ["a", "b", "c"]);
    });

    it("sorts and limits", async () => {
      assert.deepEqual(await names({ service, sort: ["name:desc"], limit: 2 }), ["c", "b"]);
      assert.deepEqual(await names({ service, sort: ["diskFormat", "name"] }), ["a", "b", "c"]);
      assert.equal((await names({ service, latest: true })).length, 1);
      await assert.rejects(names({ service, tags: ["x"] }), { message: /the Image API v1 knows no tags/ });
    });

    it("lists members, and downloads from the beginning where it knows no ranges", async () => {
      assert.deepEqual(await functions.getMembers({ service, imageId }), []);
      const member = cloud.services["glance-v1"].accounts.consumer.projectId;
      await api.putMember(imageId, member, true);
      assert.deepEqual(await functions.getMembers({ service, imageId }), [
        { id: `${imageId}/${member}`, imageId, memberId: member, canShare: true },
      ]);
      await assert.rejects(functions.getMembers({ service, imageId: randomUUID() }), { code: "not-found" });
      const file = join(dir, "v1.raw");
      await writeFile(`${file}.${imageId}.part`, disk.subarray(0, 100_000));
      await functions.downloadImage({ service, imageId, file });
      assert.deepEqual(await readFile(file), disk);
      const [empty] = await functions.getImages({ service, name: "c" });
      await assert.rejects(functions.downloadImage({ service, imageId: empty?.id, file: `${file}.c` }), {
        code: "conflict",
        message: /has no data: it is queued/,
      });
    });

    it("has no schemas", async () => {
      await assert.rejects(functions.getSchema({ service, schema: "image" }), { code: "unsupported" });
    });
  });

  describe("digitalocean", () => {
    const service = "digitalocean";

    before(async () => {
      const { url, accounts } = cloud.services.digitalocean;
      const api = client(url, accounts.sender.token);
      for (const [name, tags] of [
        ["functions-b", ["one"]],
        ["functions-a", ["one", "two"]],
      ] as const) {
        await api("POST", "/v2/images", { name, url: "http://127.0.0.1:1/disk.raw", region: "nyc3", tags });
      }
    });

    it("finds images by id, slug and name", async () => {
      const image = await functions.getImage({ service, name: "functions-b" });
      assert.deepEqual(await functions.getImage({ service, id: image?.id }), image);
      const [ours] = await functions.getImages({ service, type: "distribution", limit: 1 });
      assert.equal(ours?.visibility, "public");
      assert.equal((await functions.getImage({ service, id: ours.slug }))?.id, ours.id);
      assert.equal(await functions.getImage({ service, id: "999999999", ignoreMissing: true }), undefined);
    });

    it("lists by each of its filters, and sorts", async () => {
      assert.deepEqual(await names({ service, tag: "one", sort: ["name"] }), ["functions-a", "functions-b"]);
      assert.deepEqual(await names({ service, tag: "two" }), ["functions-a"]);
      assert.deepEqual(await names({ service, name: "functions-b" }), ["functions-b"]);
      const everything = await functions.getImages({ service });
      const own = await functions.getImages({ service, private: true });
      const theirs = await functions.getImages({ service, private: false });
      assert.equal(own.length + theirs.length, everything.length);
      assert.ok(own.length >= 2 && theirs.length >= 2);
      assert.ok(own.every(({ visibility }) => visibility === "private"));
      const applications = await functions.getImages({ service, type: "application" });
      const distributions = await functions.getImages({ service, type: "distribution" });
      assert.equal(applications.length + distributions.length, theirs.length);
      const [newest] = await functions.getImages({ service, latest: true });
      assert.equal(
        newest?.createdAt,
        everything
          .map(({ createdAt }) => String(createdAt))
          .sort()
          .at(-1),
      );
      await assert.rejects(names({ service, tags: ["one"] }), { message: /use tag: DigitalOcean filters by one/ });
    });

    it("lists regions", async () => {
      const regions = await functions.getRegions({ service });
      assert.deepEqual(
        regions.find(({ slug }) => slug === "nyc3"),
        { slug: "nyc3", name: "New York 3", available: true },
      );
    });

    it("has neither data, nor members, nor schemas", async () => {
      const unsupported = { code: "unsupported" };
      await assert.rejects(functions.downloadImage({ service, imageId: "1", file: join(dir, "no") }), unsupported);
      await assert.rejects(functions.getMembers({ service, imageId: "1" }), unsupported);
      await assert.rejects(functions.getSchema({ service, schema: "image" }), unsupported);
    });
  });

  describe("divvycloud", () => {
    const service = "divvycloud";

    it("finds images by id and by name", async () => {
      const [first, ...others] = await functions.getImages({ service });
      assert.ok(first !== undefined && others.length > 0);
      assert.deepEqual(await functions.getImage({ service, id: first.id }), first);
      const names = [first, ...others].map(({ name }) => name);
      const single = [first, ...others].find(({ name }) => names.filter(other => other === name).length === 1);
      assert.equal((await functions.getImage({ service, name: single?.name }))?.id, single?.id);
      const id = "privateimage:1:nowhere:ami-none:";
      assert.equal(await functions.getImage({ service, id, ignoreMissing: true }), undefined);
    });

    it("lists by cloud account and by what the images are, and sorts", async () => {
      const everything = await functions.getImages({ service, sort: ["region", "name:desc"] });
      const { AWS } = cloud.services.divvycloud.clouds;
      const aws = await functions.getImages({ service, scopes: [AWS?.resourceId] });
      assert.deepEqual(aws.map(({ id }) => id).toSorted(), AWS?.images.toSorted());
      assert.ok(aws.length < everything.length);
      for (const field of ["name", "status", "cloud", "account", "region", "platform", "architecture", "shared"]) {
        const value = everything[0]?.[field];
        assert.notEqual(value, undefined, field);
        assert.deepEqual(
          await functions.getImages({ service, [field]: value, sort: ["region", "name:desc"] }),
          everything.filter(image => image[field] === value),
          field,
        );
      }
      const [newest] = await functions.getImages({ service, latest: true });
      assert.equal(
        newest?.createdAt,
        everything
          .map(({ createdAt }) => String(createdAt))
          .sort()
          .at(-1),
      );
      await assert.rejects(names({ service, scopes: ["1"] }), { message: /a scope must be a cloud account's id/ });
    });

    it("has no data, members and schemas", async () => {
      const unsupported = { code: "unsupported" };
      const [image] = await functions.getImages({ service, limit: 1 });
      await assert.rejects(
        functions.downloadImage({ service, imageId: image?.id, file: join(dir, "no") }),
        unsupported,
      );
      await assert.rejects(functions.getMembers({ service, imageId: image?.id }), unsupported);
      await assert.rejects(functions.getSchema({ service, schema: "image" }), unsupported);
    });
  });
});
