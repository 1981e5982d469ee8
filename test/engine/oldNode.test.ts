import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { nodeFolder, nodeVersions } from "../../tools/node.ts";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { startCloud } from "../cloud/cloud.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { noise } from "../support/disk.ts";
import { startEngineEnd } from "../support/engine.ts";
import { startFileServer } from "../support/fileServer.ts";
import { ProviderProcess } from "./providerProcess.ts";

const root = join(import.meta.dirname, "..", "..");

describe("A provider process on the minimum Node.js", () => {
  it("stops at Ctrl-C, as on later ones", async function () {
    const node = await nodeFolder(nodeVersions.minimum).catch((error: Error) => {
      if (this.test) this.test.title += `: not tried, ${error.message.split("\n")[0]}`;
      return this.skip();
    });
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-old-node-"));
    const [cloud, publisher, engine, { folder }] = await Promise.all([
      startCloud({ dir: join(dir, "cloud"), services: ["openstack"] }),
      startFileServer(),
      startEngineEnd(),
      pulumiCli(),
    ]);
    let release = () => {};
    const until = new Promise<void>(resolve => (release = resolve));
    publisher.files.set("/disk.raw", { body: noise("old", 1_000_000), headers: { etag: '"1"' }, until });
    await symlink(join(root, "node_modules"), join(dir, "node_modules"));
    const env = {
      ...environmentOf(cloud.openstack, cloud.openstack.accounts.owner),
      PATH: [folder, node, process.env.PATH].join(delimiter),
    };
    const provider = await ProviderProcess.start(dir, env, {}, "kept", engine.address);
    try {
      const inputs = {
        ...{ service: "openstack", name: "one", diskFormat: "raw", containerFormat: "bare" },
        source: { url: `${publisher.url}/disk.raw` },
      };
      const making = provider.make("image", inputs, "dev::test::Image::one");
      const ended = assert.rejects(making, { message: /What was made so far is kept; the next up goes on with it/ });
      while (!publisher.requests.some(({ method }) => method === "GET")) await new Promise(setImmediate);
      await provider.cancel();
      await ended;
    } finally {
      release();
      await provider.stop();
      engine.stop();
      await Promise.all([publisher.stop(), cloud.stop()]);
      await rm(dir, { recursive: true, force: true });
    }
  });
});
