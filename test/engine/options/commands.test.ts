import assert from "node:assert/strict";
import { join } from "node:path";
import { noise } from "../../support/disk.ts";
import type { Declaration, Stack } from "../stack.ts";
import { commands } from "./rows.ts";
import { copy, demandSilence, idsOf, image, member, Trials, tag, urnOf } from "./trials.ts";

async function demand(stack: Stack, ...args: string[]): Promise<string> {
  const run = await stack.run(args);
  assert.equal(run.code, 0, run.text);
  return run.text;
}

describe("Commands on a state", () => {
  const trials = new Trials(commands);

  const ofState = ["rename", "delete", "protect, unprotect", "taint"].map(name => `pulumi state ${name}`);
  trials.of(ofState, "goes on after the state's own commands", async () => {
    const stack = await trials.stack();
    const owner = await trials.cloud.as("owner");
    const parts = (of: string): Declaration[] => [
      tag("tag", of),
      member("member", of, { member: trials.cloud.accounts.consumer.projectId }),
    ];
    await stack.up([image("old", { name: "i" }), ...parts("old"), image("safe"), copy("copy", "safe", { name: "c" })]);
    const before = await idsOf(stack);
    const on = async (command: string, name: string, ...rest: string[]) =>
      demand(stack, "state", command, "--yes", await urnOf(stack, name), ...rest);

    await on("rename", "old", "new");
    await on("rename", "copy", "copied");
    await on("protect", "safe");
    const renamed = [
      image("new", { name: "i" }),
      ...parts("new"),
      image("safe"),
      copy("copied", "safe", { name: "c" }),
    ];
    trials.cloud.forget();
    await demandSilence(stack, renamed);
    const refused = await stack.preview(renamed.slice(0, 3));
    assert.notEqual(refused.code, 0);
    assert.match(refused.text, /Image::safe" cannot be deleted/);
    await on("unprotect", "safe");
    assert.deepEqual(Object.values((await stack.up(renamed)).steps), Array(5).fill("same"));
    assert.deepEqual(trials.cloud.writes(), []);

    for (const name of ["tag", "member", "copied", "safe"]) await on("delete", name);
    const again = await stack.up();
    const made = { tag: "create", member: "create", safe: "create", copied: "create" };
    assert.deepEqual(again.steps, { new: "same", ...made });
    assert.match(again.text, new RegExp(`image ${before.safe} .*carries this resource's owner tag`));
    assert.equal(await owner.exists(before.safe as string), true);
    await demandSilence(stack);

    const { safe, copied } = await idsOf(stack);
    for (const name of ["safe", "tag", "copied"]) await on("taint", name);
    const tainted = await stack.up();
    assert.deepEqual(tainted.steps, {
      new: "same",
      member: "same",
      tag: "replace",
      safe: "replace",
      copied: "replace",
    });
    assert.equal(await owner.exists(safe as string), false);
    assert.notEqual((await idsOf(stack)).copied, copied);
    await demandSilence(stack);
  });

  const whole = ["pulumi stack rename", "pulumi stack export, import", "pulumi state move"];
  trials.of(whole, "goes on after a stack is renamed, exported, lost and imported, and a resource moved", async () => {
    const stack = await trials.stack();
    const declared = (name: string, file = "disk"): Declaration[] => [
      image("first", { source: { file: `${file}.raw` } }),
      tag("tag", "first"),
      member("member", "first", { member: trials.cloud.accounts.consumer.projectId }),
      image("second", { name }),
      copy("copy", "second", { name: "the copy" }),
    ];
    await stack.up(declared("old"));
    await stack.rename("production");
    trials.cloud.forget();
    await demandSilence(stack);
    const file = join(stack.folder, "exported.json");
    await demand(stack, "stack", "export", "--file", file);
    await stack.loseState();
    await demand(stack, "stack", "import", "--file", file);
    await demandSilence(stack);
    assert.deepEqual(trials.cloud.writes(), []);

    await stack.up(declared("new", "other"));
    const { first: lost } = await idsOf(stack);
    await demand(stack, "stack", "import", "--file", file);
    const behind = await stack.up(undefined, "--refresh");
    const made = { first: "create", tag: "create", member: "create" };
    assert.deepEqual(behind.steps, { ...made, second: "same", copy: "same" }, behind.text);
    assert.match(behind.text, new RegExp(`is gone, and somebody made another one named "first": ${lost}`));
    await demandSilence(stack);

    const other = await stack.another("other");
    await stack.moveTo(other, "copy");
    const { second, copy: copied } = await idsOf(stack).then(async ids => ({ ...ids, ...(await idsOf(other)) }));
    await demandSilence(stack, declared("new", "other").slice(0, 4));
    const { args } = copy("copy", "second", { name: "the copy" });
    await demandSilence(other, [{ kind: "ImageCopy", name: "copy", args: { ...args, imageId: second } }]);
    assert.deepEqual(await idsOf(other), { copy: copied });
    await (await trials.cloud.as("owner")).delete(lost as string);
  });

  const partly = ["--target", "--exclude", "--replace", "refresh --preview-only"];
  const runProgram = "refresh --run-program, destroy --run-program";
  trials.of([...partly, runProgram], "does a part of the program, or only looks", async () => {
    const stack = await trials.stack();
    const owner = await trials.cloud.as("owner");
    const declared = (name: string, file = "disk"): Declaration[] => [
      image("a", { name: `a ${name}`, source: { file: `${file}.raw` } }),
      tag("tag", "a"),
      image("b", { name: `b ${name}` }),
      copy("copy", "b", { name: "the copy" }),
    ];
    await stack.up(declared("1"));
    const steps = async (...flags: string[]) => (await stack.up(undefined, ...flags)).steps;
    const same = { a: "same", tag: "same", b: "same", copy: "same" };
    await stack.declare(declared("2"));
    assert.deepEqual(await steps("--target", await urnOf(stack, "b")), { ...same, b: "update" });
    await stack.declare(declared("3"));
    assert.deepEqual(await steps("--exclude", await urnOf(stack, "b")), { ...same, a: "update" });
    const { a, b } = await idsOf(stack);
    await stack.declare(declared("3", "other"));
    assert.deepEqual(await steps("--target", await urnOf(stack, "a")), { ...same, a: "replace" });
    assert.equal(await owner.exists(a as string), false);
    assert.deepEqual(await steps(), { ...same, tag: "replace", b: "update" });
    const replaced = await steps("--replace", await urnOf(stack, "b"));
    assert.deepEqual(replaced, { ...same, b: "replace", copy: "replace" });
    assert.equal(await owner.exists(b as string), false);
    await demandSilence(stack);

    const nameOf = async () => (await stack.state()).a?.inputs.name;
    await owner.set((await idsOf(stack)).a as string, { name: "drifted" });
    trials.cloud.forget();
    const look = await stack.run(["refresh", "--preview-only", "--diff"], { events: true });
    assert.match(look.text, /name +: "a 3" => "drifted"/);
    assert.equal(await nameOf(), "a 3");
    const refresh = await stack.run(["refresh", "--yes", "--run-program"], { events: true });
    assert.equal(refresh.code, 0, refresh.text);
    assert.equal(await nameOf(), "drifted");
    assert.deepEqual(trials.cloud.writes(), []);
    assert.deepEqual(await steps(), { ...same, a: "update" });
    const ids = Object.values(await idsOf(stack));
    const destroy = await stack.run(["destroy", "--yes", "--skip-preview", "--run-program"], { events: true });
    assert.equal(destroy.code, 0, destroy.text);
    assert.deepEqual(await stack.state(), {});
    for (const id of ids.filter(id => !id.includes("/"))) assert.equal(await owner.exists(id), false);
  });

  const imported = "can't import, and leaves the state as it was";
  trials.of(["pulumi import"], imported, async () => {
    const stack = await trials.stack();
    const owner = await trials.cloud.as("owner");
    const { id } = await owner.create(
      { name: "there", disk_format: "raw", container_format: "bare" },
      noise("a", 3000),
    );
    const run = await stack.run(["import", "--yes", "pulumi-nodejs:dynamic/images:Image", "i", id]);
    assert.notEqual(run.code, 0);
    assert.match(run.text, /code must be a string, not undefined/);
    assert.deepEqual(await stack.state(), {});
  });
});
