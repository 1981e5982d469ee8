import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { connectionTo } from "../cloud/connections.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { ProviderProcess } from "./providerProcess.ts";

/** An iStack's tags are one list, which each change writes whole. */
describe("Two connections to one account", () => {
  let dir: string;
  let cloud: LocalCloud;
  let provider: ProviderProcess;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-two-connections-"));
    cloud = await startCloud({ dir: join(dir, "cloud"), services: ["istack"] });
    await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(dir, "node_modules"));
    const connection = connectionTo(cloud.services, "istack", "owner");
    const connections = { one: connection, other: connection };
    provider = await ProviderProcess.start(dir, {}, { "images:connections": JSON.stringify(connections) });
  });
  after(async () => {
    await provider.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it("lose no tag that the other one writes or takes away at the same time", async () => {
    const { authUrl, imageUrl, accounts } = cloud.services.istack;
    const owner = await ImageApi.signIn(authUrl, accounts.owner, imageUrl);
    const { id } = await owner.create(
      { name: "base", disk_format: "raw", container_format: "bare" },
      noise("base", 99),
    );
    const tags = Array.from({ length: 8 }, (_, n) => `tag-${n}`);
    const made = await Promise.all(
      tags.map((tag, n) => {
        const args = { service: "istack", connection: n % 2 === 0 ? "one" : "other", imageId: id, tag };
        return provider.make("imageTag", args, `urn:pulumi:dev::test::pulumi-nodejs:dynamic/images:ImageTag::${tag}`);
      }),
    );
    assert.deepEqual((await owner.image(id)).tags.toSorted(), tags);
    await Promise.all(made.map(tag => provider.delete(tag.id, tag.outputs)));
    assert.deepEqual((await owner.image(id)).tags, []);
  });
});
