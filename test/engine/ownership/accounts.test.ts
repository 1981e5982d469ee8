import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Functions } from "../../../provider/functions/index.ts";
import { cleanEnvironment, pulumiImages } from "../../cli/command.ts";
import { functionsOn } from "../../functions/open.ts";
import { connectionOf, environmentOf, onEachCloud } from "../../openstack/clouds.ts";
import type { ApiImage, ImageApi } from "../../openstack/imageApi.ts";
import type { Stack } from "../stack.ts";
import { type Disk, GlanceBench, idOf } from "./glanceBench.ts";
import { firstIdOf, laterIdsOf, ownerTagOf, unfinished, urnOf } from "./owner.ts";
import { assertSilent, warningsOf } from "./warnings.ts";

onEachCloud("Another project's image with our id and owner tag", (cloud, kind) => {
  let bench: GlanceBench;
  let stack: Stack;
  let theirs: ApiImage;
  before(async () => {
    bench = await GlanceBench.open(cloud());
  });
  beforeEach(async () => {
    stack = await bench.newStack();
  });
  afterEach(async () => {
    await bench.consumer.delete(theirs.id);
    await stack.dispose();
  });

  /** What another project can know, which knows the names of ours. */
  async function squat(visibility: "community" | "shared", disk: Disk | undefined, more = {}): Promise<void> {
    const tag = ownerTagOf(urnOf(stack, "web"));
    const body = { id: firstIdOf(tag), name: "web", visibility, ...tag, ...more };
    const { id } = await bench.make(body, disk, bench.consumer);
    if (visibility === "shared") {
      const member = cloud().accounts.owner.projectId;
      await bench.consumer.send("POST", `/v2/images/${id}/members`, { body: { member } });
    }
    theirs = await bench.consumer.image(id);
    assert.equal((await bench.owner.image(id)).id, id, "we can see it");
  }

  // The real service takes a minute for it, and answers the same.
  if (kind === "local")
    it("can't keep ours from being made, by taking all ids that can be worked out", async () => {
      await squat("community", "one");
      const tag = ownerTagOf(urnOf(stack, "web"));
      const tomorrow = new Date(Date.now() + 86_400_000);
      const ids = [...laterIdsOf(tag, new Date(), 150), ...laterIdsOf(tag, tomorrow, 150)];
      for (const id of ids)
        await bench.make({ id, name: "web", visibility: "community", ...tag }, undefined, bench.consumer);
      await stack.up([bench.image("web", "one")]);
      const id = await idOf(stack, "web");
      assert.ok(![theirs.id, ...ids].includes(id));
      await bench.assertHolds(id, "one");
      for (const one of ids) await bench.consumer.delete(one);
    });

  const ways: Record<string, { disk?: Disk; more?: Record<string, unknown> }> = {
    "finished, with the same data": { disk: "one" },
    "finished, with other data": { disk: "two" },
    "without data": {},
    "as if it were unfinished": { more: { [unfinished]: new Date().toISOString() } },
  };
  for (const visibility of ["community", "shared"] as const)
    for (const [way, { disk, more }] of Object.entries(ways)) {
      it(`${visibility}, ${way}: isn't taken for ours`, async () => {
        await squat(visibility, disk, more);
        const declared = [bench.image("web", "one")];
        const preview = await stack.preview(declared);
        assert.equal(preview.code, 0, preview.text);
        const run = await stack.up();
        for (const text of [...warningsOf(preview), ...warningsOf(run)])
          assert.doesNotMatch(text, new RegExp(`adopt: \\{ id: "${theirs.id}"`));
        const id = await idOf(stack, "web");
        assert.notEqual(id, theirs.id);
        await bench.assertHolds(id, "one");
        assert.equal((await bench.owner.image(id)).owner, cloud().accounts.owner.projectId);
        assertSilent(await stack.preview(undefined, "--refresh"));
        await stack.up([bench.image("web", "two")]);
        await stack.destroy();
        await bench.assertGone(id);
        assert.deepEqual(await bench.consumer.image(theirs.id), theirs);
      });

      it(`${visibility}, ${way}: isn't taken for an image without data of ours`, async () => {
        await squat(visibility, disk, more);
        await stack.up([bench.image("web")]);
        const id = await idOf(stack, "web");
        assert.notEqual(id, theirs.id);
        assert.equal((await bench.owner.image(id)).owner, cloud().accounts.owner.projectId);
        await stack.destroy();
        assert.deepEqual(await bench.consumer.image(theirs.id), theirs);
      });
    }
});

onEachCloud("A name that images of several projects have", cloud => {
  let bench: GlanceBench;
  let functions: Functions;
  let name: string;
  const made: [ImageApi, string][] = [];
  before(async () => {
    bench = await GlanceBench.open(cloud());
    functions = functionsOn({ openstack: connectionOf(cloud(), cloud().accounts.owner) });
  });
  beforeEach(() => {
    name = `gold ${randomUUID()}`;
  });
  afterEach(async () => {
    for (const [by, id] of made.splice(0)) await by.delete(id);
  });

  async function make(by: ImageApi, visibility: string): Promise<string> {
    const { id } = await bench.make({ name, visibility }, "one", by);
    made.push([by, id]);
    return id;
  }
  /** The consumer's, shared with the owner. */
  async function shared(status?: "accepted" | "rejected"): Promise<string> {
    const id = await make(bench.consumer, "shared");
    const member = cloud().accounts.owner.projectId;
    await bench.consumer.send("POST", `/v2/images/${id}/members`, { body: { member } });
    if (status) await bench.owner.send("PUT", `/v2/images/${id}/members/${member}`, { body: { status } });
    return id;
  }

  /** What getImage and `pulumi-images show` find, which is the same. */
  async function found(): Promise<string | undefined> {
    const image = await functions.getImage({ service: "openstack", name, ignoreMissing: true });
    const shown = await show();
    if (image === undefined) {
      assert.notEqual(shown.code, 0, shown.out);
      assert.match(shown.err, /there is no image/);
    } else {
      assert.equal(shown.code, 0, shown.err);
      assert.equal((JSON.parse(shown.out) as { id: string }).id, image.id);
    }
    return image?.id;
  }
  const show = () =>
    pulumiImages(["show", name, "--json"], {
      cwd: import.meta.dirname,
      env: cleanEnvironment(environmentOf(cloud(), cloud().accounts.owner)),
    });

  /** What adopting by this name ends with. */
  async function adopted(): Promise<string | undefined> {
    const stack = await bench.newStack();
    try {
      const run = await stack.tryUp([bench.image("adopted", undefined, { name, adopt: { name } })]);
      if (run.code === 0) return await idOf(stack, "adopted");
      assert.match(run.text, /there is no image named|can't be adopted/);
      return undefined;
    } finally {
      await stack.dispose();
    }
  }

  it("means no other project's community image, nor one that is offered and not accepted", async () => {
    await make(bench.consumer, "community");
    await shared();
    await shared("rejected");
    assert.equal(await found(), undefined);
    assert.equal(await adopted(), undefined);
  });

  it("means the project's own one, whatever others have, and its community image too", async () => {
    await make(bench.consumer, "community");
    await shared("accepted");
    await make(bench.admin, "public");
    const own = await make(bench.owner, "community");
    assert.equal(await found(), own);
    assert.equal(await adopted(), own);
  });

  it("means a shared one that was accepted, which can be read and not be adopted", async () => {
    await make(bench.consumer, "community");
    const theirs = await shared("accepted");
    const before = await bench.consumer.image(theirs);
    assert.equal(await found(), theirs);
    assert.equal(await adopted(), undefined);
    assert.deepEqual(await bench.consumer.image(theirs), before);
  });

  it("means a public one, which can be read and not be adopted", async () => {
    await shared();
    const open = await make(bench.admin, "public");
    assert.equal(await found(), open);
    assert.equal(await adopted(), undefined);
  });

  it("doesn't mean another project's image to an administrator who adopts, either, who could write to it", async () => {
    const owner = cloud().accounts.consumer.projectId;
    const { id } = await bench.make({ name, visibility: "public", owner }, "one", bench.admin);
    made.push([bench.admin, id]);
    const before = await bench.admin.image(id);
    const stack = await bench.newStack();
    try {
      const adopting = bench.image("adopted", undefined, { connection: "admin", name, adopt: { name } });
      const run = await stack.tryUp([adopting]);
      assert.notEqual(run.code, 0, run.text);
      assert.deepEqual(await bench.admin.image(id), before);
    } finally {
      await stack.dispose();
    }
  });

  it("of several of the same rank is refused, with all of them", async () => {
    const own = [await make(bench.owner, "private"), await make(bench.owner, "shared")];
    await make(bench.admin, "public");
    await assert.rejects(functions.getImage({ service: "openstack", name }), (error: Error) => {
      for (const id of own) assert.ok(error.message.includes(id), error.message);
      return true;
    });
    assert.match((await show()).err, new RegExp(`${own[0]}|${own[1]}`));
  });

  it("isn't needed for a community image: by its id it is found", async () => {
    const theirs = await make(bench.consumer, "community");
    assert.equal((await functions.getImage({ service: "openstack", id: theirs }))?.id, theirs);
  });
});
