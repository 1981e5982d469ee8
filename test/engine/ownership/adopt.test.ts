import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import type { Run, Stack } from "../stack.ts";
import { GlanceBench, idOf } from "./glanceBench.ts";
import { type OwnerTag, ownerTagOf, unfinished, urnOf } from "./owner.ts";
import { assertLeftByDelete, assertSilent, warningsOf } from "./warnings.ts";

onEachCloud("Adoption", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(() => stack.dispose());

  const adopting = (id: string, more: Record<string, unknown> = {}, args: Record<string, unknown> = {}) =>
    bench.image("adopted", undefined, { name: "theirs", adopt: { id, ...more }, ...args });

  async function tagOf(id: string): Promise<Partial<OwnerTag>> {
    const { pulumi_images_resource, pulumi_images_stack } = await bench.owner.image(id);
    return { pulumi_images_resource, pulumi_images_stack } as Partial<OwnerTag>;
  }

  it("writes the owner tag, on an image that nothing else has to be changed of, too", async () => {
    const { id } = await bench.make({ name: "theirs" }, "one");
    await stack.up([adopting(id)]);
    assert.deepEqual(await tagOf(id), ownerTagOf(urnOf(stack, "adopted")));
    assertSilent(await stack.preview(undefined, "--refresh"));
    assert.deepEqual((await stack.outputs("adopted")).properties ?? {}, {});
  });

  it("of an image that another resource of the stack had, takes its place", async () => {
    await stack.up([bench.image("first", "one", { name: "theirs" })]);
    const id = await idOf(stack, "first");
    await stack.forget("first");
    await stack.up([adopting(id)]);
    assert.deepEqual(await tagOf(id), ownerTagOf(urnOf(stack, "adopted")));
  });

  /** A second stack, whose image is there. */
  async function another(): Promise<{ other: Stack; id: string }> {
    const other = await bench.newStack({ project: "another" });
    await other.up([bench.image("theirs", "one")]);
    return { other, id: await idOf(other, "theirs") };
  }

  function assertClaimed(run: Run, id: string): void {
    assert.notEqual(run.code, 0, run.text);
    assert.ok(run.text.includes(id), run.text);
    assert.match(run.text, /takeOver: true/);
  }

  it("of another stack's image is refused, and says how it can be had all the same", async () => {
    const { other, id } = await another();
    try {
      const before = await bench.owner.image(id);
      assertClaimed(await stack.tryUp([adopting(id)]), id);
      assertClaimed(await stack.tryUp([adopting(id, {}, { minDisk: 3 })]), id);
      assertClaimed(await stack.tryUp([adopting(id, { takeOver: false })]), id);
      assert.deepEqual(await bench.owner.image(id), before);
      assert.deepEqual(await stack.state(), {});
      assertSilent(await other.preview(undefined, "--refresh"));
    } finally {
      await other.dispose();
    }
  });

  it("of another stack's image by name is refused likewise", async () => {
    const { other, id } = await another();
    try {
      const name = `by name ${other.project}`;
      await bench.owner.set(id, { name });
      assertClaimed(await stack.tryUp([bench.image("adopted", undefined, { name, adopt: { name } })]), id);
    } finally {
      await other.dispose();
    }
  });

  it("of another stack's image with takeOver: that stack's destroy leaves it alone, and says so", async () => {
    const { other, id } = await another();
    try {
      await stack.up([adopting(id, { takeOver: true })]);
      assert.deepEqual(await tagOf(id), ownerTagOf(urnOf(stack, "adopted")));
      assertSilent(await stack.preview(undefined, "--refresh"));
      const destroyed = await other.destroy();
      assertLeftByDelete(warningsOf(destroyed), id);
      assert.deepEqual(await other.state(), {});
      await bench.assertHolds(id, "one");
      assertSilent(await stack.preview(undefined, "--refresh"));
      // What is written in the program stays there, and the image may be deleted by then.
      const run = await stack.destroy();
      assert.deepEqual(warningsOf(run), []);
      await bench.assertGone(id);
    } finally {
      await other.dispose();
    }
  });

  it("of another stack's image with takeOver: a replacement there leaves it alone, too", async () => {
    const { other, id } = await another();
    try {
      await stack.up([adopting(id, { takeOver: true })]);
      const run = await other.up([bench.image("theirs", "two")]);
      assertLeftByDelete(warningsOf(run), id);
      await bench.assertHolds(id, "one");
      await bench.assertHolds(await idOf(other, "theirs"), "two");
    } finally {
      await other.dispose();
    }
  });

  it("goes on after an up that failed behind it", async () => {
    const { id } = await bench.make({ name: "theirs" }, "one");
    const run = await stack.tryUp([adopting(id, {}, { diskFormat: "qcow2" })]);
    assert.notEqual(run.code, 0);
    assert.deepEqual(await tagOf(id), { pulumi_images_resource: undefined, pulumi_images_stack: undefined });
    await stack.up([adopting(id, {}, { diskFormat: "raw" })]);
    assert.deepEqual(await tagOf(id), ownerTagOf(urnOf(stack, "adopted")));
  });

  it("of an image that another run makes just now is refused", async () => {
    const tag = ownerTagOf("urn:pulumi:prod::shop::pulumi-nodejs:dynamic/images:Image::web");
    const { id } = await bench.make({ name: "theirs", ...tag, [unfinished]: new Date().toISOString() });
    assertClaimed(await stack.tryUp([adopting(id)]), id);
    assert.deepEqual(await tagOf(id), tag);
  });
});

onEachCloud("A delete and owner tags", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(() => stack.dispose());

  const property = "/pulumi_images_resource";

  it("deletes an image whose owner tag somebody removed", async () => {
    await stack.up([bench.image("web", "one")]);
    const id = await idOf(stack, "web");
    await bench.owner.patch(id, { op: "remove", path: property }, { op: "remove", path: "/pulumi_images_stack" });
    assertSilent(await stack.preview(undefined, "--refresh"));
    const run = await stack.destroy();
    assert.deepEqual(warningsOf(run), []);
    await bench.assertGone(id);
  });

  it("leaves an image alone that carries another's owner tag, and says so", async () => {
    await stack.up([bench.image("web", "one", { protected: true, forceDelete: true })]);
    const id = await idOf(stack, "web");
    await bench.owner.patch(id, { op: "replace", path: property, value: "f".repeat(32) });
    const before = await bench.owner.image(id);
    const run = await stack.destroy();
    assertLeftByDelete(warningsOf(run), id);
    assert.deepEqual(await stack.state(), {});
    assert.deepEqual(await bench.owner.image(id), before);
  });

  it("leaves it alone when its resource is replaced or its data is to change, too", async () => {
    await stack.up([bench.image("web", "one")]);
    const id = await idOf(stack, "web");
    await bench.owner.patch(id, { op: "replace", path: property, value: "f".repeat(32) });
    const run = await stack.up([bench.image("web", "two")]);
    assertLeftByDelete(warningsOf(run), id);
    await bench.assertHolds(id, "one");
    await bench.assertHolds(await idOf(stack, "web"), "two");
    assertSilent(await stack.preview());
  });

  it("deletes an image of an earlier version, whose state says nothing of the tag", async () => {
    await stack.up([bench.image("web", "one")]);
    const id = await idOf(stack, "web");
    await stack.editState(resources => {
      for (const { outputs } of resources) delete outputs?.ownerTag;
      return resources;
    });
    assertSilent(await stack.preview());
    const run = await stack.destroy();
    assert.deepEqual(warningsOf(run), []);
    await bench.assertGone(id);
  });
});
