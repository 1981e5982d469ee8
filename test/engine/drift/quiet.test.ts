import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../../cloud/cloud.ts";
import type { Account } from "../../cloud/openStackCloud.ts";
import { cloudOf, connectionOf, type TestCloud } from "../../openstack/clouds.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { ProviderProcess } from "../providerProcess.ts";
import { type Declared, Stack, type StateResource } from "../stack.ts";
import { disk, writeDisks } from "./data.ts";
import { refreshedOf } from "./drifting.ts";

/** Refreshes by the engine, a couple of seconds each: a few in every run of the tests, a hundred by `npm run drift:quiet`. */
const refreshes = Number(process.env.IMAGES_TEST_REFRESHES ?? 3);
/** Reads by the provider process, of everything that is in the stack. */
const reads = 100;

type Connections = Record<string, Record<string, unknown>>;

describe("A stack that is left alone", () => {
  let dir: string;
  let local: LocalCloud;
  let real: TestCloud;
  let files: FileServer;
  let stack: Stack;
  let connections: Connections;
  let first: Record<string, StateResource>;

  before(async function () {
    this.timeout(600_000);
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-quiet-"));
    const limits = { taskTime: 20, requestsPerHour: 1e9, requestsPerMinute: 1e9 };
    [local, real, files] = await Promise.all([
      startCloud({ dir, settings: { digitalocean: limits } }),
      cloudOf("real"),
      startFileServer(),
    ]);
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
    connections = connectionsOf(local, real);
    stack = await writeDisks(await Stack.create({ project: "quiet", config: { "images:connections": connections } }));
    await stack.up(await declared());
    first = await stack.state();
  });
  after(async () => {
    await stack?.dispose();
    await files?.stop();
    await local?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it(`shows nothing in ${refreshes} refreshes, and writes nothing`, async function () {
    this.timeout(refreshes * 120_000);
    local.requests.length = 0;
    real.forget();
    for (let round = 1; round <= refreshes; round++) {
      const run = await stack.run(["refresh", "--yes", "--skip-preview"], { events: true });
      assert.equal(run.code, 0, run.text);
      const loud = Object.keys(first).filter(name => refreshedOf(run, name) !== undefined);
      assert.deepEqual(loud, [], `refresh ${round}: ${run.text}`);
    }
    const now = await stack.state();
    for (const [name, { outputs, inputs }] of Object.entries(first)) {
      assert.deepEqual([now[name]?.outputs, now[name]?.inputs], [outputs, inputs], name);
    }
    const preview = await stack.preview(undefined, "--refresh", "--expect-no-changes");
    assert.equal(preview.code, 0, preview.text);
    const wrote = local.requests.filter(
      ({ method, path }) => method !== "GET" && method !== "HEAD" && !isQuestion(path),
    );
    assert.deepEqual([...wrote.map(({ method, path }) => `${method} ${path}`), ...real.writes()], []);
  });

  it(`shows nothing in ${reads} reads of each resource, through connections opened for each of them`, async function () {
    this.timeout(600_000);
    const opened = Object.entries(connections).flatMap(([name, connection]) =>
      Array.from({ length: reads }, (_, round) => [`${name} ${round}`, slashed(connection, round)]),
    );
    const config = { "images:connections": JSON.stringify(Object.fromEntries(opened)) };
    const provider = await ProviderProcess.start(stack.folder, {}, config);
    try {
      for (let round = 0; round < reads; round++) {
        const loud = await Promise.all(
          Object.entries(first).map(async ([name, { id, outputs, inputs }]) => {
            // Signing in to a real Keystone takes most of the time: there it is every fifth round, and each one in the long run.
            if (name.startsWith("real ") && round % 5 > 0 && refreshes < 100) return [];
            const [was, declared] = [throughRound(outputs, round), throughRound(inputs, round)];
            const seen = await provider.read(id, was);
            assert.deepEqual([seen.id, seen.outputs], [id, was], `${name}, read ${round}`);
            // What the program declares has to be what the read makes of it, or an update would follow.
            const { changes } = await provider.diff(id, seen.outputs, declared);
            return changes || !isWithin(seen.inputs, declared) ? [name] : [];
          }),
        );
        assert.deepEqual(loud.flat(), [], `read ${round}`);
      }
    } finally {
      await provider.stop();
    }
  });

  async function declared(): Promise<Declared[]> {
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    const odd = {
      ...{ number: "42", padded: "007", fraction: "1.50", yes: "true", no: "False", none: "None" },
      ...{ composed: "é", decomposed: "e\u0301" },
    };
    const of = (place: string, service: string) => {
      const make =
        (kind: Declared["kind"]) =>
        (name: string, args: Record<string, unknown>): Declared => ({
          kind,
          name: `${place} ${name}`,
          args: { service, connection: `${place} owner`, ...args },
        });
      const on = (name: string) => ({ $output: `${place} ${name}.id` });
      return { image: make("Image"), member: make("ImageMember"), tag: make("ImageTag"), copy: make("ImageCopy"), on };
    };
    const glance = (place: string, service: string, member?: string): Declared[] => {
      const { image, member: share, tag, copy, on } = of(place, service);
      const tags = service === "glance-v1" ? {} : { tags: ["b", "c", "a"] };
      const [name, description] = ["cafe\u0301 – größe", "two  blanks"];
      const fields = { minDisk: 1, minRam: 64, protected: true, forceDelete: true };
      return [
        image("full", {
          name,
          ...data,
          ...fields,
          ...tags,
          properties: { ...odd, description },
          exclusiveProperties: true,
        }),
        image("plain", { name: "plain", ...data }),
        image("empty", { name: "empty" }),
        ...(service === "glance-v1" ? [] : [tag("tag", { imageId: on("plain"), tag: "2026-11" })]),
        ...(member === undefined
          ? []
          : [
              share("member", {
                ...{ imageId: on("empty"), member: member.toUpperCase() },
                ...(service === "glance-v1" ? {} : { accept: { connection: `${place} consumer` } }),
              }),
            ]),
        copy("copy", { imageId: on("plain"), to: { connection: `${place} consumer`, name: "copy" } }),
      ].map(one =>
        one.kind === "ImageCopy" && service !== "glance-v1"
          ? { ...one, options: { dependsOn: [`${place} tag`] } }
          : one,
      );
    };
    const ocean = of("digitalocean", "digitalocean");
    const divvy = of("divvycloud", "divvycloud");
    const { services } = local;
    const consumer = (accounts: { consumer: Account }) => accounts.consumer.projectId;
    return [
      ...glance("real", "openstack", consumer(real.accounts)),
      ...glance("openstack", "openstack", consumer(services.openstack.accounts)),
      ...glance("ecl", "ecl", consumer(services.ecl.accounts)),
      ...glance("istack", "istack"),
      ...glance("glance-v1", "glance-v1", consumer(services["glance-v1"].accounts)),
      ocean.image("image", {
        ...{ name: "image", description: "café", distribution: "Debian", regions: ["nyc3", "ams3"] },
        source: { url: `${files.url}/disk.raw` },
      }),
      ocean.tag("tag", { imageId: ocean.on("image"), tag: "Quiet" }),
      ocean.copy("copy", { imageId: ocean.on("image"), to: { regions: ["fra1", "ams3"] } }),
      divvy.image("image", {
        instance: services.divvycloud.clouds.OPENSTACK?.instance,
        name: "image",
        minRam: 512,
        shared: false,
      }),
    ];
  }
});

/** Connections by place and account. */
function connectionsOf({ services }: LocalCloud, real: TestCloud): Connections {
  const keystone = (
    place: string,
    service: string,
    authUrl: string,
    accounts: Record<string, Account>,
    region?: string,
  ) =>
    Object.entries(accounts).map(([name, { username, password, projectId }]) => [
      `${place} ${name}`,
      {
        service,
        authUrl,
        username,
        password,
        userDomainId: "default",
        projectId,
        ...(region === undefined ? {} : { region }),
      },
    ]);
  const { openstack, ecl, istack, digitalocean, divvycloud } = services;
  const v1 = services["glance-v1"];
  return Object.fromEntries([
    ...Object.entries(real.accounts).map(([name, account]) => [`real ${name}`, connectionOf(real, account)]),
    ...keystone("openstack", "openstack", openstack.authUrl, openstack.accounts, openstack.regions[0]?.name),
    ...keystone("ecl", "ecl", ecl.authUrl, ecl.accounts),
    ...keystone("istack", "istack", istack.authUrl, istack.accounts),
    ...keystone("glance-v1", "glance-v1", v1.authUrl, v1.accounts),
    [
      "digitalocean owner",
      { service: "digitalocean", token: digitalocean.accounts.sender.token, endpoint: digitalocean.url },
    ],
    ["divvycloud owner", { service: "divvycloud", url: divvycloud.url, apiKey: divvycloud.admin.apiKey }],
  ]);
}

/** Every other time with a slash at the end of its addresses. */
function slashed(connection: Record<string, unknown>, round: number): Record<string, unknown> {
  if (round % 2 === 0) return connection;
  const entries = Object.entries(connection).map(([key, value]) => [
    key,
    ["authUrl", "endpoint", "url"].includes(key) ? `${String(value)}/` : value,
  ]);
  return Object.fromEntries(entries);
}

/** The same values, with connections that nobody has used before. */
function throughRound(values: Record<string, unknown>, round: number): Record<string, unknown> {
  return JSON.parse(JSON.stringify(values).replace(/"connection":"([^"]*)"/g, `"connection":"$1 ${round}"`));
}

function isWithin(part: Record<string, unknown>, whole: Record<string, unknown>): boolean {
  return Object.entries(part).every(([key, value]) => JSON.stringify(whole[key]) === JSON.stringify(value));
}

/** What is asked by POST, and signing in. */
function isQuestion(path: string): boolean {
  return /\/auth\/tokens|resource\/query|\/user\/login/.test(path);
}
