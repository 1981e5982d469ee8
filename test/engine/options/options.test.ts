import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { noise } from "../../support/disk.ts";
import type { Declaration } from "../stack.ts";
import { options } from "./rows.ts";
import { copy, demandSilence, idsOf, image, member, Trials, tag, where } from "./trials.ts";

/** An id that no image has. */
const nowhere = "3fb0e6a4-7a54-4d5e-9a8e-2f1f0d6c1b2a";
/** One that an image chooses. */
const chosenId = "3fb0e6a4-7a54-4d5e-9a8e-2f1f0d6c1b2b";

describe("Resource options", () => {
  const trials = new Trials(options);

  trials.of(["ignoreChanges", "transforms"], "ignores changes by any name that a diff shows", async () => {
    const stack = await trials.stack();
    const properties = { os_distro: "alpine", "hw:x": "1", rest: "1" };
    const some = ["content", "name", "tags", "properties.os_distro", 'properties["hw:x"]'];
    const declared = (second: boolean, ignoring: boolean): Declaration[] => {
      const ignoreChanges = (...names: string[]) => (ignoring ? { ignoreChanges: names } : {});
      const changed = second ? { os_distro: "debian", "hw:x": "2" } : {};
      const change = second ? { name: "new", tags: ["new"], source: { file: "other.raw" } } : {};
      const all = second ? { ...change, properties: { rest: "2" }, minDisk: 3 } : { properties };
      const moved = second ? { source: { file: "gone.raw" } } : {};
      const transform = { transforms: [{ $options: ignoreChanges("content") }] };
      return [
        image("some", { ...change, properties: { ...properties, ...changed } }, ignoreChanges(...some)),
        image("all", { tags: ["old"], ...all }, ignoreChanges("*")),
        image("unreadable", moved, ignoreChanges("source")),
        image("transformed", second ? { source: { file: "other.raw" } } : {}, transform),
        image("base", { properties: { ...properties, ...changed } }),
        copy("one-property", "base", { name: "a" }, ignoreChanges("metadata.properties.os_distro", "metadata.name")),
        copy("metadata", "base", { name: "b" }, ignoreChanges("metadata")),
        copy("whole", "base", { name: "c" }, ignoreChanges("*")),
      ];
    };
    await stack.up(declared(false, true));
    const preview = await stack.preview(declared(true, true));
    assert.equal(preview.code, 0, preview.text);
    assert.doesNotMatch(preview.text, /cannot ignore/);
    const { base, ...rest } = preview.steps;
    assert.deepEqual([base, ...new Set(Object.values(rest))], ["update", "same"], preview.text);
    // What it copies has changed by then.
    assert.equal((await stack.up()).steps["one-property"], "update");
    await demandSilence(stack);
    const ids = await idsOf(stack);
    const elsewhere = await trials.cloud.as("owner", 1);
    const copied = await elsewhere.image(ids["one-property"] as string);
    assert.deepEqual([copied.name, copied.os_distro, copied["hw:x"]], ["a", "alpine", "2"]);
    const owner = await trials.cloud.as("owner");
    await owner.set(ids.some as string, { name: "drifted", os_distro: "drifted" });
    await owner.patch(ids.some as string, { op: "replace", path: "/tags", value: ["drifted"] });
    await demandSilence(stack);
    const shown = await stack.preview(declared(true, false).filter(({ name }) => name !== "unreadable"));
    assert.deepEqual(shown.diffs.some, ["content", "name", "properties", "tags"]);
    assert.equal(shown.steps.transformed, "replace");
  });

  const replaceOptions = ["replaceOnChanges", "deleteBeforeReplace", "replaceWith", "replacementTrigger"];
  const replaced = "replaces on changes, before or after, with another resource, or when told";
  trials.of(replaceOptions, replaced, async () => {
    const stack = await trials.stack();
    const { consumer } = trials.cloud.accounts;
    const on = (...replaceOnChanges: string[]) => ({ replaceOnChanges });
    const declared = (second: boolean): Declaration[] => [
      image("first", { name: second ? "new" : "old" }, { ...on("name"), deleteBeforeReplace: true }),
      image("property", { properties: { a: second ? "2" : "1", b: "1" } }, on("properties.a")),
      image("beside", { properties: { a: "1", b: second ? "2" : "1" } }, on("properties.a")),
      image("order", { tags: second ? ["a", "b"] : ["b", "a"] }, on("*")),
      image("any", { minRam: second ? 1 : 2 }, on("*")),
      image("with", {}, { replaceWith: ["any"] }),
      image("told", {}, { replacementTrigger: second ? "2" : "1" }),
      copy("copied", "order", { name: second ? "new" : "old" }, on("metadata.name")),
      member(
        "answer",
        "order",
        { member: consumer.projectId, accept: { connection: "customer" }, status: second ? "rejected" : "accepted" },
        { ...on("status"), deleteBeforeReplace: false },
      ),
    ];
    await stack.up(declared(false));
    const before = await idsOf(stack);
    const changed = { first: "replace", property: "replace", beside: "update", order: "same", any: "replace" };
    const expected = { ...changed, with: "replace", told: "replace", copied: "replace", answer: "replace" };
    const preview = await stack.preview(declared(true));
    assert.deepEqual(preview.steps, expected, preview.text);
    const run = await stack.up();
    assert.deepEqual(run.steps, expected);
    const opsOf = (name: string) =>
      run.events.flatMap(({ resourcePreEvent: event }) =>
        event?.metadata.urn.endsWith(`::${name}`) ? event.metadata.op : [],
      );
    assert.deepEqual(opsOf("first"), ["delete-replaced", "replace", "create-replacement"]);
    for (const name of ["told", "answer"])
      assert.deepEqual(opsOf(name), ["create-replacement", "replace", "delete-replaced"], name);
    const after = await idsOf(stack);
    const owner = await trials.cloud.as("owner");
    for (const name of ["first", "property", "any", "with", "told"]) {
      assert.notEqual(after[name], before[name], name);
      assert.deepEqual(
        [await owner.exists(before[name] as string), (await owner.image(after[name] as string)).status],
        [false, "active"],
      );
    }
    const answer = await owner.send("GET", `/v2/images/${after.order}/members/${consumer.projectId}`);
    assert.equal(((await answer.json()) as { status: string }).status, "rejected");
    assert.notEqual(after.copied, before.copied);
    await demandSilence(stack);
    await owner.set(after.first as string, { name: "drifted" });
    assert.equal((await stack.preview(undefined, "--refresh")).steps.first, "replace", "a drift is a change, too");
  });

  it("never deletes an image that is adopted again, and says at preview that an imageId can't be used again", async () => {
    const stack = await trials.stack();
    const owner = await trials.cloud.as("owner");
    const made = await owner.create({ name: "there", disk_format: "raw", container_format: "bare" }, noise("a", 3000));
    const replaceOnChanges = ["name"];
    const adopted = (name: string, by: object, deleteBeforeReplace: boolean): Declaration => ({
      ...{ kind: "Image", name: "adopted", args: { ...where, name, adopt: by } },
      options: { replaceOnChanges, deleteBeforeReplace },
    });
    await stack.up([adopted("there", { id: made.id }, true)]);
    for (const [name, last] of [
      ["new", true],
      ["newer", false],
    ] as const) {
      const run = await stack.up([adopted(name, { id: made.id }, last)]);
      assert.equal(run.steps.adopted, "replace");
      assert.match(run.text, new RegExp(`image ${made.id} stays`));
      assert.equal((await owner.image(made.id)).name, name);
      await demandSilence(stack);
    }
    const chosen = (name: string): Declaration => image("chosen", { imageId: chosenId, name }, { replaceOnChanges });
    await stack.up([chosen("old")]);
    const preview = await stack.preview([chosen("new")]);
    assert.notEqual(preview.code, 0);
    assert.match(preview.text, /imageId 3fb0e6a4\S*b can't be used again. Choose another imageId/);
  });

  const deleted = "keeps what is protected or retained, and leaves out what goes with another resource";
  trials.of(["protect", "retainOnDelete", "deletedWith"], deleted, async () => {
    const stack = await trials.stack();
    const { projectId } = trials.cloud.accounts.consumer;
    const kept = (protect: boolean) =>
      image("kept", { source: { file: protect ? "disk.raw" : "other.raw" } }, { protect });
    const others = [
      image("goes"),
      tag("tag", "goes", { deletedWith: "goes" }),
      member("member", "goes", { member: projectId }, { deletedWith: "goes" }),
      image("stays", {}, { retainOnDelete: true }),
      copy("copy", "goes", { name: "stays, too" }, { retainOnDelete: true }),
    ];
    await stack.up([kept(true), ...others]);
    const ids = await idsOf(stack);
    const replacing = { ...kept(true), args: kept(false).args };
    for (const declared of [[replacing, ...others], others]) {
      const run = await stack.tryUp(declared);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /protect/);
    }
    trials.cloud.forget();
    // Taken off together with the change.
    assert.equal((await stack.up([kept(false)])).steps.kept, "replace");
    const [owner, elsewhere] = await Promise.all([trials.cloud.as("owner"), trials.cloud.as("owner", 1)]);
    const exists = (name: string) => (name === "copy" ? elsewhere : owner).exists(ids[name] as string);
    const names = ["kept", "goes", "stays", "copy"];
    assert.deepEqual(await Promise.all(names.map(exists)), [false, false, true, true]);
    const deletions = trials.cloud.writes().filter(write => /^DELETE .*\/(tags|members)\//.test(write));
    assert.deepEqual(deletions, [], "the service takes tags and members away with their image");
    assert.deepEqual(Object.keys(await stack.state()), ["kept"]);
  });

  const own = ["additionalSecretOutputs", "aliases", "dependsOn", "hideDiffs", "hooks", "pluginDownloadURL", "version"];
  trials.of(own, "takes the options that are the engine's own", async () => {
    const stack = await trials.stack();
    const hooks = ["beforeCreate", "afterCreate", "beforeUpdate", "afterUpdate", "beforeDelete"];
    const declared = (minRam: number, name = "old"): Declaration[] => {
      const was = (old: string) => (name === "old" ? {} : { aliases: [{ name: old }] });
      const own = { additionalSecretOutputs: ["checksum"], hideDiffs: ["minRam"] };
      return [
        image(name, { name: "i", minRam }, { ...own, hooks, ...was("old") }),
        tag(`${name}-tag`, name, { hooks, ...was("old-tag") }),
        image("loaded", { minRam }, { version: "1.2.3", pluginDownloadURL: "https://example.org" }),
        tag("last", "loaded", { dependsOn: [`${name}-tag`] }),
      ];
    };
    await stack.up(declared(1));
    const ids = await idsOf(stack);
    const added = trials.cloud.writes().filter(write => write.includes("/tags/"));
    assert.deepEqual(added, [`PUT /v2/images/${ids.old}/tags/stable`, `PUT /v2/images/${ids.loaded}/tags/stable`]);
    const secret = (await stack.outputs("old")).checksum as Record<string, unknown>;
    assert.ok("ciphertext" in secret, JSON.stringify(secret));
    const preview = await stack.preview(declared(2).slice(0, 2));
    assert.equal(preview.steps.old, "update");
    assert.doesNotMatch(preview.text, /minRam.*=>/);
    await stack.up(declared(2));
    const run = await stack.up(declared(2, "new"));
    assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
    const { loaded, last } = ids;
    assert.deepEqual(await idsOf(stack), { new: ids.old, "new-tag": ids["old-tag"], loaded, last });
    trials.cloud.forget();
    await stack.up(declared(2, "new").filter(({ kind }) => kind === "Image"));
    const removed = [`DELETE /v2/images/${loaded}/tags/stable`, `DELETE /v2/images/${ids.old}/tags/stable`];
    assert.deepEqual(trials.cloud.writes(), removed, "what depends on the other first");
    assert.deepEqual((await readFile(join(stack.folder, "hooks.txt"), "utf8")).trim().split("\n").sort(), [
      ...["afterCreate old", "afterCreate old-tag", "afterUpdate old", "beforeCreate old", "beforeCreate old-tag"],
      ...["beforeDelete new-tag", "beforeUpdate old"],
    ]);
  });

  trials.of(["id"], "says that there is nothing to read, of each kind", async () => {
    const stack = await trials.stack();
    const { projectId } = trials.cloud.accounts.consumer;
    const reads = (id: string): Declaration[] => [
      { kind: "Image", name: "image", args: where, get: id },
      { kind: "ImageTag", name: "tag", args: where, get: `${id}/stable` },
      { kind: "ImageMember", name: "member", args: where, get: `${id}/${projectId}` },
      { kind: "ImageCopy", name: "copy", args: where, get: id },
    ];
    const run = await stack.tryUp(reads(nowhere), "--continue-on-error");
    assert.notEqual(run.code, 0);
    for (const kind of ["Image", "ImageTag", "ImageMember", "ImageCopy"])
      assert.match(run.text, new RegExp(`there is no ${kind} ${nowhere}\\S* on the connection owner`));
    assert.deepEqual(await stack.state(), {});
    const owner = await trials.cloud.as("owner");
    const made = await owner.create({ name: "there", disk_format: "raw", container_format: "bare" }, noise("a", 3000));
    await owner.send("PUT", `/v2/images/${made.id}/tags/stable`);
    await owner.send("POST", `/v2/images/${made.id}/members`, { body: { member: projectId } });
    await stack.up(reads(made.id));
    await owner.delete(made.id);
    const gone = await stack.preview(undefined, "--refresh");
    assert.match(gone.text, new RegExp(`there is no Image ${made.id}`));
    assert.equal((await stack.run(["refresh", "--yes"])).code, 0, "a program that no longer reads it isn't in the way");
    assert.deepEqual(await stack.state(), {});
  });

  const refused = "says at once which options can't work, and what to write instead";
  trials.of(["import", "provider", "envVarMappings", "stateMigrations", "urn"], refused, async () => {
    const stack = await trials.stack({ ownProcess: true });
    const cases: [Declaration[], RegExp][] = [
      [
        [image("i", {}, { import: nowhere })],
        new RegExp(`Image "i" has the option import, .*declare it with adopt: { id: "${nowhere}" }`),
      ],
      [
        [image("i"), tag("t", "i", { import: `${nowhere}/stable` })],
        /ImageTag "t" has the option import, .*declare it without the option: what is there already is taken/,
      ],
      [
        [{ kind: "Provider", name: "p", args: { package: "pulumi" } }, image("i", {}, { provider: "p" })],
        /Image "i" has the option provider, but .* connection\. Leave the option out/,
      ],
      [[image("i", {}, { envVarMappings: { A: "B" } })], /envVarMappings can only be used with provider resources/],
      [[image("i", {}, { stateMigrations: ["one"] })], /does not support state migrations/i],
      [
        [{ kind: "Image", name: "i", args: where, options: { urn: "urn:pulumi:a::b::c::d" } }],
        /unknown resource urn:pulumi:a/,
      ],
    ];
    for (const [declared, says] of cases) {
      const run = await stack.preview(declared);
      assert.notEqual(run.code, 0);
      assert.match(run.text, says);
      if (/the option/.test(String(says))) assert.doesNotMatch(run.text, /\n\s+at /, "no stack trace");
    }
    const dynamic = await stack.preview([{ kind: "Provider", name: "p" }, image("i", {}, { provider: "p" })]);
    assert.match(dynamic.text, /There is no connection "owner" for openstack/, "it has no configuration of the stack");
    assert.deepEqual(trials.cloud.writes(), []);
  });
});
