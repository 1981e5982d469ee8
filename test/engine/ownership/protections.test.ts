import assert from "node:assert/strict";
import type { Recorder } from "../../../tools/recorder/recorder.ts";
import type { PropertyProtection } from "../../cloud/images/protections.ts";
import type { Restrictions } from "../../cloud/openStackCloud.ts";
import { onEachCloud } from "../../openstack/clouds.ts";
import type { Stack } from "../stack.ts";
import { GlanceBench, idOf } from "./glanceBench.ts";
import { ownerTagOf, urnOf } from "./owner.ts";
import { assertLeftByCreate, assertLeftByDelete, assertSilent, warningsOf } from "./warnings.ts";

const everybody = ["admin", "member"];
const open = { create: everybody, read: everybody, update: everybody, delete: everybody };

/** Properties for administrators only, but those that images come with. */
const reserved: PropertyProtection[] = [
  { property: "^pulumi_.*", create: ["admin"], read: [...everybody, "reader"], update: ["admin"], delete: ["admin"] },
  { property: ".*", ...open },
];

onEachCloud("Where properties can't be written", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  const recorder = () => cloud().recorders[0] as Recorder;
  before(async () => {
    await cloud().restrict({ propertyProtections: reserved });
    bench = await GlanceBench.open(cloud());
  });
  after(() => cloud().restrict({}));
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(async () => {
    recorder().faults.clear();
    await stack.dispose();
  });

  /** The owner tag as image tags carry it. */
  const tagsOf = (name: string, of = stack): string[] => {
    const { pulumi_images_resource, pulumi_images_stack } = ownerTagOf(urnOf(of, name));
    return [`pulumi_images_resource=${pulumi_images_resource}`, `pulumi_images_stack=${pulumi_images_stack}`];
  };
  async function assertTags(id: string, name: string, ...own: string[]): Promise<void> {
    const { tags } = await bench.owner.image(id);
    // An adopted image says since when, too.
    const rest = tags.filter(tag => !tag.startsWith("pulumi_images_adopted="));
    assert.deepEqual(rest.toSorted(), [...own, ...tagsOf(name)].toSorted());
  }
  const ofThisStack = async () => await bench.owner.list(`tag=${tagsOf("web")[1]}`);

  it("makes images, whose owner tag is image tags that no output shows", async () => {
    const declared = [bench.image("web", "one"), bench.image("tagged", "two", { tags: ["a", "b"] })];
    const run = await stack.up(declared);
    assert.deepEqual(warningsOf(run), []);
    await assertTags(await idOf(stack, "web"), "web");
    await assertTags(await idOf(stack, "tagged"), "tagged", "a", "b");
    await bench.assertHolds(await idOf(stack, "web"), "one");
    assert.deepEqual((await stack.outputs("web")).tags ?? [], []);
    assert.deepEqual((await stack.outputs("tagged")).tags, ["a", "b"]);
    assertSilent(await stack.preview());
    assertSilent(await stack.preview(undefined, "--refresh"));
    const ids = [await idOf(stack, "web"), await idOf(stack, "tagged")];
    assert.deepEqual(warningsOf(await stack.destroy()), []);
    for (const id of ids) await bench.assertGone(id);
  });

  it("keeps it through every change of tags, by Image and by ImageTag", async () => {
    const tagged = (tags?: string[]) => bench.image("web", "one", tags === undefined ? {} : { tags });
    await stack.up([tagged(["a", "b"])]);
    const id = await idOf(stack, "web");
    for (const tags of [["b", "c"], [], ["d"]]) {
      await stack.up([tagged(tags)]);
      await assertTags(id, "web", ...tags);
      assert.deepEqual((await stack.outputs("web")).tags, tags);
      assertSilent(await stack.preview(undefined, "--refresh"));
    }
    await stack.up([tagged()]);
    await assertTags(id, "web", "d");
    const part = bench.part("ImageTag", "golden", { imageId: id, tag: "golden" });
    await stack.up([tagged(), part]);
    await assertTags(id, "web", "d", "golden");
    await stack.up([bench.image("web", "one", { name: "renamed" })]);
    await assertTags(id, "web", "d");
    assert.equal((await bench.owner.image(id)).name, "renamed");
    await stack.destroy();
    await bench.assertGone(id);
  });

  it("doesn't take its tags for drift, and repairs what else was done to the tags", async () => {
    const declared = [bench.image("web", "one", { tags: ["a"] })];
    await stack.up(declared);
    const id = await idOf(stack, "web");
    await bench.owner.send("PUT", `/v2/images/${id}/tags/stray`);
    const preview = await stack.preview(undefined, "--refresh");
    assert.deepEqual(preview.diffs.web, ["tags"]);
    assert.ok(!preview.text.includes("pulumi_images_"), preview.text);
    await stack.up(undefined, "--refresh");
    await assertTags(id, "web", "a");
  });

  it("refuses a program's own tags of that form", async () => {
    const tags = [`pulumi_images_resource=${"f".repeat(32)}`];
    const preview = await stack.preview([bench.image("web", "one", { tags })]);
    assert.notEqual(preview.code, 0, preview.text);
    assert.match(preview.text, /pulumi_images_resource=/);
  });

  for (const disk of ["one", "two"] as const) {
    it(`resumes what a killed run began, with ${disk === "one" ? "the same" : "other"} data`, async () => {
      let reached = () => {};
      const held = new Promise<void>(resolve => {
        reached = resolve;
      });
      recorder().faults.add({ method: "PUT", path: /\/file$/, hook: () => reached(), delayMs: 1500 });
      await stack.declare([bench.image("web", "one", { tags: ["a"] })]);
      const killed = stack.start(["up", "--yes", "--skip-preview"]);
      await held;
      killed.kill("SIGKILL");
      await stack.run(["cancel", "--yes"]);
      const [left, ...more] = await ofThisStack();
      assert.deepEqual(more, []);
      assert.ok(left?.tags.some(tag => /^pulumi_images_unfinished=\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(tag)));
      await stack.up([bench.image("web", disk, { tags: ["a"] })]);
      const id = await idOf(stack, "web");
      assert.deepEqual(
        (await ofThisStack()).map(image => image.id),
        [id],
      );
      await assertTags(id, "web", "a");
      await bench.assertHolds(id, disk);
    });
  }

  it("leaves a finished image alone that another resource has by an alias now, with other data", async () => {
    await stack.up([bench.image("web", "one")]);
    const old = await idOf(stack, "web");
    await stack.up([bench.image("previous", "one", { name: "web" }, { aliases: [{ name: "web" }] })]);
    const declared = [bench.image("previous", "one", { name: "web" }), bench.image("web", "two")];
    assertLeftByCreate(warningsOf(await stack.preview(declared)), { id: old, name: "web" });
    assertLeftByCreate(warningsOf(await stack.up()), { id: old, name: "web" });
    await bench.assertHolds(old, "one");
    await bench.assertHolds(await idOf(stack, "web"), "two");
    assertSilent(await stack.preview());
    const id = await idOf(stack, "web");
    await stack.destroy();
    for (const gone of [old, id]) await bench.assertGone(gone);
  });

  it("adopts images, keeping their tags; after a rename they stay", async () => {
    const { id } = await bench.make({ name: "theirs", tags: ["gold"] }, "one");
    const adopting = (name: string) => bench.image(name, undefined, { name: "theirs", adopt: { id } });
    await stack.up([adopting("a")]);
    await assertTags(id, "a", "gold");
    assertLeftByDelete(warningsOf(await stack.up([adopting("b")])), id);
    await assertTags(id, "b", "gold");
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.destroy();
    await bench.assertGone(id);
  });

  it("asks for takeOver where another stack's image tag is, and that stack leaves the image alone then", async () => {
    const other = await bench.newStack({ project: "another" });
    try {
      await other.up([bench.image("theirs", "one")]);
      const id = await idOf(other, "theirs");
      const adopting = (more = {}) => bench.image("web", undefined, { name: "theirs", adopt: { id, ...more } });
      const refused = await stack.tryUp([adopting()]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /takeOver: true/);
      await stack.up([adopting({ takeOver: true })]);
      await assertTags(id, "web");
      assertLeftByDelete(warningsOf(await other.destroy()), id);
      await bench.assertHolds(id, "one");
    } finally {
      await other.dispose();
    }
  });

  it("deletes an image whose tags somebody removed", async () => {
    await stack.up([bench.image("web", "one")]);
    const id = await idOf(stack, "web");
    await bench.owner.set(id, { tags: [] });
    assert.deepEqual(warningsOf(await stack.destroy()), []);
    await bench.assertGone(id);
  });

  it("goes on with images that were made while properties could be written", async () => {
    await cloud().restrict({});
    await stack.up([bench.image("web", "one", { tags: ["a"] })]);
    const id = await idOf(stack, "web");
    await cloud().restrict({ propertyProtections: reserved });
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.up([bench.image("web", "one", { tags: ["b"], name: "renamed" })]);
    assert.equal((await bench.owner.image(id)).name, "renamed");
    assert.deepEqual(warningsOf(await stack.destroy()), []);
    await bench.assertGone(id);
  });

  it("copies an image to another region, whose owner tag is image tags, too", async () => {
    const elsewhere = await cloud().as("owner", 1);
    await stack.up([
      bench.image("web", "one"),
      bench.part("ImageCopy", "copy", { imageId: { $output: "web.id" }, to: { connection: "elsewhere" } }),
    ]);
    const copy = String((await stack.outputs("copy")).copyId);
    await bench.assertHolds(copy, "one", elsewhere);
    const { tags } = await elsewhere.image(copy);
    const { pulumi_images_resource } = ownerTagOf(urnOf(stack, "copy", "ImageCopy"));
    assert.ok(tags.includes(`pulumi_images_resource=${pulumi_images_resource}`), String(tags));
    assert.ok(!tags.some(tag => tag.startsWith("pulumi_images_unfinished")), String(tags));
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.destroy();
    await bench.assertGone(copy, elsewhere);
  });
});

onEachCloud("Where properties can't be read either", cloud => {
  it("makes an image, updates it and deletes it", async () => {
    const bench = await GlanceBench.open(cloud());
    const stack = await bench.newStack();
    const hidden = reserved.map(rule => (rule.property === ".*" ? rule : { ...rule, read: ["admin"] }));
    await cloud().restrict({ propertyProtections: hidden });
    try {
      await stack.up([bench.image("web", "one", { tags: ["a"] })]);
      const id = await idOf(stack, "web");
      assertSilent(await stack.preview(undefined, "--refresh"));
      await stack.up([bench.image("web", "one", { tags: ["b"], minDisk: 1 })]);
      assert.deepEqual(warningsOf(await stack.destroy()), []);
      await bench.assertGone(id);
    } finally {
      await cloud().restrict({});
      await stack.dispose();
    }
  });
});

onEachCloud("Where neither properties nor tags can be written", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  const neither: Restrictions = { propertyProtections: reserved, maxTags: 0 };
  before(async () => {
    await cloud().restrict(neither);
    bench = await GlanceBench.open(cloud());
  });
  after(() => cloud().restrict({}));
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(() => stack.dispose());

  it("makes images all the same, and warns of what isn't safe then", async () => {
    const run = await stack.up([bench.image("web", "one", { properties: { os_distro: "debian" } })]);
    const id = await idOf(stack, "web");
    await bench.assertHolds(id, "one");
    const image = await bench.owner.image(id);
    assert.deepEqual([image.os_distro, image.tags], ["debian", []]);
    const warnings = warningsOf(run);
    assert.equal(warnings.length, 1, JSON.stringify(warnings));
    assert.match(warnings[0] as string, /pulumi_images_/);
    assert.match(warnings[0] as string, /tag/);
    assertSilent(await stack.preview());
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.up([bench.image("web", "one", { properties: { os_distro: "ubuntu" } })]);
    assert.equal((await bench.owner.image(id)).os_distro, "ubuntu");
    await stack.destroy();
    await bench.assertGone(id);
  });

  it("removes and shares no image of whatever name or data", async () => {
    await stack.up([bench.image("web", "one")]);
    const old = await idOf(stack, "web");
    await stack.forget("web");
    await stack.up([bench.image("web", "two")]);
    await bench.assertHolds(old, "one");
    await bench.assertHolds(await idOf(stack, "web"), "two");
    assert.notEqual(await idOf(stack, "web"), old);
    await stack.up([bench.image("web", "one")]);
    await bench.assertHolds(old, "one");
    await stack.destroy();
    await bench.assertHolds(old, "one");
  });

  it("adopts an image, with the same warning", async () => {
    const { id } = await bench.make({ name: "theirs" }, "one");
    const run = await stack.up([bench.image("web", undefined, { name: "theirs", adopt: { id } })]);
    assert.equal(warningsOf(run).length, 1, JSON.stringify(warningsOf(run)));
    assert.equal(await idOf(stack, "web"), id);
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.destroy();
    await bench.assertGone(id);
  });

  it("tells a property of the program's own that is refused from its own", async () => {
    // Other tests leave images on the same cloud.
    const name = `refused ${crypto.randomUUID()}`;
    const refused = await stack.tryUp([bench.image("web", "one", { name, properties: { pulumi_other: "1" } })]);
    assert.notEqual(refused.code, 0, refused.text);
    assert.match(refused.text, /pulumi_other/);
    const query = `name=${encodeURIComponent(name)}&owner=${cloud().accounts.owner.projectId}&status=queued`;
    assert.deepEqual(await bench.owner.list(query), []);
  });
});
