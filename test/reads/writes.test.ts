import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { image } from "../../provider/resources/image.ts";
import type { Values } from "../../provider/services/service.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import { inTurns } from "./inTurns.ts";

/** How many requests the verbs of an image make, one after the other as the engine calls them. */
onEachCloud("Requests of an image", (cloud, kind) => {
  const connection = `requests-${kind}`;
  let dir: string;
  let file: string;
  const made: { id: string; props: Values }[] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-requests-"));
    file = join(dir, "disk.raw");
    await writeFile(file, "a disk of a few bytes");
    const config = JSON.stringify({ [connection]: connectionOf(cloud(), cloud().accounts.owner) });
    await image.configure({ config: { get: key => (key === "images:connections" ? config : undefined) } });
    // What is asked once for a connection: the token, and what stores there are.
    await make({ store: "fast" });
  });
  after(async () => {
    await inTurns(made, ({ id, props }) => image.delete(id, { ...props, forceDelete: true }));
    await rm(dir, { recursive: true, force: true });
  });

  /** Without what differs from image to image. */
  const asked = () =>
    cloud()
      .requests()
      .map(({ method, path }) => `${method} ${path.replace(/\?.*/, "").replace(/[-0-9a-f]{36}/, "ID")}`);

  async function check(args: Values, olds: Values = {}): Promise<Values> {
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file } };
    const inputs = { service: "openstack", connection, name: "counted", ...data, ...args };
    const resource = olds.resource ?? `urn:pulumi:dev::requests::pulumi-nodejs:dynamic/images:Image::${randomUUID()}`;
    const checked = await image.check(olds, { ...inputs, resource });
    assert.deepEqual(checked.failures ?? [], []);
    return checked.inputs;
  }

  async function make(args: Values): Promise<{ id: string; props: Values }> {
    const inputs = await check(args);
    cloud().forget();
    const { id, outs } = await image.create(inputs);
    made.push({ id, props: outs });
    return { id, props: outs };
  }

  async function change(id: string, olds: Values, args: Values): Promise<Values> {
    const news = await check(args, olds);
    cloud().forget();
    const { changes, replaces } = await image.diff(id, olds, news);
    assert.deepEqual([changes, replaces], [true, []]);
    return (await image.update(id, olds, news)).outs;
  }

  const fields: Record<string, () => unknown> = {
    minDisk: () => 1,
    minRam: () => 64,
    protected: () => true,
    visibility: () => "community",
    hidden: () => true,
    tags: () => ["golden", "a tag"],
    properties: () => ({ os_distro: "ubuntu", "my-own": "value" }),
    imageId: () => randomUUID(),
    store: () => "slow",
    forceDelete: () => true,
    state: () => "deactivated",
  };
  const names = Object.keys(fields);
  // None, each alone, each two, all but one, all: what fields do to each other shows in two of them.
  const pairs = names.flatMap((one, at) => names.slice(at + 1).map(other => [one, other]));
  const most = names.map(left => names.filter(name => name !== left));
  // The pairs are for the local cloud, as the real one takes its time.
  const combinations = [[], ...names.map(name => [name]), ...(kind === "local" ? pairs : []), ...most, names];
  const valuesOf = (wanted: readonly string[]) => Object.fromEntries(wanted.map(name => [name, fields[name]?.()]));

  const create = ["GET /v2/images", "POST /v2/images", "PUT /v2/images/ID/file"];
  const readBack = "GET /v2/images/ID";
  // An action of its own in the API; it is done before the one read.
  const deactivate = "POST /v2/images/ID/actions/deactivate";

  it(`a create with data: four, with any of ${combinations.length} sets of fields; and one for each action that the API demands`, async () => {
    for (const wanted of combinations) {
      const { props } = await make(valuesOf(wanted));
      const expected = [...create, ...(wanted.includes("state") ? [deactivate] : []), readBack];
      assert.deepEqual(asked(), expected, wanted.join(", "));
      assert.equal(props.status, wanted.includes("state") ? "deactivated" : "active");
      assert.equal(props.size, 21);
    }
  });

  it("a create with data in two stores at once: staged and imported, with no other request but looks at the import", async () => {
    await make({ stores: ["fast", "slow"] });
    const others = asked().filter(request => !/^GET \/v2\/images\/ID(\/tasks)?$/.test(request));
    assert.deepEqual(others, [...create.slice(0, 2), "PUT /v2/images/ID/stage", "POST /v2/images/ID/import"]);
  });

  it("a create without data: a look and the create", async () => {
    await make({ source: undefined });
    assert.deepEqual(asked(), create.slice(0, 2));
  });

  const updatable = ["minDisk", "minRam", "protected", "visibility", "hidden", "tags", "properties"];
  it("an update: one write and one read, whatever changes; the state is a write of its own", async () => {
    let { id, props } = await make({});
    for (const name of updatable) {
      props = await change(id, props, valuesOf([name]));
      assert.deepEqual(asked(), ["PATCH /v2/images/ID", readBack], name);
      props = await change(id, props, { ...valuesOf([name]), name: `renamed for ${name}` });
      assert.deepEqual(asked(), ["PATCH /v2/images/ID", readBack], name);
    }
    ({ id, props } = await make({}));
    props = await change(id, props, { ...valuesOf(updatable), name: "all of them" });
    assert.deepEqual(asked(), ["PATCH /v2/images/ID", readBack]);
    props = await change(id, props, { ...valuesOf(updatable), name: "all of them", state: "deactivated" });
    assert.deepEqual(asked(), [deactivate, readBack]);
    await change(id, props, { ...valuesOf(updatable), name: "and the state", state: "active" });
    assert.deepEqual(asked(), ["PATCH /v2/images/ID", "POST /v2/images/ID/actions/reactivate", readBack]);
  });

  it("nothing changed: none at all, and the file isn't read again", async function () {
    // The kernel counts what a process reads.
    const read = async () =>
      Number(/^rchar: (\d+)/m.exec(await readFile("/proc/self/io", "utf8").catch(() => ""))?.[1]);
    if (Number.isNaN(await read())) this.skip();
    const large = join(dir, "large.raw");
    const size = 32 * 2 ** 20;
    await writeFile(large, `${Math.random()}`);
    await truncate(large, size);
    const before = await read();
    const { id, props } = await make({
      source: { file: large },
      tags: ["golden"],
      properties: { os_distro: "ubuntu" },
    });
    assert.ok((await read()) - before >= size, "it was read for the create");
    cloud().forget();
    const start = await read();
    const news = await check({ source: { file: large }, tags: ["golden"], properties: { os_distro: "ubuntu" } }, props);
    assert.deepEqual(await image.diff(id, props, news), { changes: false, replaces: [] });
    assert.ok((await read()) - start < size / 2, "it was read again");
    assert.deepEqual(asked(), []);
  });
});
