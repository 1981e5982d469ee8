import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { client } from "../cloud/digitalocean/exercise.ts";
import { Stack } from "../engine/stack.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { disk } from "./example.ts";
import type { Registered } from "./mockedProgram.ts";
import { declaredFrom, previewedWithPlugin, runMocked } from "./official.ts";

describe("The example with-digitalocean", () => {
  const imageId = "4711";
  const sshKey = "3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa";
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let officialConfig: Record<string, string>;
  let config: Record<string, string>;
  let image: Registered;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-with-digitalocean-"));
    cloud = await startCloud({ dir, services: ["digitalocean"], settings: { digitalocean: { taskTime: 50 } } });
    files = await startFileServer();
    files.files.set("/web.raw", { body: await readFile(disk), headers: { etag: '"one"' } });
    const { url, accounts } = cloud.services.digitalocean;
    officialConfig = { "digitalocean:token": accounts.sender.token, "digitalocean:apiEndpoint": url };
    config = {
      ...officialConfig,
      "images-with-digitalocean:diskUrl": `${files.url}/web.raw`,
      "images-with-digitalocean:sshKey": sshKey,
    };
  });
  after(async () => {
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it("makes the droplet from our image, with Pulumi's mocks", async () => {
    const run = await runMocked("digitalocean", config, imageId, "digitalocean:index/droplet:Droplet");
    image = run.image;
    assert.match(
      image.inputs.__provider as string,
      /^exports\.handler=\(\)=>require\(require\.resolve\("pulumi-images\/provider",[^()]*\)\)\.image$/,
    );
    assert.deepEqual(
      [image.inputs.service, image.inputs.connection, image.inputs.source, image.inputs.regions],
      ["digitalocean", undefined, { url: `${files.url}/web.raw` }, ["nyc3"]],
    );
    // The official provider takes a number as text for an image's id, and everything else for a slug.
    assert.deepEqual(run.theirs.inputs, { image: imageId, region: "nyc3", size: "s-1vcpu-1gb", sshKeys: [sshKey] });
    assert.deepEqual([image.provider, run.theirs.provider], ["", ""], "both go by the stack's configuration");
    assert.deepEqual(run.officialConfig, officialConfig, "the official package knows each key");
  });

  it("makes its image by the official provider's configuration alone, on the real engine", async () => {
    const { url, accounts } = cloud.services.digitalocean;
    const send = client(url, accounts.sender.token);
    const stack = await Stack.create({ config: officialConfig });
    try {
      await stack.up([declaredFrom(image)]);
      const id = (await stack.state()).web?.id as string;
      assert.match(id, /^\d+$/, "a number as text");
      const { body } = await send("GET", `/v2/images/${id}`);
      assert.deepEqual([body.image?.name, body.image?.regions], ["web-2026.11", ["nyc3"]]);
      const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(quiet.code, 0, quiet.text);
      await stack.destroy();
      assert.equal((await send("GET", `/v2/images/${id}`)).status, 404);
    } finally {
      await stack.dispose();
    }
  });

  it("is previewed with the official plugin, where this machine has it", async function () {
    const created = await previewedWithPlugin("digitalocean", config);
    if (created === undefined) return this.skip();
    assert.ok(created.includes("pulumi-nodejs:dynamic/images:Image"), created.join());
    assert.ok(created.includes("digitalocean:index/droplet:Droplet"), created.join());
  });
});
