import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type Declaration, type Declared, type Run, Stack, type StackOptions } from "./stack.ts";

type Options = Record<string, unknown>;

const where = { service: "openstack", connection: "owner" };

function image(name: string, args: Record<string, unknown> = {}, options: Options = {}): Declared {
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  return { kind: "Image", name, args: { ...where, name, ...data, ...args }, options };
}

/** A component whose constructor declares the children. */
function component(
  name: string,
  children: readonly Declaration[],
  options: Options & { type?: string } = {},
): Declaration {
  const { type, ...rest } = options;
  return { kind: "Component", name, args: { children, ...(type ? { type } : {}) }, options: rest };
}

function tag(name: string, imageId: unknown, options: Options = {}): Declared {
  return { kind: "ImageTag", name, args: { ...where, imageId, tag: name }, options };
}

const idOf = (name: string) => ({ $output: `${name}.id` });
/** It was at the top of the program before. */
const wasAtTop = { aliases: [{ parent: { $root: true } }] };

onEachCloud("In components", cloud => {
  let api: ImageApi;
  const stacks: Stack[] = [];
  const disk = noise("components", 20_000);

  before(async () => {
    api = await cloud().as("owner");
  });
  afterEach(async () => {
    for (const { faults } of cloud().recorders) faults.clear();
    for (const stack of stacks.splice(0)) await stack.dispose();
  });

  /** With a connection for each account, and one for the other region. */
  async function newStack(options: StackOptions = {}): Promise<Stack> {
    const { accounts, regions } = cloud();
    const connections = {
      owner: connectionOf(cloud(), accounts.owner),
      elsewhere: connectionOf(cloud(), accounts.owner, regions[1]?.name),
    };
    const stack = await Stack.create({ project: "parts", config: { "images:connections": connections }, ...options });
    stacks.push(stack);
    await writeFile(join(stack.folder, "disk.raw"), disk);
    return stack;
  }

  async function idsOf(stack: Stack): Promise<Record<string, string>> {
    const state = await stack.state();
    return Object.fromEntries(Object.entries(state).map(([name, { id }]) => [name, id]));
  }

  /** Demands that another preview of what was just applied has nothing to do. */
  async function demandSilence(stack: Stack): Promise<void> {
    for (const flags of [[], ["--refresh"]]) {
      const run = await stack.preview(undefined, ...flags);
      assert.equal(run.code, 0, run.text);
      const steps = Object.values(run.steps).filter(step => step !== "refresh");
      assert.deepEqual(new Set(steps), new Set(["same"]), run.text);
    }
  }

  const stepsOf = (names: readonly string[], step: string) => Object.fromEntries(names.map(name => [name, step]));

  it("makes two images of one component, in a program of its own process as a user's", async () => {
    const stack = await newStack({ ownProcess: true });
    const declared = [component("pair", [image("left"), image("right")])];
    const preview = await stack.preview(declared);
    assert.deepEqual(preview.steps, stepsOf(["left", "right"], "create"), preview.text);
    assert.deepEqual((await stack.up()).steps, stepsOf(["left", "right"], "create"));
    for (const id of Object.values(await idsOf(stack))) assert.equal((await api.image(id)).status, "active");
    await demandSilence(stack);
  });

  it("names each resource as before, and adds no dependency: below components, in components, and below resources of this package", async () => {
    const stack = await newStack();
    await stack.up([
      image("top"),
      tag("below-image", idOf("top"), { parent: "top" }),
      component("outer", [
        image("in-outer"),
        component("inner", [image("in-inner"), image("beside-it")], { type: "my:Inner" }),
        tag("below-sibling", idOf("in-outer"), { parent: "in-outer" }),
      ]),
    ]);
    const state = await stack.state();
    const types = (name: string) => String(state[name]?.inputs.resource).split("::").slice(2).join("::");
    const own = "pulumi-nodejs:dynamic/images:Image";
    assert.deepEqual(Object.fromEntries(Object.keys(state).map(name => [name, types(name)])), {
      top: "Image::top",
      "below-image": `${own}$ImageTag::below-image`,
      "in-outer": "my:Component$Image::in-outer",
      "in-inner": "my:Component$my:Inner$Image::in-inner",
      "beside-it": "my:Component$my:Inner$Image::beside-it",
      "below-sibling": `my:Component$${own}$ImageTag::below-sibling`,
    });
    for (const [name, resource] of Object.entries(state)) {
      const expected = name.startsWith("below-") ? { imageId: 1 } : {};
      const dependencies = Object.entries(resource.propertyDependencies ?? {}).filter(([, urns]) => urns.length > 0);
      assert.deepEqual(
        Object.fromEntries(dependencies.map(([property, urns]) => [property, urns.length])),
        expected,
        name,
      );
    }
    await demandSilence(stack);
  });

  it("makes an image, and beside it in the same component what shares, tags and copies it", async () => {
    const stack = await newStack();
    const member = cloud().accounts.consumer.projectId;
    const to = { connection: "elsewhere", name: "the copy", tags: ["copied"] };
    await stack.up([
      component("release", [
        image("golden"),
        tag("stable", idOf("golden")),
        { kind: "ImageMember", name: "customer", args: { ...where, imageId: idOf("golden"), member } },
        { kind: "ImageCopy", name: "copy", args: { ...where, imageId: idOf("golden"), to } },
        image("next", {}, { dependsOn: ["stable", "customer"] }),
      ]),
    ]);
    const ids = await idsOf(stack);
    assert.deepEqual(Object.keys(ids).sort(), ["copy", "customer", "golden", "next", "stable"]);
    assert.deepEqual((await api.image(ids.golden as string)).tags, ["stable"]);
    await demandSilence(stack);
  });

  it("makes a component after another that it depends on, and images after a whole component", async () => {
    const stack = await newStack();
    const run = await stack.up([
      component("first", [image("a"), component("nested", [image("b")])]),
      component("second", [image("c"), image("d")], { dependsOn: ["first"] }),
      component("third", [image("e", {}, { dependsOn: ["second"] }), image("f", {}, { dependsOn: ["first"] })]),
    ]);
    const began = (name: string) => run.events.findIndex(({ resourcePreEvent: event }) => isOf(event, name));
    const ended = (name: string) => run.events.findIndex(({ resOutputsEvent: event }) => isOf(event, name));
    for (const [before, after] of ["ac", "ad", "bc", "bd", "ce", "de", "af", "bf"].map(pair => [...pair]))
      assert.ok(ended(before as string) < began(after as string), `${before} before ${after}`);
    await demandSilence(stack);
  });

  it("makes twenty images of one component", async () => {
    const stack = await newStack();
    const names = Array.from({ length: 20 }, (_, index) => `image-${index}`);
    const run = await stack.up([
      component(
        "fleet",
        names.map(name => image(name)),
      ),
    ]);
    assert.deepEqual(run.steps, stepsOf(names, "create"));
    await demandSilence(stack);
  });

  for (const ownProcess of [true, false]) {
    const program = ownProcess ? "a program of its own process" : "the Automation API's inline program";
    it(`keeps each image that is moved into components and back by aliases, by ${program}`, async () => {
      const stack = await newStack({ ownProcess });
      await stack.up([image("a"), image("b", { protected: true, forceDelete: true }), tag("t", idOf("a"))]);
      const ids = await idsOf(stack);
      cloud().forget();
      const protects = { protected: true, forceDelete: true };
      const children = (options: Options) => [
        image("a", {}, options),
        image("b", protects, options),
        tag("t", idOf("a"), options),
      ];
      const wasIn = (parent: string) => ({ aliases: [{ parent }] });
      const ways: [string, Declaration[]][] = [
        ["into a component", [component("one", children(wasAtTop))]],
        [
          "into another, nested one",
          [component("one", [component("two", children(wasIn("one")), { type: "my:Inner" })])],
        ],
        [
          "whose type changes",
          [component("one", [component("two", children({}), { type: "my:New", aliases: [{ type: "my:Inner" }] })])],
        ],
        // An alias names a component that is there, or its urn.
        ["back to the top", [component("one", [component("two", [], { type: "my:New" })]), ...children(wasIn("two"))]],
      ];
      for (const [way, declared] of ways) {
        if (!ownProcess) {
          const preview = await stack.preview(declared);
          assert.deepEqual(preview.steps, stepsOf(["a", "b", "t"], "same"), `${way}: ${preview.text}`);
        }
        // Without a preview of its own, as the Automation API's.
        const run = await stack.up(declared);
        assert.deepEqual(run.steps, stepsOf(["a", "b", "t"], "same"), `${way}: ${run.text}`);
        assert.deepEqual(await idsOf(stack), ids, way);
      }
      assert.deepEqual(cloud().writes(), []);
      await stack.up(children({}));
      await demandSilence(stack);
      await stack.destroy();
      for (const name of ["a", "b"]) assert.equal(await api.exists(ids[name] as string), false, name);
    });
  }

  it("replaces and updates what was moved", async () => {
    const stack = await newStack();
    await stack.up([image("a"), image("b")]);
    const before = await idsOf(stack);
    const moved = (args: Record<string, unknown>) =>
      component("one", [image("a", args, wasAtTop), image("b", { minRam: 64 }, wasAtTop)]);
    await writeFile(join(stack.folder, "other.raw"), noise("another", 20_000));
    const run = await stack.up([moved({ source: { file: "other.raw" } })]);
    assert.deepEqual(run.steps, { a: "replace", b: "update" });
    const after = await idsOf(stack);
    assert.equal(await api.exists(before.a as string), false);
    assert.notEqual(after.a, before.a);
    assert.equal(after.b, before.b);
    assert.equal((await api.image(after.b as string)).min_ram, 64);
    await demandSilence(stack);
  });

  it("leaves the siblings of one that fails, and finishes with the next run", async () => {
    const stack = await newStack();
    await stack.up([image("moved")]);
    const { moved } = await idsOf(stack);
    const names = ["a", "b", "c"];
    const declared = [component("some", [image("moved", {}, wasAtTop), ...names.map(name => image(name))])];
    for (const flags of [[], ["--continue-on-error"]]) {
      // Whichever comes first.
      cloud().recorders[0]?.faults.add({ method: "POST", path: /^\/v2\/images$/, status: 403 });
      const run = await stack.tryUp(declared, ...flags);
      assert.notEqual(run.code, 0);
      assert.equal((await idsOf(stack)).moved, moved);
      assert.ok(!Object.values(run.steps).includes("delete"), JSON.stringify(run.steps));
    }
    const made = await idsOf(stack);
    assert.equal(Object.keys(made).length, 3, JSON.stringify(made));
    await stack.up();
    const all = await idsOf(stack);
    assert.deepEqual(Object.keys(all).sort(), [...names, "moved"].sort());
    for (const [name, id] of Object.entries(made)) assert.equal(all[name], id);
    await demandSilence(stack);
  });

  for (const ownProcess of [true, false]) {
    it(`deletes nothing when the program fails half-way${ownProcess ? ", in its own process" : ""}`, async () => {
      const stack = await newStack({ ownProcess });
      await stack.up([image("a"), image("b"), image("c")]);
      const ids = await idsOf(stack);
      const moved = [image("a", {}, wasAtTop), image("b", {}, wasAtTop)];
      const run = await stack.tryUp([
        component("one", [...moved, image("c", { name: { $throw: "half-way" } }, wasAtTop)]),
      ]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /half-way/);
      assert.deepEqual(await idsOf(stack), ids);
      for (const id of Object.values(ids)) assert.equal((await api.image(id)).status, "active");
      await stack.up([component("one", [...moved, image("c", {}, wasAtTop)])]);
      assert.deepEqual(await idsOf(stack), ids);
    });
  }

  it("reads images, and asks for them, in a component", async () => {
    const stack = await newStack();
    const asked = { $call: "getImageOutput", args: { ...where, id: idOf("a") }, take: "id" };
    await stack.up([
      component("one", [
        image("a"),
        { kind: "Image", name: "read", args: where, get: idOf("a"), show: ["size"] },
        tag("by-read", idOf("read")),
        tag("by-function", asked),
        image("sibling"),
      ]),
    ]);
    const ids = await idsOf(stack);
    assert.equal(ids.read, ids.a);
    assert.deepEqual((await api.image(ids.a as string)).tags.sort(), ["by-function", "by-read"]);
    const run = await stack.preview();
    assert.deepEqual(run.steps, { ...stepsOf(["a", "by-read", "by-function", "sibling"], "same"), read: "read" });
  });

  it("takes what the transforms of a component add, and names its resources as before", async () => {
    const stack = await newStack();
    const transforms = { transforms: [{ minRam: 64 }], transformations: [{ minDisk: 1 }] };
    await stack.up([component("one", [image("a"), image("b"), tag("t", idOf("a"))], transforms)]);
    for (const [name, { inputs }] of Object.entries(await stack.state())) {
      const [kind, added] = name === "t" ? ["ImageTag", []] : ["Image", [64, 1]];
      assert.ok(String(inputs.resource).endsWith(`::my:Component$${kind}::${name}`), String(inputs.resource));
      assert.deepEqual([inputs.minRam, inputs.minDisk], added.length > 0 ? added : [undefined, undefined]);
    }
    await demandSilence(stack);
  });

  it("takes a state whose resource depended on its parent by that input, as earlier versions wrote it", async () => {
    const stack = await newStack();
    const declared = [image("a"), tag("below", idOf("a"), { parent: "a" }), component("one", [image("b")])];
    await stack.up(declared);
    const ids = await idsOf(stack);
    const exported = JSON.parse((await stack.run(["stack", "export"])).text) as Deployment;
    for (const resource of exported.deployment.resources) {
      if (resource.parent === undefined || !resource.inputs?.resource) continue;
      if (resource.parent.includes("::pulumi:pulumi:Stack::")) continue;
      // A component stood for its children, and a resource isn't its own dependency.
      const depended = resource.parent.includes("my:Component") ? [] : [resource.parent];
      resource.dependencies = [...new Set([...(resource.dependencies ?? []), ...depended])];
      resource.propertyDependencies = { ...resource.propertyDependencies, resource: depended };
    }
    const file = join(stack.folder, "earlier.json");
    await writeFile(file, JSON.stringify(exported));
    const imported = await stack.run(["stack", "import", "--file", file]);
    assert.equal(imported.code, 0, imported.text);
    await demandSilence(stack);
    await stack.up();
    assert.deepEqual(await idsOf(stack), ids);
    assert.deepEqual((await stack.state()).below?.propertyDependencies?.resource ?? [], []);
  });
});

interface Deployment {
  deployment: {
    resources: {
      urn: string;
      parent?: string;
      inputs?: Record<string, unknown>;
      dependencies?: string[];
      propertyDependencies?: Record<string, string[]>;
    }[];
  };
}

function isOf(event: Run["events"][number]["resourcePreEvent"], name: string): boolean {
  return event?.metadata.urn.endsWith(`Image::${name}`) === true && event.metadata.op === "create";
}
