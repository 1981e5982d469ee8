import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openServices } from "../../provider/runtime.ts";
import type { ServiceName } from "../../provider/services/names.ts";
import type { ImageService, PartService, Values } from "../../provider/services/service.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { connectionTo } from "../cloud/connections.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { inTurns } from "./inTurns.ts";
import { quietJob } from "./job.ts";

/** A refresh of 250 images, eight at a time as the engine reads them, where a service can't be asked for images by their ids. */
describe("Reads of many images on the other services", () => {
  const count = 250;
  const pageSize = 100;
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;

  before(async () => {
    files = await startFileServer();
    files.files.set("/disk.raw", { body: noise("disk", 1000) });
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-reads-"));
    const services: ServiceName[] = ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"];
    const digitalOcean = { taskTime: 1, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir, services, settings: { digitalocean: digitalOcean } });
  });
  after(async () => {
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const job = quietJob();
  const names = [...Array(count).keys()].map(index => `image ${index}`);
  const makers: Record<string, () => Promise<(name: string) => Promise<string>>> = {
    async ecl() {
      const { authUrl, accounts, imageUrls } = cloud.services.ecl;
      const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrls.jp1);
      return async name => (await api.create({ name, tags: ["fleet"] })).id;
    },
    async istack() {
      const { authUrl, accounts, imageUrl } = cloud.services.istack;
      const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrl);
      return async name => (await api.create({ name, tags: ["fleet"] })).id;
    },
    async "glance-v1"() {
      const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
      const api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
      return async name => {
        const answer = await api.send("POST", "/v1/images", { "x-image-meta-name": name });
        return ((await answer.json()) as { image: { id: string } }).image.id;
      };
    },
    async digitalocean() {
      const { url, accounts } = cloud.services.digitalocean;
      return async name => {
        const body = { name, url: `${files.url}/disk.raw`, region: "nyc3", tags: ["fleet"] };
        const authorization = `Bearer ${accounts.sender.token}`;
        const headers = { authorization, "content-type": "application/json" };
        const answer = await fetch(`${url}/v2/images`, { method: "POST", headers, body: JSON.stringify(body) });
        const { image } = (await answer.json()) as { image: { id: number; status: string } };
        while (image.status !== "available") {
          const read = await fetch(`${url}/v2/images/${image.id}`, { headers: { authorization } });
          Object.assign(image, ((await read.json()) as { image: { status: string } }).image);
        }
        return String(image.id);
      };
    },
    async divvycloud() {
      const { controlUrl } = cloud.services.divvycloud;
      return async name => {
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${controlUrl}/images`, { method: "POST", headers, body: JSON.stringify({ name }) });
        return ((await answer.json()) as { resource_id: string }).resource_id;
      };
    },
  };

  const sharers: Record<"ecl" | "glance-v1", () => Promise<(id: string, member: string) => Promise<unknown>>> = {
    async ecl() {
      const { authUrl, accounts, imageUrls } = cloud.services.ecl;
      const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrls.jp1);
      return (id, member) => api.send("POST", `/v2/images/${id}/members`, { body: { member } });
    },
    async "glance-v1"() {
      const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
      const api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
      return (id, member) => api.send("PUT", `/v1/images/${id}/members/${member}`);
    },
  };

  const requests: Record<string, { page: RegExp; pages: number }> = {
    ecl: { page: /^GET \/v2\/images\?owner=/, pages: Math.ceil((count + 1) / pageSize) },
    istack: { page: /^GET \/v2\/images\?owner=/, pages: Math.ceil((count + 1) / pageSize) },
    "glance-v1": { page: /^GET \/v1\/images\/detail\?/, pages: 1 },
    digitalocean: { page: /^GET \/v2\/images\?private=true/, pages: Math.ceil(count / 200) },
    divvycloud: { page: /^POST \/v2\/public\/resource\/query/, pages: Math.ceil(count / 100) },
  };
  for (const [service, { page, pages }] of Object.entries(requests)) {
    describe(service, () => {
      let ids: string[];
      let opened: ImageService;

      before(async () => {
        const make = await makers[service]?.();
        ids = await inTurns(names, name => (make as (name: string) => Promise<string>)(name));
        if (service === "ecl" || service === "istack") cloud.settings[service].maxPageSize = pageSize;
      });
      beforeEach(async () => {
        const others = service === "ecl" ? { team: connectionTo(cloud.services, "ecl", "consumer") } : {};
        const config = JSON.stringify({ lab: connectionTo(cloud.services, service as ServiceName), ...others });
        const services = openServices(
          { get: key => (key === "images:connections" ? config : undefined) },
          {},
          () => {},
        );
        opened = services({ service, connection: "lab" });
        cloud.requests.length = 0;
        await opened.signIn();
      });

      const asked = () =>
        cloud.requests
          .map(({ method, path }) => `${method} ${path}`)
          .filter(request => !/\/v3\/|user\/info/.test(request));
      const read = (part: PartService | undefined, id: string, values: Values = {}) =>
        (part as PartService).read(id, { managed: ["status"], ...values });
      const checkPages = () => {
        assert.equal(asked().length, pages, asked().join("\n"));
        assert.ok(
          asked().every(request => page.test(request)),
          asked().join("\n"),
        );
      };

      it("one request a page", async () => {
        const found = await inTurns(ids, async id => (await opened.readImage(id, [], true))?.name);
        assert.deepEqual(found, names);
        checkPages();
      });

      if (service === "ecl" || service === "istack" || service === "digitalocean") {
        it("with a tag each: no request more", async () => {
          const found = await inTurns(ids, async id => [
            (await opened.readImage(id, [], true))?.name,
            (await read(opened.tags, `${id}/fleet`))?.tag,
          ]);
          assert.deepEqual(
            found,
            names.map(name => [name, "fleet"]),
          );
          checkPages();
        });
      }

      if (service === "digitalocean") {
        it("with an offer and a copy each: no request more", async () => {
          const found = await inTurns(ids, async id => [
            (await opened.readImage(id, [], true))?.name,
            (await read(opened.members, `${id}/them%40example.com/7`))?.status,
            (await read(opened.copies, `${id}/nyc3`))?.regions,
          ]);
          assert.deepEqual(
            found,
            names.map(name => [name, "pending", ["nyc3"]]),
          );
          checkPages();
        });
      }

      if (service === "ecl") {
        it("with copies in another tenant: the jobs from one list, the copies from that tenant's", async () => {
          const { authUrl, accounts, imageUrls } = cloud.services.ecl;
          const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrls.jp1);
          const jobs = "/v2/extension/image_replicator/jobs";
          const to = { tenant: accounts.consumer.projectId, connection: "team" };
          const copied = await inTurns([...Array(12).keys()], async index => {
            const formats = { disk_format: "raw", container_format: "bare" };
            const image = await api.create({ name: `copied ${index}`, ...formats }, Buffer.from("a disk"));
            const body = { image_id: image.id, tenant_id_dst: to.tenant };
            const { job_id } = (await (await api.send("POST", jobs, { body })).json()) as { job_id: string };
            const status = async () =>
              ((await (await api.send("GET", `${jobs}/${job_id}`)).json()) as { status: string }).status;
            while ((await status()) !== "replicated");
            return { imageId: image.id, jobId: job_id };
          });
          cloud.requests.length = 0;
          const found = await inTurns(copied, async ({ imageId, jobId }) => {
            const copy = await read(opened.copies, `${imageId}/${to.tenant}`, { imageId, to, jobId });
            return [copy?.status, copy?.size];
          });
          assert.deepEqual(
            found,
            copied.map(() => ["replicated", 6]),
          );
          assert.deepEqual(
            asked().map(request => request.replace(/\?.*/, "")),
            [`GET ${jobs}`, "GET /v2/images"],
          );
        });
      }

      if (service === "ecl" || service === "glance-v1") {
        describe("with a member each", () => {
          let member: string;

          before(async () => {
            member = cloud.services[service].accounts.consumer.projectId;
            const share = await sharers[service]();
            await inTurns(ids, id => share(id, member));
          });

          const members = (values: Values) =>
            inTurns(ids, async id => (await read(opened.members, `${id}/${member}`, { member, ...values }))?.memberId);

          it("a listing of what is shared with that project", async () => {
            const found = await members(service === "ecl" ? { accept: { connection: "team" } } : {});
            assert.deepEqual(
              found,
              ids.map(() => member),
            );
            // ECL's invited project is asked by its answer: none has accepted or rejected, and a page holds a hundred.
            const listings = service === "ecl" ? 5 : 1;
            assert.equal(asked().length, listings, asked().join("\n"));
          });

          it("exact after a write of ours", async () => {
            const values = { member, ...(service === "ecl" ? { accept: { connection: "team" } } : {}) };
            await members(values);
            const [first = ""] = ids;
            await (opened.members as PartService).delete(`${first}/${member}`, values, job);
            assert.deepEqual(await members(values), [undefined, ...ids.slice(1).map(() => member)]);
          });
        });
      }
    });
  }
});
