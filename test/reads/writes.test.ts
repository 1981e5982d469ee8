import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { imageCopy, imageMember, imageTag } from "../../provider/index.ts";
import { image } from "../../provider/resources/image.ts";
import type { Provider } from "../../provider/resources/provider.ts";
import type { Values } from "../../provider/services/service.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import { inTurns } from "./inTurns.ts";

/** How many requests the verbs of an image make, one after the other as the engine calls them. */
onEachCloud("Requests of an image", (cloud, kind) => {
  const connection = `requests-${kind}`;
  const [team, operator, elsewhere] = [`team-${kind}`, `operator-${kind}`, `elsewhere-${kind}`];
  let dir: string;
  let file: string;
  const made: { id: string; props: Values }[] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-requests-"));
    file = join(dir, "disk.raw");
    await writeFile(file, "a disk of a few bytes");
    const { accounts, regions } = cloud();
    const config = JSON.stringify({
      [connection]: connectionOf(cloud(), accounts.owner),
      [team]: connectionOf(cloud(), accounts.consumer),
      [operator]: connectionOf(cloud(), accounts.admin),
      [elsewhere]: connectionOf(cloud(), accounts.owner, regions[1]?.name),
    });
    await image.configure({ config: { get: key => (key === "images:connections" ? config : undefined) } });
    // What is asked once for a connection: the token, what stores there are, and how it imports.
    await make({ store: "fast" });
    await make({ stores: ["fast", "slow"] });
  });
  after(async () => {
    await inTurns(made, ({ id, props }) => image.delete(id, { ...props, forceDelete: true }));
    await rm(dir, { recursive: true, force: true });
  });

  /** A look for owner tags where the cloud forbids properties: once for all images of a stack, in a run. */
  const isLookAtImageTags = ({ method, path }: { method: string; path: string }) =>
    method === "GET" && /\/v2\/images\?.*\btag=pulumi_images_stack/.test(path);

  /** Without what differs from image to image. */
  const asked = () =>
    cloud()
      .requests()
      .filter(request => !isLookAtImageTags(request))
      .map(({ method, path }) => `${method} ${path.replace(/\?.*/, "").replace(/[-0-9a-f]{36}/, "ID")}`);

  /** A stack of its own: many images of one stack share a look. */
  const newStack = () => `urn:pulumi:${randomUUID()}::requests`;

  async function check(args: Values, olds: Values = {}): Promise<Values> {
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file } };
    const inputs = { service: "openstack", connection, name: "counted", ...data, ...args };
    const resource = olds.resource ?? `${newStack()}::pulumi-nodejs:dynamic/images:Image::counted`;
    const checked = await image.check(olds, { resource, ...inputs });
    assert.deepEqual(checked.failures ?? [], []);
    return checked.inputs;
  }

  async function make(args: Values): Promise<{ id: string; props: Values }> {
    cloud().forget();
    // The look for images of the same owner tag is part of the check, which the engine calls just before the create.
    const inputs = await check(args);
    const { id, outs } = await image.create(inputs);
    made.push({ id, props: outs });
    return { id, props: outs };
  }

  async function change(id: string, olds: Values, args: Values): Promise<Values> {
    const news = await check(args, olds);
    cloud().forget();
    const { changes, replaces } = await image.diff(id, olds, news);
    // Where it doesn't say, the engine compares the inputs itself.
    assert.notEqual(changes, false);
    assert.deepEqual(replaces, []);
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

  const look = "GET /v2/images";
  const begin = "POST /v2/images";
  const upload = "PUT /v2/images/ID/file";
  // The last request says that the image is finished, and its answer is what the data is verified by.
  const finish = "PATCH /v2/images/ID";
  const readBack = "GET /v2/images/ID";
  // An action of its own in the API; it is done before the last request.
  const deactivate = "POST /v2/images/ID/actions/deactivate";

  it(`a create with data: four, with any of ${combinations.length} sets of fields; and one for each action that the API demands`, async () => {
    for (const wanted of combinations) {
      const { props } = await make(valuesOf(wanted));
      const expected = [look, begin, upload, ...(wanted.includes("state") ? [deactivate] : []), finish];
      assert.deepEqual(asked(), expected, wanted.join(", "));
      assert.equal(props.status, wanted.includes("state") ? "deactivated" : "active");
      assert.equal(props.size, 21);
    }
  });

  it("the images of a stack share their looks: one at properties, and one at image tags", async () => {
    const stack = newStack();
    let looks = 0;
    let atImageTags = 0;
    for (const name of ["one", "two", "three", "four", "five", "six"]) {
      await make({ resource: `${stack}::pulumi-nodejs:dynamic/images:Image::${name}` });
      looks += asked().filter(request => request === look).length;
      atImageTags += cloud().requests().filter(isLookAtImageTags).length;
    }
    assert.deepEqual({ looks, atImageTags }, { looks: 1, atImageTags: 1 });
  });

  it("a create with data in two stores at once: staged and imported, with no other request but looks at the import", async () => {
    await make({ stores: ["fast", "slow"] });
    const others = asked().filter(request => !/^GET \/v2\/images\/ID(\/tasks)?$/.test(request));
    assert.deepEqual(others, [look, begin, "PUT /v2/images/ID/stage", "POST /v2/images/ID/import", finish]);
  });

  it("a create without data: a look, the create and its end", async () => {
    await make({ source: undefined });
    assert.deepEqual(asked(), [look, begin, finish]);
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

  it("a delete: a look at whose image it is, the deletion, and a look that it is done", async () => {
    const { id, props } = await make({});
    cloud().forget();
    await image.delete(id, props);
    assert.deepEqual(asked(), [readBack, "DELETE /v2/images/ID", readBack]);
  });

  /** Makes a part of an image, and says what that takes. */
  async function part(provider: Provider, args: Values): Promise<{ id: string; props: Values; requests: string[] }> {
    const resource = `urn:pulumi:dev::requests::pulumi-nodejs:dynamic/images:Part::${randomUUID()}`;
    const { inputs, failures } = await provider.check({}, { service: "openstack", connection, resource, ...args });
    assert.deepEqual(failures ?? [], []);
    cloud().forget();
    const { id, outs } = await provider.create(inputs);
    return { id, props: outs, requests: asked() };
  }
  async function deleted(provider: Provider, { id, props }: { id: string; props: Values }): Promise<string[]> {
    cloud().forget();
    await provider.delete(id, props);
    return asked();
  }

  it("a tag: one write and one read, to make it and to delete it", async () => {
    const { id: imageId } = await make({});
    const tag = await part(imageTag, { imageId, tag: "golden" });
    assert.deepEqual(tag.requests, ["PUT /v2/images/ID/tags/golden", readBack]);
    assert.deepEqual(await deleted(imageTag, tag), ["DELETE /v2/images/ID/tags/golden", readBack]);
  });

  it("a member: one write, and one for its answer; to delete it, one", async () => {
    const { id: imageId } = await make({ visibility: "shared" });
    const member = cloud().accounts.consumer.projectId;
    const invite = "POST /v2/images/ID/members";
    const answer = `PUT /v2/images/ID/members/${member}`;
    const removal = `DELETE /v2/images/ID/members/${member}`;
    const invited = await part(imageMember, { imageId, member });
    assert.deepEqual(invited.requests, [invite]);
    assert.deepEqual(await deleted(imageMember, invited), [removal]);
    const accepted = await part(imageMember, { imageId, member, accept: { connection: team } });
    assert.deepEqual(accepted.requests, [invite, answer]);
    cloud().forget();
    const news = { ...accepted.props, status: "rejected" };
    await imageMember.update(accepted.id, accepted.props, news);
    assert.deepEqual(asked(), [answer.replace("PUT", "GET"), answer]);
    assert.deepEqual(await deleted(imageMember, accepted), [removal]);
  });

  it("a copy in another store: a look, the import, and looks at it; to delete it, a look and the deletion", async () => {
    const { id: imageId } = await make({ connection: operator, store: "fast" });
    const copy = await part(imageCopy, { connection: operator, imageId, to: { stores: ["slow"] } });
    const others = copy.requests.filter(request => !/^GET \/v2\/images\/ID(\/tasks)?$/.test(request));
    assert.deepEqual(others, ["POST /v2/images/ID/import"]);
    assert.deepEqual(await deleted(imageCopy, copy), [readBack, "DELETE /v2/stores/slow/ID"]);
  });

  it("a copy in another region: a look at the source and its data, and what a create takes after its look", async () => {
    const { id: imageId } = await make({});
    const copy = await part(imageCopy, { imageId, to: { connection: elsewhere } });
    const source = [readBack, `${readBack}/file`];
    assert.deepEqual(copy.requests.toSorted(), [...source, begin, upload, finish].toSorted());
    assert.deepEqual(await deleted(imageCopy, copy), [readBack, "DELETE /v2/images/ID", readBack]);
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
    // What was written less than 100 ms ago may be written to once more unseen: nothing is remembered of it (content/digestCache.ts).
    await pause(200);
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
