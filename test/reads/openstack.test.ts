import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { openServices } from "../../provider/runtime.ts";
import type { ImageService, PartService, Values } from "../../provider/services/service.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { inTurns } from "./inTurns.ts";
import { quietJob } from "./job.ts";

/** A refresh of 250 images, eight at a time as the engine reads them: metadata is all that counts here, so they have no data. */
onEachCloud("Reads of many images", (cloud, kind) => {
  const count = 250;
  const adoptedCount = 40;
  const stackMark = randomUUID();
  let api: ImageApi;
  let open: (connection: string) => ImageService;
  let service: ImageService;
  let ours: string[];
  let adopted: string[];

  before(async function () {
    this.timeout(120_000);
    api = await cloud().as("owner");
    const make = async (name: string, extra: Record<string, unknown>) => (await api.create({ name, ...extra })).id;
    ours = await inTurns([...Array(count).keys()], index =>
      make(`ours ${index}`, { pulumi_images_stack: stackMark, tags: ["fleet"], os_hidden: index === 99 }),
    );
    adopted = await inTurns([...Array(adoptedCount).keys()], index =>
      make(`adopted ${index}`, { visibility: "private" }),
    );
  });
  after(() => inTurns([...ours, ...adopted], id => api.delete(id).catch(() => {})));

  beforeEach(async () => {
    const { owner, consumer, admin } = cloud().accounts;
    const connections = { lab: owner, team: consumer, operator: admin };
    const config = JSON.stringify(
      Object.fromEntries(Object.entries(connections).map(([name, account]) => [name, connectionOf(cloud(), account)])),
    );
    const services = openServices({ get: key => (key === "images:connections" ? config : undefined) }, {}, () => {});
    open = connection => services({ service: "openstack", connection });
    service = open("lab");
    await service.signIn();
    cloud().forget();
  });

  const refresh = (ids: readonly string[]) => inTurns(ids, async id => (await service.readImage(id, [], true))?.name);
  const asked = () =>
    cloud()
      .requests()
      .map(({ method, path }) => {
        const query = new URL(path, "http://cloud").searchParams;
        const ids = query.get("id")?.split(",").length;
        const filters = [
          ids === undefined ? undefined : `${ids} ids`,
          query.has("pulumi_images_stack") ? "stack" : undefined,
          query.has("owner") && !query.has("pulumi_images_stack") ? "project" : undefined,
          query.has("os_hidden") ? "hidden" : undefined,
          ["accepted", "pending", "rejected"].find(status => status === query.get("member_status")),
        ].filter(filter => filter !== undefined);
        return `${method} ${filters.length > 0 ? filters.join(", ") : path}`;
      });

  it("of one stack: some by their ids, and the listing of the stack for all others", async () => {
    const seen = ours.filter((_, index) => index !== 99);
    assert.deepEqual(
      await refresh(seen),
      seen.map((_, index) => `ours ${index < 99 ? index : index + 1}`),
    );
    assert.deepEqual(asked(), ["GET 8 ids", "GET stack"]);
  });

  it("of which one is hidden: one listing more", async () => {
    assert.deepEqual(
      await refresh(ours),
      ours.map((_, index) => `ours ${index}`),
    );
    assert.deepEqual(asked(), ["GET 8 ids", "GET stack", "GET stack, hidden"]);
  });

  it("with a tag each: no request more", async () => {
    const tags = service.tags as PartService;
    const found = await inTurns(ours, async id => [
      (await service.readImage(id, [], true))?.status,
      (await tags.read(`${id}/fleet`, {}))?.tag,
    ]);
    assert.deepEqual(
      found,
      ours.map(() => ["queued", "fleet"]),
    );
    assert.equal(asked().length, 3, asked().join("\n"));
  });

  it("with a copy in a store each: no request more", async () => {
    const copies = service.copies as PartService;
    const read = (id: string) => copies.read(id, { to: { stores: ["slow"] }, imageId: id, managed: ["stores"] });
    await inTurns(ours, async id => [await service.readImage(id, [], true), await read(id)]);
    assert.equal(asked().length, 3, asked().join("\n"));
  });

  describe("with members", () => {
    const answers = ["GET accepted", "GET pending", "GET rejected"];
    const statuses = ["accepted", "pending", "rejected"];
    let shared: string[];
    let team: string;

    before(async () => {
      // The real one takes its time for each.
      shared = ours.slice(100, kind === "local" ? 250 : 130);
      team = cloud().accounts.consumer.projectId;
      const consumer = await cloud().as("consumer");
      await inTurns([...shared.entries()], async ([index, id]) => {
        await api.send("POST", `/v2/images/${id}/members`, { body: { member: team } });
        const status = statuses[index % 3];
        if (status !== "pending") await consumer.send("PUT", `/v2/images/${id}/members/${team}`, { body: { status } });
      });
    });

    const expected = () => shared.map((_, index) => statuses[index % 3]);
    /** As a refresh reads them. */
    const members = (ids: readonly string[], of: ImageService, values: Values, project = team) =>
      inTurns(
        ids,
        async id =>
          (await (of.members as PartService).read(`${id}/${project}`, { managed: ["status"], ...values }))?.status,
      );
    const accept = { connection: "team" };

    it("that one invited project accepts: a listing for each answer, whatever their number", async () => {
      assert.deepEqual(await members(shared, service, { member: team, accept }), expected());
      assert.deepEqual(asked(), answers);
    });

    it("that the connection itself is: a listing for each answer", async () => {
      assert.deepEqual(await members(shared, open("team"), {}), expected());
      assert.deepEqual(asked(), answers);
    });

    it("and tags, and the images themselves, in one refresh", async () => {
      const found = await inTurns(shared, async id => [
        (await service.readImage(id, [], true))?.status,
        (await (service.tags as PartService).read(`${id}/fleet`, {}))?.tag,
        ...(await members([id], service, { member: team, accept })),
      ]);
      assert.deepEqual(
        found,
        expected().map(status => ["queued", "fleet", status]),
      );
      const singles = asked().filter(request => /members/.test(request));
      assert.ok(asked().length - singles.length <= 6, asked().join("\n"));
      assert.ok(singles.length <= 8, asked().join("\n"));
    });

    it("whom nobody accepts for: the API lists them one image at a time", async () => {
      assert.deepEqual(await members(shared, service, { member: team }), expected());
      assert.deepEqual(asked().sort(), shared.map(id => `GET /v2/images/${id}/members`).sort());
    });

    it("whose listings say nothing, as an administrator's: one request an image more", async () => {
      const { projectId } = cloud().accounts.admin;
      const some = shared.slice(0, 5);
      await inTurns(some, id => api.send("POST", `/v2/images/${id}/members`, { body: { member: projectId } }));
      const found = await members(some, service, { member: projectId, accept: { connection: "operator" } }, projectId);
      assert.deepEqual(
        found,
        some.map(() => "pending"),
      );
      assert.deepEqual(asked().sort(), [...some.map(id => `GET /v2/images/${id}/members`), ...answers].sort());
    });

    it("as they are after a write of ours", async () => {
      const parts = service.members as PartService;
      const job = quietJob();
      await members(shared, service, { member: team, accept });
      const [first = "", second = ""] = shared;
      const values = (imageId: string) => ({ imageId, member: team, accept });
      await parts.update(`${first}/${team}`, { ...values(first), status: "rejected" }, ["status"], job, {});
      await parts.delete(`${second}/${team}`, values(second), job);
      const found = await members(shared, service, { member: team, accept });
      assert.deepEqual(found, ["rejected", undefined, ...expected().slice(2)]);
    });
  });

  it("that were adopted, and carry no mark: the listing of the project", async () => {
    assert.deepEqual(
      await refresh(adopted),
      adopted.map((_, index) => `adopted ${index}`),
    );
    assert.deepEqual(asked(), ["GET 8 ids", "GET project"]);
  });

  it("of which some are gone, or another project's: each by a request of its own", async () => {
    const consumer = await cloud().as("consumer");
    const community = await consumer.create({ name: "community", visibility: "community" });
    const gone = randomUUID();
    const wanted = [...ours.slice(0, 20), gone, community.id];
    const names = await refresh(wanted);
    assert.deepEqual(names.slice(20), [undefined, "community"]);
    assert.ok(asked().includes(`GET /v2/images/${gone}`), asked().join("\n"));
    assert.ok(asked().length <= 12, asked().join("\n"));
    await consumer.delete(community.id);
  });

  it("as they are after a write of ours, also where a listing was under way meanwhile", async () => {
    const [first = "", second = ""] = [ours[10], ours[200]];
    const wanted = { name: "written" };
    const job = quietJob();
    const write = (id: string, change: Record<string, string>) =>
      service.updateImage(id, { actual: { id, status: "active" }, wanted: change, removedProperties: [] }, job);
    // The service has worked its answer out, and it is on its way when the image is written to.
    const [recorder] = cloud().recorders;
    recorder?.faults.add({
      path: /pulumi_images_stack/,
      after: true,
      hook: async () => void (await write(second, wanted)),
    });
    const names = await refresh(ours.filter((_, index) => index !== 99));
    assert.equal(names[199], "written");
    cloud().forget();
    await write(first, wanted);
    assert.deepEqual(asked(), [`PATCH /v2/images/${first}`, `GET /v2/images/${first}`]);
    assert.deepEqual(await refresh([first, ours[11] as string]), ["written", "ours 11"]);
    await write(first, { name: "ours 10" });
    await write(second, { name: "ours 200" });
  });

  it("asks anew where an answer from earlier won't do", async () => {
    await refresh(ours.slice(0, 30));
    await api.set(ours[5] as string, { name: "changed outside" });
    assert.equal((await service.readImage(ours[5] as string))?.name, "changed outside");
    await api.set(ours[5] as string, { name: "ours 5" });
  });
});
