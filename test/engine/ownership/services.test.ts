import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { client } from "../../cloud/digitalocean/exercise.ts";
import { noise } from "../../support/disk.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { type MatrixCloud, startMatrixCloud } from "../matrix/cloud.ts";
import { Gate } from "../matrix/gate.ts";
import { type Found, Places } from "../matrix/places.ts";
import { type Made, ProviderProcess, type Values } from "../providerProcess.ts";
import { Stack } from "../stack.ts";
import { EngineLog } from "./engineLog.ts";
import { assertLeftByCreate, assertLeftByDelete } from "./warnings.ts";

const disks = { one: noise("services one", 20_000), two: noise("services two", 30_000) };
type Disk = keyof typeof disks;
type Provider = "image" | "imageCopy";

/** One way to make an image on one service. */
interface Way {
  title: string;
  provider: Provider;
  /** Where the image comes to be, as `<service>/<account>`. */
  at: string;
  /** The arguments with which an image of this disk is made, or of what stands for it. */
  args(disk: Disk): Promise<Values>;
  /** Whether what it is made from can be used for one image only. */
  once?: boolean;
}

const accounts = ["openstack/owner", "openstack/consumer", "ecl/owner", "istack/owner"].concat([
  ...["glance-v1/owner", "glance-v1/consumer", "digitalocean/owner", "divvycloud/owner"],
]);
const raw = { diskFormat: "raw", containerFormat: "bare" };

describe("Owner tags on every service, by verbs", () => {
  let dir: string;
  let cloud: MatrixCloud;
  let places: Places;
  let files: FileServer;
  let stack: Stack;
  let log: EngineLog;
  let provider: ProviderProcess;
  let config: Record<string, string>;
  /** Tells the resources of one test from those of all others. */
  let run: string;
  const gate = new Gate();

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-ownership-"));
    [cloud, files, stack] = await Promise.all([
      startMatrixCloud("local", join(dir, "cloud")),
      startFileServer(),
      Stack.create(),
    ]);
    places = new Places(cloud, join(dir, "cloud"), disks.one);
    for (const [name, body] of Object.entries(disks)) {
      await writeFile(join(stack.folder, `${name}.raw`), body);
      files.files.set(`/${name}.raw`, { body, headers: { etag: `"${name}"` } });
    }
    const connections: Record<string, unknown> = {};
    for (const place of accounts) {
      const [service = "", account = ""] = place.split("/");
      connections[place] = await places.connection(service, account, gate);
    }
    config = { "images:connections": JSON.stringify(connections) };
  });
  after(async () => {
    await stack.dispose();
    await gate.stop();
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    run = randomUUID();
    log = await EngineLog.start();
    await begin();
  });
  afterEach(async () => {
    await provider.stop();
    log.stop();
  });

  async function begin(): Promise<void> {
    provider = await ProviderProcess.start(stack.folder, {}, config, "kept", log.address);
  }
  /** Another run: a process that knows nothing of what the last one did. */
  async function nextRun(): Promise<void> {
    await provider.stop();
    await begin();
    await log.take();
  }

  async function find(at: string, id: string): Promise<Omit<Found, "tags"> | undefined> {
    const [service = "", account = ""] = at.split("/");
    const found = (await places.list(service, account)).find(image => image.id === id);
    if (found === undefined) return undefined;
    // What carries the owner may change.
    const { tags: _, ...rest } = found;
    return rest;
  }

  const uploads = (service: string): Way => ({
    ...{ title: `${service}: an Image`, provider: "image", at: `${service}/owner` },
    args: async disk => ({
      ...{ service, connection: `${service}/owner`, name: "web", ...raw, source: { file: `${disk}.raw` } },
    }),
  });
  const droplet = (needs: "droplet" | "backup each time") =>
    places.make({ service: "digitalocean", kind: "Image", variation: "", needs, declare: () => ({}) });
  /** An image that nobody of Pulumi's made. */
  const theirs = (service: string) =>
    places.make({ service, kind: "Image", variation: "", needs: "image", declare: () => ({}) });
  const copies = (service: string, at: string): Way => ({
    ...{ title: `${service}: an ImageCopy to ${at}`, provider: "imageCopy", at },
    async args() {
      const target = at.startsWith(service) ? {} : { service: at.split("/")[0] };
      return {
        ...{ service, connection: `${service}/owner`, imageId: await theirs(service) },
        to: { ...target, connection: at, name: "web" },
      };
    },
  });
  const atDigitalOcean = { provider: "image" as const, at: "digitalocean/owner" };
  const onDigitalOcean = { service: "digitalocean", connection: "digitalocean/owner", name: "web" };
  const ways: Way[] = [
    ...["ecl", "istack", "glance-v1"].map(uploads),
    {
      ...{ title: "digitalocean: an Image from a url", ...atDigitalOcean },
      args: async disk => ({ ...onDigitalOcean, regions: ["nyc3"], source: { url: `${files.url}/${disk}.raw` } }),
    },
    {
      ...{ title: "digitalocean: an Image from a droplet", ...atDigitalOcean },
      args: async () => ({ ...onDigitalOcean, dropletId: await droplet("droplet") }),
    },
    {
      ...{ title: "digitalocean: an Image from a backup", ...atDigitalOcean, once: true },
      args: async () => ({ ...onDigitalOcean, backupId: await droplet("backup each time") }),
    },
    {
      ...{ title: "divvycloud: an Image from an instance", provider: "image", at: "divvycloud/owner" },
      args: async () => ({
        ...{ service: "divvycloud", connection: "divvycloud/owner", name: "web" },
        instance: cloud.services.divvycloud.clouds.OPENSTACK?.instance,
      }),
    },
    copies("openstack", "openstack/consumer"),
    copies("openstack", "istack/owner"),
    copies("istack", "openstack/owner"),
    copies("ecl", "openstack/owner"),
    copies("glance-v1", "glance-v1/consumer"),
  ];

  const urnOf = (name: string, of = "dev", kind = "Image") =>
    `urn:pulumi:${of}::verbs-${run}::pulumi-nodejs:dynamic/images:${kind}::${name}`;

  const remove = (made: Made) => provider.delete(made.id, made.outputs);

  for (const way of ways) {
    describe(way.title, () => {
      const kind = way.provider === "image" ? "Image" : "ImageCopy";

      for (const same of [true, false]) {
        if (same && way.once) continue;
        it(`a create leaves a finished image of its owner tag alone, with ${same ? "the same" : "other"} data`, async () => {
          const resource = urnOf("web", "dev", kind);
          const first = await way.args("one");
          const old = await provider.make(way.provider, first, resource);
          const before = await find(way.at, old.id);
          assert.ok(before);
          await nextRun();
          const inputs = same ? first : await way.args("two");
          const { failures } = await provider.checkInputs(way.provider, inputs, { resource });
          assert.deepEqual(failures, []);
          assertLeftByCreate(await log.take(old.id), before);
          await nextRun();
          const made = await provider.make(way.provider, inputs, resource);
          assertLeftByCreate(await log.take(old.id), before);
          assert.notEqual(made.id, old.id);
          assert.deepEqual(await find(way.at, old.id), before);
          assert.ok(await find(way.at, made.id));
          await remove(made);
          assert.equal(await find(way.at, made.id), undefined);
          assert.deepEqual(await find(way.at, old.id), before);
          await remove(old);
          assert.equal(await find(way.at, old.id), undefined);
        });
      }
    });
  }

  it("digitalocean: a backup's image stays after a rename without an alias", async () => {
    const args = { ...onDigitalOcean, backupId: await droplet("backup each time") };
    const a = await provider.make("image", args, urnOf("a"));
    await nextRun();
    const b = await provider.make("image", args, urnOf("b"));
    assert.equal(b.id, a.id);
    await remove(a);
    assertLeftByDelete(await log.take(a.id), a.id);
    assert.ok(await find("digitalocean/owner", a.id));
    await remove(b);
    assert.equal(await find("digitalocean/owner", a.id), undefined);
  });

  for (const service of ["openstack", "ecl", "istack", "glance-v1", "digitalocean", "divvycloud"]) {
    describe(`${service}: an adopted image`, () => {
      const at = `${service}/owner`;
      const adopting = (id: string, more: Values = {}): Values => ({
        ...{ service, connection: at, adopt: { id, ...more } },
      });
      const make = (title: string) =>
        ways.find(way => way.at === at && way.title.startsWith(title)) ?? uploads(service);

      it("stays after a rename without an alias, and belongs to the new resource", async () => {
        const id = await theirs(service);
        const before = await find(at, id);
        const a = await provider.make("image", adopting(id), urnOf("a"));
        await nextRun();
        const b = await provider.make("image", adopting(id), urnOf("b"));
        assert.deepEqual([a.id, b.id], [id, id]);
        await remove(a);
        assertLeftByDelete(await log.take(id), id);
        assert.deepEqual(await find(at, id), before);
        await nextRun();
        const { id: seen } = await provider.read(id, b.outputs);
        assert.equal(seen, id);
        await remove(b);
        assert.equal(await find(at, id), undefined);
      });

      it("of another stack needs takeOver, and that stack's delete leaves it alone then", async () => {
        const other = await provider.make("image", await make(service).args("one"), urnOf("web", "prod"));
        const before = await find(at, other.id);
        await nextRun();
        await assert.rejects(provider.make("image", adopting(other.id), urnOf("a")), (error: Error) => {
          assert.match(error.message, /takeOver: true/);
          assert.ok(error.message.includes(other.id), error.message);
          return true;
        });
        const a = await provider.make("image", adopting(other.id, { takeOver: true }), urnOf("a"));
        assert.equal(a.id, other.id);
        await nextRun();
        await remove(other);
        assertLeftByDelete(await log.take(other.id), other.id);
        assert.deepEqual(await find(at, other.id), before);
        await remove(a);
        assert.equal(await find(at, other.id), undefined);
      });
    });
  }

  describe("an image whose owner tag somebody removed is deleted", () => {
    const untag: Record<string, (id: string) => Promise<unknown>> = {};
    for (const service of ["openstack", "ecl", "istack"]) {
      untag[service] = async id => {
        const api = await places.images(service, "owner");
        const removed = Object.keys(await api.image(id)).filter(name => name.startsWith("pulumi_images_"));
        assert.ok(removed.length > 0);
        await api.patch(id, ...removed.map(name => ({ op: "remove", path: `/${name}` })));
      };
    }
    untag.digitalocean = async id => {
      const tags = (await places.list("digitalocean", "owner")).find(image => image.id === id)?.tags ?? [];
      const own = tags.filter(tag => tag.startsWith("pulumi-images:"));
      assert.ok(own.length > 0);
      const { url, accounts: known } = cloud.services.digitalocean;
      for (const tag of own) await client(url, known.sender.token)("DELETE", `/v2/tags/${tag}`);
    };
    for (const [service, remove_] of Object.entries(untag)) {
      it(service, async () => {
        const way = ways.find(
          one => one.title.startsWith(`${service}: an Image `) || one.title === `${service}: an Image`,
        );
        const made = await provider.make("image", await (way ?? uploads(service)).args("one"), urnOf("web"));
        await remove_(made.id);
        await nextRun();
        await remove(made);
        assert.equal(await find(`${service}/owner`, made.id), undefined);
      });
    }
  });

  describe("a part", () => {
    const consumer = (service: string) => places.account(service, "consumer").projectId;
    const tags = (service: string) => async (id: string) =>
      (await places.list(service, "owner")).find(image => image.id === id)?.tags.includes("golden") ?? false;
    const members = (service: string) => async (id: string) => (await places.members(service, id)).length > 0;
    const parts = [
      ...["ecl", "istack", "digitalocean"].map(service => ({
        ...{ service, provider: "imageTag" as const, kind: "ImageTag", there: tags(service) },
        args: (imageId: string): Values => ({ imageId, tag: "golden" }),
      })),
      ...["ecl", "glance-v1"].map(service => ({
        ...{ service, provider: "imageMember" as const, kind: "ImageMember", there: members(service) },
        args: (imageId: string): Values => ({ imageId, member: consumer(service) }),
      })),
    ];

    for (const { service, provider: name, kind, args, there } of parts) {
      const declared = (id: string): Values => ({ service, connection: `${service}/owner`, ...args(id) });

      it(`${service}, ${kind}: stays after a rename without an alias`, async () => {
        const id = await theirs(service);
        const a = await provider.make(name, declared(id), urnOf("a", "dev", kind));
        await nextRun();
        const b = await provider.make(name, declared(id), urnOf("b", "dev", kind));
        await remove(a);
        assert.equal(await there(id), true);
        await nextRun();
        await remove(b);
        assert.equal(await there(id), false);
      });

      it(`${service}, ${kind}: stays where another resource declares it that isn't touched in this run`, async () => {
        const id = await theirs(service);
        const a = await provider.make(name, declared(id), urnOf("a", "dev", kind));
        await nextRun();
        const resource = urnOf("b", "dev", kind);
        const { failures } = await provider.checkInputs(name, declared(id), { resource, olds: declared(id) });
        assert.deepEqual(failures, []);
        await remove(a);
        assert.equal(await there(id), true);
      });

      it(`${service}, ${kind}: declared twice is a failed check that names both`, async () => {
        const id = await theirs(service);
        const check = async (resource: string) =>
          (await provider.checkInputs(name, declared(id), { resource: urnOf(resource, "dev", kind) })).failures;
        const failures = [...(await check("first-one")), ...(await check("second-one"))];
        assert.ok(
          failures.some(({ reason }) => reason.includes("first-one") && reason.includes("second-one")),
          JSON.stringify(failures),
        );
      });
    }
  });

  it("glance-v1: another project's public image with our id and owner tag isn't taken for ours", async () => {
    // Only an administrator may make an image public, and whoever may is somebody else.
    const way = uploads("glance-v1");
    const resource = urnOf("web");
    const own = await provider.make("image", await way.args("one"), resource);
    const { authUrl, imageUrl, accounts: known } = cloud.services["glance-v1"];
    const { GlanceV1Api } = await import("../../support/glanceV1Api.ts");
    const api = await GlanceV1Api.signIn(authUrl, known.owner, imageUrl);
    const admin = await GlanceV1Api.signIn(authUrl, known.admin, imageUrl);
    const { properties } = await api.image(own.id);
    await remove(own);
    const tag = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [`property-${name}`, String(value)]),
    );
    const meta = { name: "web", disk_format: "raw", container_format: "bare", is_public: "True", ...tag };
    const other = await admin.create(meta, Uint8Array.from(disks.one));
    await nextRun();
    const made = await provider.make("image", await way.args("one"), resource);
    assert.notEqual(made.id, other.id);
    assert.equal((await api.image(made.id)).owner, known.owner.projectId);
    await remove(made);
    assert.deepEqual(await admin.image(other.id), other);
    await admin.delete(other.id);
  });
});
