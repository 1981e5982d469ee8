import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Stack } from "../engine/stack.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";

/** Looks things up in both forms, by the promise before anything is declared, and of an output of a resource. */
const program = `
const images = require("pulumi-images");
const service = "openstack";
const connection = "lab";
module.exports = async () => {
  const found = await images.getImage({ service, connection, name: "program" });
  const none = await images.getImage({ service, connection, name: "nobody", ignoreMissing: true });
  const made = new images.Image("made", {
    service, connection, name: "made", diskFormat: "raw", containerFormat: "bare", properties: { base: found.id },
    source: { file: "disk.raw" },
  });
  const downloaded = await images.downloadImage({ service, connection, imageId: found.id, file: "copy.raw" });
  return {
    found: found.checksum,
    none: none === undefined,
    newest: (await images.getImages({ service, connection, name: "program", latest: true })).map(({ id }) => id),
    read: images.getImageOutput({ service, connection, id: made.id }).apply(image => image.properties.base),
    listed: images.getImagesOutput({ service, connection, properties: { base: found.id }, name: made.name }).apply(all => all.length),
    members: images.getMembersOutput({ service, connection, imageId: made.id }),
    schema: images.getSchemaOutput({ service, connection, schema: "image" }).apply(({ name }) => name),
    stores: images.getStoresOutput({ service, connection }).apply(stores => stores.map(({ id }) => id)),
    methods: images.getImportMethodsOutput({ service, connection }).apply(methods => methods.length),
    digest: images.downloadImageOutput({ service, connection, imageId: made.id, file: "made.raw" }).apply(({ digest }) => digest),
    size: downloaded.size,
  };
};
`;

onEachCloud("Functions in a program", cloud => {
  const disk = noise("program", 100_000);
  let api: ImageApi;
  let imageId: string;
  let stack: Stack;
  let password: string;

  before(async () => {
    const { owner } = cloud().accounts;
    password = owner.password;
    api = await cloud().as("owner");
    imageId = (await api.create({ name: "program", disk_format: "raw", container_format: "bare" }, disk)).id;
    stack = await Stack.create({ project: "functions", ownProcess: true });
    await writeFile(join(stack.folder, "index.cjs"), program);
    await writeFile(join(stack.folder, "disk.raw"), disk);
    await stack.setConnection("lab", connectionOf(cloud(), owner));
  });
  after(async () => {
    await stack.dispose();
    await api.delete(imageId);
  });

  it("work in a preview, where what isn't known yet stays unknown", async () => {
    const preview = await stack.preview();
    assert.equal(preview.code, 0, preview.text);
    assert.match(preview.text, /none\s*: true/);
    assert.match(preview.text, new RegExp(`newest\\s*: \\[\\s*\\[0\\]: "${imageId}"`));
    assert.match(preview.text, /size\s*: 100000/);
    assert.deepEqual(await readFile(join(stack.folder, "copy.raw")), disk);
    assert.ok(!preview.text.includes(password));
  });

  it("work in an up, on the stack's own encrypted connections", async () => {
    const run = await stack.up();
    const outputs = JSON.parse((await stack.run(["stack", "output", "--json", "--show-secrets"])).text) as Record<
      string,
      unknown
    >;
    assert.deepEqual(outputs, {
      found: (await api.image(imageId)).checksum,
      none: true,
      newest: [imageId],
      read: imageId,
      listed: 1,
      members: [],
      schema: "image",
      stores: ["fast", "slow"],
      methods: 4,
      digest: `sha512:${sha512(disk)}`,
      size: disk.length,
    });
    assert.ok(!run.text.includes(password));
  });

  it("leave no credential in the state, though they used one", async () => {
    const exported = await stack.run(["stack", "export"]);
    assert.ok(!exported.text.includes(password));
    // The engine itself keeps the configuration with its providers, encrypted; the rest hasn't it even decrypted.
    const { text } = await stack.run(["stack", "export", "--show-secrets"]);
    const { resources } = (JSON.parse(text) as { deployment: { resources: { type: string }[] } }).deployment;
    const others = JSON.stringify(resources.filter(({ type }) => !type.startsWith("pulumi:providers:")));
    assert.match(others, /"digest"/);
    assert.ok(!others.includes(password));
    assert.ok(!others.includes(cloud().authUrl));
  });

  it("end the program with what to do when something isn't there", async () => {
    await writeFile(
      join(stack.folder, "index.cjs"),
      `require("pulumi-images").getImage({ service: "openstack", connection: "lab", name: "nobody" });`,
    );
    const run = await stack.preview();
    assert.notEqual(run.code, 0);
    assert.match(run.text, /error: there is no image named "nobody" on the connection lab\. Set ignoreMissing/);
    assert.doesNotMatch(run.text, /\.js:\d+/);
    assert.doesNotMatch(run.text, /unhandled/);
    await writeFile(join(stack.folder, "index.cjs"), program);
  });

  it("use the connections of their own stack, where one process runs the programs of several", async () => {
    const { accounts } = cloud();
    for (const account of ["owner", "consumer"] as const) {
      const theirs = await cloud().as(account);
      const { id } = await theirs.create({ name: "asked-for" });
      const config = { "images:connections": { lab: connectionOf(cloud(), accounts[account]) } };
      const inline = await Stack.create({ project: account, config });
      const where = { service: "openstack", connection: "lab" };
      const asked = { $call: "getImageOutput", args: { ...where, name: "asked-for" }, take: "id" };
      await inline.up([{ kind: "ImageTag", name: "tag", args: { ...where, imageId: asked, tag: account } }]);
      assert.deepEqual((await theirs.image(id)).tags, [account]);
      await inline.dispose();
      await theirs.delete(id);
    }
  });
});
