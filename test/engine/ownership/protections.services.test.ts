import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../../cloud/cloud.ts";
import type { PropertyProtection } from "../../cloud/images/protections.ts";
import { noise } from "../../support/disk.ts";
import { GlanceV1Api } from "../../support/glanceV1Api.ts";
import { ImageBench, until } from "../imageBench.ts";
import { type Declared, Stack } from "../stack.ts";
import { idOf } from "./glanceBench.ts";
import { ownerTagOf, urnOf } from "./owner.ts";
import { assertSilent, warningsOf } from "./warnings.ts";

const open = { create: ["@"], read: ["@"], update: ["@"], delete: ["@"] };
const reserved: PropertyProtection[] = [
  { property: "^pulumi_.*", create: ["admin"], read: ["@"], update: ["admin"], delete: ["admin"] },
  { property: ".*", ...open },
];

for (const service of ["ecl", "istack"] as const) {
  describe(`${service}, where properties can't be written`, () => {
    let bench: ImageBench;
    let stack: Stack;
    before(async () => {
      bench = await ImageBench.start(service);
    });
    after(() => bench.stop());
    beforeEach(async () => {
      Object.assign(bench.cloud.settings[service], { propertyProtections: reserved, maxTags: 128 });
      stack = await bench.newStack("protections");
    });
    afterEach(() => stack.dispose());

    async function assertTags(id: string, ...own: string[]): Promise<void> {
      const tag = Object.entries(ownerTagOf(urnOf(stack, "web"))).map(([name, value]) => `${name}=${value}`);
      assert.deepEqual((await bench.owner.image(id)).tags.toSorted(), [...own, ...tag].toSorted());
    }

    it("makes an image, whose owner tag is image tags, and keeps it through changes of tags", async () => {
      const run = await stack.up([bench.image("web", { tags: ["a"] })]);
      assert.deepEqual(warningsOf(run), []);
      const id = await idOf(stack, "web");
      await assertTags(id, "a");
      assert.deepEqual((await stack.outputs("web")).tags, ["a"]);
      assertSilent(await stack.preview(undefined, "--refresh"));
      await stack.up([bench.image("web", { tags: ["b"], minDisk: 2 })]);
      await assertTags(id, "b");
      const tag: Declared = {
        kind: "ImageTag",
        name: "golden",
        args: { service, connection: "owner", imageId: id, tag: "golden" },
      };
      await stack.up([bench.image("web", { minDisk: 2 }), tag]);
      await assertTags(id, "b", "golden");
      await stack.up([bench.image("web", { minDisk: 2 })]);
      await assertTags(id, "b");
      await stack.destroy();
      assert.equal(await bench.owner.exists(id), false);
    });

    it("resumes what a killed run began", async () => {
      bench.forget();
      bench.cloud.faults.add({ method: "PUT", path: /\/file$/, delay: 1500 });
      await stack.declare([bench.image("web")]);
      const run = stack.start(["up", "--yes", "--skip-preview"]);
      await until(() => (bench.writes().some(write => write.endsWith("/file")) ? true : undefined));
      run.kill("SIGKILL");
      await stack.run(["cancel", "--yes"]);
      await stack.up();
      const id = await idOf(stack, "web");
      const own = (await bench.owner.list()).filter(({ tags }) =>
        tags.includes(`pulumi_images_stack=${ownerTagOf(urnOf(stack, "web")).pulumi_images_stack}`),
      );
      assert.deepEqual(
        own.map(image => image.id),
        [id],
      );
      await assertTags(id);
    });

    it("makes an image where tags can't be written either, and warns of what isn't safe then", async () => {
      Object.assign(bench.cloud.settings[service], { maxTags: 0 });
      const run = await stack.up([bench.image("web")]);
      assert.equal(warningsOf(run).length, 1, JSON.stringify(warningsOf(run)));
      const id = await idOf(stack, "web");
      assert.deepEqual((await bench.owner.image(id)).tags, []);
      assertSilent(await stack.preview(undefined, "--refresh"));
      await stack.destroy();
      assert.equal(await bench.owner.exists(id), false);
    });
  });
}

describe("glance-v1, where properties can't be written", () => {
  const service = "glance-v1";
  const disk = Uint8Array.from(noise("protections", 20_000));
  let dir: string;
  let cloud: LocalCloud;
  let api: GlanceV1Api;
  let stack: Stack;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-protections-"));
    const settings = { "glance-v1": { adminProperties: ["^pulumi_"] } };
    cloud = await startCloud({ dir, services: [service], settings });
    const { authUrl, accounts, imageUrl } = cloud.services[service];
    api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
  });
  after(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const { authUrl, accounts, region } = cloud.services[service];
    const { username, password, userDomain, projectId } = accounts.owner;
    const owner = { service, authUrl, username, password, userDomainName: userDomain, projectId, region };
    stack = await Stack.create({ project: "protections", config: { "images:connections": { owner } } });
    await writeFile(join(stack.folder, "disk.raw"), disk);
  });
  afterEach(() => stack.dispose());

  const image = (args: Record<string, unknown> = {}): Declared => ({
    kind: "Image",
    name: "web",
    args: { service, connection: "owner", name: "web", ...args },
  });
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };

  it("refuses them as Glance 11 does, to all but administrators", async () => {
    await assert.rejects(
      api.create({ name: "web", "property-pulumi_images_resource": "1" }),
      /403.*Property 'pulumi_images_resource' is protected/s,
    );
    const { id } = await api.create({ name: "web", "property-os_distro": "debian" });
    await assert.rejects(api.setProperties(id, { pulumi_x: "1" }), /Property 'pulumi_x' is protected/);
    assert.deepEqual((await api.image(id)).properties, { os_distro: "debian" });
    await api.delete(id);
  });

  it("makes an image, warns of what isn't safe then, updates it and deletes it", async () => {
    const run = await stack.up([image({ ...data, properties: { os_distro: "debian" } })]);
    assert.equal(warningsOf(run).length, 1, JSON.stringify(warningsOf(run)));
    const id = await idOf(stack, "web");
    assert.deepEqual((await api.image(id)).properties, { os_distro: "debian" });
    assert.deepEqual(Uint8Array.from(await api.data(id)), disk);
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.up([image({ ...data, properties: { os_distro: "ubuntu" } })]);
    assert.deepEqual((await api.image(id)).properties, { os_distro: "ubuntu" });
    await stack.destroy();
    assert.equal(await api.find(id), undefined);
  });

  it("removes and shares no image that its state doesn't have", async () => {
    await stack.up([image(data)]);
    const old = await idOf(stack, "web");
    await stack.forget("web");
    await stack.up([image(data)]);
    const id = await idOf(stack, "web");
    assert.notEqual(id, old);
    await stack.destroy();
    assert.equal(await api.find(id), undefined);
    assert.equal((await api.image(old)).status, "active");
  });

  it("adopts an image, with the same warning", async () => {
    const { id } = await api.create({ name: "theirs", disk_format: "raw", container_format: "bare" }, disk);
    const run = await stack.up([image({ name: "theirs", adopt: { id } })]);
    assert.equal(warningsOf(run).length, 1, JSON.stringify(warningsOf(run)));
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.destroy();
    assert.equal(await api.find(id), undefined);
  });

  it("tells a property of the program's own that is refused from its own", async () => {
    const run = await stack.tryUp([image({ name: "refused", properties: { pulumi_other: "1" } })]);
    assert.notEqual(run.code, 0, run.text);
    assert.match(run.text, /pulumi_other/);
    assert.deepEqual(await api.list("name=refused"), []);
  });
});
