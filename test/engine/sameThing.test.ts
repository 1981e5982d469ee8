import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type Declared, type Run, Stack } from "./stack.ts";

/**
 * Two resources of one program and the same tag, member or copy: what one of them declares, the other one's deletion leaves alone. The engine
 * makes what is new first and deletes what is no longer declared last.
 */
onEachCloud("The same thing by two resources", cloud => {
  let admin: ImageApi;
  let stack: Stack;
  let imageId: string;
  const disk = noise("same thing", 20_000);

  before(async () => {
    admin = await cloud().as("admin");
    const { accounts, regions } = cloud();
    const connections = {
      admin: connectionOf(cloud(), accounts.admin),
      consumer: connectionOf(cloud(), accounts.consumer),
      elsewhere: connectionOf(cloud(), accounts.owner, regions[1]?.name),
    };
    stack = await Stack.create({ project: "same-thing", config: { "images:connections": connections } });
    await writeFile(join(stack.folder, "disk.raw"), disk);
  });
  after(() => stack.dispose());

  beforeEach(async () => {
    const formats = { disk_format: "raw", container_format: "bare" };
    imageId = (await admin.create({ name: "theirs", ...formats, visibility: "shared" }, disk)).id;
  });
  afterEach(async () => {
    await stack.destroy();
    if (await admin.exists(imageId)) await admin.delete(imageId);
  });

  const of = (
    kind: Declared["kind"],
    name: string,
    args: Record<string, unknown>,
    options: Record<string, unknown> = {},
  ): Declared => ({
    kind,
    name,
    args: { service: "openstack", connection: "admin", imageId, ...args },
    options,
  });
  const image = (name: string, args: Record<string, unknown> = {}) =>
    of("Image", name, { imageId: undefined, adopt: { id: imageId }, ...args });
  const tag = (name: string, text: string, options?: Record<string, unknown>) =>
    of("ImageTag", name, { tag: text }, options);
  const project = () => cloud().accounts.consumer.projectId;
  const member = (name: string, args: Record<string, unknown> = {}) =>
    of("ImageMember", name, { member: project(), ...args });
  const inStores = (name: string, ...stores: string[]) => of("ImageCopy", name, { to: { stores } });

  const tags = async () => (await admin.image(imageId)).tags.toSorted();
  const stores = async () =>
    String((await admin.image(imageId)).stores)
      .split(",")
      .toSorted();
  const membership = async () => {
    const answer = await admin.send("GET", `/v2/images/${imageId}/members`);
    const { members } = (await answer.json()) as { members: { member_id: string; status: string }[] };
    return members.find(({ member_id }) => member_id === project())?.status;
  };
  const warnings = ({ events }: Run) =>
    events.flatMap(({ diagnosticEvent }) =>
      diagnosticEvent?.severity === "warning" ? [diagnosticEvent.message.trim()] : [],
    );
  const demandSilence = async () => {
    const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
    assert.equal(quiet.code, 0, quiet.text);
  };

  describe("renamed without an alias", () => {
    const renamed: [string, (name: string) => Declared, () => Promise<unknown>, unknown, RegExp][] = [
      ["a tag", name => tag(name, "golden"), tags, ["golden"], /the tag "golden" of image .* stays: the ImageTag new/],
      [
        "a member that has accepted",
        name => member(name, { accept: { connection: "consumer" } }),
        membership,
        "accepted",
        /the membership of .* stays: the ImageMember new declares it/,
      ],
      [
        "a copy in a store",
        name => inStores(name, "slow"),
        stores,
        ["fast", "slow"],
        /the copy of image .* in the store slow stays: the ImageCopy new declares it/,
      ],
    ];
    for (const [title, declare, seen, wanted, says] of renamed) {
      it(`${title}: is still there, and a warning says whose it is now`, async () => {
        await stack.up([declare("old")]);
        assert.deepEqual(await seen(), wanted);
        const run = await stack.up([declare("new")]);
        assert.deepEqual([run.steps.old, run.steps.new], ["delete", "create"]);
        assert.deepEqual(await seen(), wanted);
        assert.match(warnings(run).join("\n"), says);
        await demandSilence();
        await stack.up([]);
        assert.notDeepEqual(await seen(), wanted, "nobody declares it any more");
      });
    }

    it("back to an old name, which the state still has: it stays", async () => {
      await stack.up([tag("first", "golden"), inStores("copy", "slow")]);
      const aliased = inStores("moved", "slow");
      await stack.up([
        tag("second", "golden", { aliases: [{ name: "first" }] }),
        { ...aliased, options: { aliases: [{ name: "copy" }] } },
      ]);
      await stack.up([tag("first", "golden"), inStores("copy", "slow")]);
      assert.deepEqual(await tags(), ["golden"]);
      assert.deepEqual(await stores(), ["fast", "slow"]);
      await demandSilence();
    });

    it("an answer to an invitation: it stays given", async () => {
      await admin.send("POST", `/v2/images/${imageId}/members`, { body: { member: project() } });
      const answer = (name: string) => of("ImageMember", name, { connection: "consumer" });
      await stack.up([answer("old")]);
      const run = await stack.up([answer("new")]);
      assert.equal(await membership(), "accepted");
      assert.match(warnings(run).join("\n"), /the answer of project .* stays: the ImageMember new declares it/);
      // And once more, to the side of the one who invites.
      const whole = member("owner's", { accept: { connection: "consumer" } });
      await stack.up([whole]);
      assert.equal(await membership(), "accepted");
      await demandSilence();
    });

    it("an adopted image: it stays, with what the new resource declares", async () => {
      await stack.up([image("old", { minRam: 1 })]);
      const run = await stack.up([image("new", { minRam: 2 })]);
      assert.equal((await admin.image(imageId)).min_ram, 2);
      assert.ok(
        warnings(run).some(text => text.includes(imageId)),
        run.text,
      );
      await demandSilence();
    });

    it("a copy elsewhere: each has its own", async () => {
      const there = await cloud().as("owner", 1);
      // The other region is other tests', too.
      const called = `copied ${crypto.randomUUID()}`;
      const copy = (name: string) => of("ImageCopy", name, { to: { connection: "elsewhere", name: called } });
      await stack.up([copy("old")]);
      await stack.up([copy("new")]);
      const copies = await there.list(`name=${encodeURIComponent(called)}`);
      assert.deepEqual(
        copies.map(({ id }) => id),
        [(await stack.state()).new?.id],
      );
    });
  });

  describe("moved", () => {
    it("a tag into the Image's list, and back", async () => {
      await stack.up([image("home"), tag("single", "golden")]);
      const run = await stack.up([image("home", { tags: ["golden", "more"] })]);
      assert.deepEqual(await tags(), ["golden", "more"]);
      assert.match(warnings(run).join("\n"), /the tag "golden" of image .* stays: the Image home declares it/);
      await demandSilence();
      await stack.up([image("home"), tag("single", "golden")]);
      assert.deepEqual(await tags(), ["golden", "more"]);
      await demandSilence();
    });

    it("a member into the Image's list, and back", async () => {
      await stack.up([image("home"), member("single", { accept: { connection: "consumer" } })]);
      await stack.up([image("home", { members: [project()] })]);
      assert.equal(await membership(), "accepted");
      await demandSilence();
      await stack.up([image("home"), member("single", { accept: { connection: "consumer" } })]);
      assert.equal(await membership(), "accepted");
      await demandSilence();
    });

    it("a store into the Image's list, and back", async () => {
      await stack.up([image("home"), inStores("copy", "slow")]);
      const run = await stack.up([image("home", { stores: ["fast", "slow"] })]);
      assert.deepEqual(await stores(), ["fast", "slow"]);
      assert.match(warnings(run).join("\n"), /in the store slow stays: the Image home declares it/);
      await demandSilence();
      await stack.up([image("home", { stores: ["fast"] }), inStores("copy", "slow")]);
      assert.deepEqual(await stores(), ["fast", "slow"]);
      await demandSilence();
    });

    it("a store from one copy to another, and two tags that change places", async () => {
      await stack.up([inStores("one", "slow"), tag("a", "x"), tag("b", "y")]);
      const run = await stack.up([inStores("one", "fast"), inStores("two", "slow"), tag("a", "y"), tag("b", "x")]);
      assert.deepEqual(await stores(), ["fast", "slow"]);
      assert.deepEqual(await tags(), ["x", "y"]);
      assert.equal(run.code, 0);
      await demandSilence();
    });
  });

  it("replaced by itself: a copy in a store, which is made before the old one is deleted, stays", async () => {
    await stack.up([inStores("copy", "slow"), tag("late", "golden", { deleteBeforeReplace: false })]);
    const state = await stack.state();
    for (const name of ["copy", "late"]) {
      const run = await stack.up(undefined, "--replace", state[name]?.urn as string);
      assert.equal(run.steps[name], "replace");
      assert.deepEqual(warnings(run), []);
    }
    assert.deepEqual(await stores(), ["fast", "slow"]);
    assert.deepEqual(await tags(), ["golden"]);
    await demandSilence();
  });

  describe("declared twice", () => {
    const twice: [string, () => Declared[], RegExp][] = [
      [
        "a tag",
        () => [tag("one", "golden"), tag("two", "golden")],
        /the ImageTag (one|two) and the ImageTag (one|two) both declare the tag "golden" of image .*: keep one of them/,
      ],
      [
        "a tag that the Image lists",
        () => [image("home", { tags: ["golden"] }), tag("one", "golden")],
        /the Image home declares all tags of this image, and the ImageTag one declares "golden"/,
      ],
      [
        "a tag beside an Image's whole list",
        () => [image("home", { tags: ["all"] }), tag("one", "golden")],
        /the Image home declares all tags .* list it there and remove the ImageTag one, or leave tags out of the Image home/,
      ],
      [
        "a member",
        () => [member("one"), member("two", { accept: { connection: "consumer" } })],
        /the ImageMember (one|two) and the ImageMember (one|two) both declare the membership of/,
      ],
      [
        "a member beside an Image's whole list",
        () => [image("home", { members: [project()] }), member("one")],
        /the Image home declares all members of this image, and the ImageMember one declares/,
      ],
      [
        "an answer",
        () => [
          member("one", { accept: { connection: "consumer" } }),
          of("ImageMember", "two", { connection: "consumer" }),
        ],
        /both declare the answer of project/,
      ],
      [
        "a copy in a store",
        () => [inStores("one", "slow"), inStores("two", "fast", "slow")],
        /the ImageCopy (one|two) and the ImageCopy (one|two) both declare the copy of image .* in the store slow/,
      ],
      [
        "a copy in a store that the Image lists",
        () => [image("home", { stores: ["fast", "slow"] }), inStores("one", "slow")],
        /both declare the copy of image .* in the store slow/,
      ],
      [
        "an adopted image",
        () => [image("one"), image("two")],
        /the Image (one|two) and the Image (one|two) both declare image .*: keep one of them/,
      ],
    ];
    for (const [title, declare, says] of twice) {
      it(`${title}: an error at preview that names both, and nothing is written`, async () => {
        cloud().forget();
        const run = await stack.preview(declare());
        assert.notEqual(run.code, 0);
        assert.match(run.text, says);
        assert.deepEqual(cloud().writes(), []);
      });
    }

    it("an image that another resource made, or copied: the same, once the id is known", async () => {
      const { regions } = cloud();
      const formats = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
      const made = of("Image", "made", { imageId: undefined, name: "made here", ...formats });
      const copied = of("ImageCopy", "copied", { to: { connection: "elsewhere", name: "copied" } });
      await stack.up([made, copied]);
      const state = await stack.state();
      const adopting = (name: string, connection: string, id: unknown) =>
        of("Image", name, { imageId: undefined, connection, adopt: { id } });
      const mine = await stack.preview([made, copied, adopting("again", "admin", state.made?.id)]);
      assert.notEqual(mine.code, 0);
      assert.match(mine.text, /the Image (made|again) and the Image (made|again) both declare image/);
      const theirs = await stack.preview([made, copied, adopting("again", "elsewhere", state.copied?.id)]);
      assert.notEqual(theirs.code, 0, regions[1]?.name);
      assert.match(
        theirs.text,
        /the (ImageCopy copied|Image again) and the (ImageCopy copied|Image again) both declare/,
      );
    });

    it("an image that is adopted by its name: refused before anything is changed", async () => {
      await admin.set(imageId, { name: "the one" });
      const byName = of("Image", "two", { imageId: undefined, adopt: { name: "the one" }, minRam: 7 });
      const run = await stack.tryUp([image("one"), byName]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /the Image (one|two) and the Image (one|two) both declare image/);
    });
  });

  it("the same resource in a preview, an up and a repeat isn't in its own way", async () => {
    const declared = [image("home", { tags: ["a", "b"], members: [project()], stores: ["fast", "slow"] })];
    await stack.declare(declared);
    for (let round = 0; round < 2; round++) {
      const run = await stack.run(["up", "--yes"]);
      assert.equal(run.code, 0, run.text);
    }
  });
});
