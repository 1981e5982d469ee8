import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { type CloudOptions, type LocalCloud, startCloud } from "./cloud.ts";
import { DATA_TYPE, ImageClient, passwordAuth, RAW, send, signIn, until } from "./conformance/client.ts";
import { qcow2 } from "./conformance/diskImages.ts";

describe("The local cloud", () => {
  let dir: string;
  let cloud: LocalCloud;
  let owner: ImageClient;
  const start = async (options: Partial<CloudOptions> = {}) => {
    cloud = await startCloud({ dir, services: ["openstack"], ...options });
    if (cloud.services.openstack) owner = new ImageClient(cloud.openstack);
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "cloud-"));
  });
  afterEach(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it("goes on where it was: accounts, tokens, images, data, members, deleted ids, ports", async () => {
    await start();
    const before = cloud.services.openstack;
    const token = await owner.token();
    const id = await owner.create({ name: "kept", ...RAW, tags: ["t"] });
    await owner.upload(id, Buffer.from("data"));
    await owner.send("POST", `/v2/images/${id}/members`, { member: "m" });
    const deleted = await owner.create({});
    await owner.send("DELETE", `/v2/images/${deleted}`);
    const document = (await owner.get(id)).json;
    await cloud.stop();
    await start();
    assert.deepEqual(cloud.services.openstack, before);
    const again = await send("GET", `${owner.url}/v2/images/${id}`, { "x-auth-token": token });
    assert.deepEqual(again.json, document);
    assert.equal((await owner.send("GET", `/v2/images/${id}/file`)).text, "data");
    assert.equal((await owner.send("GET", `/v2/images/${id}/members`)).json.members.length, 1);
    assert.equal((await owner.send("POST", "/v2/images", { id: deleted })).status, 409);
  });

  it("takes other ports when its own are used", async () => {
    await start();
    const other = await startCloud({ dir: join(dir, "other"), services: ["openstack"], port: portOf(cloud) });
    try {
      assert.notEqual(other.openstack.authUrl, cloud.openstack.authUrl);
      assert.equal((await send("GET", other.openstack.authUrl, {})).status, 200);
    } finally {
      await other.stop();
    }
  });

  it("leaves nothing of an upload that its stop cut off", async () => {
    await start();
    const id = await owner.create(RAW);
    const body = new PassThrough();
    body.write(Buffer.alloc(100_000));
    const uploading = owner.upload(id, body);
    await owner.status(id, "saving");
    await cloud.stop();
    assert.equal((await uploading).status, 0);
    assert.deepEqual(await readdir(join(dir, "openstack", "glance-RegionOne-fast")), []);
    await start();
    assert.equal((await owner.get(id)).json.status, "queued");
  });

  it("listens on loopback only, in a folder that others can't read", async () => {
    await start();
    assert.match(cloud.openstack.authUrl, /^http:\/\/127\.0\.0\.1:/);
    assert.equal((await stat(join(dir, "openstack"))).isDirectory(), true);
    const { mode } = await stat(dir);
    assert.equal(mode & 0o077, 0);
  });

  it("serves https under its own authority", async () => {
    await start({ tls: true });
    const { caFile, authUrl } = cloud.openstack;
    assert.ok(caFile);
    assert.match(authUrl, /^https:/);
    const get = (ca: string | undefined) =>
      new Promise<number>((resolve, reject) => {
        const asked = request(authUrl, { ...(ca && { ca }) }, response => resolve(response.resume().statusCode ?? 0));
        asked.on("error", reject);
        asked.end();
      });
    assert.equal(await get(await readFile(caFile, "utf8")), 200);
    await assert.rejects(get(undefined), /certificate/i);
  });

  it("records requests with their answers and who made them", async () => {
    await start();
    await owner.create({ name: "recorded" });
    await owner.send("GET", "/v2/images/nope?x=1");
    assert.deepEqual(cloud.requests, [
      { service: "openstack", method: "POST", path: "/v3/auth/tokens", status: 201, user: "owner" },
      { service: "openstack", method: "POST", path: "/v2/images", status: 201, user: "owner" },
      { service: "openstack", method: "GET", path: "/v2/images/nope?x=1", status: 404, user: "owner" },
    ]);
  });

  it("lets tokens expire", async () => {
    await start({ settings: { openstack: { tokenLifetime: 60 } } });
    const token = await signIn(cloud.openstack, passwordAuth(cloud.openstack.accounts.owner));
    const list = () => send("GET", `${owner.url}/v2/images`, { "x-auth-token": token });
    cloud.advance(55);
    assert.equal((await list()).status, 200);
    cloud.advance(6);
    assert.equal((await list()).status, 401);
  });

  it("names other image endpoints in its catalogue when told to", async () => {
    await start({ imageEndpoints: ["http://127.0.0.1:1"] });
    assert.deepEqual(cloud.openstack.regions, [{ name: "RegionOne", imageUrl: "http://127.0.0.1:1" }]);
    assert.notEqual(cloud.services.openstack.imageServers[0], "http://127.0.0.1:1");
  });

  describe("misbehaves when told to", () => {
    beforeEach(async () => {
      await start();
      await owner.token();
    });
    const list = () => owner.send("GET", "/v2/images");

    it("by a status, so many times", async () => {
      const headers = { "retry-after": "1" };
      cloud.faults.add({ method: "GET", path: /^\/v2\/images/, status: 503, headers, body: "later", count: 2 });
      for (let time = 0; time < 2; time++) {
        const answer = await list();
        assert.deepEqual([answer.status, answer.text, answer.headers["retry-after"]], [503, "later", "1"]);
      }
      assert.equal((await list()).status, 200);
      assert.deepEqual(
        cloud.requests.slice(1).map(({ status }) => status),
        [503, 503, 200],
      );
    });

    it("after some that go well, and never where it doesn't match", async () => {
      cloud.faults.add({ path: /images\?limit=2/, skip: 1, status: 500 });
      const ask = (query: string) => owner.send("GET", `/v2/images${query}`);
      assert.equal((await ask("?limit=2")).status, 200);
      assert.equal((await ask("?limit=1")).status, 200);
      assert.equal((await ask("?limit=2")).status, 500);
      assert.equal(cloud.faults.left, 0);
    });

    it("by cutting the connection before the work, or after it", async () => {
      cloud.faults.add({ method: "POST", drop: "before" });
      assert.equal((await owner.send("POST", "/v2/images", { name: "never" })).status, 0);
      cloud.faults.add({ method: "POST", drop: "after" });
      assert.equal((await owner.send("POST", "/v2/images", { name: "made" })).status, 0);
      const { json } = await list();
      assert.deepEqual(
        json.images.map(({ name }: { name: string }) => name),
        ["made"],
      );
    });

    it("by cutting an upload in its middle", async () => {
      const id = await owner.create(RAW);
      cloud.faults.add({ method: "PUT", drop: "request", afterBytes: 1_000_000 });
      assert.equal((await owner.upload(id, Buffer.alloc(4_000_000))).status, 0);
      await owner.status(id, "queued");
      assert.equal((await owner.upload(id, Buffer.alloc(4_000_000))).status, 204);
    });

    it("by cutting a download in its middle", async () => {
      const id = await owner.create(RAW);
      await owner.upload(id, Buffer.alloc(4_000_000));
      cloud.faults.add({ method: "GET", path: /file$/, drop: "response", afterBytes: 1_000_000 });
      const { text } = await owner.send("GET", `/v2/images/${id}/file`);
      assert.ok(text.length < 4_000_000, String(text.length));
    });

    it("by never answering, which its stop ends", async () => {
      cloud.faults.add({ path: /images$/, stall: true });
      const asked = list();
      await until(async () => cloud.requests.find(({ path, status }) => path === "/v2/images" && status === 0));
      await cloud.stop();
      assert.equal((await asked).status, 0);
    });

    it("when told so over HTTP, with its key", async () => {
      const control = (method: string, key: string, body?: object) =>
        send(
          method,
          `${owner.url}/_faults`,
          { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body && JSON.stringify(body),
        );
      const fault = { path: "^/v2/images$", status: 502, count: -1 };
      assert.equal((await control("POST", "wrong", fault)).status, 403);
      assert.equal((await control("POST", cloud.controlKey, { path: "(" })).status, 400);
      assert.equal((await control("POST", cloud.controlKey, fault)).status, 204);
      for (let time = 0; time < 3; time++) assert.equal((await list()).status, 502);
      assert.equal((await control("DELETE", cloud.controlKey)).status, 204);
      assert.equal((await list()).status, 200);
    });
  });

  describe("has limits when told so", () => {
    const message = (answer: { json: { message: string } }) => answer.json.message;

    it("on the number of images", async () => {
      await start({ settings: { openstack: { imageCountLimit: 2 } } });
      await owner.create({});
      const id = await owner.create({});
      const answer = await owner.send("POST", "/v2/images", {});
      assert.equal(answer.status, 413);
      assert.match(message(answer), /image_count_total is over limit of 2/);
      assert.deepEqual((await owner.send("GET", "/v2/info/usage")).json, {
        usage: { image_count_total: { usage: 2, limit: 2 } },
      });
      await owner.send("DELETE", `/v2/images/${id}`);
      assert.equal((await owner.send("POST", "/v2/images", {})).status, 201);
    });

    for (const [limit, path] of [
      ["imageSizeLimit", "file"],
      ["stageSizeLimit", "stage"],
    ] as const) {
      it(`on the size of all data (${limit}): refused at once, the image stays queued`, async () => {
        await start({ settings: { openstack: { [limit]: 5 } } });
        const id = await owner.create(RAW);
        const answer = await owner.send("PUT", `/v2/images/${id}/${path}`, Buffer.alloc(6 * 2 ** 20), {
          "content-type": DATA_TYPE,
        });
        assert.ok(answer.status === 413 || answer.status === 0, String(answer.status));
        assert.equal((await owner.get(id)).json.status, "queued");
        const usage = (await owner.send("GET", "/v2/info/usage")).json.usage;
        assert.deepEqual(Object.values(usage), [{ usage: 0, limit: 5 }]);
        assert.equal(
          (await owner.send("PUT", `/v2/images/${id}/${path}`, Buffer.alloc(2 ** 20), { "content-type": DATA_TYPE }))
            .status,
          204,
        );
      });
    }

    it("on the size of one image, whatever it was announced with", async () => {
      await start({ settings: { openstack: { imageSizeCap: 1000 } } });
      const id = await owner.create(RAW);
      const answer = await owner.upload(id, Buffer.alloc(1001));
      assert.equal(answer.status, 413);
      assert.match(message(answer), /The incoming image is too large/);
      assert.equal((await owner.get(id)).json.status, "queued");
      assert.equal((await owner.upload(id, Buffer.alloc(1000))).status, 204);
    });
  });

  it("leaves copies between stores to an admin when told so", async () => {
    await start({ settings: { openstack: { copyImage: "admin" } } });
    const id = await owner.create(RAW);
    await owner.upload(id, Buffer.alloc(10));
    const body = { method: { name: "copy-image" }, stores: ["slow"] };
    assert.equal((await owner.import(id, body)).status, 403);
    assert.equal((await new ImageClient(cloud.openstack, "admin").import(id, body)).status, 202);
    assert.equal((await owner.settled(id)).image.stores, "fast,slow");
  });

  it("takes any data when told not to look", async () => {
    await start({ settings: { openstack: { formatCheck: false } } });
    const id = await owner.create({ disk_format: "qcow2", container_format: "bare" });
    assert.equal((await owner.upload(id, Buffer.alloc(10, 1))).status, 204);
  });

  it("shows locations when told so", async () => {
    await start({ settings: { openstack: { showLocations: true } } });
    const id = await owner.create(RAW);
    assert.deepEqual((await owner.get(id)).json.locations, []);
    await owner.upload(id, Buffer.alloc(10));
    const { json } = await owner.get(id);
    assert.match(json.direct_url, /^file:\/\//);
    assert.deepEqual(json.locations, [{ url: json.direct_url, metadata: { store: "fast" } }]);
    const value = { url: "http://127.0.0.1/x", metadata: {} };
    const answer = await owner.patch(id, { op: "add", path: "/locations/-", value });
    assert.equal(answer.status, 400);
    assert.match(answer.json.message, /Invalid location/);
  });

  it("makes an image active when its data is in the first of its stores", async () => {
    await start({ settings: { openstack: { importDelay: 200 } } });
    const id = await owner.create(RAW);
    const site = await serve(Buffer.alloc(1000, 1));
    const method = { name: "web-download", uri: site.url };
    try {
      await owner.import(id, { method, stores: ["fast", "slow"], all_stores_must_succeed: false });
      const half = await owner.status(id, "active");
      assert.equal(half.stores, "fast");
      assert.equal(half.os_glance_importing_to_stores, "slow");
      const copy = await owner.import(id, { method: { name: "copy-image" }, stores: ["slow"] });
      assert.equal(copy.status, 409);
      assert.match(copy.json.message, /Image has active task/);
      assert.equal((await owner.settled(id)).image.stores, "fast,slow");
    } finally {
      site.close();
    }
  });

  it("lets an import in again when the lock of a lost one is an hour old", async () => {
    await start({ settings: { openstack: { tokenLifetime: 86_400 } } });
    const id = await owner.create({ disk_format: "qcow2", container_format: "bare" });
    const site = await serve(Buffer.alloc(1000, 1));
    const method = { name: "web-download", uri: site.url };
    try {
      assert.equal((await owner.import(id, { method, all_stores_must_succeed: false })).status, 202);
      await owner.settled(id);
      site.data = qcow2(2 ** 30);
      assert.equal((await owner.import(id, { method, stores: ["slow"] })).status, 409);
      cloud.advance(3601);
      assert.equal((await owner.import(id, { method, stores: ["slow"] })).status, 202);
      assert.equal((await owner.settled(id)).image.status, "active");
    } finally {
      site.close();
    }
  });

  describe("has the limits of the real one's front end", () => {
    beforeEach(() => start());

    it("loses a query that is too long, and answers with all there is", async () => {
      const ids = [await owner.create({ name: "a" }), await owner.create({ name: "b" })];
      const asked = (count: number) => Array.from({ length: count }, () => ids[0]).join();
      const few = await owner.send("GET", `/v2/images?id=in:${asked(800)}`);
      assert.deepEqual(
        few.json.images.map(({ name }: { name: string }) => name),
        ["a"],
      );
      const many = await owner.send("GET", `/v2/images?id=in:${asked(900)}`);
      assert.deepEqual(
        many.json.images.map(({ name }: { name: string }) => name),
        ["b", "a"],
      );
    });

    it("cuts off a request whose head is too large", async () => {
      assert.equal((await owner.send("GET", "/v2/images", undefined, { "x-big": "x".repeat(60_000) })).status, 200);
      assert.equal((await owner.send("GET", "/v2/images", undefined, { "x-big": "x".repeat(70_000) })).status, 0);
    });
  });

  describe("as a command", () => {
    /** Starts it, and reads its first line. */
    async function command(...options: string[]) {
      const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "--dir", dir, ...options], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = (await once(createInterface(child.stdout), "line")) as [string];
      return {
        line,
        async stop(signal: NodeJS.Signals = "SIGINT") {
          child.kill(signal);
          const [code] = await once(child, "exit");
          return code as number;
        },
      };
    }
    beforeEach(() => start({ services: [] }));

    it("prints one line of JSON when it is ready, and stops on Ctrl-C with its state kept", async () => {
      const first = await command("--json", "--services", "openstack", "--regions", "1");
      const { services } = JSON.parse(first.line);
      const client = new ImageClient(services.openstack);
      const id = await client.create({ name: "kept" });
      const clouds = await readFile(join(dir, "clouds.yaml"), "utf8");
      assert.match(clouds, new RegExp(services.openstack.authUrl));
      assert.equal((await stat(join(dir, "clouds.yaml"))).mode & 0o077, 0);
      assert.equal(await first.stop(), 0);
      const second = await command("--json", "--services", "openstack", "--regions", "1");
      try {
        assert.deepEqual(JSON.parse(second.line).services.openstack, services.openstack);
        assert.equal((await client.get(id)).json.name, "kept");
      } finally {
        assert.equal(await second.stop(), 0);
      }
    });

    it("that is killed in the middle of an upload leaves the image saving, and good only to be deleted", async () => {
      const options = ["--json", "--services", "openstack", "--regions", "1"];
      const first = await command(...options);
      const client = new ImageClient(JSON.parse(first.line).services.openstack);
      const id = await client.create(RAW);
      const body = new PassThrough();
      body.write(Buffer.alloc(100_000));
      const uploading = client.upload(id, body);
      const state = join(dir, "openstack", "glance-RegionOne.json");
      await until(async () => (await readFile(state, "utf8").catch(() => "")).includes('"saving"') || undefined);
      await first.stop("SIGKILL");
      assert.equal((await uploading).status, 0);
      const second = await command(...options);
      try {
        // The token may have been lost with the process.
        const again = new ImageClient(JSON.parse(second.line).services.openstack);
        assert.equal((await again.get(id)).json.status, "saving");
        assert.equal((await again.upload(id, Buffer.alloc(10))).status, 409);
        assert.equal((await again.send("DELETE", `/v2/images/${id}`)).status, 204);
        assert.deepEqual(await readdir(join(dir, "openstack", "glance-RegionOne-fast")), []);
      } finally {
        await second.stop();
      }
    });
  });
});

const portOf = (cloud: LocalCloud) => Number(new URL(cloud.openstack.authUrl).port);

/** A web server that has one thing to give. */
async function serve(data: Buffer) {
  const server = createServer((_request, response) => response.end(site.data));
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const site = { data, url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
  return site;
}
