import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Stack } from "../engine/stack.ts";
import { onEachCloud } from "../openstack/clouds.ts";
import { sha512 } from "../support/disk.ts";
import { disk } from "./example.ts";
import type { Registered } from "./mockedProgram.ts";
import { declaredFrom, previewedWithPlugin, runMocked } from "./official.ts";

onEachCloud("The example with-openstack", cloud => {
  const imageId = "3fb0e6a4-7a54-4d5e-9a8e-2f1f0d6c1b2a";
  let config: Record<string, string>;
  let image: Registered;

  /** What the official provider wants to know, and nothing else. */
  function officialConfig(): Record<string, string> {
    const { authUrl, accounts, regions } = cloud();
    return {
      "openstack:authUrl": authUrl,
      "openstack:userName": accounts.owner.username,
      "openstack:password": accounts.owner.password,
      "openstack:userDomainName": accounts.owner.userDomain,
      "openstack:tenantName": accounts.owner.projectName,
      "openstack:projectDomainName": accounts.owner.projectDomain,
      "openstack:region": regions[0]?.name as string,
    };
  }

  before(() => {
    const own = { disk, flavor: "m1.small", network: "private" };
    const ours = Object.entries(own).map(([key, value]) => [`images-with-openstack:${key}`, value]);
    config = { ...officialConfig(), ...Object.fromEntries(ours) };
  });

  it("boots the instance from our image, with Pulumi's mocks", async () => {
    const run = await runMocked("openstack", config, imageId, "openstack:compute/instance:Instance");
    image = run.image;
    assert.match(
      image.inputs.__provider as string,
      /^exports\.handler=\(\)=>require\(require\.resolve\("pulumi-images\/provider",[^()]*\)\)\.image$/,
    );
    assert.deepEqual(
      [image.inputs.service, image.inputs.connection, image.inputs.source],
      ["openstack", undefined, { file: disk }],
    );
    assert.deepEqual(run.theirs.inputs, { imageId, flavorName: "m1.small", networks: [{ name: "private" }] });
    assert.deepEqual([image.provider, run.theirs.provider], ["", ""], "both go by the stack's configuration");
    assert.deepEqual(run.officialConfig, officialConfig(), "the official package knows each key");
  });

  it("makes its image by the official provider's configuration alone, on the real engine", async () => {
    const api = await cloud().as("owner");
    const stack = await Stack.create({ config: officialConfig() });
    try {
      await stack.up([declaredFrom(image)]);
      const id = (await stack.state()).web?.id as string;
      assert.equal((await api.image(id)).os_hash_value, sha512(await readFile(disk)));
      const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(quiet.code, 0, quiet.text);
      await stack.destroy();
      assert.equal(await api.exists(id), false);
    } finally {
      await stack.dispose();
    }
  });

  it("is previewed with the official plugin, where this machine has it", async function () {
    const created = await previewedWithPlugin("openstack", config);
    if (created === undefined) return this.skip();
    assert.ok(created.includes("pulumi-nodejs:dynamic/images:Image"), created.join());
    assert.ok(created.includes("openstack:compute/instance:Instance"), created.join());
  });
});
