import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Stack } from "../engine/stack.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { sha512 } from "../support/disk.ts";
import { demandStable, disk, exampleFolder, stackOutputs } from "./example.ts";

// Two regions stand for two clouds: each has an image service of its own.
onEachCloud("The example promote", cloud => {
  let stack: Stack;
  let staging: ImageApi;
  let production: ImageApi;
  let outputs: Record<string, unknown>;
  const ids = () => ({ staged: outputs.stagingId as string, promoted: outputs.productionId as string });

  before(async () => {
    const { accounts, regions } = cloud();
    staging = await cloud().as("owner", 0);
    production = await cloud().as("owner", 1);
    stack = await Stack.create({
      program: exampleFolder("promote"),
      config: {
        "images-promote:disk": disk,
        "images:connections": {
          staging: connectionOf(cloud(), accounts.owner, regions[0]?.name),
          production: connectionOf(cloud(), accounts.owner, regions[1]?.name),
        },
      },
    });
  });
  after(() => stack.dispose());

  it("brings the approved image to production, with its tag and properties", async () => {
    cloud().forget();
    const run = await stack.up();
    assert.deepEqual(run.steps, { staged: "create", approved: "create", promoted: "create" });
    outputs = await stackOutputs(stack);
    const [here, there] = cloud().recorders.map(({ requests }) =>
      requests.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`),
    );
    const staged = `/v2/images/${ids().staged}`;
    assert.deepEqual(here, ["POST /v2/images", `PUT ${staged}/file`, `PATCH ${staged}`, `PUT ${staged}/tags/approved`]);
    assert.deepEqual(there, [
      "POST /v2/images",
      `PUT /v2/images/${ids().promoted}/file`,
      `PATCH /v2/images/${ids().promoted}`,
    ]);
    const digest = sha512(await readFile(disk));
    assert.equal(outputs.digest, `sha512:${digest}`);
    const shown = async (api: ImageApi, id: string) => {
      const { name, status, tags, os_hash_value, min_disk, os_distro, promoted_from } = await api.image(id);
      return [name, status, tags, os_hash_value, min_disk, os_distro, promoted_from];
    };
    const common = ["web-2026.11", "active", ["approved"], digest, 1, "alpine"];
    assert.deepEqual(await shown(staging, ids().staged), [...common, undefined]);
    assert.deepEqual(await shown(production, ids().promoted), [...common, "staging"]);
    assert.deepEqual(Buffer.from(await production.data(ids().promoted)), await readFile(disk));
  });

  it("has nothing left to do, and writes nothing", async () => {
    cloud().forget();
    await demandStable(stack);
    const run = await stack.up(undefined, "--refresh", "--expect-no-changes");
    assert.deepEqual(run.steps, { staged: "same", approved: "same", promoted: "same" });
    assert.deepEqual(cloud().writes(), []);
  });

  it("is destroyed, and leaves nothing in either cloud", async () => {
    const run = await stack.destroy();
    assert.deepEqual(run.steps, { staged: "delete", approved: "delete", promoted: "delete" });
    assert.equal(await staging.exists(ids().staged), false);
    assert.equal(await production.exists(ids().promoted), false);
    assert.deepEqual(await stack.state(), {});
  });
});
