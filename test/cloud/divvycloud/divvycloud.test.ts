import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud.ts";
import { until } from "../digitalocean/exercise.ts";
import type { DivvyCloudDescription } from "./index.ts";

describe("local cloud: divvycloud", () => {
  let dir: string;
  let cloud: LocalCloud;
  let service: DivvyCloudDescription;

  async function start() {
    cloud = await startCloud({ dir, services: ["divvycloud"], settings: { divvycloud: { taskTime: 20 } } });
    service = cloud.services.divvycloud;
  }
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "divvycloud-"));
    await start();
  });
  after(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(service.url + path, {
      method,
      headers: { "content-type": "application/json", "api-key": service.admin.apiKey, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }
  const detail = (id: string, headers = {}) => call("GET", `/v2/public/resource/${id}/detail`, undefined, headers);
  const query = (more: object = {}, path = "/v2/public/resource/query") =>
    call("POST", path, {
      selected_resource_type: "privateimage",
      scopes: [],
      filters: [],
      offset: 0,
      limit: 25,
      order_by: "",
      ...more,
    });
  const image = (type: string, index = 0) => service.clouds[type]?.images[index] ?? "";
  const instance = (type: string) => service.clouds[type]?.instance ?? "";

  describe("signing in", () => {
    it("takes an Api-Key, and tells whose it is", async () => {
      const { status, body } = await call("GET", "/v2/public/user/info");
      assert.equal(status, 200);
      assert.equal(body.resource_id, service.admin.resourceId);
      assert.equal((await call("GET", "/v2/public/user/info", undefined, { "api-key": "no" })).status, 401);
    });
    it("asks for Content-Type, even for GET", async () => {
      const headers = { "api-key": service.admin.apiKey };
      assert.equal((await fetch(`${service.url}/v2/public/user/info`, { headers })).status, 400);
    });
    it("opens a session, which ends after its time without a request, or by logout", async () => {
      const { username, password } = service.viewer;
      const login = (word: string) =>
        call("POST", "/v2/public/user/login", { username, password: word }, { "api-key": "" });
      assert.equal((await login("wrong")).status, 401);
      const { body } = await login(password);
      assert.equal(body.session_timeout, 20);
      const session = { "api-key": "", "x-auth-token": body.session_id };
      const info = () => call("GET", "/v2/public/user/info", undefined, session);
      assert.equal((await info()).body.username, username);
      cloud.advance(19 * 60);
      assert.equal((await info()).status, 200);
      cloud.advance(19 * 60);
      assert.equal((await info()).status, 200);
      cloud.advance(21 * 60);
      assert.equal((await info()).status, 401);

      const again = { ...session, "x-auth-token": (await login(password)).body.session_id };
      assert.equal((await call("POST", "/v2/public/user/logout", undefined, again)).status, 200);
      assert.equal((await detail(image("AWS"), again)).status, 401);
    });
    it("lets a viewer read, and not change", async () => {
      const headers = { "api-key": service.viewer.apiKey };
      assert.equal((await detail(image("AWS"), headers)).status, 200);
      const renamed = await call("POST", `/v2/prototype/resource/${image("AWS")}/name/set`, { name: "x" }, headers);
      assert.equal(renamed.status, 403);
      assert.deepEqual(Object.keys(renamed.body), ["error_type", "error_message"]);
    });
  });

  describe("reading", () => {
    it("shows an image: common, and its attributes beside it", async () => {
      const id = image("AWS");
      assert.match(id, /^privateimage:1:us-east-1:ami-[0-9a-f]+:$/);
      const raw = await detail(id);
      assert.deepEqual((await detail(encodeURIComponent(id))).body, raw.body);
      const { details } = raw.body;
      assert.equal(details.resource_type, "privateimage");
      const { common, ...attributes } = details.privateimage;
      assert.equal(common.resource_id, id);
      assert.equal(common.cloud, "AWS");
      assert.match(common.creation_timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
      assert.deepEqual(Object.keys(attributes).sort(), [
        "architecture",
        "block_device_mapping",
        "description",
        "image_id",
        "min_disk",
        "min_ram",
        "name",
        "organization_service_id",
        "platform",
        "product_code",
        "product_code_type",
        "region_name",
        "resource_id",
        "root_device_type",
        "shared",
        "state",
        "virtualization_type",
      ]);
      assert.equal((await detail("privateimage:1:us-east-1:ami-0:")).status, 404);
    });
    it("lists by pages, with the count of all", async () => {
      const first = await query({ limit: 4 });
      const second = await query({ limit: 4, offset: 4 });
      assert.equal(first.body.counts.privateimage, 6);
      const ids = [...first.body.resources, ...second.body.resources].map(it => it.privateimage.common.resource_id);
      assert.equal(new Set(ids).size, 6);
      assert.equal((await query({ limit: 101 })).status, 400);
      assert.equal((await query({ offset: -1 })).status, 400);
      assert.equal((await query({ scopes: undefined })).status, 400);
      assert.equal((await query({ filters: [{ name: "x" }] })).status, 400);
    });
    it("lists within a cloud account", async () => {
      const { body } = await query({ scopes: [service.clouds.GCE?.resourceId] });
      assert.deepEqual(
        body.resources.map((it: { privateimage: { common: { cloud: string } } }) => it.privateimage.common.cloud),
        ["GCE", "GCE"],
      );
    });
    it("lists by a cursor in v3", async () => {
      const path = "/v3/public/resource/etl-query";
      const seen: string[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const { body }: { body?: { resources: { privateimage: { name: string } }[]; next_cursor: string | null } } =
          await query({ limit: 4, cursor }, path);
        assert.ok(body);
        seen.push(...body.resources.map(it => it.privateimage.name));
        cursor = body.next_cursor;
      }
      assert.equal(new Set(seen).size, 6);
      assert.equal((await query({ limit: 1000 }, path)).status, 200);
      assert.equal((await query({ limit: 1001 }, path)).status, 400);
    });
    it("lists cloud accounts by GET and by POST", async () => {
      for (const method of ["GET", "POST"]) {
        const { body } = await call(method, "/v2/public/clouds/list");
        assert.equal(body.total_count, 3);
        assert.deepEqual(
          body.clouds.map((it: { cloud_type_id: string }) => it.cloud_type_id),
          ["AWS", "OPENSTACK", "GCE"],
        );
      }
    });
  });

  describe("changing", () => {
    it("renames", async () => {
      const id = image("AWS");
      assert.equal((await call("POST", `/v2/prototype/resource/${id}/name/set`, { name: "new" })).status, 200);
      const { common, name } = (await detail(id)).body.details.privateimage;
      assert.deepEqual([common.resource_name, name], ["new", "new"]);
      assert.equal((await call("POST", `/v2/prototype/resource/${id}/name/set`, {})).status, 400);
    });
    it("deletes by a job: the image is there until it is done", async () => {
      cloud.settings.divvycloud.taskTime = 60_000;
      const id = image("GCE");
      const removal = () => call("POST", "/v2/prototype/resources/delete", { resource_ids: [id] });
      assert.equal((await removal()).status, 200);
      assert.equal((await detail(id)).status, 200);
      // The job goes on after a restart.
      await cloud.stop();
      await start();
      await until(
        () => detail(id),
        it => it.status === 404,
      );
      assert.equal((await removal()).status, 404);
      assert.equal((await call("POST", "/v2/prototype/resources/delete", {})).status, 400);
    });
    it("makes an image from an instance, where the cloud behind allows it", async () => {
      const make = (id: string) => call("POST", `/v2/public/instance/${id}/snapshot/create`, { name: "from-vm" });
      const refused = await make(instance("AWS"));
      assert.equal(refused.status, 501);
      assert.equal(refused.body.error_message, "Not implemented by Amazon.");
      const made = await make(instance("OPENSTACK"));
      assert.deepEqual(made, { status: 200, body: undefined });
      const found = async () => {
        const { body } = await query();
        const all = body.resources.map((it: { privateimage: object }) => it.privateimage) as {
          name: string;
          state: string;
        }[];
        return all.find(it => it.name === "from-vm");
      };
      assert.ok(await found());
      await until(found, it => it?.state === "available");
      assert.equal((await make("instance:1:nowhere:i-0:")).status, 404);
      assert.equal((await make(image("OPENSTACK"))).status, 404);
    });
    it("keeps owners, notes and groups", async () => {
      const id = image("OPENSTACK");
      const owner = { resource_ids: [id], owner_resource_id: service.viewer.resourceId };
      assert.equal((await call("POST", "/v2/public/resource/owner/set", owner)).status, 200);
      await call("POST", `/v2/public/resource/${id}/notes/create`, { note_text: "checked" });
      const { notes } = (await call("POST", `/v2/public/resource/${id}/notes/list`)).body;
      assert.equal(notes[0].note_text, "checked");
      const groups = { resource_group_ids: ["resourcegroup:3:"], resource_ids: [id] };
      const added = await call("POST", "/v2/prototype/resourcegroups/resources/add", groups);
      assert.deepEqual(added.body, { resource_ids: [id] });
      const { resource_groups } = (await call("POST", `/v2/public/resource/${id}/associations/get`)).body;
      assert.deepEqual(
        resource_groups.map((it: { id: string }) => it.id),
        ["resourcegroup:3:"],
      );
      assert.deepEqual((await call("POST", `/v2/public/resource/${id}/settings/list`)).body, { setting_list: [] });
    });
    it("shows what changes behind its back", async () => {
      const id = image("AWS", 1);
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ state: "deregistered", tags: { env: "prod" } });
      await fetch(`${service.controlUrl}/images/${encodeURIComponent(id)}`, { method: "PATCH", headers, body });
      assert.equal((await detail(id)).body.details.privateimage.state, "deregistered");
      const { resource_tags } = (await call("GET", `/v2/public/resource/${id}/tags/list`)).body;
      assert.deepEqual(resource_tags, [{ key: "env", value: "prod" }]);
    });
  });
});
