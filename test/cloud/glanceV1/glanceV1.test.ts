import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type LocalCloud, startCloud } from "../cloud.ts";
import { serveFiles, until } from "../digitalocean/exercise.ts";
import type { Account } from "../openStackCloud.ts";
import type { GlanceV1Description } from "./index.ts";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  json: any;
}

type Send = (method: string, path: string, headers?: Record<string, string>, body?: Buffer | object) => Promise<Answer>;

describe("local cloud: glance-v1", () => {
  let dir: string;
  let cloud: LocalCloud;
  let service: GlanceV1Description;
  let send: Send & { token: string };
  let consumer: Send;
  let admin: Send;
  let files: Awaited<ReturnType<typeof serveFiles>>;
  const data = Buffer.alloc(300_000, 5);
  const md5 = createHash("md5").update(data).digest("hex");

  async function start() {
    cloud = await startCloud({ dir, services: ["glance-v1"] });
    service = cloud.services["glance-v1"];
    const { accounts } = service;
    send = client(service.imageUrl, await signIn(service.authUrl, accounts.owner));
    consumer = client(service.imageUrl, await signIn(service.authUrl, accounts.consumer));
    admin = client(service.imageUrl, await signIn(service.authUrl, accounts.admin));
  }
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "glance-v1-"));
    files = await serveFiles({ "/disk": data });
    await start();
  });
  after(async () => {
    await cloud.stop();
    await files.close();
    await rm(dir, { recursive: true, force: true });
  });

  const RAW = { "x-image-meta-disk_format": "raw", "x-image-meta-container_format": "bare" };
  const OCTETS = { "content-type": "application/octet-stream" };
  async function reserve(headers: Record<string, string> = {}) {
    const { status, json, body } = await send("POST", "/v1/images", { ...RAW, ...headers });
    assert.equal(status, 201, body.toString());
    return json.image.id as string;
  }
  async function upload(headers: Record<string, string> = {}) {
    const { status, json, body } = await send("POST", "/v1/images", { ...RAW, ...OCTETS, ...headers }, data);
    assert.equal(status, 201, body.toString());
    return json.image.id as string;
  }
  const head = (id: string, as: Send = send) => as("HEAD", `/v1/images/${id}`);

  it("tells its versions, and asks for a token", async () => {
    const nobody = client(service.imageUrl, "");
    const root = await nobody("GET", "/");
    assert.equal(root.status, 300);
    assert.equal(root.json.versions[0].id, "v1.1");
    for (const path of ["/versions", "/v1"]) assert.equal((await nobody("GET", path)).status, 200);
    const { status, headers } = await nobody("GET", "/v1/images");
    assert.equal(status, 401);
    assert.equal(headers["www-authenticate"], `Keystone uri="${service.url}"`);
  });

  it("stores data and metadata, and gives them back in headers", async () => {
    const created = await send(
      "POST",
      "/v1/images",
      {
        ...RAW,
        ...OCTETS,
        "x-image-meta-name": "disk",
        "X-Image-Meta-Property-Os-Distro": "debian",
        "x-image-meta-min_ram": "64",
      },
      data,
    );
    assert.equal(created.status, 201);
    const { image } = created.json;
    assert.equal(created.headers.location, `/v1/images/${image.id}`);
    assert.equal(created.headers.etag, md5);
    assert.deepEqual(image.properties, { os_distro: "debian" });
    assert.match(image.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/);
    assert.deepEqual(Object.keys(image).sort(), [
      "checksum",
      "container_format",
      "created_at",
      "deleted",
      "deleted_at",
      "disk_format",
      "id",
      "is_public",
      "min_disk",
      "min_ram",
      "name",
      "owner",
      "properties",
      "protected",
      "size",
      "status",
      "updated_at",
      "virtual_size",
    ]);

    const meta = await head(image.id);
    assert.equal(meta.status, 200);
    assert.equal(meta.headers["content-type"], undefined);
    assert.equal(meta.headers.etag, md5);
    const named = Object.entries(meta.headers).filter(([name]) => name.startsWith("x-image-meta-"));
    assert.deepEqual(Object.fromEntries(named.map(([name, value]) => [name.slice(13), value])), {
      id: image.id,
      name: "disk",
      status: "active",
      disk_format: "raw",
      container_format: "bare",
      size: "300000",
      checksum: md5,
      is_public: "False",
      protected: "False",
      min_ram: "64",
      min_disk: "0",
      owner: service.accounts.owner.projectId,
      deleted: "False",
      created_at: image.created_at,
      updated_at: image.updated_at,
      "property-os_distro": "debian",
    });

    const got = await send("GET", `/v1/images/${image.id}`);
    assert.equal(got.headers["content-type"], "application/octet-stream");
    assert.equal(got.headers["content-length"], "300000");
    assert.equal(got.headers["x-image-meta-name"], "disk");
    assert.ok(got.body.equals(data));
  });

  it("takes and gives text as UTF-8 bytes", async () => {
    const name = "größe – 画像 🐧";
    const id = await reserve({ "x-image-meta-name": bytes(name), "x-image-meta-property-note": bytes("é%41") });
    const { headers } = await head(id);
    assert.equal(unbytes(headers["x-image-meta-name"]), name);
    assert.equal(unbytes(headers["x-image-meta-property-note"]), "é%41");
    const { json } = await send("GET", `/v1/images/detail?name=${encodeURIComponent(name)}`);
    assert.equal(json.images[0].id, id);
    assert.equal((await send("PUT", `/v1/images/${id}`, { "x-image-meta-name": "\xff" })).status, 400);
    // One client percent-encodes all headers.
    const encoded = { "user-agent": "python-glanceclient", "x-image-meta-name": encodeURIComponent(name) };
    const { json: updated } = await send("PUT", `/v1/images/${id}`, encoded);
    assert.equal(updated.image.name, name);
  });

  it("reserves an image, and takes its data later, once", async () => {
    const id = await reserve();
    assert.equal((await head(id)).headers["x-image-meta-status"], "queued");
    assert.equal((await send("GET", `/v1/images/${id}`)).status, 404);
    const put = await send("PUT", `/v1/images/${id}`, OCTETS, data);
    assert.equal(put.status, 200);
    assert.equal(put.json.image.status, "active");
    assert.equal(put.json.image.checksum, md5);
    assert.equal((await send("PUT", `/v1/images/${id}`, OCTETS, data)).status, 409);
  });

  it("kills an image whose data is not what was promised", async () => {
    for (const wrong of [{ "x-image-meta-size": "5" }, { "x-image-meta-checksum": "0".repeat(32) }] as Record<
      string,
      string
    >[]) {
      const id = await reserve();
      const { status, headers, body } = await send("PUT", `/v1/images/${id}`, { ...OCTETS, ...wrong }, data);
      assert.equal(status, 400);
      assert.match(headers["content-type"] ?? "", /^text\/plain/);
      assert.match(body.toString(), /^400 Bad Request\n\nSupplied/);
      assert.equal((await head(id)).headers["x-image-meta-status"], "killed");
    }
    const nameless = await send("POST", "/v1/images", OCTETS, data);
    assert.equal(nameless.status, 400);
    assert.match(nameless.body.toString(), /Disk format is not specified/);
  });

  it("kills an image whose upload breaks off", async () => {
    const id = await reserve();
    const upload = request(`${service.imageUrl}/v1/images/${id}`, {
      method: "PUT",
      headers: { ...OCTETS, "content-length": 1_000_000, "x-auth-token": send.token },
    });
    upload.on("error", () => {});
    upload.write(data);
    await until(
      () => head(id),
      it => it.headers["x-image-meta-status"] === "saving",
    );
    upload.destroy();
    await until(
      () => head(id),
      it => it.headers["x-image-meta-status"] === "killed",
    );
  });

  it("copies from an address, after the answer", async () => {
    const from = (path: string) => reserve({ "x-glance-api-copy-from": files.url + path });
    const ended = (id: string) =>
      until(
        () => head(id),
        it => !["queued", "saving"].includes(String(it.headers["x-image-meta-status"])),
      );
    const { headers } = await ended(await from("/disk"));
    assert.equal(headers["x-image-meta-status"], "active");
    assert.equal(headers["x-image-meta-checksum"], md5);
    assert.equal((await ended(await from("/none"))).headers["x-image-meta-status"], "killed");
    const refused = await send("POST", "/v1/images", { ...RAW, "x-glance-api-copy-from": "file:///etc/passwd" });
    assert.equal(refused.status, 400);
  });

  it("leaves data where it is, by location", async () => {
    const id = await reserve({ "x-image-meta-location": `${files.url}/disk` });
    const { headers } = await head(id);
    assert.equal(headers["x-image-meta-status"], "active");
    assert.equal(headers["x-image-meta-size"], "300000");
    assert.equal(headers["x-image-meta-checksum"], undefined);
    assert.ok((await send("GET", `/v1/images/${id}`)).body.equals(data));
    const missing = await send("POST", "/v1/images", { ...RAW, "x-image-meta-location": `${files.url}/none` });
    assert.equal(missing.status, 400);
  });

  it("drops the properties that an update doesn't name, unless told not to", async () => {
    const id = await reserve({ "x-image-meta-property-a": "1", "x-image-meta-property-b": "2" });
    const put = async (headers: Record<string, string>) => (await send("PUT", `/v1/images/${id}`, headers)).json.image;
    const kept = await put({
      "x-glance-registry-purge-props": "false",
      "x-image-meta-property-b": "3",
      "x-image-meta-name": "n",
    });
    assert.deepEqual(kept.properties, { a: "1", b: "3" });
    assert.equal(kept.name, "n");
    assert.deepEqual((await put({ "x-image-meta-property-c": "4" })).properties, { c: "4" });
    assert.deepEqual((await put({})).properties, {});
  });

  it("refuses what can't be", async () => {
    for (const wrong of [
      { "x-image-meta-disk_format": "qcow3" },
      { "x-image-meta-container_format": "box" },
      { "x-image-meta-disk_format": "ami" },
      { "x-image-meta-name": "n".repeat(256) },
      { "x-image-meta-checksum": "0".repeat(33) },
      { "x-image-meta-min_ram": "-1" },
      { "x-image-meta-min_disk": "ten" },
      { "x-image-meta-size": "1.5" },
      { "x-image-meta-colour": "red" },
    ] as Record<string, string>[]) {
      const { status, body } = await send("POST", "/v1/images", { ...RAW, ...wrong });
      assert.equal(status, 400, JSON.stringify(wrong));
      assert.match(body.toString(), /^400 Bad Request\n\n/);
    }
    const id = await reserve();
    assert.equal((await send("POST", "/v1/images", { ...RAW, "x-image-meta-id": id })).status, 409);
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`x-image-meta-property-p${i}`, "v"]));
    assert.equal((await send("PUT", `/v1/images/${id}`, many)).status, 413);
    assert.deepEqual((await send("GET", `/v1/images?property-p1=v`)).json.images, []);
  });

  it("deletes, but not what is protected, and keeps the id taken", async () => {
    const id = await upload({ "x-image-meta-protected": "True" });
    const refused = await send("DELETE", `/v1/images/${id}`);
    assert.equal(refused.status, 403);
    assert.match(refused.body.toString(), /Image is protected/);
    await send("PUT", `/v1/images/${id}`, { "x-image-meta-protected": "False" });
    const deleted = await send("DELETE", `/v1/images/${id}`);
    assert.equal(deleted.status, 200);
    assert.equal(deleted.body.length, 0);
    assert.equal(deleted.headers["content-type"], undefined);
    assert.equal((await head(id)).status, 404);
    assert.equal((await send("PUT", `/v1/images/${id}`, {})).status, 403);
    assert.equal((await send("POST", "/v1/images", { ...RAW, "x-image-meta-id": id })).status, 409);
  });

  it("lets others see what is public or shared, and change nothing", async () => {
    const id = await upload();
    assert.equal((await head(id, consumer)).status, 404);
    const put = (as: Send, body?: object) =>
      as(
        "PUT",
        `/v1/images/${id}/members/${service.accounts.consumer.projectId}`,
        { "content-type": "application/json" },
        body,
      );
    assert.equal((await put(send)).status, 204);
    assert.equal((await head(id, consumer)).status, 200);
    assert.equal((await consumer("PUT", `/v1/images/${id}`, { "x-image-meta-name": "mine" })).status, 403);
    assert.equal((await consumer("DELETE", `/v1/images/${id}`)).status, 403);
    const third = `/v1/images/${id}/members/third`;
    assert.equal((await consumer("PUT", third)).status, 403);
    assert.equal((await put(send, { member: { can_share: true } })).status, 204);
    assert.equal((await consumer("PUT", third)).status, 204);
    const { members } = (await send("GET", `/v1/images/${id}/members`)).json;
    assert.deepEqual(members, [
      { member_id: service.accounts.consumer.projectId, can_share: true },
      { member_id: "third", can_share: false },
    ]);
    const shared = await consumer("GET", `/v1/shared-images/${service.accounts.consumer.projectId}`);
    assert.deepEqual(shared.json.shared_images, [{ image_id: id, can_share: true }]);
    assert.equal((await send("DELETE", third)).status, 204);
    const missing = await send("DELETE", third);
    assert.equal(missing.status, 404);
    assert.match(missing.body.toString(), /<h1>404 Not Found<\/h1>/);
    const replaced = { memberships: [{ member_id: "fourth" }] };
    assert.equal(
      (await send("PUT", `/v1/images/${id}/members`, { "content-type": "application/json" }, replaced)).status,
      204,
    );
    assert.equal((await head(id, consumer)).status, 404);
    const one = await send("GET", `/v1/images/${id}/members/fourth`);
    assert.equal(one.status, 405);
    assert.equal(one.headers.allow, "PUT, DELETE");

    await send("PUT", `/v1/images/${id}`, { "x-image-meta-is_public": "True" });
    assert.equal((await head(id, consumer)).status, 200);
    assert.equal((await consumer("DELETE", `/v1/images/${id}`)).status, 403);
    cloud.settings["glance-v1"].publicImages = "admin";
    assert.equal((await send("POST", "/v1/images", { ...RAW, "x-image-meta-is_public": "True" })).status, 403);
    cloud.settings["glance-v1"].publicImages = "anyone";
  });

  it("lists by pages and filters", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++)
      ids.push(
        await reserve({
          "x-image-meta-name": `page-${i}`,
          "x-image-meta-property-set": "pages",
          "x-image-meta-min_disk": String(i),
        }),
      );
    const get = async (query: string, as: Send = send) =>
      (await as("GET", `/v1/images/detail?${query}`)).json.images as { id: string; name: string }[];
    const all: string[] = [];
    for (let page = await get("property-set=pages&limit=2&sort_key=name&sort_dir=asc"); page.length; ) {
      all.push(...page.map(it => it.name));
      page = await get(`property-set=pages&limit=2&sort_key=name&sort_dir=asc&marker=${page.at(-1)?.id}`);
    }
    assert.deepEqual(all, ["page-0", "page-1", "page-2", "page-3", "page-4"]);
    assert.deepEqual(
      (await get("min_disk=3&property-set=pages")).map(it => it.name),
      ["page-3"],
    );
    assert.deepEqual(await get("status=active&property-set=pages"), []);
    const big = await get("size_min=300000&size_max=300000");
    assert.ok(big.length > 0);
    assert.deepEqual(await get("property-set=pages", consumer), []);
    assert.deepEqual(await get("property-set=pages", admin), []);
    assert.equal((await get("property-set=pages&is_public=None", admin)).length, 5);
    const brief = (await send("GET", "/v1/images?name=page-1")).json.images;
    assert.deepEqual(Object.keys(brief[0]).sort(), [
      "checksum",
      "container_format",
      "disk_format",
      "id",
      "name",
      "size",
    ]);
    await send("DELETE", `/v1/images/${ids[0]}`);
    const changed = await get("changes-since=2020-01-01T00:00:00Z&property-set=pages");
    assert.equal(changed.length, 5);
    for (const wrong of [
      "limit=x",
      "marker=none",
      "sort_key=colour",
      "sort_dir=up",
      "protected=perhaps",
      "size_min=-1",
      "changes-since=soon",
    ]) {
      assert.equal((await send("GET", `/v1/images?${wrong}`)).status, 400, wrong);
    }
  });

  it("takes JSON as openstacksdk sends it", async () => {
    const json = { "content-type": "application/json" };
    const image = {
      name: "json",
      ...{ disk_format: "raw", container_format: "bare" },
      is_public: false,
      colour: "red",
    };
    const created = await send("POST", "/v1/images", json, { image });
    assert.equal(created.status, 201);
    assert.deepEqual(created.json.image.properties, { colour: "red" });
    const updated = await send("PUT", `/v1/images/${created.json.image.id}`, json, { image: { name: "renamed" } });
    assert.equal(updated.json.image.name, "renamed");
    assert.deepEqual(updated.json.image.properties, { colour: "red" });
  });

  it("answers unknown paths with 404, and unknown verbs with 405", async () => {
    assert.equal((await send("GET", "/v1/nothing")).status, 404);
    const { status, headers } = await send("POST", "/v1/images/detail");
    assert.equal(status, 405);
    assert.equal(headers.allow, "GET");
  });

  it("keeps everything over a restart", async () => {
    const id = await upload({ "x-image-meta-name": "kept" });
    await cloud.stop();
    await start();
    assert.equal((await head(id)).headers["x-image-meta-name"], "kept");
    assert.ok((await send("GET", `/v1/images/${id}`)).body.equals(data));
  });
});

/** Text as the letters that its UTF-8 bytes are in a header. */
const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const unbytes = (header: string | string[] | undefined) => Buffer.from(String(header), "latin1").toString("utf8");

function client(url: string, token: string): Send & { token: string } {
  const send: Send = async (method, path, headers = {}, body) => {
    const sent = request(url + path, { method, headers: { ...headers, ...(token && { "x-auth-token": token }) } });
    if (body === undefined) sent.end();
    else sent.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const content = await buffer(answer);
    const isJson = answer.headers["content-type"]?.startsWith("application/json");
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: content,
      json: isJson && content.length ? JSON.parse(content.toString()) : undefined,
    };
  };
  return Object.assign(send, { token });
}

async function signIn(authUrl: string, { username, password, projectId }: Account): Promise<string> {
  const user = { name: username, password, domain: { id: "default" } };
  const auth = { identity: { methods: ["password"], password: { user } }, scope: { project: { id: projectId } } };
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth }),
  });
  assert.equal(response.status, 201);
  return response.headers.get("x-subject-token") ?? "";
}
