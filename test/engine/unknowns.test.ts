import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasUnknown, type Kind, kinds, unknownValue } from "../../provider/fields/field.ts";
import { type ServiceName, serviceNames } from "../../provider/services/names.ts";
import { services } from "../../provider/services/registry.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { connectionTo, ownerConnections } from "../cloud/connections.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import { noise, sha256 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, nameOf, type Run, Stack } from "./stack.ts";

type Values = Record<string, unknown>;

/** A value of a field, with what else it takes to be right. */
interface Example {
  value: unknown;
  /** Fields beside it; undefined for one of the base that can't be beside it. */
  beside?: Values;
}

/** Right arguments for a kind of resource on one service. */
interface Subject {
  base: Values;
  /** Of each field at least one. */
  examples: Record<string, readonly Example[]>;
}

const providerOf = {
  Image: "image",
  ImageMember: "imageMember",
  ImageTag: "imageTag",
  ImageCopy: "imageCopy",
} as const;

const of = (...values: unknown[]): Example[] => values.map(value => ({ value }));
const beside = (beside: Values, ...values: unknown[]): Example[] => values.map(value => ({ value, beside }));

describe("What isn't known at preview", () => {
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let stack: Stack;
  let provider: ProviderProcess;
  let made = 0;
  const subjects = new Map<ServiceName, Partial<Record<Kind, Subject>>>();

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-unknowns-"));
    const unlimited = { taskTime: 1, requestsPerHour: 1e9, requestsPerMinute: 1e9 };
    cloud = await startCloud({ dir, regions: 2, settings: { digitalocean: unlimited, divvycloud: { taskTime: 1 } } });
    files = await startFileServer();
    const disk = noise("unknowns", 5000);
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
    stack = await Stack.create({ project: "unknowns" });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    const others = (["openstack", "ecl", "istack", "glance-v1", "digitalocean"] as const).map(service => [
      `${service}-other`,
      connectionTo(cloud.services, service, "consumer"),
    ]);
    const connections = { ...ownerConnections(cloud.services), ...Object.fromEntries(others) };
    provider = await ProviderProcess.start(stack.folder, {}, { "images:connections": JSON.stringify(connections) });
    for (const service of serviceNames) subjects.set(service, await subjectsOf(service));
  });
  after(async () => {
    await provider?.stop();
    await stack?.dispose();
    await files?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const urnOf = () => `urn:pulumi:dev::unknowns::images::case-${++made}`;

  /** Two resources of a program can't adopt the same image: each case is another state of one resource. */
  const resourceOf = ({ adopt }: Values) =>
    adopt === undefined ? urnOf() : "urn:pulumi:dev::unknowns::images::adopting";

  async function make(args: Values): Promise<string> {
    return (await provider.make("image", args, urnOf())).id;
  }

  async function subjectsOf(service: ServiceName): Promise<Partial<Record<Kind, Subject>>> {
    const common = { service, connection: service };
    const connection = of(service);
    if (service === "divvycloud") return { Image: divvyCloudImage(common) };
    if (service === "digitalocean") return await onDigitalOcean(common);
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    const shared = service === "glance-v1" || service === "istack" ? {} : { visibility: "shared" };
    const imageId = await make({ ...common, name: "shared", ...data, ...shared });
    const member = cloud.services[service as "openstack"].accounts.consumer.projectId;
    const to = { connection: `${service}-other` };
    const url = `${files.url}/disk.raw`;
    return {
      Image: {
        base: { ...common, name: "an image", diskFormat: "raw", containerFormat: "bare" },
        examples: {
          connection,
          name: of("another"),
          diskFormat: of("qcow2"),
          containerFormat: of("bare"),
          minDisk: of(1),
          minRam: of(64),
          visibility: of("private"),
          isPublic: of(false),
          protected: of(true),
          hidden: of(true),
          owner: of(member),
          tags: of(["a", "b"]),
          properties: of({ os_distro: "debian", note: "x" }),
          exclusiveProperties: beside({ properties: { a: "b" } }, true),
          imageId: of(crypto.randomUUID()),
          forceDelete: of(true),
          members: of([member]),
          state: beside({ source: data.source }, "deactivated"),
          store: beside({ source: data.source }, "fast"),
          stores: beside({ source: data.source }, ["fast", "slow"]),
          location: of(url),
          adopt: beside({ name: undefined }, { id: imageId }, { name: "shared" }),
          source: of(
            { file: "disk.raw", decompress: "none", maxSize: 1e6, maxRatio: 10 },
            { file: "disk.raw", digest: `sha256:${"0".repeat(64)}` },
            { url, mode: "stream", headers: { "X-Pass": "a", "X-Other": "b" }, checksums: `${files.url}/SUMS` },
            ...(service === "openstack" || service === "glance-v1" ? [{ url, mode: "import" }] : []),
          ),
        },
      },
      ImageMember: {
        base: { ...common, imageId, member },
        examples: {
          connection,
          imageId: of(imageId),
          member: of(member, "consumer"),
          accept: of(to),
          status: beside({ accept: to }, "rejected"),
          canShare: of(true),
        },
      },
      ImageTag: {
        base: { ...common, imageId, tag: "a tag" },
        examples: { connection, imageId: of(imageId), tag: of("b") },
      },
      ImageCopy: {
        base: { ...common, imageId, to },
        examples: {
          connection,
          imageId: of(imageId),
          forceDelete: of(true),
          to: of(
            ...(service === "openstack" ? [{ stores: ["fast", "slow"] }] : []),
            ...(service === "ecl" ? [{ tenant: member }, { tenant: member, ...to }] : []),
            {
              ...{ ...to, service, name: "the copy", mode: "stream", minDisk: 1, minRam: 64, protected: true },
              ...{ properties: { a: "b", c: "d" } },
              ...(service === "glance-v1" ? {} : { tags: ["a", "b"], visibility: "private" }),
              ...(service === "openstack" ? { store: "fast" } : {}),
            },
            ...(service === "ecl" ? [] : [{ ...to, name: "the copy", mode: "import", url }]),
          ),
        },
      },
    };
  }

  function divvyCloudImage(common: Values): Subject {
    const { OPENSTACK } = cloud.services.divvycloud.clouds;
    const id = OPENSTACK?.images[0];
    return {
      base: { ...common, adopt: { id } },
      examples: {
        connection: of(common.connection),
        adopt: of({ id }, { name: "x", cloud: "AWS", account: "y", region: "z" }),
        instance: beside({ adopt: undefined }, OPENSTACK?.instance),
        name: of("another"),
        deletion: of("queued"),
        description: of("x"),
        state: of("available"),
        architecture: of("x86_64"),
        platform: of("linux"),
        rootDeviceType: of("ebs"),
        virtualizationType: of("HVM"),
        blockDeviceMapping: of([{ DeviceName: "/dev/sda1", Ebs: { VolumeSize: 8 } }]),
        minRam: of(64),
        minDisk: of(1),
        shared: of(false),
        productCode: of("a".repeat(25)),
        productCodeType: of("none"),
        cloudImageId: of("ami-1"),
        cloud: of("AWS"),
        account: of("x"),
        region: of("x"),
        organizationServiceId: of(1),
      },
    };
  }

  async function onDigitalOcean(common: Values): Promise<Partial<Record<Kind, Subject>>> {
    const { dropletId, backupId } = cloud.services.digitalocean.accounts.sender;
    const recipientUuid = cloud.services.digitalocean.accounts.recipient.uuid;
    const imageId = await make({ ...common, name: "shared", dropletId });
    const connection = of(common.connection);
    const elsewhere = { source: undefined, regions: undefined };
    return {
      Image: {
        base: { ...common, name: "an image", source: { url: `${files.url}/disk.raw` }, regions: ["nyc3"] },
        examples: {
          connection,
          name: of("another"),
          source: of({ url: `${files.url}/disk.raw`, mode: "import" }),
          regions: of(["nyc3", "ams3"]),
          distribution: of("Debian"),
          description: of("x"),
          tags: of(["a", "b"]),
          dropletId: beside(elsewhere, dropletId),
          backupId: beside({ ...elsewhere, name: undefined }, backupId),
          adopt: beside({ ...elsewhere, name: undefined }, { id: imageId }, { name: "shared" }),
        },
      },
      ImageMember: {
        base: { ...common, imageId, recipientUuid },
        examples: {
          connection,
          imageId: of(imageId),
          recipientUuid: of(recipientUuid),
          recipientEmail: beside({ recipientUuid: undefined }, "a@example.org"),
          accept: of({ connection: "digitalocean-other" }),
        },
      },
      ImageTag: {
        base: { ...common, imageId, tag: "a" },
        examples: { connection, imageId: of(imageId), tag: of("b") },
      },
      ImageCopy: {
        base: { ...common, imageId, to: { regions: ["ams3"] } },
        examples: { connection, imageId: of(imageId), to: of({ regions: ["ams3", "sfo3"] }) },
      },
    };
  }

  for (const service of serviceNames) {
    for (const kind of kinds) {
      const table = services[service]?.tables[kind]?.();
      if (table === undefined) continue;
      const title = `of ${service}'s ${kind}`;
      const fields = Object.keys(table.fields).filter(
        name => table.fields[name]?.by === undefined && name !== "service",
      );

      it(`is allowed in each input ${title}, and in all that is within it`, async () => {
        const { base, examples } = (subjects.get(service) as Partial<Record<Kind, Subject>>)[kind] as Subject;
        assert.deepEqual(
          fields.filter(field => examples[field] === undefined),
          [],
          "fields without an example",
        );
        const there = await madeFrom(kind, base);
        for (const field of fields) {
          for (const { value, beside } of examples[field] ?? []) {
            const all = { path: " (all within it)", partly: allUnknown(value) };
            for (const { path, partly } of [all, ...partlyUnknown(value)]) {
              const at = `${field}${path}: ${JSON.stringify(partly)}`;
              await demandPreview(kind, { ...base, ...beside, [field]: partly }, there, field, at);
            }
          }
        }
        // Everything at once.
        const nothing = Object.fromEntries(Object.keys(base).map(name => [name, unknownValue]));
        await demandPreview(kind, { ...nothing, service }, there, undefined, "all of it");
      });

      /** As the engine does in a preview of a new resource, and of one that is there. */
      async function demandPreview(
        kind: Kind,
        args: Values,
        there: There,
        field: string | undefined,
        at: string,
      ): Promise<void> {
        const created = await checked(kind, args, at);
        if (field !== undefined && table?.fields[field]?.change !== "none") assert.ok(hasUnknown(created[field]), at);
        if (there === undefined) return;
        const news = await checked(kind, args, at, there);
        const { changes } = await provider.diff(there.id, there.outputs, news).catch(error => {
          throw new Error(`${at}: ${error}`);
        });
        const declared = field === undefined ? undefined : table?.fields[field];
        if (declared !== undefined && declared.change !== "none") assert.ok(changes, `${at} may change something`);
      }
    }
  }

  type There = { id: string; outputs: Values; inputs: Values; resource: string } | undefined;

  async function checked(kind: Kind, args: Values, at: string, there?: There): Promise<Values> {
    const resource = there?.resource ?? resourceOf(args);
    const { failures, inputs } = await provider
      .checkInputs(providerOf[kind], withoutUndefined(args), { resource, ...(there ? { olds: there.inputs } : {}) })
      .catch(error => {
        throw new Error(`${at}: ${error}`);
      });
    assert.deepEqual(failures, [], at);
    return inputs;
  }

  /** A resource that is there. */
  async function madeFrom(kind: Kind, base: Values): Promise<There> {
    const resource = resourceOf(base);
    const { inputs, failures } = await provider.checkInputs(providerOf[kind], base, { resource });
    assert.deepEqual(failures, []);
    return { ...(await provider.create(inputs)), inputs, resource };
  }
});

onEachCloud("What isn't known at preview, in a program", cloud => {
  const disk = noise("later", 5000);
  let files: FileServer;
  let stack: Stack;
  const where = { service: "openstack", connection: "owner" };
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  const image = (name: string, args: Values = {}): Declared => ({
    kind: "Image",
    name,
    args: { ...where, name, ...data, ...args },
  });
  const copy = (to: Values): Declared => ({
    kind: "ImageCopy",
    name: "copy",
    args: { ...where, imageId: { $output: "first.id" }, to },
  });
  const later = (value: unknown, of = "first") => ({ $later: value, of });

  before(async () => {
    files = await startFileServer();
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' }, needs: { "X-Pass": "sesame" } });
    files.files.set("/SUMS", { body: Buffer.from(`${sha256(disk)} *disk.raw\n`), needs: { "X-Pass": "sesame" } });
    const { accounts, regions } = cloud();
    const connections = {
      owner: connectionOf(cloud(), accounts.owner),
      admin: connectionOf(cloud(), accounts.admin),
      elsewhere: connectionOf(cloud(), accounts.owner, regions[1]?.name),
    };
    stack = await Stack.create({ project: "later", config: { "images:connections": connections } });
    await writeFile(join(stack.folder, "disk.raw"), disk);
  });
  after(async () => {
    await stack?.dispose();
    await files?.stop();
  });

  const url = () => `${files.url}/disk.raw`;
  const declared = (): Declared[] => [
    image("first"),
    image("fields", {
      connection: later("owner"),
      name: later("fields"),
      diskFormat: later("raw"),
      containerFormat: later("bare"),
      minDisk: later(1),
      minRam: later(64),
      visibility: later("shared"),
      protected: later(true),
      forceDelete: later(true),
      hidden: later(false),
      state: later("active"),
      tags: [later("a"), later("b")],
      properties: { os_distro: later("debian") },
      exclusiveProperties: later(true),
      members: [later(cloud().accounts.consumer.projectId)],
      stores: [later("fast")],
      source: { file: later("disk.raw"), digest: later(`sha256:${sha256(disk)}`) },
    }),
    image("wholes", {
      tags: later(["a"]),
      properties: later({ a: "b" }),
      stores: later(["fast"]),
      source: later({ file: "disk.raw" }),
    }),
    image("url", { source: { url: later(url()), headers: { "X-Pass": "sesame" } } }),
    image("header", { source: { url: url(), headers: { "X-Pass": later("sesame") }, mode: later("stream") } }),
    image("headers", { source: { url: url(), headers: later({ "X-Pass": "sesame" }) } }),
    image("checksums", {
      source: { url: url(), headers: { "X-Pass": "sesame" }, checksums: later(`${files.url}/SUMS`) },
    }),
    image("store", { store: later("fast") }),
    image("kept", { connection: "admin" }),
    { kind: "ImageTag", name: "tag", args: { ...where, imageId: { $output: "first.id" }, tag: later("tag") } },
    {
      kind: "ImageMember",
      name: "member",
      args: { ...where, imageId: { $output: "first.id" }, member: later(cloud().accounts.consumer.projectId) },
    },
    copy({ connection: later("elsewhere"), name: later("copy"), tags: [later("t")], properties: later({ c: "d" }) }),
    {
      kind: "ImageCopy",
      name: "in-stores",
      args: { ...where, connection: "admin", imageId: { $output: "kept.id" }, to: { stores: later(["slow"]) } },
    },
  ];

  it("is shown as such, and made", async () => {
    const resources = declared();
    const preview = await stack.preview(resources);
    assert.equal(preview.code, 0, preview.text);
    assert.deepEqual(preview.steps, Object.fromEntries(resources.map(({ name }) => [name, "create"])));
    const inputs = inputsIn(preview);
    for (const { name, args } of resources) {
      for (const [field, value] of Object.entries(args))
        if (JSON.stringify(value).includes("$later")) assert.ok(hasUnknown(inputs[name]?.[field]), `${name}.${field}`);
    }
    await stack.up();
    await demandSilence();
  });

  it("is shown as a change of what is there, in place where it can be", async () => {
    const changed = (of: string): Declared[] => [
      ...declared().filter(({ name }) => !["url", "copy"].includes(name)),
      image("second"),
      image("url", {
        source: { url: url(), headers: { "X-Pass": later("sesame", of) } },
        name: later("url", of),
        tags: [later("a", of)],
        properties: { a: later("b", of) },
        minRam: later(64, of),
        stores: later(["fast"], of),
      }),
      copy({
        connection: "elsewhere",
        name: later("copy", of),
        tags: later(["t"], of),
        properties: { c: later("d", of) },
      }),
    ];
    const preview = await stack.preview(changed("second"));
    assert.equal(preview.code, 0, preview.text);
    const { second, url: changing, copy: copied, ...others } = preview.steps;
    // Whether the source holds something else isn't known either. The copy is going to be in the same place.
    assert.deepEqual([second, changing, copied], ["create", "replace", "update"]);
    assert.deepEqual(new Set(Object.values(others)), new Set(["same"]));
    const before = (await stack.state()).url?.id;
    const run = await stack.up();
    assert.deepEqual([run.steps.url, run.steps.copy], ["update", "same"]);
    assert.equal((await stack.state()).url?.id, before);
    await demandSilence();
  });

  async function demandSilence(): Promise<void> {
    const again = await stack.preview();
    assert.deepEqual(new Set(Object.values(again.steps)), new Set(["same"]), again.text);
  }
});

/** What a run's resources are to be like, by their names. */
function inputsIn(run: Run): Record<string, Values> {
  const steps = run.events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  return Object.fromEntries(steps.map(({ urn, new: now }) => [nameOf(urn), now?.inputs ?? {}]));
}

/** A value with each thing within it unknown in turn, and itself. */
function partlyUnknown(value: unknown): { path: string; partly: unknown }[] {
  const within: { path: string; partly: unknown }[] = Array.isArray(value)
    ? value.flatMap((entry, index) =>
        partlyUnknown(entry).map(({ path, partly }) => ({
          path: `[${index}]${path}`,
          partly: value.with(index, partly),
        })),
      )
    : typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, entry]) =>
          partlyUnknown(entry).map(({ path, partly }) => ({
            path: `.${key}${path}`,
            partly: { ...value, [key]: partly },
          })),
        )
      : [];
  return [{ path: "", partly: unknownValue }, ...within];
}

/** A value of whose entries none is known. */
function allUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(allUnknown);
  if (typeof value !== "object" || value === null) return unknownValue;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, allUnknown(entry)]));
}

function withoutUndefined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
