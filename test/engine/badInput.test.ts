import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type FieldTable, hasUnknown, type Kind, kinds, unknownValue } from "../../provider/fields/field.ts";
import { type ServiceName, serviceNames } from "../../provider/services/names.ts";
import { services } from "../../provider/services/registry.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { connectionTo, ownerConnections } from "../cloud/connections.ts";
import { cloudOf, connectionOf, type TestCloud } from "../openstack/clouds.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { argumentsOf, nested, oddNames, oddNumbers, oddTexts } from "../support/oddInputs.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { Stack } from "./stack.ts";

type Values = Record<string, unknown>;

/** The same cases each time; IMAGES_TEST_SEED and IMAGES_TEST_CASES try others. */
const seed = Number(process.env.IMAGES_TEST_SEED ?? 8);
const cases = Number(process.env.IMAGES_TEST_CASES ?? 20);

const providerOf = {
  Image: "image",
  ImageMember: "imageMember",
  ImageTag: "imageTag",
  ImageCopy: "imageCopy",
} as const;

/** Words of an error that this program didn't mean to give. */
const unmeant =
  /TypeError|RangeError|SyntaxError|ReferenceError|is not a |not iterable|Cannot (read|set|convert)|call stack|Unexpected token|invariant|ERR_|(?<!not )\bundefined\b|\[object /;

/** What a service answers to a request that should never have been sent. */
function isRefusal({ path, status }: Asked): boolean {
  // Which accounts there are to transfer an image to, only DigitalOcean knows.
  if (status === 422 && path.endsWith("/account_transfer")) return false;
  return [400, 413, 414, 422, 431].includes(status) || status >= 500;
}

interface Asked {
  method: string;
  path: string;
  status: number;
}

/** A resource that is there. */
interface Made {
  resource: string;
  id: string;
  outputs: Values;
}

/** One service, and what right arguments for each kind of resource there begin with. */
interface Bench {
  title: string;
  service: ServiceName;
  bases: Partial<Record<Kind, Values>>;
  hints: Record<string, fc.Arbitrary<unknown>>;
  requests: () => readonly Asked[];
}

describe(`Bad input (seed ${seed}, ${cases} cases a kind of resource)`, () => {
  let dir: string;
  let cloud: LocalCloud;
  let real: TestCloud;
  let files: FileServer;
  let stack: Stack;
  let provider: ProviderProcess;
  let made = 0;
  const benches = new Map<string, Bench>();

  before(async function () {
    this.timeout(600_000);
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-bad-input-"));
    const unlimited = { taskTime: 1, requestsPerHour: 1e9, requestsPerMinute: 1e9 };
    cloud = await startCloud({ dir, regions: 2, settings: { digitalocean: unlimited, divvycloud: { taskTime: 1 } } });
    real = await cloudOf("real");
    files = await startFileServer();
    const disk = noise("bad input", 5000);
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
    stack = await Stack.create({ project: "bad-input" });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    provider = await ProviderProcess.start(stack.folder, {}, { "images:connections": JSON.stringify(connections()) });
    for (const service of serviceNames) benches.set(service, await benchOf(service, service));
    benches.set("the real Glance", await benchOf("openstack", "real"));
  });
  after(async () => {
    await provider?.stop();
    await stack?.dispose();
    await files?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function connections(): Record<string, Values> {
    const { services } = cloud;
    const others = (["openstack", "ecl", "istack", "glance-v1", "digitalocean"] as const).map(service => [
      `${service}-other`,
      connectionTo(services, service, "consumer"),
    ]);
    return {
      ...ownerConnections(services),
      ...Object.fromEntries(others),
      real: connectionOf(real, real.accounts.owner),
      "real-other": connectionOf(real, real.accounts.consumer),
    };
  }

  /** An image to share, tag and copy. */
  async function make(args: Values): Promise<string> {
    const { inputs, failures } = await provider.checkInputs("image", args, { resource: urnOf() });
    assert.deepEqual(failures, []);
    return (await provider.create(inputs)).id;
  }
  const urnOf = () => `urn:pulumi:dev::bad-input::images::case-${++made}`;

  async function benchOf(service: ServiceName, connection: string): Promise<Bench> {
    const common = { service, connection };
    const requests = () =>
      connection === "real"
        ? (real.requests() as readonly Asked[])
        : cloud.requests.filter(request => request.service === service);
    const elsewhere = fc.constantFrom({ connection: `${connection}-other` }, { connection, name: "a copy" });
    if (service === "divvycloud") {
      const { AWS, OPENSTACK } = cloud.services.divvycloud.clouds;
      return {
        title: connection,
        service,
        bases: { Image: { ...common, adopt: { id: OPENSTACK?.images[0] } } },
        hints: {
          connection: fc.constant(connection),
          timeouts,
          adopt: fc.constantFrom<unknown>({ id: AWS?.images[0] }, { name: "x" }, { name: "x", cloud: "AWS" }),
          instance: fc.constantFrom(OPENSTACK?.instance, AWS?.instance),
        },
        requests,
      };
    }
    if (service === "digitalocean") {
      const { dropletId, backupId } = cloud.services.digitalocean.accounts.sender;
      const url = `${files.url}/disk.raw`;
      const imageId = await make({ ...common, name: "shared", dropletId });
      return {
        title: connection,
        service,
        bases: {
          Image: { ...common, name: "an image", source: { url }, regions: ["nyc3"] },
          ImageMember: { ...common, imageId, recipientUuid: cloud.services.digitalocean.accounts.recipient.uuid },
          ImageTag: { ...common, imageId, tag: "a:tag" },
          ImageCopy: { ...common, imageId, to: { regions: ["ams3"] } },
        },
        hints: {
          connection: fc.constant(connection),
          timeouts,
          source: sources(url, fc),
          regions: fc.subarray(["nyc3", "ams3", "sfo3", "xyz9"], { minLength: 1 }),
          dropletId: fc.constantFrom<unknown>(dropletId, String(dropletId), "7555620"),
          backupId: fc.constantFrom<unknown>(backupId, "1"),
          tags: fc.constantFrom(["a", "B:c"], ["A", "a"], ["ä"]),
          tag: fc.constantFrom("a", "A:b", "_", "-".repeat(255), "ä"),
          imageId: fc.constantFrom<unknown>(imageId, Number(imageId), "1"),
          to: fc.constantFrom<unknown>({ regions: ["sfo3"] }, { regions: ["nyc3", "xyz9"] }, elsewhere),
        },
        requests,
      };
    }
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    const shared = service === "glance-v1" || service === "istack" ? {} : { visibility: "shared" };
    const imageId = await make({ ...common, name: "shared", ...data, ...shared });
    const adoptable = await make({ ...common, name: "to adopt" });
    const member = await memberOf(service, connection);
    return {
      title: connection,
      service,
      bases: {
        Image: { ...common, name: "an image", diskFormat: "raw", containerFormat: "bare" },
        ImageMember: { ...common, imageId, member },
        ImageTag: { ...common, imageId, tag: "a tag" },
        ImageCopy: { ...common, imageId, to: { connection: `${connection}-other` } },
      },
      hints: {
        connection: fc.constant(connection),
        timeouts,
        tag: fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
        name: fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
        tags: fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 5 }),
        properties: fc.dictionary(
          fc.string({ unit: "grapheme-ascii", minLength: 1 }),
          fc.string({ unit: "grapheme" }),
          {
            maxKeys: 5,
            noNullPrototype: true,
          },
        ),
        source: fc.oneof(fc.constant(data.source), sources(`${files.url}/disk.raw`, fc)),
        adopt: fc.constantFrom<unknown>({ id: adoptable }, { name: "to adopt" }),
        imageId: fc.constantFrom(imageId, imageId.toUpperCase(), crypto.randomUUID()),
        store: fc.constantFrom("fast", "slow"),
        stores: fc.subarray(["fast", "slow"]),
        members: fc.constantFrom([member], [member.toUpperCase()], ["0".repeat(32)]),
        member: fc.constantFrom(member, "no-such-project", "0".repeat(32)),
        accept: fc.constantFrom({ connection: `${connection}-other` }, { connection }),
        location: fc.constant(`${files.url}/disk.raw`),
        to: fc.oneof(elsewhere, fc.constantFrom({ stores: ["slow"] }, { tenant: member })),
      },
      requests,
    };
  }

  async function memberOf(service: ServiceName, connection: string): Promise<string> {
    if (connection === "real") return real.accounts.consumer.projectId;
    return cloud.services[service as "openstack"].accounts.consumer.projectId;
  }

  /** What was accepted has to come back as it was declared, or each preview would show it again. */
  async function demandSettled(id: string, outputs: Values, inputs: Values): Promise<void> {
    const { changes, replaces } = await provider.diff(id, outputs, inputs);
    if (changes || replaces.length > 0)
      assert.deepEqual(outputs, inputs, `${id} isn't as it was declared (${replaces})`);
  }

  /**
   * Checks arguments and does what was accepted.
   * @param base a resource that is to be changed to them; without it a new one is made
   * @returns the fields that are said to be wrong; @throws AssertionError where a promise is broken
   */
  async function attempt(bench: Bench, kind: Kind, args: Values, base?: Made): Promise<string[]> {
    const name = providerOf[kind];
    const before = bench.requests().length;
    // Two resources of a program can't declare the same part or adopt the same image: each case is another state of one resource.
    const isNew = kind === "Image" && args.adopt === undefined;
    const resource = base?.resource ?? (isNew ? urnOf() : `urn:pulumi:dev::bad-input::${kind}::${bench.title}`);
    const { failures, inputs } = await provider.checkInputs(name, args, { resource });
    for (const { property, reason } of failures) {
      assert.ok(property !== "" || Object.hasOwn(args, ""), reason);
      assert.notEqual(reason, "");
      assert.doesNotMatch(reason, unmeant);
      assert.ok(reason.length < 3000, `${reason.length} characters of reason`);
    }
    const refused = () => bench.requests().slice(before).filter(isRefusal);
    if (failures.length > 0) {
      assert.deepEqual(refused(), []);
      return failures.map(({ property }) => property);
    }
    try {
      if (hasUnknown(inputs)) {
        if (base) await provider.diff(base.id, base.outputs, inputs);
        return [];
      }
      if (base) {
        const { changes, replaces } = await provider.diff(base.id, base.outputs, inputs);
        if (!changes || replaces.length > 0) return [];
        base.outputs = await provider.update(base.id, base.outputs, inputs);
        await demandSettled(base.id, base.outputs, inputs);
        return [];
      }
      const { id, outputs } = await provider.create(inputs);
      try {
        await demandSettled(id, outputs, inputs);
        // What DigitalOcean's images are read as may be some seconds old.
        if (bench.service !== "digitalocean") {
          const seen = await provider.read(id, outputs);
          await demandSettled(seen.id, seen.outputs, inputs);
        }
      } finally {
        if (args.adopt === undefined) await provider.delete(id, { ...outputs, forceDelete: true });
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.doesNotMatch(String(error), unmeant);
    } finally {
      assert.deepEqual(refused(), [], JSON.stringify(args).slice(0, 1000));
    }
    return [];
  }

  for (const title of [...serviceNames, "the real Glance"]) {
    const service = title === "the real Glance" ? "openstack" : (title as ServiceName);
    describe(title, () => {
      for (const kind of kinds) {
        const table = services[service]?.tables[kind]?.();
        if (table === undefined) continue;
        it(`${kind}: is told, or is no bad input`, async () => {
          const bench = benches.get(title) as Bench;
          const others = Object.values(services).flatMap(entry => Object.keys(entry.tables[kind]?.().fields ?? {}));
          const odd = argumentsOf(table, bench.bases[kind] as Values, bench.hints, others);
          await fc.assert(
            fc.asyncProperty(odd, async args => void (await attempt(bench, kind, args))),
            { seed, numRuns: cases },
          );
        });

        it(`${kind}: an odd value of a field is told by the field's name, or is no bad input`, async () => {
          const bench = benches.get(title) as Bench;
          const base = bench.bases[kind] as Values;
          const list = writtenList(kind, Object.keys(table.fields));
          // Their rules are openstack's.
          const step = ["ecl", "istack", "the real Glance"].includes(title) ? 8 : 1;
          for (const { field, value } of list.filter((_, index) => index % step === 0)) {
            const wrong = await attempt(bench, kind, { ...base, [field]: value });
            const others = wrong.filter(property => property.split(/[.[]/)[0] !== field);
            // Without what it replaces, a rule between fields may be broken, too.
            if (Object.hasOwn(base, field)) continue;
            assert.deepEqual(others, [], `${field}: ${JSON.stringify(value)?.slice(0, 100)}`);
          }
        });
      }

      it("Image: a change of what is there is told, or is no bad input", async () => {
        const bench = benches.get(title) as Bench;
        const args = bench.bases.Image as Values;
        const resource = urnOf();
        const { inputs } = await provider.checkInputs("image", args, { resource });
        const base = { resource, ...(await provider.create(inputs)) };
        const table = services[service]?.tables.Image?.() as FieldTable;
        await fc.assert(
          fc.asyncProperty(argumentsOf(table, args, bench.hints, []), async changed => {
            await attempt(bench, "Image", changed, base);
          }),
          { seed, numRuns: cases },
        );
        if (args.adopt === undefined) await provider.delete(base.id, { ...base.outputs, forceDelete: true });
      });
    });
  }
});

/** One odd value at a time, of each kind of field that a resource has. */
function writtenList(kind: Kind, fields: string[]): { field: string; value: unknown }[] {
  const values: Record<string, readonly unknown[]> = {
    ...(kind === "Image" ? { name: oddTexts } : { tag: oddTexts, member: oddTexts.slice(0, 20) }),
    tags: oddTexts.slice(0, 20).map(text => [text]),
    minDisk: oddNumbers,
    properties: [
      ...[...oddTexts.slice(0, 24), ...oddNames].map(text => Object.fromEntries([[text, "x"]])),
      ...oddTexts.slice(0, 30).map(text => ({ odd: text })),
      ...[nested(800, "object"), nested(800, "list"), { a: 1 }, { a: null }, ["a"], "a"],
    ],
    imageId: ["../x", "..%2f", "x".repeat(100_000), "", 5, {}, null, "1/../2", "1?x=y", "1#x", "\0"],
    connection: oddTexts.slice(0, 8),
    regions: [[], [""], ["../x"], "nyc3", ["nyc3", "nyc3"], ["NYC3"], nested(50, "list")],
    to: [
      {},
      [],
      "x",
      null,
      { connection: "" },
      { stores: ["__proto__"] },
      { regions: ["constructor"] },
      nested(800, "list"),
    ],
    adopt: [{}, { id: "../x" }, { id: "__proto__" }, { name: "" }, { name: "x", id: "y" }, [], nested(800, "object")],
    source: [
      {},
      [],
      "x",
      nested(800, "object"),
      { url: "ftp://x/y" },
      { url: "http://" },
      { file: "a", __proto__: null },
    ],
  };
  const known = Object.entries(values).filter(([field]) => fields.includes(field));
  const unknown = oddNames.map(field => ({ field, value: "x" }));
  return [...known.flatMap(([field, list]) => list.map(value => ({ field, value }))), ...unknown];
}

const timeouts = fc.constantFrom({ create: "1h30m" }, { delete: "90s", update: "0.5h" });

/** Sources right and wrong. */
function sources(url: string, { constantFrom }: typeof fc): fc.Arbitrary<unknown> {
  return constantFrom<unknown>(
    { url },
    { url, mode: "import" },
    { url, digest: "sha256:00" },
    { url, headers: { "X-Odd": "ü\u{1f427}" } },
    { url, headers: { "X-Odd": "\n" } },
    { url: "file:///etc/passwd" },
    { url: `${url}?a=${"x".repeat(5000)}` },
    { file: "../../../etc/passwd\0" },
    { file: "" },
    { file: "." },
    { file: "x".repeat(5000) },
    { file: "disk.raw", maxSize: -1 },
    { file: "disk.raw", digst: "x" },
    { file: "disk.raw", url },
    { sealed: "x" },
    { file: unknownValue },
    {},
  );
}
