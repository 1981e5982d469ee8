import assert from "node:assert/strict";
import { Stack } from "../engine/stack.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { demandStable, exampleFolder, stackOutputs } from "./example.ts";

onEachCloud("The example store-migration", cloud => {
  let stack: Stack;
  let admin: ImageApi;
  const disks = ["one", "two", "three"].map(name => noise(`store-migration ${name}`, 40_000));
  let images: string[];
  const everyImage = <T>(value: (index: number) => T) =>
    Object.fromEntries(images.map((id, index) => [id, value(index)]));
  const storesOf = async (id: string) =>
    String((await admin.image(id)).stores)
      .split(",")
      .toSorted();
  const allStores = async () => Promise.all(images.map(storesOf));

  before(async () => {
    admin = await cloud().as("admin");
    const body = { name: "to-be-moved", disk_format: "raw", container_format: "bare" };
    images = (await Promise.all(disks.map(data => admin.create(body, data)))).map(({ id }) => id);
    stack = await Stack.create({
      program: exampleFolder("store-migration"),
      config: {
        "images-store-migration:images": images,
        "images-store-migration:store": "slow",
        "images:connections": { cloud: connectionOf(cloud(), cloud().accounts.admin) },
      },
    });
  });
  after(async () => {
    await stack.dispose();
    await Promise.all(images.map(id => admin.delete(id)));
  });

  it("brings each image to the new store", async () => {
    assert.deepEqual(await allStores(), [["fast"], ["fast"], ["fast"]]);
    cloud().forget();
    const run = await stack.up();
    assert.deepEqual(
      run.steps,
      everyImage(() => "create"),
    );
    assert.deepEqual(cloud().writes().toSorted(), images.map(id => `POST /v2/images/${id}/import`).toSorted());
    assert.deepEqual(await allStores(), Array(3).fill(["fast", "slow"]));
    const { digests } = await stackOutputs(stack);
    assert.deepEqual(
      digests,
      everyImage(index => `sha512:${sha512(disks[index] as Buffer)}`),
    );
  });

  it("has nothing left to do, and writes nothing", async () => {
    cloud().forget();
    await demandStable(stack);
    const run = await stack.up(undefined, "--refresh", "--expect-no-changes");
    assert.deepEqual(
      run.steps,
      everyImage(() => "same"),
    );
    assert.deepEqual(cloud().writes(), []);
  });

  it("gives the data from the new store once the old one has lost it", async () => {
    const [id, data] = [images[0] as string, disks[0] as Buffer];
    await admin.send("DELETE", `/v2/stores/fast/${id}`);
    assert.deepEqual(await storesOf(id), ["slow"]);
    assert.deepEqual(Buffer.from(await admin.data(id)), data);
    const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
    assert.equal(quiet.code, 0, quiet.text);
  });

  it("is destroyed: its copies go, and data that nowhere else is stays", async () => {
    const run = await stack.destroy();
    assert.deepEqual(
      run.steps,
      everyImage(() => "delete"),
    );
    assert.deepEqual(await stack.state(), {});
    assert.deepEqual(await allStores(), [["slow"], ["fast"], ["fast"]]);
    for (const [index, id] of images.entries()) assert.deepEqual(Buffer.from(await admin.data(id)), disks[index]);
  });
});
