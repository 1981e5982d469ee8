import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { peakOf } from "../support/memory.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { Stack } from "./stack.ts";

type Values = Record<string, unknown>;

/** `npm run load` is 64 times 64 MiB, and 2,000 operations; here they are smaller and fewer. */
const uploads = 64;
const mebibytes = Number(process.env.IMAGES_LOAD_MIB ?? 2);
const operations = Number(process.env.IMAGES_LOAD_OPERATIONS ?? 500);

/** Everything at once, handed to the provider as the engine hands it over with --parallel. */
describe("Under load, from a cloud that answers 5 % with 503 and drops 2 % of the connections", () => {
  let dir: string;
  let cloud: LocalCloud;
  let stack: Stack;
  let provider: ProviderProcess;
  let api: ImageApi;
  let member: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-load-"));
    cloud = await startCloud({ dir, services: ["openstack"] });
    const { accounts, authUrl, regions } = cloud.openstack;
    member = accounts.consumer.projectId;
    api = await ImageApi.signIn(authUrl, accounts.owner, regions[0]?.imageUrl as string);
    stack = await Stack.create({ project: "load" });
    provider = await ProviderProcess.start(stack.folder, environmentOf(cloud.openstack, accounts.owner));
  });
  after(async () => {
    await provider?.stop();
    await stack?.dispose();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const images = () => api.list();

  async function create(kind: "image" | "imageTag" | "imageMember", name: string, args: Values): Promise<string> {
    const resource = `urn:pulumi:dev::load::images::${name}`;
    const { failures, inputs } = await provider.checkInputs(kind, { service: "openstack", ...args }, { resource });
    assert.deepEqual(failures, []);
    return (await provider.create(inputs)).id;
  }

  function misbehave(): void {
    cloud.faults.add({ every: 20, count: Number.POSITIVE_INFINITY, status: 503 });
    cloud.faults.add({ every: 95, count: Number.POSITIVE_INFINITY, drop: "before" });
    cloud.faults.add({ every: 95, count: Number.POSITIVE_INFINITY, drop: "after" });
  }

  it(`${uploads} uploads of ${mebibytes} MiB at once arrive, each once and whole, in flat memory`, async () => {
    const size = mebibytes * 2 ** 20;
    const names = Array.from({ length: uploads }, (_, n) => `upload ${n}`);
    for (const name of names) {
      await writeFile(join(stack.folder, name), name);
      await truncate(join(stack.folder, name), size);
    }
    misbehave();
    try {
      const data = { diskFormat: "raw", containerFormat: "bare" };
      await Promise.all(names.map(name => create("image", name, { name, ...data, source: { file: name } })));
    } finally {
      cloud.faults.clear();
    }
    const made = await images();
    assert.deepEqual(made.map(({ name }) => name).toSorted(), names.toSorted());
    const zeros = Buffer.alloc(2 ** 20);
    for (const { name, status, os_hash_value } of made) {
      assert.equal(status, "active");
      const hash = createHash("sha512")
        .update(name)
        .update(zeros.subarray(Buffer.byteLength(name)));
      for (let n = 1; n < mebibytes; n++) hash.update(zeros);
      assert.equal(os_hash_value, hash.digest("hex"), name);
    }
    if (!existsSync("/proc/self/status")) return;
    // 64 uploads at once have 64 windows of data; what they don't have is their images in memory.
    const peak = await peakOf(stack.folder);
    assert.ok(peak < 500, `${Math.round(peak)} MiB`);
    if (process.env.IMAGES_LOAD_MIB) console.log(`      ${Math.round(peak)} MiB at most`);
  }).timeout(1_800_000);

  it(`${operations} small operations at once are done, none of them twice`, async () => {
    const count = operations / 4;
    const before = new Set((await images()).map(({ id }) => id));
    const targets = await Promise.all(
      Array.from({ length: count / 5 }, (_, n) => api.create({ name: `target ${n}`, visibility: "shared" })),
    );
    const target = (n: number) => targets[n % targets.length]?.id;
    // Two resources of one program can't adopt one image, nor share it with one project.
    const adoptees = await Promise.all(
      Array.from({ length: count }, (_, n) => api.create({ name: `adoptee ${n}`, visibility: "shared" })),
    );
    misbehave();
    try {
      await Promise.all(
        Array.from({ length: count }, (_, n) => [
          create("image", `small ${n}`, { name: `small ${n}`, properties: { n: String(n) } }),
          create("imageTag", `tag ${n}`, { imageId: target(n), tag: `tag ${n}` }),
          create("image", `adopted ${n}`, { adopt: { id: adoptees[n]?.id }, properties: { [`p${n}`]: "x" } }),
          create("imageMember", `member ${n}`, { imageId: adoptees[n]?.id, member }),
        ]).flat(),
      );
    } finally {
      cloud.faults.clear();
    }
    const now = (await images()).filter(({ id }) => !before.has(id));
    const small = now.filter(({ name }) => name.startsWith("small "));
    assert.deepEqual(
      small.map(({ name, n }) => `${name} ${String(n)}`).toSorted(),
      Array.from({ length: count }, (_, n) => `small ${n} ${n}`).toSorted(),
    );
    const numbers = Array.from({ length: count }, (_, n) => n);
    for (const [index, { id }] of targets.entries()) {
      const mine = numbers.filter(n => n % targets.length === index);
      const image = await api.image(id);
      assert.deepEqual(image.tags.toSorted(), mine.map(n => `tag ${n}`).toSorted());
    }
    for (const [n, { id }] of adoptees.entries()) {
      assert.equal((await api.image(id))[`p${n}`], "x", "a property that was lost");
      const { members } = (await (await api.send("GET", `/v2/images/${id}/members`)).json()) as { members: unknown[] };
      assert.equal(members.length, 1);
    }
  }).timeout(1_800_000);
});
