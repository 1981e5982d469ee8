import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openServices } from "../../provider/runtime.ts";
import type { ServiceName } from "../../provider/services/names.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { ownerConnections } from "../cloud/connections.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { inTurns } from "./inTurns.ts";

/** A refresh of 250 images, eight at a time as the engine reads them, where a service can't be asked for images by their ids. */
describe("Reads of many images on the other services", () => {
  const count = 250;
  const pageSize = 100;
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let connections: Record<string, Record<string, unknown>>;

  before(async () => {
    files = await startFileServer();
    files.files.set("/disk.raw", { body: noise("disk", 1000) });
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-reads-"));
    const services: ServiceName[] = ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"];
    const digitalOcean = { taskTime: 1, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir, services, settings: { digitalocean: digitalOcean } });
    connections = ownerConnections(cloud.services);
  });
  after(async () => {
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const names = [...Array(count).keys()].map(index => `image ${index}`);
  const makers: Record<string, () => Promise<(name: string) => Promise<string>>> = {
    async ecl() {
      const { authUrl, accounts, imageUrls } = cloud.services.ecl;
      const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrls.jp1);
      return async name => (await api.create({ name })).id;
    },
    async istack() {
      const { authUrl, accounts, imageUrl } = cloud.services.istack;
      const api = await ImageApi.signIn(authUrl, accounts.owner, imageUrl);
      return async name => (await api.create({ name })).id;
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
        const body = { name, url: `${files.url}/disk.raw`, region: "nyc3", tags: [] };
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

  const requests: Record<string, { page: RegExp; pages: number }> = {
    ecl: { page: /^GET \/v2\/images\?owner=/, pages: Math.ceil((count + 1) / pageSize) },
    istack: { page: /^GET \/v2\/images\?owner=/, pages: Math.ceil((count + 1) / pageSize) },
    "glance-v1": { page: /^GET \/v1\/images\/detail\?/, pages: 1 },
    digitalocean: { page: /^GET \/v2\/images\?private=true/, pages: Math.ceil(count / 200) },
    divvycloud: { page: /^POST \/v2\/public\/resource\/query/, pages: Math.ceil(count / 100) },
  };
  for (const [service, { page, pages }] of Object.entries(requests)) {
    it(`${service}: one request a page`, async () => {
      const make = await makers[service]?.();
      const ids = await inTurns(names, name => (make as (name: string) => Promise<string>)(name));
      if (service === "ecl" || service === "istack") cloud.settings[service].maxPageSize = pageSize;
      const config = JSON.stringify({ lab: connections[service] });
      const services = openServices({ get: key => (key === "images:connections" ? config : undefined) }, {}, () => {});
      const opened = services({ service, connection: "lab" });
      cloud.requests.length = 0;
      await opened.signIn();
      const found = await inTurns(ids, async id => (await opened.readImage(id, [], true))?.name);
      assert.deepEqual(found, names);
      const asked = cloud.requests
        .map(({ method, path }) => `${method} ${path}`)
        .filter(request => !/\/v3\/|user\/info/.test(request));
      assert.equal(asked.length, pages, asked.join("\n"));
      assert.ok(
        asked.every(request => page.test(request)),
        asked.join("\n"),
      );
    });
  }
});
