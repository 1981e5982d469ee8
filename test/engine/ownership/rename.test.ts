import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import type { Declared, Stack } from "../stack.ts";
import { GlanceBench, idOf } from "./glanceBench.ts";
import { ownerTagOf, urnOf } from "./owner.ts";
import { assertLeftByCreate, assertLeftByDelete, assertSilent, warningsOf } from "./warnings.ts";

onEachCloud("A resource of another name", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(() => stack.dispose());

  for (const by of ["id", "name"] as const) {
    it(`keeps an image that was adopted by its ${by}`, async () => {
      const name = `adopted by ${by} ${stack.project}`;
      const { id } = await bench.make({ name }, "one");
      const adopting = (resource: string) =>
        bench.image(resource, undefined, { name, adopt: by === "id" ? { id } : { name } });
      await stack.up([adopting("a")]);
      const run = await stack.up([adopting("b")]);
      await bench.assertHolds(id, "one");
      assert.deepEqual(Object.keys(await stack.state()), ["b"]);
      assert.equal(await idOf(stack, "b"), id);
      const { pulumi_images_resource } = await bench.owner.image(id);
      assert.equal(pulumi_images_resource, ownerTagOf(urnOf(stack, "b")).pulumi_images_resource);
      assertLeftByDelete(warningsOf(run), id);
      assertSilent(await stack.preview(undefined, "--refresh"));
      await stack.destroy();
      await bench.assertGone(id);
    });
  }

  it("replaces an image that isn't adopted, as was asked for", async () => {
    await stack.up([bench.image("a", "one", { name: "web" })]);
    const old = await idOf(stack, "a");
    const run = await stack.up([bench.image("b", "one", { name: "web" })]);
    assert.deepEqual(warningsOf(run), []);
    await bench.assertGone(old);
    await bench.assertHolds(await idOf(stack, "b"), "one");
  });

  it("keeps its image by an alias, through updates, and deletes it at the end", async () => {
    await stack.up([bench.image("a", "one")]);
    const id = await idOf(stack, "a");
    const renamed = (args: Record<string, unknown>) => bench.image("b", "one", args, { aliases: [{ name: "a" }] });
    assert.equal((await stack.up([renamed({ name: "a" })])).steps.b, "same");
    assert.equal((await stack.up([renamed({ name: "another" })])).steps.b, "update");
    await bench.assertHolds(id, "one");
    const run = await stack.destroy();
    assert.deepEqual(warningsOf(run), []);
    await bench.assertGone(id);
  });

  it("in another stack, where state move took it, is the same image; its old name makes a new one", async () => {
    await stack.up([bench.image("web", "one")]);
    const id = await idOf(stack, "web");
    const other = await stack.another("other");
    await stack.moveTo(other, "web");
    assertSilent(await other.preview());
    assert.equal((await other.up([bench.image("web", "one", { minDisk: 3 })])).steps.web, "update");
    const run = await stack.up([bench.image("web", "two")]);
    assertLeftByCreate(warningsOf(run), { id, name: "web" });
    await bench.assertHolds(id, "one");
    const made = await idOf(stack, "web");
    await bench.assertHolds(made, "two");
    await other.destroy();
    await bench.assertGone(id);
    await bench.assertHolds(made, "two");
    await stack.destroy();
    await bench.assertGone(made);
  });
});

/** What belongs to an image and is managed by itself. */
interface PartOfImage {
  kind: "ImageMember" | "ImageTag" | "ImageCopy";
  args: (base: string) => Record<string, unknown>;
  there: (base: string) => Promise<boolean>;
}

onEachCloud("Resources that declare the same part of an image", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  let base: string;
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  beforeEach(async () => {
    stack = await bench.newStack();
    // An administrator's, who may copy to stores and remove from them.
    base = (await bench.make({ name: "base", visibility: "shared" }, "one", bench.admin)).id;
  });
  afterEach(async () => {
    await bench.admin.delete(base);
    await stack.dispose();
  });

  const member = () => cloud().accounts.consumer.projectId;
  const parts: Record<string, PartOfImage> = {
    "a tag": {
      kind: "ImageTag",
      args: imageId => ({ connection: "admin", imageId, tag: "golden" }),
      there: async id => (await bench.admin.image(id)).tags.includes("golden"),
    },
    "a member": {
      kind: "ImageMember",
      args: imageId => ({ connection: "admin", imageId, member: member() }),
      async there(id) {
        const answer = await bench.admin.send("GET", `/v2/images/${id}/members`);
        const { members } = (await answer.json()) as { members: { member_id: string }[] };
        return members.some(({ member_id }) => member_id === member());
      },
    },
    "a copy in a store": {
      kind: "ImageCopy",
      args: imageId => ({ connection: "admin", imageId, to: { stores: ["slow"] } }),
      there: async id =>
        String((await bench.admin.image(id)).stores)
          .split(",")
          .includes("slow"),
    },
  };

  for (const [what, { kind, args, there }] of Object.entries(parts)) {
    const declared = (name: string): Declared => bench.part(kind, name, args(base));

    it(`${what}: of another name, it stays`, async () => {
      await stack.up([declared("a")]);
      await stack.up([declared("b")]);
      assert.equal(await there(base), true);
      assert.deepEqual(Object.keys(await stack.state()), ["b"]);
      assertSilent(await stack.preview(undefined, "--refresh"));
      await stack.up([]);
      assert.equal(await there(base), false);
    });

    it(`${what}: twice in a program is an error at preview that names both`, async () => {
      cloud().forget();
      const preview = await stack.preview([declared("first-one"), declared("second-one")]);
      assert.notEqual(preview.code, 0, preview.text);
      const errors = preview.events.flatMap(({ diagnosticEvent: said }) =>
        said?.severity === "error" ? [said.message] : [],
      );
      assert.ok(
        errors.some(text => text.includes("first-one") && text.includes("second-one")),
        preview.text,
      );
      assert.deepEqual(cloud().writes(), []);
    });

    it(`${what}: twice in a state, one of which is removed, stays for the other`, async () => {
      await stack.up([declared("a")]);
      await stack.editState(resources => {
        const one = resources.find(({ urn }) => urn.endsWith("::a"));
        assert.ok(one);
        const resource = (values: Record<string, unknown>) => ({ ...values, resource: urnOf(stack, "b", kind) });
        const other = { urn: urnOf(stack, "b", kind), inputs: resource(one.inputs), outputs: resource(one.outputs) };
        return [...resources, { ...one, ...other }];
      });
      assert.deepEqual(Object.keys(await stack.state()), ["a", "b"]);
      await stack.up([declared("b")]);
      assert.equal(await there(base), true);
      assertSilent(await stack.preview(undefined, "--refresh"));
      await stack.up([]);
      assert.equal(await there(base), false);
    });
  }

  it("a tag: two that change places, and one that another takes over, are all there at the end", async () => {
    const tag = (name: string, text: string): Declared =>
      bench.part("ImageTag", name, { connection: "admin", imageId: base, tag: text });
    const tags = async () => (await bench.admin.image(base)).tags.filter(text => !text.includes("pulumi_")).toSorted();
    await stack.up([tag("a", "x"), tag("b", "y")]);
    await stack.up([tag("a", "y"), tag("b", "x")]);
    assert.deepEqual(await tags(), ["x", "y"]);
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.up([tag("b", "y")]);
    assert.deepEqual(await tags(), ["y"]);
    assertSilent(await stack.preview(undefined, "--refresh"));
  });

  it("a tag: a preview sees that one comes to declare what another does", async () => {
    const tag = (name: string, text: string): Declared =>
      bench.part("ImageTag", name, { connection: "admin", imageId: base, tag: text });
    await stack.up([tag("first-one", "x"), tag("second-one", "y")]);
    const preview = await stack.preview([tag("first-one", "x"), tag("second-one", "x")]);
    assert.notEqual(preview.code, 0, preview.text);
    assert.match(preview.text, /first-one.*second-one|second-one.*first-one/s);
  });

  it("a copy in another region: of another name, it is another image, and the first one goes", async () => {
    const elsewhere = await cloud().as("owner", 1);
    const { id } = await bench.make({ name: "copied" }, "two");
    const copy = (name: string) => bench.part("ImageCopy", name, { imageId: id, to: { connection: "elsewhere" } });
    await stack.up([copy("a")]);
    const first = String((await stack.outputs("a")).copyId);
    await stack.up([copy("b")]);
    const second = String((await stack.outputs("b")).copyId);
    await bench.assertGone(first, elsewhere);
    await bench.assertHolds(second, "two", elsewhere);
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.destroy();
    await bench.assertGone(second, elsewhere);
    await bench.assertHolds(id, "two");
  });

  it("an image: adopted twice in a program is an error at preview that names both", async () => {
    const { id } = await bench.make({ name: "twice" }, "two");
    const adopting = (name: string) => bench.image(name, undefined, { name: "twice", adopt: { id } });
    const preview = await stack.preview([adopting("first-one"), adopting("second-one")]);
    assert.notEqual(preview.code, 0, preview.text);
    assert.match(preview.text, /first-one.*second-one|second-one.*first-one/s);
    await bench.owner.delete(id);
  });

  it("an image: twice in a state, one of which is removed, stays for the other", async () => {
    await stack.up([bench.image("a", "one")]);
    const id = await idOf(stack, "a");
    await stack.editState(resources => {
      const one = resources.find(({ urn }) => urn.endsWith("::a"));
      assert.ok(one);
      return [...resources, { ...one, urn: one.urn.replace("::a", "::b") }];
    });
    const run = await stack.up([bench.image("b", "one", { name: "a" })]);
    assertLeftByDelete(warningsOf(run), id);
    await bench.assertHolds(id, "one");
    await stack.destroy();
    await bench.assertGone(id);
  });
});
