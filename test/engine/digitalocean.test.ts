import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { client, type Send } from "../cloud/digitalocean/exercise.ts";
import type { DigitalOceanDescription } from "../cloud/digitalocean/index.ts";
import { checkExchange, readExchanges } from "../cloud/digitalocean/schemas/check.ts";
import type { Exchange } from "../cloud/digitalocean/schemas/exchange.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { itChangesEveryField } from "./everyField.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, type Run, Stack } from "./stack.ts";

/** What is looked at of an image as DigitalOcean serves it. */
interface Served {
  id: number;
  name: string;
  type: string;
  description: string;
  distribution: string;
  regions: string[];
  tags: string[];
  status: string;
  size_gigabytes: number;
  min_disk_size: number;
  created_at: string;
}

describe("digitalocean", () => {
  let dir: string;
  let cloud: LocalCloud;
  let place: DigitalOceanDescription;
  let files: FileServer;
  /** Somebody who works on the accounts behind Pulumi's back. */
  let api: Send;
  let theirs: Send;
  let control: Send;
  let recording: string;
  const disk = noise("droplet disk", 1024 * 1024);

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-digitalocean-"));
    recording = join(dir, "exchanges.jsonl");
    await writeFile(recording, "");
    // The limits have their own tests: here they would only make the tests wait.
    const settings = { taskTime: 50, recordTo: recording, requestsPerHour: 1e6, requestsPerMinute: 1e6 };
    cloud = await startCloud({ dir, services: ["digitalocean"], settings: { digitalocean: settings } });
    place = cloud.services.digitalocean;
    api = client(place.url, place.accounts.sender.token);
    theirs = client(place.url, place.accounts.recipient.token);
    control = client(place.controlUrl);
    files = await startFileServer();
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
  });
  after(async () => {
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const newStack = (project: string) =>
    Stack.create({
      project,
      config: {
        "images:connections": {
          digitalocean: { service: "digitalocean", token: place.accounts.sender.token, endpoint: place.url },
          recipient: { service: "digitalocean", token: place.accounts.recipient.token, endpoint: place.url },
        },
      },
    });

  /** An image that DigitalOcean imports, with the fields that a test is about. */
  const image = (
    name: string,
    args: Record<string, unknown> = {},
    options: Record<string, unknown> = {},
  ): Declared => ({
    kind: "Image",
    name,
    args: {
      service: "digitalocean",
      name,
      regions: ["nyc3"],
      source: { url: `${files.url}/disk.raw` },
      ...args,
    },
    options,
  });
  /** One that comes from somewhere else. */
  const other = (name: string, args: Record<string, unknown>): Declared => ({
    kind: "Image",
    name,
    args: { service: "digitalocean", name, ...args },
  });

  async function idOf(stack: Stack, name: string): Promise<string> {
    const resource = (await stack.state())[name];
    assert.ok(resource, `the state has no ${name}`);
    return resource.id;
  }
  async function served(id: string | number): Promise<Served> {
    const { status, body } = await api("GET", `/v2/images/${id}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.image;
  }
  const userTags = ({ tags }: Served) => tags.filter(tag => !tag.startsWith("pulumi-images:")).toSorted();
  const named = async (name: string): Promise<Served[]> =>
    (await api("GET", "/v2/images?private=true&per_page=200")).body.images.filter((it: Served) => it.name === name);
  const marks = async (): Promise<string[]> =>
    (await api("GET", "/v2/tags?per_page=200")).body.tags
      .map((tag: { name: string }) => tag.name)
      .filter((name: string) => name.startsWith("pulumi-images:"));

  let forgotten = 0;
  async function forget(): Promise<void> {
    forgotten = (await readExchanges(recording)).length;
  }
  /** What was asked since `forget`. */
  async function asked(): Promise<Exchange[]> {
    return (await readExchanges(recording)).slice(forgotten);
  }
  const line = ({ method, path, body }: Exchange) =>
    `${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`;
  async function writes(): Promise<string[]> {
    return (await asked()).filter(({ method }) => method !== "GET").map(line);
  }
  function said(run: Run): string[] {
    return run.events.flatMap(({ diagnosticEvent }) => (diagnosticEvent ? [diagnosticEvent.message] : []));
  }

  describe("create", () => {
    let stack: Stack;
    let declared: Declared[];
    let run: Run;
    let snapshot: { status: string };

    before(async () => {
      stack = await newStack("do-create");
      const { dropletId, backupId } = place.accounts.sender;
      declared = [
        image("full", {
          distribution: "Debian",
          description: "a disk\nof two lines",
          tags: ["web:1", "golden"],
          regions: ["nyc3", "ams3", "fra1", "lon1", "sgp1", "tor1"],
        }),
        image("plain"),
        other("droplet", { dropletId, tags: ["golden"], regions: ["nyc3", "ams3"] }),
        other("backup", { backupId, regions: ["nyc3", "sfo3"] }),
      ];
      await forget();
      run = await stack.up(declared);
      snapshot = (await stack.outputs("droplet")) as { status: string };
    });
    after(() => stack.dispose());

    it("imports a url with everything that is declared, in one request, and goes to more regions by transfers", async () => {
      const id = await idOf(stack, "full");
      const exchanges = (await asked()).filter(({ method }) => method === "POST");
      const made = exchanges.find(({ path, body }) => path === "/v2/images" && (body as Served).name === "full");
      assert.ok(made);
      const { tags, ...body } = made.body as { tags: string[] };
      assert.deepEqual(body, {
        name: "full",
        url: `${files.url}/disk.raw`,
        region: "nyc3",
        distribution: "Debian",
        description: "a disk\nof two lines",
      });
      assert.deepEqual(tags.slice(0, 2), ["web:1", "golden"]);
      assert.match(tags[2] ?? "", /^pulumi-images:[0-9a-f]{32}:[0-9a-f]{16}:[0-9a-f]{32}:[0-9a-f]{8}$/);
      assert.match(tags[3] ?? "", /^pulumi-images:[0-9a-f]{32}:unfinished:[0-9a-f]{8}$/);
      assert.equal(tags.length, 4);
      assert.deepEqual((await served(id)).tags.toSorted(), tags.slice(0, 3).toSorted(), "the marker is gone");
      const transfers = exchanges.filter(({ path }) => path === `/v2/images/${id}/actions`).map(({ body }) => body);
      assert.deepEqual(transfers.map(body => (body as { region: string }).region).toSorted(), [
        "ams3",
        "fra1",
        "lon1",
        "sgp1",
        "tor1",
      ]);
      const ends = (await asked()).findIndex(
        ({ path, answer }) =>
          path.startsWith(`/v2/images/${id}/actions/`) &&
          (answer as { action: { status: string } }).action.status === "completed",
      );
      const begun = (await asked())
        .slice(0, ends)
        .filter(({ method, path }) => method === "POST" && path === `/v2/images/${id}/actions`);
      assert.equal(begun.length, 4, "four are under way before the first one ends");
      const is = await served(id);
      assert.deepEqual(
        [is.name, is.distribution, is.description, userTags(is), is.regions.toSorted(), is.status],
        [
          "full",
          "Debian",
          "a disk\nof two lines",
          ["golden", "web:1"],
          ["ams3", "fra1", "lon1", "nyc3", "sgp1", "tor1"],
          "available",
        ],
      );
    });

    it("reports the import and each region's transfer while it goes on", () => {
      const lines = said(run);
      assert.ok(
        lines.some(text => /importing: (waiting to begin|pending)/.test(text)),
        lines.join("\n"),
      );
      assert.ok(
        lines.some(text => /transfer: .*ams3 in-progress/.test(text)),
        lines.join("\n"),
      );
      assert.ok(lines.some(text => /transfer: ams3 done, fra1 done, lon1 done, sgp1 done, tor1 done/.test(text)));
    });

    it("makes a snapshot of a droplet", async () => {
      const is = await served(await idOf(stack, "droplet"));
      assert.deepEqual(
        [is.name, is.type, userTags(is), is.regions.toSorted()],
        ["droplet", "snapshot", ["golden"], ["ams3", "nyc3"]],
      );
      assert.equal(snapshot.status, "available");
    });

    it("converts a backup to a snapshot: the same image", async () => {
      const id = await idOf(stack, "backup");
      assert.equal(id, String(place.accounts.sender.backupId));
      const is = await served(id);
      assert.deepEqual([is.name, is.type, is.regions.toSorted()], ["backup", "snapshot", ["nyc3", "sfo3"]]);
      assert.equal((await api("GET", `/v2/images/${id}/actions`)).body.actions.at(-1).type, "convert");
    });

    it("gives out what the service reports, in the sdk's words, and not its mark", async () => {
      const is = await served(await idOf(stack, "full"));
      const outputs = await stack.outputs("full");
      const expected = {
        status: "available",
        imageType: "custom",
        sizeGigabytes: is.size_gigabytes,
        minDisk: is.min_disk_size,
        createdAt: is.created_at,
        visibility: "private",
        tags: ["web:1", "golden"],
        regions: ["nyc3", "ams3", "fra1", "lon1", "sgp1", "tor1"],
      };
      const { tags, ...rest } = Object.fromEntries(Object.keys(expected).map(key => [key, outputs[key]]));
      assert.deepEqual({ ...rest, tags: (tags as string[]).toSorted() }, { ...expected, tags: ["golden", "web:1"] });
      assert.equal(typeof outputs.sizeGigabytes, "number");
      assert.deepEqual((await stack.outputs("plain")).tags, []);
    });

    it("changes nothing, and writes nothing, when nothing changed", async () => {
      await forget();
      const again = await stack.up(declared);
      assert.deepEqual(new Set(Object.values(again.steps)), new Set(["same"]));
      assert.deepEqual(await writes(), []);
      const preview = await stack.preview(declared, "--refresh", "--expect-no-changes");
      assert.equal(preview.code, 0, preview.text);
      assert.doesNotMatch(preview.text, /dynamic\/images/);
    });

    it("deletes the images and their owner tags", async () => {
      const ids = await Promise.all(["full", "plain", "droplet", "backup"].map(name => idOf(stack, name)));
      assert.equal((await marks()).length, 4);
      await stack.destroy();
      for (const id of ids) assert.equal((await api("GET", `/v2/images/${id}`)).status, 404);
      assert.deepEqual(await marks(), []);
      const tags = (await api("GET", "/v2/tags")).body.tags.map((tag: { name: string }) => tag.name);
      assert.deepEqual(tags.toSorted(), ["golden", "web:1"], "the program's own tags may be on other things, too");
    });
  });

  describe("update", () => {
    let stack: Stack;
    let run: Run;
    const changes: Record<
      string,
      { from?: object; to: object; is: Partial<Served>; asks: (id: string) => (string | RegExp)[] }
    > = {
      name: {
        to: { name: "renamed" },
        is: { name: "renamed" },
        asks: id => [`PUT /v2/images/${id} {"name":"renamed"}`],
      },
      description: {
        from: { description: "old" },
        to: { description: "" },
        is: { description: "" },
        asks: id => [`PUT /v2/images/${id} {"description":""}`],
      },
      distribution: {
        to: { distribution: "Rocky Linux" },
        is: { distribution: "Rocky Linux" },
        asks: id => [`PUT /v2/images/${id} {"distribution":"Rocky Linux"}`],
      },
      fields: {
        to: { name: "all", description: "new", distribution: "Fedora" },
        is: { name: "all", description: "new", distribution: "Fedora" },
        asks: id => [`PUT /v2/images/${id} {"name":"all","description":"new","distribution":"Fedora"}`],
      },
      tagsNew: {
        from: { tags: ["a", "b"] },
        to: { tags: ["update-new", "b"] },
        is: { tags: ["b", "update-new"] },
        asks: id => [
          `POST /v2/tags/update-new/resources {"resources":[{"resource_id":"${id}","resource_type":"image"}]}`,
          `POST /v2/tags {"name":"update-new"}`,
          `POST /v2/tags/update-new/resources {"resources":[{"resource_id":"${id}","resource_type":"image"}]}`,
          `DELETE /v2/tags/a/resources {"resources":[{"resource_id":"${id}","resource_type":"image"}]}`,
          `GET /v2/images/${id}`,
        ],
      },
      tagsKnown: {
        to: { tags: ["a"] },
        is: { tags: ["a"] },
        asks: id => [
          `POST /v2/tags/a/resources {"resources":[{"resource_id":"${id}","resource_type":"image"}]}`,
          `GET /v2/images/${id}`,
        ],
      },
      tagsOrder: { from: { tags: ["a", "b"] }, to: { tags: ["B", "A"] }, is: { tags: ["a", "b"] }, asks: () => [] },
      regionAdded: {
        to: { regions: ["nyc3", "ams3"] },
        is: { regions: ["nyc3", "ams3"] },
        asks: id => [
          `POST /v2/images/${id}/actions {"type":"transfer","region":"ams3"}`,
          /^GET \/v2\/images\/\d+\/actions\/\d+$/,
          `GET /v2/images/${id}`,
        ],
      },
      regionForgotten: {
        from: { regions: ["nyc3", "ams3"] },
        to: { regions: ["nyc3"] },
        is: { regions: ["nyc3", "ams3"] },
        asks: id => [`GET /v2/images/${id}`],
      },
      forgotten: {
        from: { description: "kept", tags: ["a"] },
        to: {},
        is: { description: "kept", tags: ["a"] },
        asks: () => [],
      },
    };

    before(async () => {
      stack = await newStack("do-update");
      await stack.up(Object.entries(changes).map(([name, { from }]) => image(name, { ...from })));
      await forget();
      run = await stack.up(Object.entries(changes).map(([name, { to }]) => image(name, { ...to })));
    });
    after(() => stack.dispose());

    itChangesEveryField("digitalocean", Object.values(changes));

    for (const [name, { is, asks }] of Object.entries(changes)) {
      it(`${name}: in place, by just its requests`, async () => {
        const id = await idOf(stack, name);
        const own = (await asked()).filter(
          exchange =>
            line(exchange).includes(id) || line(exchange).includes(`"${name === "tagsNew" ? "update-new" : " "}"`),
        );
        const wanted = asks(id);
        // How often an action is asked for depends on how long it takes.
        const lines = own.map(line).filter((text, index, all) => text !== all[index - 1]);
        const unexpected = lines.filter(
          text => !wanted.some(want => (typeof want === "string" ? want === text : want.test(text))),
        );
        // What is no longer watched is read once more, together with others.
        assert.deepEqual(
          unexpected,
          name === "forgotten" || name === "tagsOrder" ? lines.filter(text => text === `GET /v2/images/${id}`) : [],
        );
        const found = wanted.filter(want =>
          lines.some(text => (typeof want === "string" ? want === text : want.test(text))),
        );
        assert.deepEqual(found, wanted);
        const actual = await served(id);
        const compared = { ...actual, tags: userTags(actual) };
        assert.deepEqual(Object.fromEntries(Object.keys(is).map(key => [key, compared[key as keyof Served]])), is);
        assert.equal(run.steps[name], name === "tagsOrder" ? "same" : "update");
        assert.equal(actual.created_at, (await stack.outputs(name)).createdAt, "not made anew");
      });
    }

    it("says that an image can't be taken out of a region", async () => {
      const warnings = said(run).filter(text => text.includes("can't take an image out of a region"));
      assert.equal(warnings.length, 1, warnings.join("\n"));
      assert.match(warnings[0] ?? "", new RegExp(`image ${await idOf(stack, "regionForgotten")} stays in ams3`));
      assert.deepEqual((await stack.outputs("regionForgotten")).regions, ["nyc3"]);
    });

    it("changes nothing the next time, and shows no drift", async () => {
      await forget();
      const again = await stack.up();
      assert.deepEqual(new Set(Object.values(again.steps)), new Set(["same"]));
      const preview = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(preview.code, 0, preview.text);
      assert.deepEqual(await writes(), []);
    });

    it("replaces the image when its data changes", async () => {
      files.files.set("/etag.raw", { body: disk, headers: { etag: '"one"' } });
      const source = { url: `${files.url}/etag.raw` };
      const all = (extra: object) => [
        ...Object.entries(changes).map(([name, { to }]) => image(name, { ...to })),
        image("data", { source, ...extra }),
      ];
      await stack.up(all({}));
      const before = await idOf(stack, "data");
      files.files.set("/etag.raw", { body: disk, headers: { etag: '"two"' } });
      const replaced = await stack.up();
      assert.equal(replaced.steps.data, "replace");
      assert.deepEqual(replaced.diffs.data, ["content"]);
      assert.notEqual(await idOf(stack, "data"), before);
      assert.equal((await api("GET", `/v2/images/${before}`)).status, 404);
      assert.equal((await named("data")).length, 1);
    });
  });

  describe("adopt and get", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("do-adopt");
    });
    after(() => stack.dispose());

    async function existing(name: string): Promise<string> {
      const body = { name, url: `${files.url}/disk.raw`, region: "nyc3", tags: ["old"], distribution: "Debian" };
      const id = (await api("POST", "/v2/images", body)).body.image.id;
      while ((await served(id)).status !== "available") await new Promise(resolve => setTimeout(resolve, 20));
      return String(id);
    }
    const adopting = (name: string, args: object): Declared => ({
      kind: "Image",
      name,
      args: { service: "digitalocean", ...args },
    });

    it("takes images over by id and by name, and writes what is declared differently", async () => {
      const [byId, byName] = [await existing("by-id"), await existing("by-name")];
      await forget();
      await stack.up([
        adopting("byId", { adopt: { id: byId }, name: "by-id", tags: ["old"], regions: ["nyc3"] }),
        adopting("byName", { adopt: { name: "by-name" }, description: "ours now" }),
      ]);
      assert.deepEqual([await idOf(stack, "byId"), await idOf(stack, "byName")], [byId, byName]);
      const isOwner = (write: string) => write.includes("pulumi-images");
      const sent = await writes();
      assert.deepEqual(
        sent.filter(write => !isOwner(write)),
        [`PUT /v2/images/${byName} {"description":"ours now"}`],
      );
      assert.equal(sent.filter(isOwner).length, 4, "an owner tag for each is made and assigned");
      const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
    });

    it("lists the candidates when several have the name, and says when there is none", async () => {
      const ids = [await existing("twin"), await existing("twin")];
      const several = await stack.preview([adopting("twin", { adopt: { name: "twin" } })]);
      assert.notEqual(several.code, 0);
      for (const id of ids) assert.ok(several.text.includes(id), several.text);
      const none = await stack.tryUp([adopting("none", { adopt: { name: "nobody" } })]);
      assert.notEqual(none.code, 0);
      assert.match(none.text, /there is no image named "nobody" to adopt/);
    });

    it("reads images without managing them: by id, and a public one by its slug", async () => {
      const id = await existing("read me");
      const show = ["id", "name", "tags", "visibility", "imageType"];
      const get = (name: string, id: string): Declared => ({
        kind: "Image",
        name,
        args: { service: "digitalocean" },
        get: id,
        show,
      });
      await forget();
      const run = await stack.up([get("mine", id), get("public", "debian-12-x64")]);
      assert.deepEqual(run.steps.mine, "read");
      const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(shown.mine, { id, name: "read me", tags: ["old"], visibility: "private", imageType: "custom" });
      assert.equal(shown.public.visibility, "public");
      assert.equal(shown.public.id, "debian-12-x64");
      await stack.up([]);
      assert.equal((await served(id)).name, "read me");
      assert.deepEqual(
        (await writes()).filter(text => text.includes(id)),
        [],
      );
    });

    it("keeps an id beyond what a JavaScript number holds", async () => {
      const id = "9007199254740993";
      const wire = `{"image":{"id":${id},"name":"huge","type":"snapshot","distribution":"Debian","slug":null,"public":false,"regions":[],"created_at":"2026-01-01T00:00:00Z","min_disk_size":1,"size_gigabytes":1,"description":"","tags":[],"status":"available","error_message":""}}`;
      cloud.faults.add({
        method: "GET",
        path: new RegExp(`^/v2/images/${id}$`),
        status: 200,
        headers: { "content-type": "application/json" },
        body: wire,
        count: Infinity,
      });
      await stack.up([
        { kind: "Image", name: "huge", args: { service: "digitalocean" }, get: id, show: ["id", "name"] },
      ]);
      cloud.faults.clear();
      const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(shown.huge, { id, name: "huge" });
    });
  });

  describe("failures", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("do-failures");
    });
    after(async () => {
      cloud.settings.digitalocean.failingRegions = [];
      await stack.dispose();
    });

    it("reports why an import failed, at once, and leaves nothing", async () => {
      const before = await marks();
      files.files.set("/page.html", {
        body: Buffer.from(`<html>${"sorry ".repeat(200)}</html>`),
        headers: { etag: '"x"' },
      });
      const run = await stack.tryUp(
        [
          image("bad", { source: { url: `${files.url}/page.html` } }),
          other("no droplet", { dropletId: "99" }),
          other("no backup", { backupId: 99 }),
          other("no such image", { adopt: { id: "99" } }),
        ],
        "--continue-on-error",
      );
      assert.notEqual(run.code, 0);
      assert.match(run.text, /DigitalOcean couldn't import image \d+: The file is not a disk image/);
      assert.match(run.text, /there is no droplet 99/);
      assert.match(run.text, /there is no backup 99/);
      assert.match(run.text, /there is no image with the id 99 to adopt/);
      assert.deepEqual(await named("bad"), []);
      assert.deepEqual(await stack.state(), {});
      assert.deepEqual(await marks(), before);
    });

    it("names each region that it couldn't be brought to, keeps the image, and goes on the next time", async () => {
      cloud.settings.digitalocean.failingRegions = ["ams3", "sgp1"];
      const wanted = [image("transferred", { regions: ["nyc3", "ams3", "fra1", "sgp1"] })];
      const run = await stack.tryUp(wanted);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /couldn't be transferred to ams3 \(action \d+ errored.*\), sgp1 \(action \d+ errored/);
      const id = await idOf(stack, "transferred");
      assert.deepEqual((await served(id)).regions.toSorted(), ["fra1", "nyc3"]);
      cloud.settings.digitalocean.failingRegions = [];
      await forget();
      await stack.up(wanted);
      assert.equal(await idOf(stack, "transferred"), id);
      const [marker, ...sent] = (await writes()).toSorted();
      assert.match(String(marker), /^DELETE \/v2\/tags\/pulumi-images.*unfinished/);
      assert.deepEqual(
        sent,
        ["ams3", "sgp1"].map(region => `POST /v2/images/${id}/actions {"type":"transfer","region":"${region}"}`),
      );
      assert.deepEqual((await served(id)).regions.toSorted(), ["ams3", "fra1", "nyc3", "sgp1"]);
    });

    it("stops waiting at customTimeouts, keeps what was begun, and goes on with it", async () => {
      cloud.settings.digitalocean.taskTime = 3000;
      const run = await stack.tryUp([image("late", {}, { customTimeouts: { create: "2s" } })]);
      cloud.settings.digitalocean.taskTime = 50;
      assert.notEqual(run.code, 0);
      assert.match(run.text, /waited \d+ s for image \d+ to become available \(its status is (NEW|pending)\)/);
      const [begun, ...others] = await named("late");
      assert.ok(begun);
      assert.deepEqual(others, []);
      await forget();
      await stack.up([image("late")]);
      assert.equal(await idOf(stack, "late"), String(begun.id));
      const sent = await writes();
      assert.deepEqual(
        sent.filter(text => !text.startsWith("DELETE")),
        [],
        "no second import",
      );
    });

    it("takes over what a run that was killed in the middle made: an import, a snapshot, a conversion", async () => {
      const { id: dropletId } = (await control("POST", "/sender/droplets", { name: "doomed" })).body;
      const { id: backupId } = (await control("POST", `/droplets/${dropletId}/backups`, {})).body;
      cloud.settings.digitalocean.taskTime = 3000;
      await forget();
      const wanted = [
        image("killed import"),
        other("killed snapshot", { dropletId }),
        other("killed conversion", { backupId }),
      ];
      await stack.declare(wanted);
      const run = stack.start(["up", "--yes", "--skip-preview"]);
      const begun = async () =>
        (await writes()).filter(text => /^POST \/v2\/(images |images\/\d+\/actions|droplets)/.test(text));
      while ((await begun()).length < 3) await new Promise(resolve => setTimeout(resolve, 20));
      run.kill("SIGKILL");
      await stack.run(["cancel", "--yes"]);
      await stack.up();
      cloud.settings.digitalocean.taskTime = 50;
      assert.equal((await begun()).length, 3, "each was begun once");
      for (const name of ["killed import", "killed snapshot", "killed conversion"]) {
        const found = await named(name);
        assert.equal(found.length, 1, `${name}: exactly one image`);
        assert.equal(String(found[0]?.id), await idOf(stack, name));
      }
      const snapshots = (await api("GET", `/v2/droplets/${dropletId}/snapshots`)).body.snapshots;
      assert.equal(snapshots.length, 2, "the snapshot and the converted backup");
    });

    it("waits as long as retry-after says", async () => {
      const body = JSON.stringify({ id: "too_many_requests", message: "API rate limit exceeded." });
      cloud.faults.add({ method: "POST", path: /^\/v2\/images$/, status: 429, headers: { "retry-after": "2" }, body });
      const from = cloud.requests.length;
      const began = Date.now();
      await stack.up([image("limited")]);
      const posts = cloud.requests.slice(from).filter(({ method, path }) => method === "POST" && path === "/v2/images");
      assert.deepEqual(
        posts.map(({ status }) => status),
        [429, 202],
      );
      assert.ok(Date.now() - began >= 2000);
    });

    it("takes over an image whose answer was lost", async () => {
      cloud.faults.add({ method: "POST", path: /^\/v2\/images$/, drop: "after" });
      await stack.up([image("lost answer")]);
      assert.equal((await named("lost answer")).length, 1);
    });
  });

  describe("tags, copies and members", () => {
    let stack: Stack;
    let snapshot: string;
    let given: string;
    let offered: string;
    let later: string;
    const part = (kind: Declared["kind"], name: string, args: object): Declared => ({
      kind,
      name,
      args: { service: "digitalocean", ...args },
    });
    const parts = () => [
      image("base"),
      part("ImageTag", "release", { imageId: { $output: "base.id" }, tag: "2026:11" }),
      part("ImageTag", "cased", { imageId: { $output: "base.id" }, tag: "PARTS-Known" }),
      part("ImageCopy", "regions", { imageId: { $output: "base.id" }, to: { regions: ["ams3", "nyc3", "fra1"] } }),
      part("ImageMember", "given", {
        imageId: given,
        recipientUuid: place.accounts.recipient.uuid,
        accept: { connection: "recipient" },
      }),
      part("ImageMember", "offered", { imageId: offered, recipientEmail: place.accounts.recipient.email }),
      part("ImageMember", "later", { imageId: later, recipientUuid: place.accounts.recipient.uuid }),
    ];

    async function droplets(name: string): Promise<string> {
      const { id } = (await control("POST", "/sender/droplets", { name })).body;
      const action = (await api("POST", `/v2/droplets/${id}/actions`, { type: "snapshot", name })).body.action;
      while ((await api("GET", `/v2/droplets/${id}/actions/${action.id}`)).body.action.status === "in-progress")
        await new Promise(resolve => setTimeout(resolve, 20));
      return String((await api("GET", `/v2/droplets/${id}/snapshots`)).body.snapshots[0].id);
    }

    before(async () => {
      stack = await newStack("do-parts");
      await api("POST", "/v2/tags", { name: "parts-known" });
      [given, offered, later] = [await droplets("given"), await droplets("offered"), await droplets("later")];
      await forget();
      await stack.up(parts());
      snapshot = await idOf(stack, "base");
    });
    after(() => stack.dispose());

    it("puts tags on an image, made when the account has none", async () => {
      assert.deepEqual(userTags(await served(snapshot)), ["2026:11", "parts-known"]);
      const sent = await writes();
      assert.ok(sent.includes('POST /v2/tags {"name":"2026:11"}'));
      assert.equal(await idOf(stack, "release"), `${snapshot}/2026%3A11`);
    });

    it("brings the image to more regions, those it isn't in", async () => {
      assert.deepEqual((await served(snapshot)).regions.toSorted(), ["ams3", "fra1", "nyc3"]);
      const sent = (await writes()).filter(text => text.includes(`/${snapshot}/actions`)).toSorted();
      assert.deepEqual(
        sent,
        ["ams3", "fra1"].map(region => `POST /v2/images/${snapshot}/actions {"type":"transfer","region":"${region}"}`),
      );
      const { regions, copyId, status } = await stack.outputs("regions");
      assert.deepEqual([regions, copyId, status], [["ams3", "nyc3", "fra1"], snapshot, "available"]);
    });

    it("gives a snapshot to another account, which accepts", async () => {
      assert.equal((await api("GET", `/v2/images/${given}`)).status, 404);
      assert.equal((await theirs("GET", `/v2/images/${given}`)).body.image.name, "given");
      const { status, memberId } = await stack.outputs("given");
      assert.deepEqual([status, memberId], ["accepted", place.accounts.recipient.uuid]);
    });

    it("offers a snapshot to another account, which hasn't answered", async () => {
      const { status, transferId } = await stack.outputs("offered");
      assert.equal(status, "pending");
      assert.match(String(transferId), /^[1-9]\d*$/);
      assert.equal(await idOf(stack, "offered"), `${offered}/recipient%40example.com/${transferId}`);
    });

    it("changes nothing the next time, and shows no drift", async () => {
      await forget();
      const again = await stack.preview(parts(), "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
      assert.doesNotMatch(again.text, /dynamic\/images/);
      assert.deepEqual(await writes(), []);
    });

    it("repairs a tag that was taken off, and a region that was lost; one that appeared is left alone", async () => {
      await api("DELETE", "/v2/tags/2026:11/resources", {
        resources: [{ resource_id: snapshot, resource_type: "image" }],
      });
      await control("DELETE", `/images/${snapshot}/regions/fra1`);
      await control("POST", `/images/${snapshot}/regions`, { region: "blr1" });
      await forget();
      const run = await stack.up(undefined, "--refresh");
      assert.deepEqual(
        [run.steps.release, run.steps.cased, run.steps.regions, run.steps.base],
        ["create", "same", "update", "same"],
      );
      assert.equal((await writes()).length, 2);
      const is = await served(snapshot);
      assert.deepEqual(
        [userTags(is), is.regions.toSorted()],
        [
          ["2026:11", "parts-known"],
          ["ams3", "blr1", "fra1", "nyc3"],
        ],
      );
    });

    it("adds a region to a copy in place, and accepts an offer once that is declared", async () => {
      const recipientUuid = place.accounts.recipient.uuid;
      const changes: Record<string, Declared> = {
        regions: part("ImageCopy", "regions", {
          imageId: { $output: "base.id" },
          to: { regions: ["ams3", "fra1", "tor1"] },
        }),
        later: part("ImageMember", "later", { imageId: later, recipientUuid, accept: { connection: "recipient" } }),
      };
      assert.equal((await stack.outputs("later")).status, "pending");
      const run = await stack.up(parts().map(declared => changes[declared.name] ?? declared));
      assert.deepEqual([run.steps.regions, run.steps.later], ["update", "update"]);
      const warnings = said(run).join("\n");
      assert.match(
        warnings,
        new RegExp(`copy of image ${snapshot} in the region nyc3 stays: the Image base declares it`),
      );
      assert.doesNotMatch(warnings, /stays in .*nyc3.*: DigitalOcean can't take/);
      assert.ok((await served(snapshot)).regions.includes("tor1"));
      assert.deepEqual((await stack.outputs("regions")).regions, ["ams3", "fra1", "tor1"]);
      assert.equal((await stack.outputs("later")).status, "accepted");
      assert.equal((await theirs("GET", `/v2/images/${later}`)).status, 200);
    });

    it("waits for what is under way already: a transfer to the same region, another snapshot of the droplet", async () => {
      const { id: dropletId } = (await control("POST", "/sender/droplets", { name: "busy" })).body;
      cloud.settings.digitalocean.taskTime = 8000;
      await api("POST", `/v2/images/${snapshot}/actions`, { type: "transfer", region: "lon1" });
      cloud.settings.digitalocean.taskTime = 500;
      await forget();
      await stack.up([
        ...parts().filter(({ kind }) => kind !== "ImageCopy"),
        part("ImageCopy", "regions", { imageId: { $output: "base.id" }, to: { regions: ["ams3", "lon1"] } }),
        other("one", { dropletId }),
        other("two", { dropletId, regions: ["nyc3", "ams3"] }),
      ]);
      cloud.settings.digitalocean.taskTime = 50;
      const begun = (await asked()).filter(
        ({ method, path, status }) => method === "POST" && /\/actions$/.test(path) && status === 201,
      );
      assert.deepEqual(
        begun.map(({ body }) => (body as { region?: string; type: string }).region ?? "snapshot").toSorted(),
        ["ams3", "snapshot", "snapshot"],
      );
      assert.ok((await served(snapshot)).regions.includes("lon1"));
      const names = (await api("GET", `/v2/droplets/${dropletId}/snapshots`)).body.snapshots.map(
        (it: Served) => it.name,
      );
      assert.deepEqual(names.toSorted(), ["one", "two"]);
    });

    it("takes a tag off, cancels an offer; a copy and an accepted transfer stay, and that is said", async () => {
      await forget();
      const run = await stack.up([image("base")]);
      const sent = await writes();
      assert.deepEqual(userTags(await served(snapshot)), []);
      assert.ok(
        sent.some(text => text.startsWith(`POST /v2/images/${offered}/account_transfer/cancel {"transfer_id":`)),
      );
      assert.match(said(run).join("\n"), /stays in ams3, lon1: DigitalOcean can't take an image out of a region/);
      assert.match(said(run).join("\n"), /was accepted by .*, and stays there/);
      assert.equal((await theirs("GET", `/v2/images/${given}`)).status, 200);
      const again = await api("POST", `/v2/images/${offered}/account_transfer`, {
        recipient_email: place.accounts.recipient.email,
      });
      assert.equal(again.status, 201, "nothing is pending any more");
    });

    it("says what stands in the way of an offer", async () => {
      const run = await stack.tryUp(
        [
          image("base"),
          part("ImageMember", "pending", { imageId: offered, recipientEmail: place.accounts.recipient.email }),
          part("ImageMember", "custom", {
            imageId: { $output: "base.id" },
            recipientEmail: place.accounts.recipient.email,
          }),
          part("ImageTag", "nothing", { imageId: "99", tag: "x" }),
        ],
        "--continue-on-error",
      );
      assert.notEqual(run.code, 0);
      assert.match(
        run.text,
        /can't be offered: The image already has a pending transfer.* Cancel it in the control panel, and run up again/s,
      );
      assert.match(run.text, /Only snapshots can be transferred: those of droplets, and converted backups/);
      assert.match(run.text, /there is no image 99/);
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    type Case = { args: Record<string, unknown>; says: RegExp };
    const uuid = "6f1b0a52-0f5e-4a52-8a53-0e0c2a8b4f11";
    const images: Record<string, Case> = {
      "no name": { args: { name: undefined }, says: /a new image needs a name/ },
      "an empty name": { args: { name: "" }, says: /name must not be empty/ },
      "a name of 256 characters": { args: { name: "x".repeat(256) }, says: /at most 255 characters, not 256/ },
      "an unknown distribution": {
        args: { distribution: "ubuntu" },
        says: /distribution must be one of Arch Linux, CentOS, .*; not "ubuntu"/,
      },
      "a description that isn't text": { args: { description: 3 }, says: /description must be text, not 3/ },
      "a tag with a space": {
        args: { tags: ["a b"] },
        says: /tags\[0\].*letters, digits, colons, dashes and underscores/,
      },
      "an empty tag": { args: { tags: [""] }, says: /tags\[0\].*must not be empty/ },
      "a tag of 256 characters": { args: { tags: ["x".repeat(256)] }, says: /at most 255 characters/ },
      "a tag twice": { args: { tags: ["x", "x"] }, says: /tags holds "x" twice/ },
      "a tag twice but for its capital letters": { args: { tags: ["x", "X"] }, says: /x and X, which are one tag/ },
      "a tag of this provider's": { args: { tags: ["pulumi-images:x"] }, says: /must not begin with pulumi-images:/ },
      "no region for an import": { args: { regions: undefined }, says: /an import needs regions/ },
      "an empty list of regions": { args: { regions: [] }, says: /regions must not be an empty list/ },
      "a region of another form": { args: { regions: ["New York"] }, says: /regions\[0\].*slug such as nyc3/ },
      "a region twice": { args: { regions: ["nyc3", "nyc3"] }, says: /regions holds "nyc3" twice/ },
      "an unknown region": {
        args: { regions: ["nyc3", "nyc9"] },
        says: /regions\[1\].*no region nyc9; did you mean nyc\d\?/,
      },
      "a file": { args: { source: { file: "disk.raw" } }, says: /source\.file.*takes no upload: .* give its url/ },
      "a stream": { args: { source: { url: "", mode: "stream" } }, says: /source\.mode.*fetches the url itself/ },
      "request headers": {
        args: { source: { url: "", headers: { A: "b" } } },
        says: /source\.headers.*no headers of yours/,
      },
      "a decompression": { args: { source: { url: "", decompress: "xz" } }, says: /source\.decompress.*itself/ },
      "an ftp url": { args: { source: { url: "ftp://127.0.0.1/x" } }, says: /only http and https/ },
      "a digest of the wrong form": { args: { source: { url: "", digest: "abc" } }, says: /source\.digest/ },
      "a url that leads nowhere": { args: { source: { url: "nowhere" } }, says: /404/ },
      "nothing to make it from": {
        args: { source: undefined },
        says: /needs source: \{ url \}, dropletId or backupId; adopt/,
      },
      "two things to make it from": { args: { dropletId: 5 }, says: /one place: keep source or dropletId/ },
      "source and adopt": { args: { adopt: { id: "5" } }, says: /one place: keep source or adopt/ },
      "a droplet that is no number": {
        args: { source: undefined, dropletId: "web" },
        says: /dropletId must be a number/,
      },
      "a backup of zero": { args: { source: undefined, backupId: 0 }, says: /backupId must be a number/ },
      "a description of a snapshot": {
        args: { source: undefined, dropletId: 5, description: "x" },
        says: /only an image that was imported from a url has a description/,
      },
      "a distribution of a backup": {
        args: { source: undefined, backupId: 5, distribution: "Debian" },
        says: /only an image that was imported from a url has a distribution/,
      },
      "adopt by an id that is no number": {
        args: { source: undefined, adopt: { id: uuid } },
        says: /adopt\.id must be a number/,
      },
      "adopt by nothing": { args: { source: undefined, adopt: {} }, says: /adopt must be \{ id \} or \{ name \}/ },
      "a format": {
        args: { diskFormat: "raw" },
        says: /digitalocean has no diskFormat: DigitalOcean finds out the format itself: leave it out/,
      },
      "a visibility": { args: { visibility: "public" }, says: /no visibility: .*ImageMember/ },
      properties: { args: { properties: { a: "b" } }, says: /no properties: .*tags or description/ },
      "one region": { args: { region: "nyc3" }, says: /no region: use regions/ },
      protected: { args: { protected: true }, says: /resource option protect/ },
      stores: { args: { stores: ["fast"] }, says: /no stores: use regions/ },
      "a slip": { args: { distributon: "Debian" }, says: /did you mean distribution\?/ },
    };
    const members: Record<string, Case> = {
      "no recipient": { args: {}, says: /one of recipientEmail and recipientUuid/ },
      "two recipients": { args: { recipientEmail: "a@b.c", recipientUuid: uuid }, says: /one of recipientEmail and/ },
      "no e-mail address": { args: { recipientEmail: "nobody" }, says: /recipientEmail must be an e-mail address/ },
      "no uuid": { args: { recipientUuid: "nobody" }, says: /recipientUuid must be a UUID/ },
      "an acceptance by e-mail": {
        args: { recipientEmail: "a@b.c", accept: { connection: "recipient" } },
        says: /accepts for a uuid only: use recipientUuid/,
      },
      "an unknown connection": { args: { recipientUuid: uuid, accept: { connection: "nobody" } }, says: /nobody/ },
      "a member of OpenStack's": { args: { member: uuid }, says: /no member: .*recipientEmail or recipientUuid/ },
      "an image that is no number": { args: { imageId: uuid, recipientUuid: uuid }, says: /imageId must be a number/ },
    };
    const tags: Record<string, Case> = {
      "no tag": { args: {}, says: /digitalocean needs tag/ },
      "a tag with a dot": { args: { tag: "v1.0" }, says: /tag must be of letters, digits, colons/ },
      "a tag of 256 characters": { args: { tag: "x".repeat(256) }, says: /at most 255 characters/ },
      "several tags": { args: { tag: "x", tags: ["y"] }, says: /an ImageTag is one tag/ },
    };
    const copies: Record<string, Case> = {
      "no target": { args: {}, says: /digitalocean needs to/ },
      "no regions": { args: { to: { regions: [] } }, says: /to\.regions must not be an empty list/ },
      "an unknown region": { args: { to: { regions: ["xyz1"] } }, says: /to\.regions\[0\].*no region xyz1/ },
      "another connection": { args: { to: { connection: "recipient" } }, says: /to another account, by ImageMember/ },
      "a store": { args: { to: { stores: ["fast"] } }, says: /goes to more regions, to: \{ regions \}/ },
    };

    before(async () => {
      stack = await newStack("do-bad-input");
      const connections = {
        digitalocean: { service: "digitalocean", token: place.accounts.sender.token, endpoint: place.url },
        recipient: { service: "digitalocean", token: place.accounts.recipient.token, endpoint: place.url },
      };
      provider = await ProviderProcess.start(stack.folder, {}, { "images:connections": JSON.stringify(connections) });
      await forget();
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
    });

    const says = (failures: { property: string; reason: string }[]) =>
      failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n");
    const part = { service: "digitalocean", imageId: "7000000" };
    for (const [name, { args, says: expected }] of Object.entries(images)) {
      it(`Image, ${name}: a failed check`, async () => {
        const source = args.source as { url?: string } | undefined;
        const url = source?.url === "" ? "disk.raw" : source?.url;
        const whole =
          url === undefined || url.includes(":") ? {} : { source: { ...source, url: `${files.url}/${url}` } };
        assert.match(says(await provider.check("image", { ...image("bad").args, ...args, ...whole })), expected);
      });
    }
    for (const [name, { args, says: expected }] of Object.entries(members)) {
      it(`ImageMember, ${name}: a failed check`, async () => {
        assert.match(says(await provider.check("imageMember", { ...part, ...args })), expected);
      });
    }
    for (const [name, { args, says: expected }] of Object.entries(tags)) {
      it(`ImageTag, ${name}: a failed check`, async () => {
        assert.match(says(await provider.check("imageTag", { ...part, ...args })), expected);
      });
    }
    for (const [name, { args, says: expected }] of Object.entries(copies)) {
      it(`ImageCopy, ${name}: a failed check`, async () => {
        assert.match(says(await provider.check("imageCopy", { ...part, ...args })), expected);
      });
    }

    it("sends nothing that writes", async () => {
      assert.deepEqual(await writes(), []);
      assert.deepEqual(says(await provider.check("image", image("good").args)), "");
    });

    it("says that a token isn't good, without showing it", async () => {
      const token = "dop_v1_not-a-good-token-at-all";
      await stack.declare([image("x", { connection: "digitalocean" })]);
      await stack.run(["config", "set", "--plaintext", "--path", "images:connections.digitalocean.token", token]);
      const refused = await stack.run(["preview"]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /Unable to authenticate you\..*answered 401/s);
      assert.ok(!refused.text.includes(token));
    });
  });

  describe("schemas", () => {
    it("all requests and answers of these tests are as described", async () => {
      const exchanges = await readExchanges(recording);
      assert.ok(exchanges.length > 100, String(exchanges.length));
      for (const exchange of exchanges) assert.deepEqual(checkExchange(exchange), [], JSON.stringify(exchange));
    });
  });
});
