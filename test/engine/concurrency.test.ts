import assert from "node:assert/strict";
import { environmentOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { Stack } from "./stack.ts";

type Values = Record<string, unknown>;
type Kind = "image" | "imageTag" | "imageMember";

/** Two stacks, each with a provider process of its own, that know nothing of each other; no service has a lock for them. */
onEachCloud("Two stacks that manage the same image at once", cloud => {
  const each = 6;
  const stacks: Stack[] = [];
  const providers: ProviderProcess[] = [];
  let api: ImageApi;
  let imageId: string;

  before(async () => {
    api = await cloud().as("owner");
    imageId = (await api.create({ name: "of both", visibility: "shared" })).id;
    for (const project of ["one", "two"]) {
      const stack = await Stack.create({ project });
      stacks.push(stack);
      providers.push(
        await ProviderProcess.start(
          stack.folder,
          { ...environmentOf(cloud(), cloud().accounts.owner), PULUMI_IMAGES_RETRY_PAUSE_MS: "20" },
          {},
          "kept",
        ),
      );
    }
  });
  after(async () => {
    await Promise.all(providers.map(provider => provider.stop()));
    await Promise.all(stacks.map(stack => stack.dispose()));
    if (imageId) await api.delete(imageId);
  });

  interface Made {
    id: string;
    inputs: Values;
    outputs: Values;
  }

  async function make(stack: number, kind: Kind, name: string, args: Values): Promise<Made> {
    const provider = providers[stack] as ProviderProcess;
    const resource = `urn:pulumi:dev::stack-${stack}::images::${name}`;
    const { failures, inputs } = await provider.checkInputs(kind, { service: "openstack", ...args }, { resource });
    assert.deepEqual(failures, []);
    return { ...(await provider.create(inputs)), inputs };
  }

  async function differs(stack: number, { id, inputs, outputs }: Made): Promise<boolean> {
    const provider = providers[stack] as ProviderProcess;
    const seen = await provider.read(id, outputs);
    return seen.id === "" || (await provider.diff(seen.id, seen.outputs, inputs)).changes;
  }

  const tag = (stack: number, text: string) => make(stack, "imageTag", text, { imageId, tag: text });
  /** One image is one resource in each stack. */
  const adopted = (stack: number, args: Values) =>
    make(stack, "image", "image", { adopt: { id: imageId, takeOver: true }, ...args });

  it("lose none of each other's tags and properties", async () => {
    const numbers = Array.from({ length: each }, (_, n) => n);
    const properties = (stack: number) => Object.fromEntries(numbers.map(n => [`p_${stack}_${n}`, "x"]));
    const all = [0, 1].flatMap(stack => [
      ...numbers.map(n => tag(stack, `tag-${stack}-${n}`).then(made => ({ stack, made }))),
      adopted(stack, { properties: properties(stack) }).then(made => ({ stack, made })),
    ]);
    const done = await Promise.all(all);
    // What was lost after its own read-back is found, and put right, by a refresh.
    for (const { stack, made } of done) {
      if (!(await differs(stack, made))) continue;
      const kind: Kind = "tag" in made.inputs ? "imageTag" : "image";
      await make(stack, kind, String(made.inputs.resource).split("::").at(-1) as string, made.inputs);
    }
    const image = await api.image(imageId);
    const wanted = [0, 1].flatMap(stack => numbers.map(n => `${stack}-${n}`));
    assert.deepEqual(image.tags.toSorted(), wanted.map(name => `tag-${name}`).toSorted());
    assert.deepEqual(
      wanted.filter(name => image[`p_${name.replace("-", "_")}`] !== "x"),
      [],
    );
  });

  it("have the same tag and the same member once, and whose is deleted shows to the other", async () => {
    const member = cloud().accounts.consumer.projectId;
    // Not in the same instant: Glance can note a tag and a member twice then (docs/security.md).
    const tags: Made[] = [];
    for (const stack of [0, 1]) tags.push(await tag(stack, "same"));
    const members: Made[] = [];
    for (const stack of [0, 1]) members.push(await make(stack, "imageMember", "member", { imageId, member }));
    assert.equal((await api.image(imageId)).tags.filter(text => text === "same").length, 1);
    for (const [mine, theirs] of [tags, members] as [Made, Made][]) {
      await (providers[0] as ProviderProcess).delete(mine.id, mine.outputs);
      assert.equal(await differs(1, theirs), true, `${theirs.id} is gone`);
      await (providers[1] as ProviderProcess).delete(theirs.id, theirs.outputs);
    }
  });

  it("are told what it means when the service can't take a tag away, as Glance can't one that it noted twice", async () => {
    const made = await tag(0, "doubled");
    const provider = providers[0] as ProviderProcess;
    const recorder = cloud().recorders[0];
    const answer = {
      status: 500,
      headers: { "content-type": "text/html" },
      body: "<h1>500 Internal Server Error</h1>",
    };
    recorder?.faults.add({ method: "DELETE", path: /\/tags\/doubled$/, times: 100, ...answer });
    try {
      await assert.rejects(
        provider.delete(made.id, made.outputs),
        /still has the tag "doubled".*only goes with the image/s,
      );
    } finally {
      recorder?.faults.clear();
    }
    assert.equal(await differs(0, made), false);
    await provider.delete(made.id, made.outputs);
  });

  it("that both declare a field end with the last one's value, which the other sees as drift", async () => {
    const first = await adopted(0, { name: "of the first" });
    const second = await adopted(1, { name: "of the second" });
    assert.equal((await api.image(imageId)).name, "of the second");
    assert.equal(await differs(0, first), true);
    assert.equal(await differs(1, second), false);
  });
});
