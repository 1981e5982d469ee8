import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { onEachCloud } from "../../openstack/clouds.ts";
import { type Answer, ImageClient, RAW, send } from "./client.ts";

const NONE = "00000000-0000-4000-8000-000000000000";

onEachCloud("Images", cloud => {
  let owner: ImageClient;
  let consumer: ImageClient;
  let admin: ImageClient;
  before(() => {
    owner = new ImageClient(cloud());
    consumer = new ImageClient(cloud(), "consumer");
    admin = new ImageClient(cloud(), "admin");
  });
  const post = (document: unknown, who = owner) => who.send("POST", "/v2/images", document);

  describe("create", () => {
    it("answers 201 with the whole document", async () => {
      const id = randomUUID();
      const given = {
        id,
        name: "a1",
        ...RAW,
        min_disk: 1,
        min_ram: 64,
        visibility: "private",
        tags: ["t1"],
        my_prop: "x",
        protected: false,
      };
      const { status, headers, json } = await post(given);
      assert.equal(status, 201);
      assert.equal(headers.location, `${owner.url}/v2/images/${id}`);
      assert.equal(headers["openstack-image-import-methods"], "glance-direct,web-download,copy-image,glance-download");
      assert.match(
        String(headers["openstack-image-store-ids"]),
        /^fast,slow(,os_glance_staging_store,os_glance_tasks_store)?$/,
      );
      assert.match(String(headers["x-openstack-request-id"]), /^req-/);
      assert.match(json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(json, {
        ...given,
        status: "queued",
        size: null,
        virtual_size: null,
        checksum: null,
        owner: cloud().accounts.owner.projectId,
        os_hidden: false,
        os_hash_algo: null,
        os_hash_value: null,
        created_at: json.created_at,
        updated_at: json.updated_at,
        self: `/v2/images/${id}`,
        file: `/v2/images/${id}/file`,
        schema: "/v2/schemas/image",
      });
      assert.deepEqual((await owner.get(id)).json, json);
    });

    it("takes an empty document: no name, no formats, shared", async () => {
      const { status, json } = await post({});
      assert.equal(status, 201);
      assert.equal(json.name, null);
      assert.equal(json.disk_format, null);
      assert.equal(json.container_format, null);
      assert.equal(json.visibility, "shared");
    });

    it("takes a name twice", async () => {
      assert.equal((await post({ name: "twice" })).status, 201);
      assert.equal((await post({ name: "twice" })).status, 201);
    });

    it("never takes an id twice: in the same project, in another one, or after the image was deleted", async () => {
      const id = randomUUID();
      assert.equal((await post({ id })).status, 201);
      assert.equal((await post({ id })).status, 409);
      const foreign = await post({ id }, consumer);
      assert.equal(foreign.status, 409);
      assert.match(foreign.json.message, new RegExp(`^Image ID ${id} already exists!`));
      assert.equal((await consumer.get(id)).status, 404);
      assert.equal((await owner.send("DELETE", `/v2/images/${id}`)).status, 204);
      assert.equal((await post({ id })).status, 409);
      assert.equal((await owner.get(id)).status, 404);
    });

    it("gives one of several who ask at once for the same id", async () => {
      const id = randomUUID();
      const answers = await Promise.all(Array.from({ length: 8 }, () => post({ id })));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [201, ...Array.from({ length: 7 }, () => 409)]);
    });

    it("keeps an upper-case id as it is", async () => {
      const id = randomUUID().toUpperCase();
      assert.equal((await post({ id })).json.id, id);
      assert.equal((await owner.get(id.toLowerCase())).status, 404);
    });

    const refused: [status: number, document: unknown, note?: string][] = [
      [400, { id: "1111" }],
      [400, { id: "11111111222243338444aaaaaaaaaaab" }, "an id without dashes"],
      [403, { os_glance_foo: "x" }],
      [403, { checksum: "x" }],
      [403, { status: "active" }],
      [403, { created_at: "2026-01-01T00:00:00Z" }],
      [403, { self: "x" }],
      [403, { stores: "fast" }],
      [403, { locations: [] }],
      [403, { deleted: "x" }],
      [400, { foo: 5 }],
      [400, { foo: null }],
      [400, { disk_format: "bogus" }],
      [400, { container_format: "bogus" }],
      [400, { min_disk: "5" }],
      [400, { min_disk: -1 }],
      [400, { min_ram: 2 ** 31 }],
      [400, { name: "😀" }, "4 bytes in UTF-8"],
      [400, { name: "n".repeat(256) }, "a name of 256"],
      [400, { tags: ["t".repeat(256)] }, "a tag of 256"],
      [400, { ["k".repeat(256)]: "x" }, "a property's name of 256"],
      [400, { visibility: "bogus" }],
      [400, { protected: "yes" }],
      [403, { owner: "someone" }],
      [403, { visibility: "public" }],
      [413, Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`p${i}`, "v"])), "129 properties"],
      [413, { tags: Array.from({ length: 129 }, (_, i) => `t${i}`) }, "129 tags"],
    ];
    for (const [status, document, note] of refused) {
      it(`answers ${status} to ${note ?? JSON.stringify(document)}`, async () => {
        const answer = await post(document);
        assert.equal(answer.status, status, answer.text);
      });
    }

    it("answers 400 to a body that isn't JSON, and to none", async () => {
      assert.equal((await post("{bad")).status, 400);
      assert.equal((await owner.send("POST", "/v2/images")).status, 400);
    });

    it("takes the largest of what it takes", async () => {
      const properties = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`p${i}`, "v"]));
      const { status, json } = await post({ ...properties, name: "n".repeat(255), tags: ["t".repeat(255)] });
      assert.equal(status, 201);
      assert.equal(json.p127, "v");
    });

    it("lets only an admin make a public image, or one of another owner, and anybody a community one", async () => {
      assert.equal((await post({ visibility: "community" })).status, 201);
      assert.equal((await post({ visibility: "public" }, admin)).status, 201);
      assert.equal((await post({ owner: "someone" }, admin)).status, 201);
    });
  });

  describe("errors", () => {
    const body = (accept: string | undefined) => owner.send("GET", `/v2/images/${NONE}`, undefined, { accept });

    it("come as text, HTML or JSON, as Accept says", async () => {
      const forms: [accept: string | undefined, type: RegExp][] = [
        [undefined, /^text\/plain/],
        ["text/plain", /^text\/plain/],
        ["*/*", /^text\/html/],
        ["text/html", /^text\/html/],
        ["application/json, text/plain, */*", /^text\/html/],
        ["application/json", /^application\/json$/],
        ["*/*;q=0.1, application/json", /^application\/json$/],
      ];
      for (const [accept, type] of forms) {
        const answer = await body(accept);
        assert.equal(answer.status, 404);
        assert.match(String(answer.headers["content-type"]), type, accept);
        assert.match(answer.text, new RegExp(`No image found with ID ${NONE}`));
      }
    });

    it("have message, code and title in JSON", async () => {
      assert.deepEqual((await body("application/json")).json, {
        message: `No image found with ID ${NONE}<br /><br />\n\n\n`,
        code: "404 Not Found",
        title: "Not Found",
      });
    });

    it("are 401 without a token or with a bad one, and say where Keystone is", async () => {
      for (const token of [undefined, "garbage"]) {
        const answer = await send("GET", `${owner.url}/v2/images`, { "x-auth-token": token });
        assert.equal(answer.status, 401);
        assert.equal(answer.headers["www-authenticate"], `Keystone uri="${cloud().authUrl}"`);
      }
    });

    it("are 404 for another project's image and for what is no id", async () => {
      const id = await owner.create({});
      assert.equal((await consumer.get(id)).status, 404);
      assert.equal((await owner.get("garbage")).status, 404);
    });

    it("are 405 with the methods that there are", async () => {
      const allowed: [method: string, path: string, allow: string][] = [
        ["HEAD", `/v2/images/${NONE}`, "GET, PATCH, DELETE"],
        ["PUT", `/v2/images/${NONE}`, "GET, PATCH, DELETE"],
        ["DELETE", "/v2/images", "GET, POST"],
        ["HEAD", `/v2/images/${NONE}/file`, "GET, PUT"],
        ["GET", `/v2/images/${NONE}/tags/x`, "PUT, DELETE"],
        ["GET", `/v2/images/${NONE}/import`, "POST"],
      ];
      for (const [method, path, allow] of allowed) {
        const answer = await owner.send(method, path);
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers.allow, allow);
      }
    });
  });

  describe("change", () => {
    let id: string;
    beforeEach(async () => {
      id = await owner.create({ name: "p", ...RAW, a: "1", tags: ["x"] });
    });
    const status = async (answer: Promise<Answer>) => (await answer).status;

    it("adds, replaces and removes, and answers with the image", async () => {
      const { status: code, json } = await owner.patch(
        id,
        { op: "replace", path: "/name", value: "q" },
        { op: "add", path: "/a", value: "2" },
        { op: "add", path: "/with~1slash", value: "s" },
        { op: "add", path: "/with:colon and space", value: "" },
        { op: "replace", path: "/tags", value: ["a", "b", "a"] },
        { op: "replace", path: "/min_disk", value: 7 },
        { op: "replace", path: "/os_hidden", value: true },
      );
      assert.equal(code, 200);
      assert.equal(json.name, "q");
      assert.equal(json.a, "2");
      assert.equal(json["with/slash"], "s");
      assert.equal(json["with:colon and space"], "");
      assert.deepEqual(json.tags.sort(), ["a", "b"]);
      assert.equal(json.min_disk, 7);
      assert.equal(json.os_hidden, true);
      const removed = await owner.patch(
        id,
        { op: "remove", path: "/a" },
        { op: "replace", path: "/name", value: null },
      );
      assert.equal(removed.json.a, undefined);
      assert.equal(removed.json.name, null);
      assert.equal(await status(owner.patch(id)), 200);
    });

    it("changes nothing when one of the changes can't be made", async () => {
      const answer = await owner.patch(id, { op: "add", path: "/b", value: "1" }, { op: "remove", path: "/nope" });
      assert.equal(answer.status, 409);
      assert.match(answer.json.message, /Property nope does not exist\./);
      assert.equal((await owner.get(id)).json.b, undefined);
    });

    const refused: [number, { op: string; path: string; value?: unknown }][] = [
      [409, { op: "replace", path: "/nope", value: "x" }],
      [409, { op: "remove", path: "/nope" }],
      [400, { op: "test", path: "/name", value: "p" }],
      [400, { op: "move", path: "/name" }],
      [400, { op: "add", path: "/c" }],
      [400, { op: "add", path: "c", value: "x" }],
      [400, { op: "add", path: "/c/d", value: "x" }],
      [400, { op: "add", path: "/tags/-", value: "x" }],
      [400, { op: "add", path: "/n", value: 5 }],
      [400, { op: "add", path: "/n", value: null }],
      [400, { op: "replace", path: "/min_disk", value: -1 }],
      [400, { op: "replace", path: "/visibility", value: "bogus" }],
      [403, { op: "remove", path: "/name" }],
      [403, { op: "remove", path: "/tags" }],
      [403, { op: "replace", path: "/status", value: "active" }],
      [403, { op: "replace", path: "/id", value: NONE }],
      [403, { op: "add", path: "/os_glance_x", value: "x" }],
      [403, { op: "replace", path: "/owner", value: "x" }],
      [403, { op: "replace", path: "/visibility", value: "public" }],
      [403, { op: "replace", path: "/locations", value: [] }],
    ];
    for (const [code, operation] of refused) {
      it(`answers ${code} to ${JSON.stringify(operation)}`, async () => {
        const before = (await owner.get(id)).json;
        assert.equal(await status(owner.patch(id, operation)), code);
        assert.deepEqual((await owner.get(id)).json, before);
      });
    }

    it("answers 415 to another media type, and says which it takes", async () => {
      for (const type of ["application/json", "application/json-patch+json"]) {
        const answer = await owner.send("PATCH", `/v2/images/${id}`, [], { "content-type": type });
        assert.equal(answer.status, 415);
        assert.match(String(answer.headers["accept-patch"]), /application\/openstack-images-v2\.1-json-patch/);
      }
    });

    it("takes the old media type with the old syntax, where add is for what isn't there", async () => {
      const old = (operation: object) =>
        owner.send("PATCH", `/v2/images/${id}`, [operation], {
          "content-type": "application/openstack-images-v2.0-json-patch",
        });
      assert.equal((await old({ replace: "/name", value: "old" })).json.name, "old");
      assert.equal((await old({ add: "/zz", value: "1" })).json.zz, "1");
      assert.equal(await status(old({ add: "/zz", value: "2" })), 409);
      assert.equal((await old({ remove: "/zz" })).json.zz, undefined);
    });

    it("lets formats be changed before there is data, and not after", async () => {
      const change = { op: "replace", path: "/disk_format", value: "iso" };
      assert.equal((await owner.patch(id, change)).json.disk_format, "iso");
      await owner.patch(id, { ...change, value: "raw" });
      assert.equal(await status(owner.upload(id, Buffer.alloc(10))), 204);
      const answer = await owner.patch(id, change);
      assert.equal(answer.status, 403);
      assert.match(answer.json.message, /can be only replaced for a queued image/);
    });

    it("refuses the 129th property and the 129th tag", async () => {
      const properties = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`p${i}`, "v"]));
      const full = await owner.create(properties);
      const answer = await owner.patch(full, { op: "add", path: "/one_more", value: "x" });
      assert.equal(answer.status, 413);
      assert.match(answer.json.message, /Attempted: 129, Maximum: 128/);
      const tags = Array.from({ length: 129 }, (_, i) => `t${i}`);
      assert.equal(await status(owner.patch(full, { op: "replace", path: "/tags", value: tags })), 413);
    });

    it("is for the owner: 404 to who can't see the image, 403 to who can", async () => {
      const change = { op: "replace", path: "/name", value: "mine" };
      assert.equal(await status(consumer.patch(id, change)), 404);
      const open = await admin.create({ visibility: "public" });
      const answer = await owner.patch(open, change);
      assert.equal(answer.status, 403);
      assert.match(answer.json.message, /not authorized to complete modify_image action/);
      assert.equal(await status(owner.send("DELETE", `/v2/images/${open}`)), 403);
      assert.equal(await status(owner.send("PUT", `/v2/images/${open}/tags/x`)), 403);
      await admin.send("DELETE", `/v2/images/${open}`);
    });

    it("gives an image away by `add` to the owner, with an error for an answer", async () => {
      const answer = await owner.patch(id, { op: "add", path: "/owner", value: "someone" });
      assert.equal(answer.status, 403);
      assert.equal((await owner.get(id)).status, 404);
      assert.equal((await admin.get(id)).json.owner, "someone");
    });
  });

  describe("delete", () => {
    it("answers 204, and 404 from then on", async () => {
      const id = await owner.create({});
      assert.equal((await owner.send("DELETE", `/v2/images/${id}`)).status, 204);
      const again = await owner.send("DELETE", `/v2/images/${id}`);
      assert.equal(again.status, 404);
      assert.match(again.json.message, /Failed to find image .* to delete/);
    });

    it("answers 403 for a protected image, to an admin too", async () => {
      const id = await owner.create({ protected: true });
      for (const who of [owner, admin]) {
        const answer = await who.send("DELETE", `/v2/images/${id}`);
        assert.equal(answer.status, 403);
        assert.match(answer.json.message, /is protected and cannot be deleted/);
      }
      await owner.patch(id, { op: "replace", path: "/protected", value: false });
      assert.equal((await owner.send("DELETE", `/v2/images/${id}`)).status, 204);
    });

    it("takes a deactivated image, and one with members", async () => {
      const id = await owner.create(RAW);
      await owner.upload(id, Buffer.alloc(10));
      await owner.send("POST", `/v2/images/${id}/members`, { member: "x" });
      await owner.send("POST", `/v2/images/${id}/actions/deactivate`);
      assert.equal((await owner.send("DELETE", `/v2/images/${id}`)).status, 204);
    });
  });

  describe("deactivate and reactivate", () => {
    const act = (id: string, action: string, who = owner) => who.send("POST", `/v2/images/${id}/actions/${action}`);

    it("answer 204, also when it is so already; the data can't be read meanwhile, and no store is told of", async () => {
      const id = await owner.create(RAW);
      await owner.upload(id, Buffer.alloc(10));
      assert.equal((await act(id, "deactivate")).status, 204);
      assert.equal((await act(id, "deactivate")).status, 204);
      const { json } = await owner.get(id);
      assert.equal(json.status, "deactivated");
      assert.equal(json.stores, undefined);
      assert.equal((await admin.get(id)).json.stores, "fast");
      assert.equal((await owner.send("GET", `/v2/images/${id}/file`)).status, 403);
      assert.equal((await owner.patch(id, { op: "replace", path: "/name", value: "still" })).status, 200);
      assert.equal((await act(id, "reactivate")).status, 204);
      assert.equal((await act(id, "reactivate")).status, 204);
      assert.equal((await owner.get(id)).json.stores, "fast");
    });

    it("answer 403 on an image without data", async () => {
      const id = await owner.create({});
      const answer = await act(id, "deactivate");
      assert.equal(answer.status, 403);
      assert.match(answer.json.message, /Not allowed to deactivate image in status 'queued'/);
      assert.equal((await act(id, "reactivate")).status, 403);
      assert.equal((await act(id, "deactivate", consumer)).status, 404);
    });
  });

  describe("discovery", () => {
    it("lists the versions with 300, the current one among them", async () => {
      const { status, json } = await send("GET", `${owner.url}/`, {});
      assert.equal(status, 300);
      const current = json.versions.filter((version: { status: string }) => version.status === "CURRENT");
      assert.deepEqual(
        current.map(({ id }: { id: string }) => id),
        ["v2.17"],
      );
      assert.equal(current[0].links[0].href, `${owner.url}/v2/`);
    });

    it("lists import methods and stores", async () => {
      const imports = await owner.send("GET", "/v2/info/import");
      assert.deepEqual(imports.json["import-methods"].value, [
        "glance-direct",
        "web-download",
        "copy-image",
        "glance-download",
      ]);
      const { json } = await owner.send("GET", "/v2/info/stores");
      assert.deepEqual(
        json.stores.map(({ id }: { id: string }) => id),
        cloud().stores,
      );
      assert.equal(json.stores[0].default, "true");
      assert.equal(json.stores[1].default, undefined);
    });

    it("shows the stores' details to an admin only, and no usage without limits", async () => {
      assert.equal((await owner.send("GET", "/v2/info/stores/detail")).status, 403);
      const { json } = await admin.send("GET", "/v2/info/stores/detail");
      assert.deepEqual(
        json.stores.map(({ type }: { type: string }) => type),
        ["file", "file"],
      );
      assert.deepEqual((await owner.send("GET", "/v2/info/usage")).json, { usage: {} });
    });

    for (const path of ["image", "images", "member", "members", "task", "tasks"]) {
      it(`has the schema ${path}`, async () => {
        const { status, json } = await owner.send("GET", `/v2/schemas/${path}`);
        assert.equal(status, 200);
        assert.equal(json.name, path);
        assert.equal(typeof json.properties, "object");
      });
    }

    it("describes an image's fields and formats alike", async () => {
      const { json } = await owner.send("GET", "/v2/schemas/image");
      assert.deepEqual(Object.keys(json.properties).sort(), [
        "checksum",
        "container_format",
        "created_at",
        "direct_url",
        "disk_format",
        "file",
        "id",
        "locations",
        "min_disk",
        "min_ram",
        "name",
        "os_hash_algo",
        "os_hash_value",
        "os_hidden",
        "owner",
        "protected",
        "schema",
        "self",
        "size",
        "status",
        "stores",
        "tags",
        "updated_at",
        "virtual_size",
        "visibility",
      ]);
      const formats = ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"];
      assert.deepEqual(json.properties.disk_format.enum.sort(), [null, ...formats].sort());
      assert.deepEqual(json.additionalProperties, { type: "string" });
    });

    for (const kind of [
      "namespace",
      "namespaces",
      "object",
      "objects",
      "property",
      "properties",
      "resource_type",
      "resource_types",
    ]) {
      it(`has the schema metadefs/${kind}`, async () => {
        const { status, json } = await owner.send("GET", `/v2/schemas/metadefs/${kind}`);
        assert.equal(status, 200);
        assert.equal(typeof json.properties, "object");
      });
    }
  });
});
