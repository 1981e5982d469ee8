import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttp } from "../../provider/http.ts";
import { createClient, type DigitalOceanClient } from "../../provider/services/digitalocean/client.ts";
import { ImageReads } from "../../provider/services/digitalocean/reads.ts";
import { addRegions } from "../../provider/services/digitalocean/regions.ts";
import type { Job } from "../../provider/services/service.ts";
import type { Answer } from "../../tools/recorder/faults.ts";
import { type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { until } from "./imageBench.ts";

/** What a transfer can come upon that no test of the whole engine brings about each time. */
describe("digitalocean: transfers to regions", () => {
  let dir: string;
  let cloud: LocalCloud;
  let recorder: Recorder;
  let client: DigitalOceanClient;
  /** The cloud itself, past the recorder. */
  let direct: DigitalOceanClient;
  let id: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-regions-"));
    const settings = { taskTime: 100, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir, services: ["digitalocean"], settings: { digitalocean: settings } });
    const { url, accounts } = cloud.services.digitalocean;
    recorder = await startRecorder();
    recorder.target = url;
    const authorize = async () => ({ authorization: `Bearer ${accounts.sender.token}` });
    const clientAt = (baseUrl: string) =>
      createClient(createHttp({ service: "digitalocean", baseUrl: async () => baseUrl, authorize }));
    [client, direct] = [clientAt(recorder.url), clientAt(url)];
    id = String(accounts.sender.backupId);
  });
  after(async () => {
    await recorder.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => recorder.clear());
  afterEach(() => recorder.faults.clear());

  const job: Job = {
    report: () => {},
    warn: () => {},
    stays: () => false,
    signal: new AbortController().signal,
    deadline: Number.POSITIVE_INFINITY,
    label: "test",
  };
  const add = (...regions: string[]) =>
    addRegions({ client, reads: new ImageReads(client), address: async () => "" }, id, regions, job);
  const transfers = () => recorder.requests.filter(({ method }) => method === "POST").length;
  const imageOrActions = /^\/v2\/images\/\d+(\/actions)?$/;
  const inRegion = async (region: string) =>
    void (await until(async () => (await direct.image(id))?.regions?.includes(region) || undefined));
  /** The image as it is, but for a region. */
  const without =
    (region: string) =>
    (answer: Answer): Answer => {
      const { image } = JSON.parse(answer.body.toString());
      image.regions = image.regions.filter((other: string) => other !== region);
      const body = Buffer.from(JSON.stringify({ image }));
      return { ...answer, headers: { ...answer.headers, "content-length": String(body.length) }, body };
    };

  it("a lost answer, and a transfer that ends between the two looks at what became of it: done, and not asked for again", async () => {
    recorder.faults.add({ method: "POST", path: /\/actions$/, drop: "after" });
    // Whichever is looked at first, the image or its actions, is as it was before the end, and the other as it was after it.
    let held = 0;
    const hook = () => {
      held++;
      return inRegion("ams3");
    };
    recorder.faults.add({ method: "GET", path: imageOrActions, after: true, hook });
    assert.ok((await add("ams3")).regions?.includes("ams3"));
    assert.deepEqual([held, transfers()], [1, 1]);
  });

  it("an image that is late in naming its new region: waited for", async () => {
    recorder.faults.add({ method: "GET", path: /^\/v2\/images\/\d+$/, alter: without("fra1"), times: 2 });
    assert.ok((await add("fra1")).regions?.includes("fra1"));
    assert.equal(transfers(), 1);
    const looks = recorder.requests.filter(({ path }) => /^\/v2\/images\/\d+$/.test(path));
    assert.equal(looks.length, 3);
  });

  it("a lost answer, and an image that is late in naming the region: its ended transfer is enough", async () => {
    recorder.faults.add({ method: "POST", path: /\/actions$/, drop: "after", hook: () => inRegion("lon1") });
    recorder.faults.add({ method: "GET", path: /^\/v2\/images\/\d+$/, alter: without("lon1"), times: 2 });
    assert.ok((await add("lon1")).regions?.includes("lon1"));
    assert.equal(transfers(), 1);
  });

  it("a transfer that takes long: asked about ever more seldom", async () => {
    cloud.settings.digitalocean.taskTime = 4000;
    try {
      await add("tor1");
    } finally {
      cloud.settings.digitalocean.taskTime = 100;
    }
    const asked = recorder.requests.filter(({ path }) => /\/actions\/\d+$/.test(path)).length;
    // Every 0.2 s, as at first, it would be twenty times.
    assert.ok(asked >= 2 && asked <= 9, `${asked} times`);
  });

  it("a transfer that ended badly after its answer was lost: told", async () => {
    const { digitalocean } = cloud.settings;
    digitalocean.failingRegions = ["sgp1"];
    const ended = async () =>
      void (await until(async () => (await direct.imageActions(id)).find(({ status }) => status === "errored")));
    recorder.faults.add({ method: "POST", path: /\/actions$/, drop: "after", hook: ended });
    await assert.rejects(add("sgp1"), {
      message: /couldn't be transferred to sgp1 \(No usable answer .*The next up tries again/s,
    });
    assert.equal(transfers(), 1);
  });
});
