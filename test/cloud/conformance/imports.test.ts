import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onEachCloud } from "../../openstack/clouds.ts";
import { type Answer, ImageClient, RAW, stores, until } from "./client.ts";
import { qcow2 } from "./diskImages.ts";

const MIB = 1024 * 1024;
const QCOW2 = { disk_format: "qcow2", container_format: "bare" };

onEachCloud("Imports", cloud => {
  let owner: ImageClient;
  let consumer: ImageClient;
  let admin: ImageClient;
  let web: Server;
  let site: string;
  /** Ends the answers to /slow. */
  let release: (() => void)[] = [];
  before(async () => {
    owner = new ImageClient(cloud());
    consumer = new ImageClient(cloud(), "consumer");
    admin = new ImageClient(cloud(), "admin");
    web = createServer((request, response) => {
      if (request.url === "/five") response.end(Buffer.alloc(5 * MIB, 5));
      else if (request.url === "/qcow2") response.end(qcow2(10 * 2 ** 30));
      else if (request.url === "/short") {
        response.writeHead(200, { "content-length": 1000 });
        response.write("x".repeat(500), () => response.destroy());
      } else if (request.url === "/slow") {
        response.writeHead(200, { "content-length": 1000 });
        response.write("x".repeat(500));
        release.push(() => response.end("x".repeat(500)));
      } else {
        response.writeHead(request.url === "/broken" ? 500 : 404);
        response.end("no");
      }
    });
    await new Promise<void>(resolve => web.listen(0, "127.0.0.1", resolve));
    site = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  });
  after(() => {
    web.closeAllConnections();
    web.close();
  });
  afterEach(() => {
    for (const finish of release) finish();
    release = [];
  });
  const fromWeb = (path: string, more = {}) => ({ method: { name: "web-download", uri: site + path }, ...more });
  const DIRECT = { method: { name: "glance-direct" } };
  const status = async (answer: Promise<Answer>) => (await answer).status;

  describe("glance-direct", () => {
    it("takes what was staged", async () => {
      const id = await owner.create(RAW);
      assert.equal(await status(owner.import(id, DIRECT)), 409);
      assert.equal(await status(owner.stage(id, Buffer.alloc(2000, 1))), 204);
      const staged = (await owner.get(id)).json;
      assert.deepEqual([staged.status, staged.size, staged.checksum], ["uploading", 2000, null]);
      assert.equal(staged.os_glance_stage_host, undefined);
      assert.equal(await status(owner.stage(id, Buffer.alloc(10))), 409);
      assert.equal(await status(owner.upload(id, Buffer.alloc(10))), 409);
      assert.equal(await status(owner.import(id, fromWeb("/five"))), 409);
      assert.equal(await status(consumer.import(id, DIRECT)), 404);
      const answer = await owner.import(id, DIRECT);
      assert.equal(answer.status, 202);
      assert.equal(answer.text, "");
      const { image, tasks } = await owner.settled(id);
      assert.deepEqual([image.status, image.size, image.virtual_size, image.stores], ["active", 2000, 2000, "fast"]);
      assert.deepEqual([image.os_glance_importing_to_stores, image.os_glance_failed_import], ["", ""]);
      assert.equal(tasks.length, 1);
      assert.deepEqual(
        [tasks[0].type, tasks[0].status, tasks[0].message, tasks[0].result],
        ["api_image_import", "success", "Copied 0 MiB", { image_id: id }],
      );
      assert.equal(await status(owner.import(id, DIRECT)), 409);
    });

    it("that fails leaves the image importing for ever", async () => {
      const id = await owner.create(QCOW2);
      await owner.stage(id, Buffer.alloc(2000, 1));
      assert.equal(await status(owner.import(id, DIRECT)), 202);
      const { image, tasks } = await owner.settled(id);
      assert.equal(tasks[0].status, "failure");
      assert.deepEqual([image.status, image.os_glance_failed_import], ["importing", "fast"]);
      assert.equal(await status(owner.import(id, DIRECT)), 409);
      assert.equal(await status(owner.upload(id, qcow2(2 ** 30))), 409);
      assert.equal(await status(owner.send("DELETE", `/v2/images/${id}`)), 204);
    });

    it("needs formats", async () => {
      const id = await owner.create({});
      assert.equal(await status(owner.stage(id, Buffer.alloc(10))), 204);
      const answer = await owner.import(id, DIRECT);
      assert.equal(answer.status, 409);
      assert.match(answer.json.message, /'container_format' needs to be set before import/);
    });
  });

  describe("web-download", () => {
    it("goes from queued over importing to active", async () => {
      const id = await owner.create(RAW);
      assert.equal(await status(owner.import(id, fromWeb("/slow"))), 202);
      const importing = await owner.status(id, "importing");
      assert.equal(importing.os_glance_importing_to_stores, "fast");
      assert.equal(typeof importing.os_glance_import_task, "string");
      assert.equal(await status(owner.import(id, fromWeb("/slow"))), 409);
      assert.equal(await status(owner.upload(id, Buffer.alloc(10))), 409);
      // Here, unlike in an upload, changes meanwhile are kept.
      assert.equal(await status(owner.send("PUT", `/v2/images/${id}/tags/during`)), 204);
      const finish = await until(async () => release.pop());
      finish();
      const { image, tasks } = await owner.settled(id);
      assert.deepEqual([image.status, image.size, image.tags], ["active", 1000, ["during"]]);
      assert.equal(image.os_glance_import_task, undefined);
      assert.equal(tasks[0].status, "success");
    });

    it("fills in the virtual size, and takes any number of stores", async () => {
      const id = await owner.create(QCOW2);
      await owner.import(id, fromWeb("/qcow2", { stores: ["fast", "slow"] }));
      const { image } = await owner.settled(id);
      assert.deepEqual([image.status, stores(image), image.virtual_size], ["active", "fast,slow", 10 * 2 ** 30]);
      const all = await owner.create(RAW);
      await owner.import(all, fromWeb("/five", { all_stores: true, all_stores_must_succeed: false }));
      const { image: copied, tasks } = await owner.settled(all);
      assert.deepEqual([stores(copied), tasks[0].message], ["fast,slow", "Copied 5 MiB"]);
      const header = await owner.create(RAW);
      await owner.import(header, fromWeb("/five"), { "x-image-meta-store": "slow" });
      assert.equal((await owner.settled(header)).image.stores, "slow");
    });

    for (const path of ["/nothing", "/broken", "/short"]) {
      it(`of ${path} is taken with 202, fails without a reason, and can be tried again`, async () => {
        const id = await owner.create(RAW);
        assert.equal(await status(owner.import(id, fromWeb(path))), 202);
        const { image, tasks } = await owner.settled(id);
        assert.deepEqual(
          [image.status, image.os_glance_failed_import, image.os_glance_importing_to_stores, image.size],
          ["queued", "fast", "", null],
        );
        assert.deepEqual([tasks[0].status, tasks[0].message], ["failure", "Task failed due to Internal Error"]);
        await owner.import(id, fromWeb("/five"));
        const { image: again } = await owner.settled(id);
        assert.deepEqual([again.status, again.os_glance_failed_import], ["active", ""]);
      });
    }

    it("of another format fails, now and whenever it is tried again", async () => {
      const id = await owner.create(QCOW2);
      await owner.import(id, fromWeb("/five"));
      assert.equal((await owner.settled(id)).image.status, "queued");
      await owner.import(id, fromWeb("/qcow2"));
      const { image } = await owner.settled(id);
      assert.deepEqual([image.status, image.os_glance_failed_import], ["queued", "fast"]);
      assert.equal(await status(owner.upload(id, qcow2(2 ** 30))), 500);
    });

    it("that fails in all stores, none of which had to succeed, keeps its lock", async () => {
      const id = await owner.create(QCOW2);
      await owner.import(id, fromWeb("/five", { stores: ["fast", "slow"], all_stores_must_succeed: false }));
      const { image } = await until(async () => {
        const now = (await owner.get(id)).json;
        return now.os_glance_failed_import === "fast,slow" && now.status === "queued" ? { image: now } : undefined;
      });
      assert.equal(typeof image.os_glance_import_task, "string");
      const answer = await owner.import(id, fromWeb("/qcow2"));
      assert.equal(answer.status, 409);
      assert.match(answer.json.message, /Image has active task/);
    });

    it("can be ended by deleting the image", async () => {
      const id = await owner.create(RAW);
      await owner.import(id, fromWeb("/slow"));
      await owner.status(id, "importing");
      assert.equal(await status(owner.send("DELETE", `/v2/images/${id}`)), 204);
      assert.equal((await owner.get(id)).status, 404);
    });
  });

  describe("copy-image", () => {
    const copy = (more = {}) => ({ method: { name: "copy-image" }, ...more });

    it("is for members of the owner's project, here", async () => {
      const id = await owner.create(RAW);
      assert.equal(await status(owner.import(id, copy({ stores: ["slow"] }))), 409);
      await owner.upload(id, Buffer.alloc(3000, 2));
      assert.equal(await status(owner.import(id, copy({ stores: ["fast"] }))), 400);
      assert.equal(await status(owner.import(id, copy({ stores: ["nope"] }))), 409);
      assert.equal(await status(consumer.import(id, copy({ stores: ["slow"] }))), 404);
      const refused = await admin.import(id, copy({ stores: ["slow"] }));
      assert.equal(refused.status, 403);
      assert.match(refused.json.message, /not authorized to complete copy_image action/);
      assert.equal(await status(owner.import(id, copy({ stores: ["slow"] }))), 202);
      const { image } = await owner.settled(id);
      assert.deepEqual([image.status, stores(image)], ["active", "fast,slow"]);
      assert.equal(await status(owner.import(id, copy({ all_stores: true }))), 202);
      assert.equal((await owner.settled(id)).tasks.length, 1);
    });
  });

  describe("glance-download", () => {
    it("brings the data, the formats and some properties from the other region", async () => {
      const remote = new ImageClient(cloud(), "owner", 1);
      const source = await remote.create({ ...RAW, name: "src", min_disk: 3, hw_x: "1", os_foo: "2", os_distro: "u" });
      await remote.upload(source, Buffer.alloc(4000, 9));
      const id = await owner.create({ disk_format: "iso", container_format: "bare" });
      const method = { name: "glance-download", glance_region: "RegionTwo", glance_image_id: source };
      assert.equal(await status(owner.import(id, { method })), 202);
      const { image } = await owner.settled(id);
      assert.deepEqual(
        [
          image.status,
          image.size,
          image.disk_format,
          image.name,
          image.min_disk,
          image.hw_x,
          image.os_distro,
          image.os_foo,
        ],
        ["active", 4000, "raw", null, 0, "1", "u", undefined],
      );
      assert.equal((await remote.get(id)).status, 404);
    });

    for (const region of ["Nowhere", "RegionTwo"]) {
      it(`of what isn't there (${region}) is told of by its task only`, async () => {
        const id = await owner.create(RAW);
        const glance_image_id = "00000000-0000-4000-8000-000000000000";
        const method = { name: "glance-download", glance_region: region, glance_image_id };
        assert.equal(await status(owner.import(id, { method })), 202);
        const { image, tasks } = await owner.settled(id);
        assert.equal(tasks[0].status, "failure");
        assert.deepEqual(
          [image.status, image.os_glance_importing_to_stores, image.os_glance_failed_import],
          ["queued", "fast", ""],
        );
      });
    }
  });

  describe("requests", () => {
    const refused: [status: number, note: string, body: () => unknown][] = [
      [400, "without a method", () => ({})],
      [400, "without a method's name", () => ({ method: {} })],
      [400, "with an unknown method", () => ({ method: { name: "nope" } })],
      [400, "without a URI", () => ({ method: { name: "web-download" } })],
      [400, "with a scheme that isn't http", () => ({ method: { name: "web-download", uri: "ftp://127.0.0.1/x" } })],
      [400, "with a host that isn't allowed", () => ({ method: { name: "web-download", uri: "http://localhost/x" } })],
      [409, "with an unknown store", () => fromWeb("/five", { stores: ["nope"] })],
      [400, "with all stores and some", () => fromWeb("/five", { all_stores: true, stores: ["fast"] })],
      [400, "with a flag that isn't one", () => fromWeb("/five", { all_stores_must_succeed: "x" })],
      [400, "without a region", () => ({ method: { name: "glance-download" } })],
      [
        400,
        "without an id",
        () => ({ method: { name: "glance-download", glance_region: "RegionTwo", glance_image_id: "x" } }),
      ],
    ];
    for (const [code, note, body] of refused) {
      it(`${note} are answered with ${code}`, async () => {
        const id = await owner.create(RAW);
        const answer = await owner.import(id, body());
        assert.equal(answer.status, code, answer.text);
        const { json } = await owner.get(id);
        assert.deepEqual([json.status, json.os_glance_import_task], ["queued", undefined]);
      });
    }
  });

  describe("tasks", () => {
    it("are an image's for whoever sees it, and all of them for an admin", async () => {
      const id = await owner.create(RAW);
      assert.deepEqual((await owner.send("GET", `/v2/images/${id}/tasks`)).json, { tasks: [] });
      await owner.import(id, fromWeb("/five"));
      const { tasks } = await owner.settled(id);
      assert.equal(await status(consumer.send("GET", `/v2/images/${id}/tasks`)), 404);
      assert.equal(await status(owner.send("GET", "/v2/tasks")), 403);
      assert.equal(await status(owner.send("GET", `/v2/tasks/${tasks[0].id}`)), 403);
      const { json } = await admin.send("GET", `/v2/tasks/${tasks[0].id}`);
      assert.deepEqual([json.image_id, json.status, json.input.image_id], [id, "success", id]);
      assert.match(json.expires_at, /Z$/);
      const list = await admin.send("GET", "/v2/tasks?limit=1");
      assert.equal(list.json.tasks.length, 1);
      assert.equal(list.json.tasks[0].input, undefined);
    });
  });
});
