import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import { ImageClient } from "./client.ts";

onEachCloud("Image tags", cloud => {
  let owner: ImageClient;
  let id: string;
  before(() => {
    owner = new ImageClient(cloud());
  });
  beforeEach(async () => {
    id = await owner.create({});
  });
  const tag = async (method: string, text: string, who = owner) =>
    (await who.send(method, `/v2/images/${id}/tags/${text}`)).status;
  const tags = async () => (await owner.get(id)).json.tags.sort();

  it("are added and taken off, one by one", async () => {
    for (const text of ["a", "a", "hello%20w", "a:b", "a+b"]) assert.equal(await tag("PUT", text), 204, text);
    assert.deepEqual(await tags(), ["a", "a+b", "a:b", "hello w"]);
    assert.equal(await tag("DELETE", "a"), 204);
    assert.equal(await tag("DELETE", "a"), 404);
    assert.deepEqual(await tags(), ["a+b", "a:b", "hello w"]);
  });

  it("have 255 characters at most", async () => {
    assert.equal(await tag("PUT", "t".repeat(255)), 204);
    assert.deepEqual(await tags(), ["t".repeat(255)]);
    assert.equal(await tag("PUT", "t".repeat(256)), 400);
  });

  it("in other letters than ASCII are kept as other letters by PUT, and as they are by PATCH", async () => {
    assert.equal(await tag("PUT", encodeURIComponent("é")), 204);
    assert.deepEqual(await tags(), ["Ã©"]);
    assert.equal(await tag("DELETE", encodeURIComponent("é")), 204);
    await owner.patch(id, { op: "replace", path: "/tags", value: ["é"] });
    assert.deepEqual(await tags(), ["é"]);
    assert.equal(await tag("DELETE", encodeURIComponent("é")), 404);
  });

  it("with a slash only come by PATCH", async () => {
    await tag("PUT", "a%2Fb");
    assert.ok(!(await tags()).includes("a/b"));
    assert.equal((await owner.patch(id, { op: "replace", path: "/tags", value: ["a/b"] })).status, 200);
    assert.deepEqual(await tags(), ["a/b"]);
  });

  it("are 128 at most", async () => {
    const many = Array.from({ length: 128 }, (_, index) => `t${index}`);
    await owner.patch(id, { op: "replace", path: "/tags", value: many });
    assert.equal(await tag("PUT", "more"), 413);
    assert.equal(await tag("PUT", "t5"), 204);
  });

  it("are 404 for a foreign image and for none", async () => {
    assert.equal(await tag("PUT", "z", new ImageClient(cloud(), "consumer")), 404);
    await owner.send("DELETE", `/v2/images/${id}`);
    assert.equal(await tag("PUT", "z"), 404);
    assert.equal(await tag("DELETE", "z"), 404);
  });

  // Whether two writes meet is a matter of chance: on a busy machine a round can pass in which none do.
  const rounds = 20;

  it("that are added at once lose each other, and all are answered as if they were kept", async () => {
    let lost = 0;
    for (let round = 0; lost === 0 && round < rounds; round++) {
      const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
      const answers = await Promise.all(names.map(name => tag("PUT", name)));
      // Where rows are locked, a few are told that the image isn't there, or of an error of the server's.
      for (const status of answers) assert.ok([204, 404, 500].includes(status), String(status));
      const kept = await tags();
      lost = names.filter((name, index) => answers[index] === 204 && !kept.includes(name)).length;
      await owner.patch(id, { op: "replace", path: "/tags", value: [] });
    }
    assert.ok(lost > 0);
  });

  it("aren't the only thing that is lost: properties are too", async () => {
    let lost = 0;
    for (let round = 0; lost === 0 && round < rounds; round++) {
      const names = Array.from({ length: 12 }, (_, index) => `p${round}_${index}`);
      const answers = await Promise.all(
        names.map(name => owner.patch(id, { op: "add", path: `/${name}`, value: "x" })),
      );
      const kept = Object.keys((await owner.get(id)).json);
      lost = names.filter((name, index) => answers[index]?.status === 200 && !kept.includes(name)).length;
    }
    assert.ok(lost > 0);
  });
});
