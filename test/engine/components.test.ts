import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { environmentOf, onEachCloud } from "../openstack/clouds.ts";
import { noise } from "../support/disk.ts";
import { type Declared, Stack } from "./stack.ts";

const disk = noise("components", 10_000);

const image = (name: string, args: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Declared => ({
  kind: "Image",
  name,
  args: {
    ...{ service: "openstack", name, diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } },
    ...args,
  },
  options,
});
const component = (name: string, children: Declared[], options: Record<string, unknown> = {}): Declared => ({
  kind: "Component",
  name,
  args: { children },
  options,
});

for (const ownProcess of [false, true])
onEachCloud("Components", cloud => {
  it("moved" + ownProcess, async () => {
    const stack = await Stack.create({ ownProcess, env: environmentOf(cloud(), cloud().accounts.owner) });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    const first = await stack.up([image("a"), image("b")]);
    console.log(first.steps);
    const alias = { aliases: [{ parent: { $root: true } }] };
    const second = await stack.tryUp([component("all", [image("a", {}, alias), image("b", {}, alias)])]);
    console.log(second.code, second.steps, second.text);
    console.log(Object.keys(await stack.state()));
    assert.ok(first);
  });
});
