import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttp } from "../../provider/http.ts";
import { createClient, type DigitalOceanClient } from "../../provider/services/digitalocean/client.ts";
import { ImageReads } from "../../provider/services/digitalocean/reads.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";

describe("digitalocean: reads of many images", () => {
  let dir: string;
  let cloud: LocalCloud;
  let api: DigitalOceanClient;
  let reads: ImageReads;
  let ids: string[];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-reads-"));
    const settings = { taskTime: 1, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir, services: ["digitalocean"], settings: { digitalocean: settings } });
    const { url, accounts } = cloud.services.digitalocean;
    const authorize = async () => ({ authorization: `Bearer ${accounts.sender.token}` });
    api = createClient(createHttp({ service: "digitalocean", baseUrl: async () => url, authorize }));
    const made: string[] = [];
    // Two pages; nobody answers at the url, which makes no difference here.
    for (let index = 0; index < 205; index++) {
      const body = { name: `image ${index}`, url: "http://127.0.0.1:9/x", region: "nyc3", tags: [] };
      made.push(String((await api.importImage(body)).id));
    }
    ids = made;
  });
  after(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    reads = new ImageReads(api);
    cloud.requests.length = 0;
  });

  const lines = () => cloud.requests.map(({ method, path }) => `${method} ${path}`).toSorted();
  const pages = (...numbers: number[]) => numbers.map(page => `GET /v2/images?private=true&page=${page}&per_page=200`);
  const readAll = (wanted: string[], maxAgeMs?: number) => Promise.all(wanted.map(id => reads.read(id, maxAgeMs)));

  it("one image: one request, and no listing", async () => {
    assert.equal((await reads.read(ids[3] as string))?.name, "image 3");
    assert.deepEqual(lines(), [`GET /v2/images/${ids[3]}`]);
  });

  it("all images: one request a page, whatever page they are on", async () => {
    const found = await readAll(ids);
    assert.deepEqual(
      found.map(image => image?.name),
      ids.map((_, index) => `image ${index}`),
    );
    assert.deepEqual(lines(), pages(1, 2));
  });

  it("a listing is shared by what is asked a little later, and not by who wants it newer", async () => {
    await readAll(ids.slice(0, 10));
    await readAll(ids.slice(10, 20));
    assert.deepEqual(lines(), pages(1, 2));
    await readAll(ids.slice(0, 10), 0);
    assert.deepEqual(lines(), pages(1, 1, 2, 2));
  });

  it("is never older than this process's last write to the image", async () => {
    const [first = "", second = ""] = ids;
    await readAll([first, second]);
    await api.updateImage(first, { name: "written" });
    reads.wrote(first);
    assert.equal((await reads.read(first))?.name, "written");
    await api.updateImage(first, { name: "image 0" });
  });

  it("only an image's own request says that it is missing, or public", async () => {
    const publicImage = await api.image("debian-12-x64");
    assert.ok(publicImage);
    cloud.requests.length = 0;
    const found = await readAll([ids[0] as string, ids[1] as string, "99", String(publicImage.id)]);
    assert.deepEqual(
      found.map(image => image?.name),
      ["image 0", "image 1", undefined, publicImage.name],
    );
    assert.deepEqual(lines(), [...pages(1, 2), "GET /v2/images/99", `GET /v2/images/${publicImage.id}`].toSorted());
  });

  it("a listing that fails is told to those who wait for it, and not kept", async () => {
    cloud.faults.add({ method: "GET", path: /private=true/, status: 400, body: '{"id":"bad_request","message":"no"}' });
    const results = await Promise.allSettled(ids.slice(0, 3).map(id => reads.read(id)));
    assert.ok(results.every(({ status }) => status === "rejected"));
    assert.equal((await readAll(ids.slice(0, 3)))[2]?.name, "image 2");
  });

  it("more pages than images that are asked for aren't read on", async () => {
    const others = new ImageReads({ ...api, page: async () => ({ images: [], total: 10_000 }) });
    const found = await Promise.all(ids.slice(0, 5).map(id => others.read(id)));
    assert.ok(found.every(image => image !== undefined));
    assert.deepEqual(
      lines(),
      ids.slice(0, 5).map(id => `GET /v2/images/${id}`),
    );
  });
});
