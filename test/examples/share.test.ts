import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Stack } from "../engine/stack.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { sha512 } from "../support/disk.ts";
import { demandStable, disk, exampleFolder, stackOutputs } from "./example.ts";

onEachCloud("The example share", cloud => {
  let stack: Stack;
  let teamA: ImageApi;
  let teamB: ImageApi;
  let imageId: string;

  before(async () => {
    const { owner, consumer } = cloud().accounts;
    teamA = await cloud().as("owner");
    teamB = await cloud().as("consumer");
    stack = await Stack.create({
      program: exampleFolder("share"),
      config: {
        "images-share:disk": disk,
        "images-share:teamB": consumer.projectId,
        "images:connections": {
          "team-a": connectionOf(cloud(), owner),
          "team-b": connectionOf(cloud(), consumer),
        },
      },
    });
  });
  after(() => stack.dispose());

  it("gives team B an image that it accepted", async () => {
    cloud().forget();
    const run = await stack.up();
    assert.deepEqual(run.steps, { golden: "create", "team-b": "create", release: "create" });
    const outputs = await stackOutputs(stack);
    assert.equal(outputs.answer, "accepted");
    imageId = outputs.imageId as string;
    const path = `/v2/images/${imageId}`;
    assert.deepEqual(cloud().writes().toSorted(), [
      `PATCH ${path}`,
      "POST /v2/images",
      `POST ${path}/members`,
      `PUT ${path}/file`,
      `PUT ${path}/members/${cloud().accounts.consumer.projectId}`,
      `PUT ${path}/tags/2026-11`,
    ]);
    const made = await teamA.image(imageId);
    assert.deepEqual(
      [made.name, made.status, made.visibility, made.tags, made.os_hash_value],
      ["golden-2026.11", "active", "shared", ["2026-11"], sha512(await readFile(disk))],
    );
    const listed = await teamB.list("visibility=shared&member_status=accepted");
    assert.ok(
      listed.some(({ id }) => id === imageId),
      "team B's own listing shows it",
    );
    assert.deepEqual(Buffer.from(await teamB.data(imageId)), await readFile(disk));
  });

  it("has nothing left to do, and writes nothing", async () => {
    cloud().forget();
    await demandStable(stack);
    const run = await stack.up(undefined, "--refresh", "--expect-no-changes");
    assert.deepEqual(run.steps, { golden: "same", "team-b": "same", release: "same" });
    assert.deepEqual(cloud().writes(), []);
  });

  it("is destroyed, and leaves nothing", async () => {
    cloud().forget();
    const run = await stack.destroy();
    assert.deepEqual(run.steps, { golden: "delete", "team-b": "delete", release: "delete" });
    const path = `/v2/images/${imageId}`;
    const parts = [`DELETE ${path}/members/${cloud().accounts.consumer.projectId}`, `DELETE ${path}/tags/2026-11`];
    const deleted = cloud().writes();
    assert.equal(deleted.pop(), `DELETE ${path}`, "the membership and the tag go before their image");
    assert.deepEqual(deleted.toSorted(), parts);
    assert.equal(await teamA.exists(imageId), false);
    assert.equal(await teamB.exists(imageId), false);
    assert.deepEqual(await stack.state(), {});
  });
});
