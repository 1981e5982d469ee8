import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import { ImageClient } from "./client.ts";

onEachCloud("Image members", cloud => {
  let owner: ImageClient;
  let consumer: ImageClient;
  let admin: ImageClient;
  let project: string;
  let id: string;
  before(() => {
    owner = new ImageClient(cloud());
    consumer = new ImageClient(cloud(), "consumer");
    admin = new ImageClient(cloud(), "admin");
    project = cloud().accounts.consumer.projectId;
  });
  beforeEach(async () => {
    id = await owner.create({ name: "shared" });
  });
  const members = (who = owner) => who.send("GET", `/v2/images/${id}/members`);
  const member = (who: ImageClient, method: string, body?: unknown, whom = project) =>
    who.send(method, `/v2/images/${id}/members/${whom}`, body);
  const invite = (who: ImageClient, whom: unknown) => who.send("POST", `/v2/images/${id}/members`, { member: whom });
  const listed = async (query = "") => {
    const { json } = await consumer.send("GET", `/v2/images?id=in:${id}${query}`);
    return json.images.length === 1;
  };

  it("are invited as pending", async () => {
    const { status, json } = await invite(owner, project);
    assert.equal(status, 200);
    assert.deepEqual(json, {
      member_id: project,
      image_id: id,
      status: "pending",
      created_at: json.created_at,
      updated_at: json.updated_at,
      schema: "/v2/schemas/member",
    });
    assert.deepEqual((await members()).json, { members: [json], schema: "/v2/schemas/members" });
    assert.deepEqual((await member(owner, "GET")).json, json);
    assert.equal((await invite(owner, project)).status, 409);
  });

  it("are any text, as long as there is some", async () => {
    assert.equal((await invite(owner, "any thing")).status, 200);
    assert.equal((await invite(owner, "")).status, 400);
    assert.equal((await owner.send("POST", `/v2/images/${id}/members`, {})).status, 400);
    assert.equal((await owner.send("POST", `/v2/images/${id}/members`, { member_id: "x" })).status, 400);
  });

  it("see the image by its id at once, and in listings once they accepted", async () => {
    assert.equal((await consumer.get(id)).status, 404);
    await invite(owner, project);
    assert.equal((await consumer.get(id)).status, 200);
    assert.equal(await listed(), false);
    assert.equal(await listed("&visibility=shared&member_status=pending"), true);
    assert.equal(await listed("&visibility=all&member_status=all"), true);
    const { status, json } = await member(consumer, "PUT", { status: "accepted" });
    assert.equal(status, 200);
    assert.equal(json.status, "accepted");
    assert.equal(await listed(), true);
    await member(consumer, "PUT", { status: "rejected" });
    assert.equal(await listed(), false);
    assert.equal((await consumer.get(id)).status, 200);
  });

  it("answer for themselves only", async () => {
    await invite(owner, project);
    await invite(owner, "other");
    assert.equal((await member(owner, "PUT", { status: "accepted" })).status, 403);
    assert.equal((await member(consumer, "PUT", { status: "bogus" })).status, 400);
    assert.equal((await member(consumer, "PUT", {})).status, 400);
    assert.equal((await member(consumer, "PUT", { status: "accepted" }, "other")).status, 404);
    assert.equal((await member(admin, "PUT", { status: "accepted" })).status, 200);
    assert.equal((await member(consumer, "GET", undefined, "other")).status, 404);
    assert.deepEqual(
      (await members(consumer)).json.members.map(({ member_id }: { member_id: string }) => member_id),
      [project],
    );
  });

  it("can't invite, leave or change the image", async () => {
    await invite(owner, project);
    assert.equal((await invite(consumer, "z")).status, 403);
    assert.equal((await member(consumer, "DELETE")).status, 403);
    assert.equal((await consumer.send("PUT", `/v2/images/${id}/tags/x`)).status, 403);
    assert.equal((await consumer.patch(id, { op: "replace", path: "/name", value: "q" })).status, 403);
    assert.equal((await consumer.send("DELETE", `/v2/images/${id}`)).status, 403);
  });

  it("are taken off, and can be invited again", async () => {
    await invite(owner, project);
    assert.equal((await member(owner, "DELETE")).status, 204);
    assert.equal((await member(owner, "DELETE")).status, 404);
    assert.equal((await consumer.get(id)).status, 404);
    const again = await invite(owner, project);
    assert.equal(again.json.status, "pending");
  });

  it("outlive the time when the image isn't shared", async () => {
    await invite(owner, project);
    await member(consumer, "PUT", { status: "accepted" });
    await owner.patch(id, { op: "replace", path: "/visibility", value: "private" });
    assert.equal((await members()).status, 403);
    assert.equal((await member(owner, "GET")).status, 404);
    assert.equal((await invite(owner, "z")).status, 403);
    assert.equal((await member(owner, "DELETE")).status, 403);
    assert.equal((await consumer.get(id)).status, 404);
    await owner.patch(id, { op: "replace", path: "/visibility", value: "shared" });
    assert.equal((await members()).json.members[0].status, "accepted");
    assert.equal((await consumer.get(id)).status, 200);
  });

  it("of which many come at once are all kept", async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => invite(owner, `m${index}`)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal((await members()).json.members.length, 12);
  });

  it("are 128 at most", async () => {
    for (let index = 0; index < 128; index++) assert.equal((await invite(owner, `m${index}`)).status, 200);
    const answer = await invite(owner, "m128");
    assert.equal(answer.status, 413);
    assert.match(answer.json.message, /Attempted: 129, Maximum: 128/);
  });

  it("are 404 for an image that isn't there", async () => {
    await owner.send("DELETE", `/v2/images/${id}`);
    for (const method of ["GET", "DELETE"]) assert.equal((await member(owner, method)).status, 404);
    assert.equal((await members()).status, 404);
    assert.equal((await invite(owner, "x")).status, 404);
  });
});
