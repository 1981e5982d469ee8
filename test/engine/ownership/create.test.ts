import assert from "node:assert/strict";
import type { Recorder } from "../../../tools/recorder/recorder.ts";
import { onEachCloud } from "../../openstack/clouds.ts";
import type { Declared, Stack } from "../stack.ts";
import { type Disk, GlanceBench, idOf } from "./glanceBench.ts";
import { ownerTagOf, unfinished, urnOf } from "./owner.ts";
import { assertLeftByCreate, assertSilent, warningsOf } from "./warnings.ts";

onEachCloud("A create and finished images", cloud => {
  let bench: GlanceBench;
  const stacks: Stack[] = [];
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  afterEach(async () => {
    cloud().recorders[0]?.faults.clear();
    for (const stack of stacks.splice(0)) await stack.dispose();
  });

  async function newStack(options?: Parameters<GlanceBench["newStack"]>[0]): Promise<Stack> {
    const stack = await bench.newStack(options);
    stacks.push(stack);
    return stack;
  }

  /**
   * Declares an image of a disk under a name whose owner tag a finished image carries that isn't the resource's any
   * more. Demands that this one is left alone, with a warning at preview and up, and that all is said then.
   * @returns the new image's id
   */
  async function leaves(stack: Stack, old: string, disk: Disk, others: Declared[] = []): Promise<string> {
    const before = await bench.owner.image(old);
    const preview = await stack.preview([...others, bench.image("web", disk)]);
    assert.equal(preview.code, 0, preview.text);
    assertLeftByCreate(warningsOf(preview), { id: old, name: before.name });
    const run = await stack.up();
    assertLeftByCreate(warningsOf(run), { id: old, name: before.name });
    assert.equal(run.steps.web, "create");
    assert.deepEqual(await bench.owner.image(old), before);
    await bench.assertHolds(old, "one");
    const id = await idOf(stack, "web");
    assert.notEqual(id, old);
    await bench.assertHolds(id, disk);
    assertSilent(await stack.preview());
    return id;
  }

  for (const disk of ["two", "one"] as const) {
    const data = disk === "one" ? "the same data" : "other data";

    it(`leaves a protected image that took another name by an alias, with ${data}`, async () => {
      const stack = await newStack();
      await stack.up([bench.image("web", "one", { protected: true })]);
      const old = await idOf(stack, "web");
      const args = { name: "web", protected: true };
      const moved = await stack.up([bench.image("previous", "one", args, { aliases: [{ name: "web" }] })]);
      assert.deepEqual(moved.steps, { previous: "same" });
      const previous = bench.image("previous", "one", args);
      const id = await leaves(stack, old, disk, [previous]);
      assert.equal((await bench.owner.image(old)).protected, true);
      await stack.up([previous]);
      await bench.assertGone(id);
      await bench.assertHolds(old, "one");
      await bench.owner.set(old, { protected: false });
      await stack.destroy("--refresh");
      await bench.assertGone(old);
    });

    it(`leaves the image of a stack that was renamed, with ${data}`, async () => {
      const green = await newStack();
      await green.up([bench.image("web", "one")]);
      const old = await idOf(green, "web");
      const name = green.name;
      await green.rename("green");
      assert.deepEqual((await green.up()).steps, { web: "same" });
      const blue = await green.another(name);
      const id = await leaves(blue, old, disk);
      await blue.destroy();
      await bench.assertGone(id);
      await bench.assertHolds(old, "one");
      await green.destroy();
      await bench.assertGone(old);
    });

    it(`leaves an image that was retained, with ${data}`, async () => {
      const stack = await newStack();
      await stack.up([bench.image("web", "one", {}, { retainOnDelete: true })]);
      const old = await idOf(stack, "web");
      await stack.destroy();
      await leaves(stack, old, disk);
      await stack.destroy();
      await bench.assertHolds(old, "one");
    });

    it(`leaves an image that was taken out of the state, with ${data}`, async () => {
      const stack = await newStack();
      await stack.up([bench.image("web", "one")]);
      const old = await idOf(stack, "web");
      await stack.forget("web");
      await leaves(stack, old, disk);
      await stack.destroy();
      await bench.assertHolds(old, "one");
    });

    it(`leaves the images of a stack whose state was lost, with ${data}`, async () => {
      const stack = await newStack();
      await stack.up([bench.image("web", "one")]);
      const old = await idOf(stack, "web");
      await stack.loseState();
      await leaves(stack, old, disk);
      await stack.destroy();
      await bench.assertHolds(old, "one");
    });

    it(`leaves the images of a stack of the same name in another backend, with ${data}`, async () => {
      const first = await newStack();
      const second = await newStack({ wholeProject: first.project });
      await first.up([bench.image("web", "one")]);
      const old = await idOf(first, "web");
      const id = await leaves(second, old, disk);
      assertSilent(await first.preview());
      await first.destroy();
      await bench.assertGone(old);
      await bench.assertHolds(id, disk);
      await second.destroy();
      await bench.assertGone(id);
    });
  }

  it("leaves an image without data of its own, and one that is deactivated", async () => {
    const stack = await newStack();
    const empty = bench.image("empty");
    await stack.up([empty, bench.image("web", "one", { state: "deactivated" })]);
    const olds = [await idOf(stack, "empty"), await idOf(stack, "web")];
    const before = await Promise.all(olds.map(id => bench.owner.image(id)));
    await stack.loseState();
    const run = await stack.up([empty, bench.image("web", "two")]);
    assert.deepEqual(await Promise.all(olds.map(id => bench.owner.image(id))), before);
    for (const image of before) assertLeftByCreate(warningsOf(run), image);
    assert.ok(![await idOf(stack, "empty"), await idOf(stack, "web")].some(id => olds.includes(id)));
  });

  it("leaves several, and names each", async () => {
    const stack = await newStack();
    const olds: string[] = [];
    for (let n = 0; n < 3; n++) {
      const run = await stack.up([bench.image("web", "one", { hidden: n === 1 })]);
      for (const id of olds) assertLeftByCreate(warningsOf(run), { id, name: "web" });
      olds.push(await idOf(stack, "web"));
      await stack.forget("web");
    }
    assert.equal(new Set(olds).size, 3);
    const run = await stack.up([bench.image("web", "two")]);
    for (const id of olds) {
      assertLeftByCreate(warningsOf(run), { id, name: "web" });
      await bench.assertHolds(id, "one");
    }
  });

  it("leaves one with an id that it is to have itself, and says that the id is used", async () => {
    const imageId = crypto.randomUUID();
    const stack = await newStack();
    await stack.up([bench.image("web", "one", { imageId })]);
    await stack.forget("web");
    const run = await stack.tryUp([bench.image("web", "two", { imageId })]);
    assert.notEqual(run.code, 0);
    assert.match(run.text, new RegExp(`${imageId}.*adopt`, "s"));
    await bench.assertHolds(imageId, "one");
  });

  it("brings one back under management by the words of the warning", async () => {
    const stack = await newStack();
    await stack.up([bench.image("web", "one")]);
    const old = await idOf(stack, "web");
    await stack.forget("web");
    const preview = await stack.preview();
    const [, words] = /(adopt: \{ id: "[^"]+" \})/.exec(warningsOf(preview).join("\n")) ?? [];
    assert.equal(words, `adopt: { id: "${old}" }`);
    const adopting = [bench.image("web", "one", { adopt: { id: old } })];
    const adopted = await stack.up(adopting);
    assert.deepEqual(warningsOf(adopted), []);
    assert.equal(await idOf(stack, "web"), old);
    assert.deepEqual(
      (await bench.owner.list("name=web")).filter(({ id }) => id === old).map(({ status }) => status),
      ["active"],
    );
    assertSilent(await stack.preview());
    await stack.destroy();
    await bench.assertGone(old);
  });

  it("leaves the image of a replacement that the state doesn't know any more, when it is replaced again", async () => {
    const stack = await newStack();
    await stack.up([bench.image("web", "two")]);
    await stack.up([bench.image("web", "one")]);
    const old = await idOf(stack, "web");
    await stack.loseState();
    await stack.up([bench.image("web", "two")]);
    const between = await idOf(stack, "web");
    const preview = await stack.preview([bench.image("web", "one")]);
    assertLeftByCreate(warningsOf(preview), { id: old, name: "web" });
    const run = await stack.up();
    assertLeftByCreate(warningsOf(run), { id: old, name: "web" });
    assert.equal(run.steps.web, "replace");
    await bench.assertGone(between);
    await bench.assertHolds(old, "one");
    await bench.assertHolds(await idOf(stack, "web"), "one");
    assertSilent(await stack.preview());
  });

  it("leaves a copy in another region that the state doesn't know any more", async () => {
    const elsewhere = await cloud().as("owner", 1);
    const stack = await newStack();
    const { id: imageId } = await bench.make({ name: "copied" }, "one");
    const copy = bench.part("ImageCopy", "copy", { imageId, to: { connection: "elsewhere" } });
    await stack.up([copy]);
    const old = String((await stack.outputs("copy")).copyId);
    await stack.forget("copy");
    assertLeftByCreate(warningsOf(await stack.preview()), { id: old, name: "copied" });
    assertLeftByCreate(warningsOf(await stack.up()), { id: old, name: "copied" });
    const made = String((await stack.outputs("copy")).copyId);
    assert.notEqual(made, old);
    assertSilent(await stack.preview(undefined, "--refresh"));
    await stack.destroy();
    await bench.assertGone(made, elsewhere);
    await bench.assertHolds(old, "one", elsewhere);
  });

  it("replaces an image whose data changes, without a word of the old one", async () => {
    const stack = await newStack();
    await stack.up([bench.image("web", "one")]);
    const old = await idOf(stack, "web");
    assert.deepEqual(warningsOf(await stack.preview([bench.image("web", "two")])), []);
    const run = await stack.up();
    assert.equal(run.steps.web, "replace");
    assert.deepEqual(warningsOf(run), []);
    await bench.assertGone(old);
    await bench.assertHolds(await idOf(stack, "web"), "two");
    assertSilent(await stack.preview());
  });

  it("makes an image anew that was destroyed, without a word", async () => {
    const stack = await newStack();
    for (const disk of ["one", "two", "one"] as const) {
      const run = await stack.up([bench.image("web", disk)]);
      assert.deepEqual(warningsOf(run), []);
      await bench.assertHolds(await idOf(stack, "web"), disk);
      await stack.destroy();
    }
  });
});

onEachCloud("A create and unfinished images", cloud => {
  let bench: GlanceBench;
  let stack: Stack;
  const recorder = () => cloud().recorders[0] as Recorder;
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(async () => {
    recorder().faults.clear();
    await stack.dispose();
  });

  const ofThisStack = async () => {
    const { pulumi_images_stack } = ownerTagOf(urnOf(stack, "web"));
    return await bench.owner.list(`pulumi_images_stack=${pulumi_images_stack}`);
  };

  const killInUpload = () => killAt({ method: "PUT", path: /\/file$/ });

  /** Kills an up at a request, which is held meanwhile. */
  async function killAt(request: { method: string; path: RegExp; after?: boolean }): Promise<void> {
    let reached = () => {};
    const held = new Promise<void>(resolve => {
      reached = resolve;
    });
    recorder().faults.add({ ...request, hook: () => reached(), delayMs: 1500 });
    const run = stack.start(["up", "--yes", "--skip-preview"]);
    await held;
    run.kill("SIGKILL");
    await stack.run(["cancel", "--yes"]);
  }

  it("says on the image that it isn't done yet, and since when, until its last request", async () => {
    cloud().forget();
    const seen: unknown[] = [];
    const look = async () => {
      for (const image of await ofThisStack()) seen.push(image[unfinished]);
    };
    recorder().faults.add({ method: "PUT", path: /\/file$/, hook: look });
    const start = Date.now();
    await stack.up([bench.image("web", "one")]);
    assert.equal(seen.length, 1);
    const since = new Date(String(seen[0])).getTime();
    assert.ok(since >= start - 60_000 && since <= Date.now() + 60_000, String(seen[0]));
    const [image] = await ofThisStack();
    assert.equal(image?.[unfinished], undefined);
    assert.equal(Object.hasOwn((await stack.outputs("web")).properties ?? {}, unfinished), false);
    const [last] = cloud().writes().slice(-1);
    assert.equal(last, `PATCH /v2/images/${image?.id}`);
    // A run looks once for image tags that carry owner tags, whatever it makes.
    const asked = recorder().requests.filter(({ path }) => path.startsWith("/v2/images") && !path.includes("&tag="));
    assert.ok(asked.length <= 4, asked.map(({ method, path }) => `${method} ${path}`).join("\n"));
  });

  for (const disk of ["one", "two"] as const) {
    it(`resumes what a killed run of the same resource began, with ${disk === "one" ? "the same" : "other"} data`, async () => {
      await stack.declare([bench.image("web", "one")]);
      await killInUpload();
      const [left, ...more] = await ofThisStack();
      assert.deepEqual(more, []);
      assert.notEqual(left?.[unfinished], undefined);
      await stack.up([bench.image("web", disk)]);
      const found = await ofThisStack();
      assert.deepEqual(
        found.map(({ id }) => id),
        [await idOf(stack, "web")],
      );
      await bench.assertHolds(await idOf(stack, "web"), disk);
      assertSilent(await stack.preview());
    });
  }

  it("leaves what a run had finished that was killed before it could say so, and names it", async () => {
    await stack.declare([bench.image("web", "one")]);
    await killAt({ method: "PATCH", path: /^\/v2\/images\//, after: true });
    const [left, ...more] = await ofThisStack();
    assert.deepEqual(more, []);
    assert.ok(left);
    assert.equal(left[unfinished], undefined);
    assertLeftByCreate(warningsOf(await stack.up()), left);
    await bench.assertHolds(left.id, "one");
    const id = await idOf(stack, "web");
    assert.notEqual(id, left.id);
    await bench.assertHolds(id, "one");
    assertSilent(await stack.preview());
    await stack.destroy();
    await bench.assertHolds(left.id, "one");
  });

  it("never touches what another resource of the stack began, nor what an image of the same name holds", async () => {
    const began = { [unfinished]: new Date().toISOString() };
    const others = [
      await bench.make({ name: "web", ...ownerTagOf(urnOf(stack, "other")), ...began }),
      await bench.make({
        name: "web",
        ...ownerTagOf(urnOf({ ...stack, name: "prod", project: stack.project }, "web")),
        ...began,
      }),
      await bench.make({ name: "web", ...began }, "one"),
      await bench.make({ name: "web" }, "one"),
    ];
    const run = await stack.up([bench.image("web", "two")]);
    assert.deepEqual(warningsOf(run), []);
    for (const image of others) assert.deepEqual(await bench.owner.image(image.id), image);
    await stack.destroy();
    for (const image of others) assert.deepEqual(await bench.owner.image(image.id), image);
  });

  it("removes a second one of its own that a killed run began, and keeps one that was finished", async () => {
    await stack.up([bench.image("web", "one")]);
    const finished = await idOf(stack, "web");
    await stack.forget("web");
    await stack.declare([bench.image("web", "two")]);
    await killInUpload();
    const run = await stack.up();
    assertLeftByCreate(warningsOf(run), { id: finished, name: "web" });
    const ids = (await ofThisStack()).map(({ id }) => id);
    assert.deepEqual(ids.toSorted(), [finished, await idOf(stack, "web")].toSorted());
    await bench.assertHolds(finished, "one");
    await bench.assertHolds(await idOf(stack, "web"), "two");
  });
});
