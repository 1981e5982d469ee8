import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type LocalCloud, startCloud } from "../cloud.ts";
import { client, type Send, serveFiles, until } from "./exercise.ts";
import type { DigitalOceanDescription } from "./index.ts";

describe("local cloud: digitalocean", () => {
  let dir: string;
  let cloud: LocalCloud;
  let service: DigitalOceanDescription;
  let send: Send;
  let other: Send;
  let control: Send;
  let files: Awaited<ReturnType<typeof serveFiles>>;
  const raw = Buffer.alloc(1024 * 1024, 7);

  async function start() {
    cloud = await startCloud({
      dir,
      services: ["digitalocean"],
      settings: { digitalocean: { taskTime: 20, requestsPerMinute: 5000 } },
    });
    service = cloud.services.digitalocean;
    send = client(service.url, service.accounts.sender.token);
    other = client(service.url, service.accounts.recipient.token);
    control = client(service.controlUrl);
  }
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "digitalocean-"));
    files = await serveFiles({
      "/disk.raw": raw,
      "/disk.raw.gz": gzipSync(Buffer.alloc(8 * 1024 ** 2)),
      "/disk.qcow2": qcow2(5 * 1024 ** 3),
      "/page.html": Buffer.from("<html><body>Sign in first</body></html>".repeat(40)),
      "/empty": Buffer.alloc(0),
    });
    await start();
  });
  after(async () => {
    await cloud.stop();
    await files.close();
    await rm(dir, { recursive: true, force: true });
  });

  const create = async (path: string, more: object = {}) => {
    const body = { name: "golden", url: files.url + path, region: "nyc3", ...more };
    const { status, body: answer } = await send("POST", "/v2/images", body);
    assert.equal(status, 202, JSON.stringify(answer));
    return answer.image.id as number;
  };
  const image = async (id: number, as = send) => (await as("GET", `/v2/images/${id}`)).body.image;
  const settled = (id: number) =>
    until(
      () => image(id),
      it => it.status !== "NEW" && it.status !== "pending",
    );
  const done = async (path: string, id: number) =>
    (
      await until(
        () => send("GET", `${path}/${id}`),
        ({ body }) => body.action.status !== "in-progress",
      )
    ).body.action;

  describe("authentication and errors", () => {
    it("refuses a missing and a wrong token", async () => {
      for (const token of [undefined, "wrong"]) {
        const { status, body, headers } = await client(service.url, token)("GET", "/v2/images");
        assert.equal(status, 401);
        assert.equal(body.id, "unauthorized");
        assert.equal(body.message, "Unable to authenticate you.");
        assert.equal(headers.get("ratelimit-limit"), "5000");
      }
    });
    it("answers unknown paths and foreign ids with an error document", async () => {
      const id = service.accounts.recipient.backupId;
      for (const path of [
        "/v2/nothing",
        `/v2/images/${id}`,
        "/v2/images/no-such-slug",
        "/v2/actions/1",
        "/v2/images/x/actions",
      ]) {
        const { status, body } = await send("GET", path);
        assert.equal(status, 404, path);
        assert.deepEqual(
          { ...body, request_id: "" },
          {
            id: "not_found",
            message: "The resource you were accessing could not be found.",
            request_id: "",
          },
        );
      }
    });
    it("refuses a body that isn't JSON with 400, and one that isn't right with 422", async () => {
      const bad = await send("POST", "/v2/images", "{");
      assert.equal(bad.status, 400);
      assert.equal(bad.body.message, "error parsing request body");
      const good = { name: "a", url: `${files.url}/disk.raw`, region: "nyc3" };
      const wrong = [
        { ...good, name: "" },
        { ...good, url: "file:///etc/passwd" },
        { ...good, region: "moon1" },
        { ...good, region: "nyc2" },
        { ...good, tags: ["no spaces"] },
        { ...good, description: 1 },
        [],
      ];
      for (const body of wrong) {
        const { status, body: answer } = await send("POST", "/v2/images", body);
        assert.equal(status, 422, JSON.stringify(body));
        assert.equal(answer.id, "unprocessable_entity");
      }
    });
    it("takes paths with a slash at the end", async () => {
      const { status, body } = await send("GET", "/v2/images/?page=1&per_page=1");
      assert.equal(status, 200);
      assert.equal(body.images.length, 1);
    });
  });

  describe("custom images", () => {
    it("imports a raw disk: NEW, pending, available", async () => {
      const seen = new Set<string>();
      const id = await create("/disk.raw", { distribution: "Debian", description: "d", tags: ["b", "a"] });
      const ready = await until(
        async () => {
          const now = await image(id);
          seen.add(now.status);
          return now;
        },
        it => it.status === "available",
      );
      assert.deepEqual(
        [...seen].filter(it => !["NEW", "pending", "available"].includes(it)),
        [],
      );
      assert.deepEqual(
        { ...ready, created_at: "" },
        {
          id,
          name: "golden",
          type: "custom",
          distribution: "Debian",
          slug: null,
          public: false,
          regions: ["nyc3"],
          created_at: "",
          min_disk_size: 1,
          size_gigabytes: 0.01,
          description: "d",
          tags: ["b", "a"],
          status: "available",
          error_message: "",
        },
      );
    });
    it("answers a creation with what is known by then", async () => {
      const { body } = await send("POST", "/v2/images", {
        name: "x",
        url: `${files.url}/disk.raw`,
        region: "ams3",
        distribution: "Slackware",
      });
      assert.equal(body.image.status, "NEW");
      assert.deepEqual(body.image.regions, []);
      assert.equal(body.image.distribution, "Unknown");
      assert.ok(!("public" in body.image) && !("size_gigabytes" in body.image));
    });
    it("reads the disk's size from a qcow2 header and through gzip", async () => {
      assert.equal((await settled(await create("/disk.qcow2"))).min_disk_size, 5);
      assert.equal((await settled(await create("/disk.raw.gz"))).min_disk_size, 1);
    });
    it("ends as deleted, and says why, when the address or what is there is wrong", async () => {
      for (const [path, message] of [
        ["/none", /answered 404/],
        ["/page.html", /not a disk image/],
        ["/empty", /not a disk image/],
      ] as const) {
        const failed = await settled(await create(path));
        assert.equal(failed.status, "deleted");
        assert.match(failed.error_message, message);
      }
      const refused = await send("POST", "/v2/images", { name: "x", url: "http://127.0.0.1:1/x", region: "nyc3" });
      assert.match((await settled(refused.body.image.id)).error_message, /could not be downloaded/);
    });
    it("refuses an image that unpacks to too much", async () => {
      cloud.settings.digitalocean.maxImageBytes = 2 ** 20;
      const failed = await settled(await create("/disk.raw.gz"));
      cloud.settings.digitalocean.maxImageBytes = 100e9;
      assert.match(failed.error_message, /larger than/);
    });
    it("updates name, description and distribution, and only the name of a backup", async () => {
      const id = await create("/disk.raw");
      const { body } = await send("PUT", `/v2/images/${id}`, {
        name: "new",
        description: "text",
        distribution: "Fedora",
      });
      assert.equal(body.image.name, "new");
      assert.equal(body.image.description, "text");
      assert.equal(body.image.distribution, "Fedora");
      const backup = `/v2/images/${service.accounts.sender.backupId}`;
      assert.equal((await send("PUT", backup, { name: "renamed" })).body.image.name, "renamed");
      assert.equal((await send("PUT", backup, { description: "x" })).status, 422);
      const [ubuntu] = (await send("GET", "/v2/images?type=distribution")).body.images;
      assert.equal((await send("PUT", `/v2/images/${ubuntu.id}`, { name: "mine" })).status, 403);
    });
    it("deletes", async () => {
      const id = await create("/disk.raw");
      assert.equal((await send("DELETE", `/v2/images/${id}`)).status, 204);
      assert.equal((await send("GET", `/v2/images/${id}`)).status, 404);
      assert.equal((await send("DELETE", `/v2/images/${id}`)).status, 404);
    });
  });

  describe("lists", () => {
    it("filters by type, owner and tag", async () => {
      const id = await create("/disk.raw", { tags: ["only-this"] });
      const names = async (filter: string) => (await send("GET", `/v2/images?per_page=200&${filter}`)).body.images;
      assert.ok(
        (await names("type=distribution")).every(
          (it: { slug: string; public: boolean }) => it.public && !it.slug.startsWith("app-"),
        ),
      );
      assert.deepEqual(
        (await names("type=application")).map((it: { slug: string }) => it.slug),
        ["app-docker-20-04"],
      );
      assert.ok((await names("private=true")).every((it: { public: boolean }) => !it.public));
      assert.deepEqual(
        (await names("tag_name=only-this")).map((it: { id: number }) => it.id),
        [id],
      );
      assert.deepEqual(await names("tag_name=none"), []);
    });
    it("goes through pages by links that lead back to the host of the request", async () => {
      const seen: string[] = [];
      let page = await send("GET", "/v2/regions?per_page=4");
      assert.ok(!("first" in page.body.links.pages) && !("prev" in page.body.links.pages));
      for (;;) {
        seen.push(...page.body.regions.map((it: { slug: string }) => it.slug));
        const next = page.body.links.pages.next;
        if (!next) break;
        assert.ok(next.startsWith(`${service.url}/v2/regions?`), next);
        page = await send("GET", next);
      }
      assert.equal(new Set(seen).size, 15);
      assert.equal(seen.length, page.body.meta.total);
      assert.ok("prev" in page.body.links.pages && !("last" in page.body.links.pages));
      assert.deepEqual((await send("GET", "/v2/regions?per_page=200")).body.links, {});
      for (const wrong of ["per_page=201", "per_page=0", "page=0", "page=x"]) {
        assert.equal((await send("GET", `/v2/regions?${wrong}`)).status, 422);
      }
    });
  });

  describe("actions", () => {
    it("transfers to several regions at a time", async () => {
      const id = await create("/disk.raw");
      const path = `/v2/images/${id}/actions`;
      assert.equal((await send("POST", path, { type: "transfer", region: "ams3" })).status, 422);
      await settled(id);
      const started = await Promise.all(
        ["ams3", "fra1"].map(region => send("POST", path, { type: "transfer", region })),
      );
      for (const { status, body } of started) {
        assert.equal(status, 201);
        assert.equal(body.action.status, "in-progress");
        assert.equal(body.action.completed_at, null);
        assert.equal(body.action.resource_type, "image");
        const end = await done(path, body.action.id);
        assert.equal(end.status, "completed");
        assert.ok(end.completed_at);
      }
      assert.deepEqual((await image(id)).regions.sort(), ["ams3", "fra1", "nyc3"]);
      assert.equal((await send("POST", path, { type: "transfer", region: "fra1" })).status, 422);
      assert.equal((await send("POST", path, { type: "transfer", region: "nyc2" })).status, 422);
      assert.equal((await send("POST", path, { type: "resize" })).status, 422);
      const { body } = await send("GET", path);
      assert.deepEqual(
        body.actions.map((it: { id: number }) => it.id),
        started.map(it => it.body.action.id).sort((a, b) => b - a),
      );
    });
    it("ends as errored where the settings say so, or when the image goes away", async () => {
      const id = await create("/disk.raw");
      await settled(id);
      cloud.settings.digitalocean.failingRegions = ["sgp1"];
      const { body } = await send("POST", `/v2/images/${id}/actions`, { type: "transfer", region: "sgp1" });
      assert.equal((await done("/v2/actions", body.action.id)).status, "errored");
      const late = await send("POST", `/v2/images/${id}/actions`, { type: "transfer", region: "lon1" });
      await send("DELETE", `/v2/images/${id}`);
      assert.equal((await done("/v2/actions", late.body.action.id)).status, "errored");
    });
    it("converts a backup to a snapshot", async () => {
      const made = await control("POST", `/droplets/${service.accounts.sender.dropletId}/backups`, { name: "nightly" });
      const { id } = made.body;
      assert.equal((await send("GET", `/v2/snapshots/${id}`)).status, 400);
      const { body } = await send("POST", `/v2/images/${id}/actions`, { type: "convert" });
      assert.equal((await done(`/v2/images/${id}/actions`, body.action.id)).status, "completed");
      assert.equal((await image(id)).type, "snapshot");
      assert.equal((await send("GET", `/v2/snapshots/${id}`)).body.snapshot.id, String(id));
    });
    it("makes a snapshot of a droplet, one action at a time", async () => {
      const { dropletId } = service.accounts.sender;
      const path = `/v2/droplets/${dropletId}/actions`;
      const { status, body } = await send("POST", path, { type: "snapshot", name: "web-1" });
      assert.equal(status, 201);
      assert.equal((await send("POST", path, { type: "reboot" })).status, 422);
      await done(path, body.action.id);
      const { snapshots } = (await send("GET", `/v2/droplets/${dropletId}/snapshots`)).body;
      const snapshot = snapshots.find((it: { name: string }) => it.name === "web-1");
      assert.equal((await image(snapshot.id)).type, "snapshot");
      const listed = (await send("GET", "/v2/snapshots?resource_type=droplet")).body.snapshots;
      const same = listed.find((it: { id: string }) => it.id === String(snapshot.id));
      assert.equal(same.resource_id, String(dropletId));
      assert.equal((await other("GET", `/v2/droplets/${dropletId}/snapshots`)).status, 404);
    });
  });

  describe("account transfer", () => {
    let snapshot: number;
    beforeEach(async () => {
      const { body } = await control("POST", `/droplets/${service.accounts.sender.dropletId}/backups`, {});
      snapshot = body.id;
      const started = await send("POST", `/v2/images/${snapshot}/actions`, { type: "convert" });
      await done("/v2/actions", started.body.action.id);
    });
    const offer = (body: object) => send("POST", `/v2/images/${snapshot}/account_transfer`, body);

    it("moves a snapshot once the recipient accepts", async () => {
      const { email, uuid } = service.accounts.recipient;
      const { status, body } = await offer({ recipient_email: email });
      assert.equal(status, 201);
      assert.equal((await other("GET", `/v2/images/${snapshot}`)).status, 404);
      assert.equal((await offer({ recipient_email: email })).status, 422);
      const path = `/v2/images/${snapshot}/account_transfer/accept`;
      assert.equal((await send("POST", path, { ...body, recipient_uuid: uuid })).status, 403);
      assert.equal((await other("POST", path, body)).status, 400);
      const accepted = await other("POST", path, { ...body, recipient_uuid: uuid });
      assert.equal(accepted.status, 201);
      assert.equal(accepted.body, undefined);
      assert.equal((await send("GET", `/v2/images/${snapshot}`)).status, 404);
      assert.equal((await image(snapshot, other)).id, snapshot);
    });
    it("is cancelled by the sender, and declined by the recipient", async () => {
      const { uuid } = service.accounts.recipient;
      for (const [verb, may, mayNot] of [
        ["cancel", send, other],
        ["decline", other, send],
      ] as const) {
        const { body } = await offer({ recipient_uuid: uuid });
        const path = `/v2/images/${snapshot}/account_transfer/${verb}`;
        assert.equal((await mayNot("POST", path, body)).status, 403);
        assert.equal((await may("POST", path, body)).status, 204);
        assert.equal((await may("POST", path, body)).status, 404);
        assert.equal((await image(snapshot)).id, snapshot);
      }
    });
    it("is for snapshots, and for one recipient that exists", async () => {
      const { uuid, email } = service.accounts.recipient;
      assert.equal((await offer({})).status, 400);
      assert.equal((await offer({ recipient_uuid: uuid, recipient_email: email })).status, 400);
      assert.equal((await offer({ recipient_email: "nobody@example.com" })).status, 422);
      const custom = await create("/disk.raw");
      assert.equal((await send("POST", `/v2/images/${custom}/account_transfer`, { recipient_uuid: uuid })).status, 422);
    });
    it("needs no acceptance where the sender may accept for the recipient", async () => {
      await control("POST", "/sender/member_of", { account: "recipient" });
      const { body } = await offer({ recipient_uuid: service.accounts.recipient.uuid });
      assert.deepEqual(body, { transfer_id: 0 });
      assert.equal((await image(snapshot, other)).id, snapshot);
    });
  });

  describe("tags", () => {
    it("are put on images and taken off again, and count them", async () => {
      const id = await create("/disk.raw");
      const resources = [{ resource_id: String(id), resource_type: "image" }];
      assert.equal((await send("POST", "/v2/tags", { name: "Release" })).status, 201);
      assert.equal((await send("POST", "/v2/tags", { name: "release" })).body.tag.name, "Release");
      assert.equal((await send("GET", "/v2/tags/release")).status, 404);
      assert.equal((await send("POST", "/v2/tags/Release/resources", { resources })).status, 204);
      assert.deepEqual((await image(id)).tags, ["Release"]);
      const { tag } = (await send("GET", "/v2/tags/Release")).body;
      assert.deepEqual(tag.resources.images, { count: 1, last_tagged_uri: `${service.url}/v2/images/${id}` });
      assert.deepEqual(tag.resources.droplets, { count: 0 });
      assert.equal((await send("DELETE", "/v2/tags/Release/resources", { resources })).status, 204);
      assert.deepEqual((await image(id)).tags, []);
      await send("POST", "/v2/tags/Release/resources", { resources });
      assert.equal((await send("DELETE", "/v2/tags/Release")).status, 204);
      assert.deepEqual((await image(id)).tags, []);
    });
    it("refuses other names and unknown resources", async () => {
      const { status, body } = await send("POST", "/v2/tags", { name: "здорово" });
      assert.equal(status, 400);
      assert.deepEqual(Object.keys(body), ["error", "messages", "root_causes"]);
      await send("POST", "/v2/tags", { name: "t" });
      const put = (resource: object) => send("POST", "/v2/tags/t/resources", { resources: [resource] });
      assert.equal((await put({ resource_id: "1", resource_type: "image" })).status, 404);
      assert.equal((await put({ resource_id: 1, resource_type: "image" })).status, 422);
      assert.equal((await put({ resource_id: "1", resource_type: "planet" })).status, 422);
      assert.equal((await send("POST", "/v2/tags/t/resources", {})).status, 400);
    });
  });

  it("lets a region appear by itself", async () => {
    const id = await create("/disk.raw");
    await settled(id);
    await control("POST", `/images/${id}/regions`, { region: "syd1" });
    assert.deepEqual((await image(id)).regions, ["nyc3", "syd1"]);
  });

  it("goes on after a restart with the import that a stop interrupted", async () => {
    cloud.settings.digitalocean.taskTime = 60_000;
    const id = await create("/disk.raw", { tags: ["kept"] });
    await cloud.stop();
    await start();
    const ready = await settled(id);
    assert.equal(ready.status, "available");
    assert.deepEqual(ready.tags, ["kept"]);
  });

  describe("rate limits", () => {
    afterEach(async () => {
      await cloud.stop();
      await start();
    });
    it("counts down a sliding hour, and tells when the oldest request expires", async () => {
      cloud.settings.digitalocean.requestsPerHour = 4000;
      const first = await send("GET", "/v2/regions");
      cloud.advance(600);
      const second = await send("GET", "/v2/regions");
      const number = (answer: typeof first, name: string) => Number(answer.headers.get(`ratelimit-${name}`));
      assert.equal(number(first, "limit"), 4000);
      assert.equal(number(second, "remaining"), number(first, "remaining") - 1);
      assert.equal(number(second, "reset"), number(first, "reset"));
      cloud.settings.digitalocean.requestsPerHour = 4000 - number(second, "remaining");
      const refused = await send("GET", "/v2/regions");
      assert.equal(refused.status, 429);
      assert.equal(refused.body.id, "too_many_requests");
      assert.equal(refused.body.message, "API rate limit exceeded.");
      assert.equal(refused.headers.get("retry-after"), null);
      assert.equal(number(refused, "remaining"), 0);
      assert.notEqual((await other("GET", "/v2/regions")).status, 429);
      cloud.advance(3001);
      assert.equal((await send("GET", "/v2/regions")).status, 200);
    });
    it("limits the requests of a minute, and tells how long to wait", async () => {
      cloud.settings.digitalocean.requestsPerMinute = 3;
      for (let i = 0; i < 3; i++) assert.equal((await send("GET", "/v2/regions")).status, 200);
      const refused = await send("GET", "/v2/regions");
      assert.equal(refused.status, 429);
      const seconds = Number(refused.headers.get("retry-after"));
      assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
      cloud.advance(seconds);
      assert.equal((await send("GET", "/v2/regions")).status, 200);
    });
  });
});

/** The header of a qcow2 file, padded; `size` is that of the disk in it. */
function qcow2(size: number): Buffer {
  const file = Buffer.alloc(256 * 1024);
  file.write("QFI\xfb", "latin1");
  file.writeUInt32BE(3, 4);
  file.writeBigUInt64BE(BigInt(size), 24);
  return file;
}
