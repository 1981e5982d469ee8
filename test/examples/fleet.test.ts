import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { Stack } from "../engine/stack.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { exampleFolder } from "./example.ts";

describe("examples/fleet", () => {
  let dir: string;
  let cloud: LocalCloud;
  let stack: Stack;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-fleet-"));
    cloud = await startCloud({ dir, services: ["openstack"] });
    const env = {
      ...environmentOf(cloud.openstack, cloud.openstack.accounts.owner),
      FLEET_SIZE: "40",
      FLEET_STACKS: "4",
    };
    stack = await Stack.create({ program: exampleFolder("fleet"), env });
  });
  after(async () => {
    await rm(stack.folder, { recursive: true, force: true });
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it("makes forty images in four stacks at the same time, each image in one of them", async () => {
    const text = await runCommand(process.execPath, ["apply.mts", "up", "4"], { cwd: stack.folder, env: stack.env });
    const parts = [...text.matchAll(/^(part-\d): (\d+) images, .*"create":(\d+)/gm)];
    assert.deepEqual(parts.map(([, name]) => name).sort(), ["part-0", "part-1", "part-2", "part-3"], text);
    assert.equal(
      parts.reduce((sum, [, , images]) => sum + Number(images), 0),
      40,
    );
    // Its stack itself is a resource, too.
    for (const [, , images, made] of parts) assert.equal(Number(made), Number(images) + 1);
    const { authUrl, accounts, regions } = cloud.openstack;
    const api = await ImageApi.signIn(authUrl, accounts.owner, regions[0]?.imageUrl as string);
    const images = await api.list();
    assert.equal(new Set(images.map(({ name }) => name)).size, 40);
    assert.equal(images.length, 40);
    assert.equal(new Set(images.map(image => image.pulumi_images_stack)).size, 4);
  });
});
