import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { client, until } from "../cloud/digitalocean/exercise.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { type Declared, Stack } from "./stack.ts";

const count = 300;
/** Source: docs.digitalocean.com/reference/api, "Rate Limit". */
const real = { requestsPerMinute: 250, requestsPerHour: 5000 };

describe(`digitalocean: ${count} images within the real limits`, () => {
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  /** Requests of the up that adopts. */
  let adoption: number;
  let stack: Stack;
  let ids: number[];
  let declared: Declared[];

  before(async function () {
    this.timeout(300_000);
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-limits-"));
    files = await startFileServer();
    files.files.set("/disk.raw", { body: noise("small", 4096), headers: { etag: '"one"' } });
    const unlimited = { taskTime: 1, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir, services: ["digitalocean"], settings: { digitalocean: unlimited } });
    const { url, accounts } = cloud.services.digitalocean;
    const api = client(url, accounts.sender.token);
    ids = [];
    for (let index = 0; index < count; index++) {
      const body = { name: `image-${index}`, url: `${files.url}/disk.raw`, region: "nyc3", tags: ["many"] };
      ids.push((await api("POST", "/v2/images", body)).body.image.id);
    }
    await until(
      async () => (await api("GET", "/v2/images?private=true&per_page=200&page=2")).body.images,
      images => images.every((image: { status: string }) => image.status === "available"),
    );
    declared = ids.map((id, index) => ({
      kind: "Image",
      name: `image-${index}`,
      args: {
        service: "digitalocean",
        adopt: { id: String(id) },
        name: `image-${index}`,
        tags: ["many"],
        regions: ["nyc3"],
      },
    }));
    stack = await Stack.create({
      project: "do-limits",
      env: { DIGITALOCEAN_TOKEN: accounts.sender.token, DIGITALOCEAN_API_URL: url },
    });
    // An owner tag for each is made and assigned: at the real limits that takes minutes.
    cloud.requests.length = 0;
    await stack.up(declared);
    adoption = cloud.requests.length;
    // What was asked so far is past.
    cloud.advance(3600);
    Object.assign(cloud.settings.digitalocean, real);
  });
  after(async () => {
    Object.assign(cloud.settings.digitalocean, { requestsPerMinute: 1e6, requestsPerHour: 1e6 });
    // Out of the state, rather than deleted one by one.
    await rm(stack.folder, { recursive: true, force: true });
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function report(what: string, requests = cloud.requests.length): number {
    console.log(`      ${what}: ${requests} requests for ${count} images`);
    assert.deepEqual(
      cloud.requests.filter(({ status }) => status === 429),
      [],
    );
    return requests;
  }

  it("adopts them with few requests", () => {
    assert.ok(report("up that adopts", adoption) <= 2 * count + 50);
  });

  it("refreshes them with few requests, and sees what drifted and what is gone", async () => {
    const { url, accounts } = cloud.services.digitalocean;
    const api = client(url, accounts.sender.token);
    await api("PUT", `/v2/images/${ids[0]}`, { name: "drifted" });
    await api("PUT", `/v2/images/${ids.at(-1)}`, { name: "drifted too" });
    await api("DELETE", `/v2/images/${ids[150]}`);
    cloud.requests.length = 0;
    const preview = await stack.preview(undefined, "--refresh");
    assert.equal(preview.code, 0, preview.text);
    assert.ok(report("preview --refresh") <= 50);
    const changed = Object.entries(preview.steps).filter(([, step]) => step !== "same" && step !== "refresh");
    assert.deepEqual(Object.fromEntries(changed), {
      "image-0": "update",
      [`image-${count - 1}`]: "update",
      "image-150": "create",
    });
    cloud.requests.length = 0;
    const refresh = await stack.run(["refresh", "--yes", "--skip-preview"]);
    assert.equal(refresh.code, 0, refresh.text);
    assert.ok(report("refresh") <= 50);
  });
});
