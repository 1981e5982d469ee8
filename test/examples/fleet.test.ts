import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, runCommand } from "../../tools/command.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { Stack } from "../engine/stack.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { exampleFolder } from "./example.ts";

/** The names of each stack's images, by the example's own function. */
async function split(size: number): Promise<[stack: string, images: string[]][]> {
  const print = `import { byStack } from "./fleet.ts";
    console.log(JSON.stringify([...byStack()].map(([stack, images]) => [stack, images.map(({ name }) => name)])));`;
  const flags = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--input-type=module", "-e", print];
  const env = { ...process.env, FLEET_SIZE: String(size) };
  return JSON.parse(await runCommand(process.execPath, flags, { cwd: exampleFolder("fleet"), env }));
}

describe("examples/fleet", () => {
  it("splits ten thousand images into twenty stacks of about five hundred, and leaves each in its stack when others come", async () => {
    const parts = await split(10_000);
    assert.equal(parts.length, 20);
    assert.equal(new Set(parts.flatMap(([, images]) => images)).size, 10_000);
    for (const [stack, { length }] of parts) assert.ok(length > 400 && length < 600, `${stack}: ${length}`);
    const later = new Map(await split(12_000));
    for (const [stack, images] of parts) {
      const there = new Set(later.get(stack));
      assert.deepEqual(
        images.filter(image => !there.has(image)),
        [],
      );
    }
  });

  describe("120 images in three stacks at the same time", () => {
    const [size, stacks] = [120, 3];
    let dir: string;
    let cloud: LocalCloud;
    let stack: Stack;
    let lines: string[];

    before(async () => {
      dir = await mkdtemp(join(tmpdir(), "pulumi-images-fleet-"));
      cloud = await startCloud({ dir, services: ["openstack"] });
      const env = {
        ...environmentOf(cloud.openstack, cloud.openstack.accounts.owner),
        FLEET_SIZE: String(size),
        FLEET_STACKS: String(stacks),
      };
      stack = await Stack.create({ program: exampleFolder("fleet"), env });
    });
    after(async () => {
      await rm(stack.folder, { recursive: true, force: true });
      await cloud.stop();
      await rm(dir, { recursive: true, force: true });
    });

    const apply = (verb: string) =>
      runCommand(process.execPath, ["apply.mts", verb, String(stacks)], {
        cwd: stack.folder,
        env: stack.env,
        onLine: line => lines.push(line),
      });
    /** What became of each stack's resources; the stack itself is one of them. */
    const changes = () =>
      lines.flatMap(line => {
        const [, name, images, counts = ""] = /^(part-\d): (\d+) images, .* (\{.*\})$/.exec(line) ?? [];
        return name === undefined ? [] : [{ name, images: Number(images), ...JSON.parse(counts) }];
      });
    const images = async () => {
      const { authUrl, accounts, regions } = cloud.openstack;
      return (await ImageApi.signIn(authUrl, accounts.owner, regions[0]?.imageUrl as string)).list();
    };

    beforeEach(() => {
      lines = [];
    });

    it("of which one image can't be made: its stack fails, and says so, the others are done", async () => {
      cloud.faults.add({ method: "POST", path: /^\/v2\/images$/, skip: 10, status: 403, body: "not this one" });
      await assert.rejects(
        () => apply("up"),
        (error: unknown) => error instanceof CommandError && error.exitCode === 1,
      );
      assert.equal(changes().length, stacks - 1, lines.join("\n"));
      for (const { images, create } of changes()) assert.equal(create, images + 1);
      assert.match(lines.join("\n"), /not this one/);
      assert.match(lines.at(-1) ?? "", /^1 stacks failed: part-\d$/);
    });

    it("and again: what is missing is made, and nothing else", async () => {
      const before = (await images()).length;
      await apply("up");
      assert.equal(changes().length, stacks, lines.join("\n"));
      const made = changes().reduce((sum, { create }) => sum + (create ?? 0), 0);
      assert.equal(made, size - before);
      assert.ok(made >= 1);
      assert.ok(changes().every(({ update, replace }) => update === undefined && replace === undefined));
      const all = await images();
      assert.equal(all.length, size);
      assert.equal(new Set(all.map(({ name }) => name)).size, size);
      assert.equal(new Set(all.map(image => image.pulumi_images_stack)).size, stacks);
      assert.equal(
        changes().reduce((sum, { images }) => sum + images, 0),
        size,
      );
    });
  });
});
