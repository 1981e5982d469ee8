import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type RecordedRequest, type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { noise, sha256 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { itChangesEveryField } from "./everyField.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, Stack } from "./stack.ts";

const service = "glance-v1";
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** An image of a few bytes, with the fields that a test is about. */
function image(name: string, args: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Declared {
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  return { kind: "Image", name, args: { service, connection: "owner", name, ...data, ...args }, options };
}

/** One without data, for what is about metadata only. */
const bare = (name: string, args: Record<string, unknown> = {}) =>
  image(name, { source: undefined, diskFormat: undefined, containerFormat: undefined, ...args });

describe("glance-v1", () => {
  let dir: string;
  let cloud: LocalCloud;
  let recorder: Recorder;
  let files: FileServer;
  let api: GlanceV1Api;
  const disk = Uint8Array.from(noise("glance-v1", 300_000));

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-glance-v1-"));
    cloud = await startCloud({ dir, services: ["glance-v1"] });
    recorder = await startRecorder({ target: cloud.services["glance-v1"].imageUrl });
    files = await startFileServer();
    const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
    api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
  });
  after(async () => {
    await files.stop();
    await recorder.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function connections(): Record<string, unknown> {
    const { authUrl, accounts, region } = cloud.services["glance-v1"];
    const of = ({ username, password, userDomain, projectName, projectDomain }: typeof accounts.owner) => ({
      ...{ service, authUrl, username, password, userDomainName: userDomain, projectName, region },
      projectDomainName: projectDomain,
    });
    const imageEndpoint = recorder.url;
    return {
      owner: { ...of(accounts.owner), imageEndpoint },
      admin: { ...of(accounts.admin), imageEndpoint },
      consumer: of(accounts.consumer),
      direct: of(accounts.owner),
    };
  }

  async function newStack(project: string): Promise<Stack> {
    const stack = await Stack.create({
      project: `glance-v1-${project}`,
      config: { "images:connections": connections() },
    });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    return stack;
  }

  const idOf = async (stack: Stack, name: string) => (await stack.state())[name]?.id as string;
  const named = (name: string) => api.list(`name=${encodeURIComponent(name)}`);
  const shown = ({ method, path }: RecordedRequest) => `${method} ${path}`;
  const requestsTo = (id: string) => recorder.requests.filter(({ path }) => path.includes(id));
  const writes = () => recorder.requests.filter(({ method }) => !["GET", "HEAD"].includes(method)).map(shown);

  describe("create", () => {
    let stack: Stack;
    const name = "größe – 画像";
    const properties = { os_distro: "übuntu", "with.dot": "100 %", "a+b": "naïve – 値", "percent%41": "x" };
    const imageId = crypto.randomUUID();
    const declared = () => [
      image("file", { name, minDisk: 1, minRam: 64, isPublic: true, properties }),
      image("gz", { source: { file: "disk.raw.gz", decompress: "gz" } }),
      image("streamed", {
        source: { url: `${files.url}/private.raw`, headers: { "X-Pass": "sesame-open-up" }, checksums: sums() },
      }),
      image("imported", { source: { url: `${files.url}/public.raw?name=größe`, mode: "import" } }),
      image("located", { source: undefined, location: `${files.url}/public.raw` }),
      image("amazon", { diskFormat: "ami", containerFormat: "ami", protected: true, forceDelete: true }),
      image("chosen", { imageId: imageId.toUpperCase() }),
      image("large", {
        connection: "direct",
        properties: Object.fromEntries([..."abcd"].map(key => [key, key.repeat(10_000)])),
      }),
      bare("empty"),
    ];
    const sums = () => `${files.url}/SHA256SUMS`;

    before(async () => {
      stack = await newStack("create");
      await writeFile(join(stack.folder, "disk.raw.gz"), gzipSync(disk));
      const needs = { "X-Pass": "sesame-open-up" };
      files.files.set("/private.raw", { body: disk, needs });
      files.files.set("/SHA256SUMS", { body: Buffer.from(`${sha256(disk)} *private.raw\n`), needs });
      files.files.set("/public.raw", { body: disk, headers: { etag: '"v1"' } });
      recorder.clear();
      await stack.up(declared());
    });
    after(() => stack.dispose());

    for (const name of ["file", "gz", "streamed", "imported", "located", "amazon", "chosen", "large"]) {
      it(`brings the bytes in: ${name}`, async () => {
        const made = await api.image(await idOf(stack, name));
        assert.equal(made.status, "active");
        assert.equal(made.size, disk.length);
        assert.equal(made.checksum, name === "located" ? null : md5(disk));
        assert.deepEqual(await api.data(made.id), Buffer.from(disk));
      });
    }

    it("brings every declared field in, letters of all kinds among them", async () => {
      const made = await api.image(await idOf(stack, "file"));
      const { pulumi_images_resource, pulumi_images_stack, ...rest } = made.properties;
      assert.match(`${pulumi_images_resource} ${pulumi_images_stack}`, /^[0-9a-f]{32} [0-9a-f]{32}$/);
      assert.deepEqual(rest, properties);
      assert.deepEqual(
        [made.name, made.min_disk, made.min_ram, made.is_public, made.protected, made.disk_format],
        [name, 1, 64, true, false, "raw"],
      );
      const amazon = await api.image(await idOf(stack, "amazon"));
      assert.deepEqual([amazon.disk_format, amazon.container_format, amazon.protected], ["ami", "ami", true]);
      assert.equal((await api.image(await idOf(stack, "empty"))).status, "queued");
      assert.equal(await idOf(stack, "chosen"), imageId);
    });

    it("gives out everything that the service reports", async () => {
      const made = await api.image(await idOf(stack, "file"));
      const outputs = await stack.outputs("file");
      const expected = {
        ...{ status: "active", name, size: disk.length, checksum: md5(disk), properties },
        ...{ diskFormat: "raw", containerFormat: "bare", minDisk: 1, minRam: 64, isPublic: true, protected: false },
        owner: cloud.services["glance-v1"].accounts.owner.projectId,
        createdAt: `${made.created_at}Z`,
        content: `sha256:${sha256(disk)}`,
      };
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map(key => [key, outputs[key]])), expected);
    });

    it("needs four requests for an image with data, and announces its size and its checksum", async () => {
      for (const file of ["file", "gz"]) {
        const own = requestsTo(await idOf(stack, file));
        const id = await idOf(stack, file);
        assert.deepEqual(own.map(shown), [`PUT /v1/images/${id}`, `PUT /v1/images/${id}`]);
        assert.equal(own[0]?.headers["x-image-meta-size"], String(disk.length));
        assert.equal(own[0]?.headers["content-length"], String(disk.length));
        assert.equal(own[0]?.headers["x-image-meta-checksum"], md5(disk));
      }
      const [streamed] = requestsTo(await idOf(stack, "streamed"));
      assert.equal(streamed?.headers["x-image-meta-size"], String(disk.length));
      const others = recorder.requests.filter(({ path }) => !path.startsWith("/v1/images/") || path.includes("?"));
      const looks = others.filter(({ path }) => /property-pulumi_images_(resource|stack)=/.test(path));
      const reserved = others.filter(({ method, path }) => method === "POST" && path === "/v1/images");
      assert.equal(reserved.length, 8);
      assert.ok(looks.length <= 8, "at most one look for the owner tag an image");
      assert.equal(others.length, looks.length + reserved.length);
    });

    it("changes nothing, and writes nothing, when nothing changed", async () => {
      recorder.clear();
      const run = await stack.up(declared());
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
      assert.deepEqual(writes(), []);
    });

    it("shows no drift when nothing drifted, and reads many at once", async () => {
      recorder.clear();
      const run = await stack.preview(declared(), "--refresh", "--expect-no-changes");
      assert.equal(run.code, 0, run.text);
      assert.doesNotMatch(run.text, /dynamic\/images/);
      assert.ok(recorder.requests.length < 8, recorder.requests.map(shown).join("\n"));
      assert.ok(recorder.requests.some(({ path }) => path.startsWith("/v1/images/detail?")));
    });

    it("replaces the image for other data, another format, another location", async () => {
      const before = await stack.state();
      await writeFile(join(stack.folder, "other.raw"), noise("other", 1000));
      const preview = await stack.preview(
        declared().map(resource =>
          resource.name === "file"
            ? image("file", { ...resource.args, source: { file: "other.raw" } })
            : resource.name === "amazon"
              ? image("amazon", { ...resource.args, diskFormat: "ari", containerFormat: "ari" })
              : resource.name === "located"
                ? image("located", { ...resource.args, location: `${files.url}/else.raw` })
                : resource,
        ),
      );
      assert.deepEqual(
        [preview.steps.file, preview.steps.amazon, preview.steps.located].join(" "),
        "replace replace replace",
      );
      assert.deepEqual(preview.diffs.located, ["location"]);
      await stack.up([
        ...declared().filter(({ name }) => name !== "file"),
        image("file", { source: { file: "other.raw" } }),
      ]);
      assert.equal(await api.find(before.file?.id as string), undefined);
      assert.deepEqual(await api.data(await idOf(stack, "file")), noise("other", 1000));
    });
  });

  describe("update", () => {
    let stack: Stack;
    /** What a change comes to: the headers of its one write, and the requests before it. */
    const changes: Record<
      string,
      {
        from?: Record<string, unknown>;
        to: Record<string, unknown>;
        sends?: Record<string, string>;
        purges?: boolean;
        is: Record<string, unknown>;
      }
    > = {
      name: { to: { name: "umbenannt – ü" }, sends: { name: "umbenannt – ü" }, is: { name: "umbenannt – ü" } },
      minDisk: { to: { minDisk: 5 }, sends: { min_disk: "5" }, is: { min_disk: 5 } },
      minRam: { from: { minRam: 64 }, to: { minRam: 128 }, sends: { min_ram: "128" }, is: { min_ram: 128 } },
      publish: {
        from: { isPublic: false },
        to: { isPublic: true },
        sends: { is_public: "True" },
        is: { is_public: true },
      },
      unpublish: {
        from: { isPublic: true },
        to: { isPublic: false },
        sends: { is_public: "False" },
        is: { is_public: false },
      },
      protect: {
        from: { protected: false },
        to: { protected: true },
        sends: { protected: "True" },
        is: { protected: true },
      },
      unprotect: {
        from: { protected: true },
        to: { protected: false },
        sends: { protected: "False" },
        is: { protected: false },
      },
      propertySet: {
        from: { properties: { one: "1", two: "2" } },
        to: { properties: { one: "1", two: "zwei", three: "3" } },
        sends: { "property-two": "zwei", "property-three": "3" },
        is: { properties: { one: "1", two: "zwei", three: "3", theirs: "kept" } },
      },
      propertyRemoved: {
        from: { properties: { one: "1", two: "2" } },
        to: { properties: { two: "zwei" } },
        sends: { "property-two": "zwei", "property-theirs": "kept" },
        purges: true,
        is: { properties: { two: "zwei", theirs: "kept" } },
      },
      forget: { from: { minDisk: 3 }, to: {}, is: { min_disk: 3 } },
    };

    before(async () => {
      stack = await newStack("update");
      await stack.up(Object.entries(changes).map(([name, { from }]) => bare(name, from)));
      const state = await stack.state();
      for (const name of ["propertySet", "propertyRemoved"]) {
        await api.set(state[name]?.id as string, { "property-theirs": "kept" });
      }
      recorder.clear();
      const run = await stack.up(Object.entries(changes).map(([name, { to }]) => bare(name, to)));
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["update"]));
    });
    after(async () => {
      await stack.up(Object.keys(changes).map(name => bare(name, { protected: false })));
      await stack.dispose();
    });

    itChangesEveryField(service, Object.values(changes), {
      owner: "is for admins: others are told so, and nothing stays behind",
    });

    for (const [name, { is, sends, purges }] of Object.entries(changes)) {
      it(`${name}: ${sends ? "in place, by one write" : "no longer declared, so left as it is"}`, async () => {
        const id = await idOf(stack, name);
        const { pulumi_images_resource, pulumi_images_stack, ...properties } = (await api.image(id)).properties;
        assert.ok(pulumi_images_resource && pulumi_images_stack, "the mark stays");
        const actual: Record<string, unknown> = { ...(await api.image(id)), properties };
        assert.deepEqual(Object.fromEntries(Object.keys(is).map(key => [key, actual[key]])), is);
        const own = requestsTo(id);
        const path = `/v1/images/${id}`;
        assert.deepEqual(
          own.map(shown),
          sends ? [...(purges ? [`HEAD ${path}`] : []), `PUT ${path}`] : [`HEAD ${path}`],
        );
        if (sends === undefined) return;
        const { headers } = own.at(-1) as RecordedRequest;
        assert.equal(headers["x-glance-registry-purge-props"], String(purges === true));
        const meta = Object.entries(headers)
          .filter(([header]) => header.startsWith("x-image-meta-") && !header.includes("pulumi_images"))
          .map(([header, value]) => [header.slice(13), Buffer.from(String(value), "latin1").toString()]);
        assert.deepEqual(Object.fromEntries(meta), sends);
      });
    }

    it("changes nothing the next time", async () => {
      recorder.clear();
      const run = await stack.up();
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
      assert.deepEqual(writes(), []);
    });
  });

  describe("adopt, get, delete", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("adopt");
    });
    after(() => stack.dispose());

    const existing = (name: string) =>
      api.create(
        { name, disk_format: "raw", container_format: "bare", min_disk: "1", "property-os_distro": "débian" },
        disk,
      );
    const adopting = (name: string, args: Record<string, unknown>): Declared => ({
      kind: "Image",
      name,
      args: { service, connection: "owner", ...args },
    });

    it("takes images over by id and by name, without an upload, and reads one without managing it", async () => {
      const [byId, byName, theirs] = [await existing("übernahme"), await existing("by-name"), await existing("theirs")];
      recorder.clear();
      const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
      const declared: Declared[] = [
        adopting("byId", { adopt: { id: byId.id }, name: "übernahme", ...data }),
        adopting("byName", { adopt: { name: "by-name" }, minDisk: 7, properties: { os_distro: "ubuntu" } }),
        {
          ...adopting("theirs", {}),
          get: theirs.id,
          show: ["name", "size", "properties", "status", "isPublic", "checksum"],
        },
      ];
      await stack.up(declared);
      assert.deepEqual([await idOf(stack, "byId"), await idOf(stack, "byName")], [byId.id, byName.id]);
      const owned = [byId.id, byName.id, byName.id].map(id => `PUT /v1/images/${id}`);
      assert.deepEqual(writes().toSorted(), owned.toSorted(), "their owner tags, and what is declared differently");
      const changed = await api.image(byName.id);
      const { pulumi_images_resource, pulumi_images_stack, pulumi_images_adopted, ...properties } = changed.properties;
      assert.ok(pulumi_images_adopted);
      assert.match(`${pulumi_images_resource} ${pulumi_images_stack}`, /^[0-9a-f]{32} [0-9a-f]{32}$/);
      assert.deepEqual([changed.min_disk, properties], [7, { os_distro: "ubuntu" }]);
      const outputs = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(outputs.theirs, {
        name: "theirs",
        size: disk.length,
        properties: { os_distro: "débian" },
        status: "active",
        isPublic: false,
        checksum: md5(disk),
      });
      const again = await stack.preview(declared, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
      await stack.up([]);
      assert.equal(await api.find(byId.id), undefined);
      assert.ok(await api.find(theirs.id), "what was only read stays");
      await api.delete(theirs.id);
    });

    it("lists the candidates when several have the name, says that there is none, and refuses other data", async () => {
      const twins = [await existing("twin"), await existing("twin")];
      const other = await api.create(
        { name: "other", disk_format: "raw", container_format: "bare" },
        Uint8Array.from(noise("else", 99)),
      );
      const several = await stack.preview([adopting("twin", { adopt: { name: "twin" } })]);
      assert.notEqual(several.code, 0);
      for (const { id } of twins) assert.ok(several.text.includes(id), several.text);
      const declared = [
        adopting("none", { adopt: { name: "no such image" } }),
        adopting("otherData", {
          adopt: { id: other.id },
          diskFormat: "raw",
          containerFormat: "bare",
          source: { file: "disk.raw" },
        }),
      ];
      const run = await stack.tryUp(declared, "--continue-on-error");
      assert.notEqual(run.code, 0);
      assert.match(run.text, /there is no image named "no such image" to adopt/);
      assert.match(run.text, /isn't what the declared source gives/);
      for (const { id } of [...twins, other]) await api.delete(id);
    });

    it("deletes, but a protected image only when told to; one that is gone is fine", async () => {
      await stack.up([bare("kept", { protected: true }), bare("gone")]);
      const id = await idOf(stack, "kept");
      await api.delete(await idOf(stack, "gone"));
      const refused = await stack.tryUp([]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.text, /is protected, so it is not deleted/);
      assert.match(refused.text, /forceDelete: true/);
      assert.ok(await api.find(id));
      await stack.up([bare("kept", { protected: true, forceDelete: true })]);
      recorder.clear();
      await stack.up([]);
      const path = `/v1/images/${id}`;
      const own = requestsTo(id).map(shown);
      const [look, ...rest] = own;
      assert.equal(look, `HEAD ${path}`, "whose image it is");
      assert.deepEqual(rest, [`DELETE ${path}`, `HEAD ${path}`, `PUT ${path}`, `DELETE ${path}`, `HEAD ${path}`]);
      assert.equal(await api.find(id), undefined);
    });
  });

  describe("owner", () => {
    it("is for admins: others are told so, and nothing stays behind", async () => {
      const stack = await newStack("owner");
      const owner = cloud.services["glance-v1"].accounts.consumer.projectId;
      try {
        const refused = await stack.tryUp([bare("theirs", { owner })]);
        assert.notEqual(refused.code, 0);
        assert.match(refused.text, new RegExp(`not to the declared owner ${owner}`));
        assert.match(refused.text, /Only an admin/);
        assert.deepEqual(await named("theirs"), []);
        await stack.up([bare("theirs", { owner, connection: "admin" })]);
        assert.equal((await stack.outputs("theirs")).owner, owner);
        const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
        assert.equal(again.code, 0, again.text);
        const back = cloud.services["glance-v1"].accounts.owner.projectId;
        await stack.up([bare("theirs", { owner: back, connection: "admin" })]);
        assert.equal((await named("theirs"))[0]?.owner, back);
      } finally {
        await stack.dispose();
      }
    });
  });

  describe("members and copies", () => {
    let stack: Stack;
    let id: string;
    const member = () => cloud.services["glance-v1"].accounts.consumer.projectId;
    const sharing = (args: Record<string, unknown> = {}): Declared => ({
      kind: "ImageMember",
      name: "member",
      args: { service, connection: "owner", imageId: { $output: "shared.id" }, member: member(), ...args },
    });

    before(async () => {
      stack = await newStack("members");
      recorder.clear();
      await stack.up([image("shared"), sharing()]);
      id = await idOf(stack, "shared");
    });
    after(() => stack.dispose());

    it("makes a project a member", async () => {
      assert.deepEqual(await api.members(id), [{ member_id: member(), can_share: false }]);
      assert.equal(await idOf(stack, "member"), `${id}/${member()}`);
      const { imageId, memberId, canShare } = await stack.outputs("member");
      assert.deepEqual([imageId, memberId, canShare], [id, member(), false]);
      const own = requestsTo(`${id}/members`).map(shown);
      assert.deepEqual(own, [`PUT /v1/images/${id}/members/${member()}`, `GET /v1/images/${id}/members`]);
    });

    it("changes nothing the next time; lets it share on, in place; repairs what was changed outside", async () => {
      recorder.clear();
      const same = await stack.up([image("shared"), sharing()], "--refresh");
      assert.deepEqual(same.steps, { shared: "same", member: "same" });
      assert.deepEqual(writes(), []);
      const run = await stack.up([image("shared"), sharing({ canShare: true })]);
      assert.equal(run.steps.member, "update");
      assert.deepEqual(await api.members(id), [{ member_id: member(), can_share: true }]);
      await api.putMember(id, member(), false);
      const drift = await stack.preview(undefined, "--refresh");
      assert.deepEqual(drift.diffs.member, ["canShare"]);
      await stack.up(undefined, "--refresh");
      assert.deepEqual(await api.members(id), [{ member_id: member(), can_share: true }]);
    });

    it("is made again when it was removed outside, and read without being managed", async () => {
      await api.removeMember(id, member());
      const read: Declared = {
        kind: "ImageMember",
        name: "read",
        args: { service, connection: "owner" },
        get: `${id}/${member()}`,
        show: ["canShare", "memberId"],
        options: { dependsOn: ["member"] },
      };
      const run = await stack.up([image("shared"), sharing({ canShare: true }), read], "--refresh");
      assert.equal(run.steps.member, "create");
      const outputs = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(outputs.read, { canShare: true, memberId: member() });
      await stack.up([image("shared")]);
      assert.deepEqual(await api.members(id), []);
    });

    it("copies an image to another project, data and metadata", async () => {
      const copy: Declared = {
        kind: "ImageCopy",
        name: "copy",
        args: {
          service,
          connection: "owner",
          imageId: { $output: "shared.id" },
          to: { connection: "consumer", name: "kopie – ü" },
        },
      };
      await stack.up([image("shared"), copy]);
      const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
      const consumer = await GlanceV1Api.signIn(authUrl, accounts.consumer, imageUrl);
      const made = await consumer.image(await idOf(stack, "copy"));
      assert.deepEqual([made.name, made.checksum, made.owner], ["kopie – ü", md5(disk), accounts.consumer.projectId]);
      const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
    });
  });

  describe("failures", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("failures");
    });
    after(() => stack.dispose());

    it("reports what the service couldn't fetch, and what it refuses, and leaves nothing", async () => {
      // The service is answered differently from us: it sends no X-Pass.
      files.files.set("/once.raw", { body: disk, headers: { etag: '"x"' } });
      files.files.set("/short.raw", { body: disk });
      cloud.settings["glance-v1"].publicImages = "admin";
      recorder.faults.add({
        method: "PUT",
        path: /^\/v1\/images\/[-0-9a-f]+$/,
        before: true,
        hook: () => void files.files.delete("/once.raw"),
      });
      const run = await stack.tryUp([
        image("not-copied", { source: { url: `${files.url}/once.raw`, mode: "import" } }),
      ]);
      const declared = [
        image("no-location", { source: undefined, location: `${files.url}/nowhere.raw` }),
        image("wrong-copy", {
          source: { url: `${files.url}/short.raw`, mode: "import", digest: `md5:${"0".repeat(32)}` },
        }),
        image("not-public", { isPublic: true }),
        image("much", { properties: Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`p${n}`, "x"])) }),
      ];
      const refused = await stack.tryUp(declared, "--continue-on-error");
      cloud.settings["glance-v1"].publicImages = "anyone";
      assert.match(run.text, /the service killed image [-0-9a-f]+: it couldn't copy the source's url/);
      assert.match(refused.text, /Invalid location .*nowhere\.raw/);
      assert.match(refused.text, /isn't what the source gives: md5 [0-9a-f]+, not 0{32}/);
      assert.match(refused.text, /You are not authorized to complete publicize_image action/);
      assert.match(refused.text, /number of allowed image properties/);
      for (const name of ["not-copied", "no-location", "wrong-copy", "not-public", "much"]) {
        assert.deepEqual(await named(name), [], name);
      }
    });

    it("tries again after a 503 and a broken upload, whose killed image it takes away; renews its token after a 401", async () => {
      recorder.faults.add({ method: "POST", path: /^\/v1\/images$/, status: 503, times: 2 });
      recorder.faults.add({ method: "PUT", path: /^\/v1\/images\/[-0-9a-f]+$/, status: 401 });
      recorder.faults.add({ method: "PUT", path: /^\/v1\/images\/[-0-9a-f]+$/, drop: "during-body" });
      await stack.up([image("shaken")]);
      const found = await named("shaken");
      assert.deepEqual(
        found.map(({ status, checksum }) => [status, checksum]),
        [["active", md5(disk)]],
      );
      assert.equal(found[0]?.id, await idOf(stack, "shaken"));
    });

    it("leaves somebody's snapshot alone, which has taken the mark along with the other properties", async () => {
      const original = await api.image(await idOf(stack, "shaken"));
      const marks = Object.entries(original.properties).filter(([name]) => name.startsWith("pulumi_images_"));
      assert.equal(marks.length, 2);
      const meta = Object.fromEntries(marks.map(([name, value]) => [`property-${name}`, String(value)]));
      const formats = { disk_format: "raw", container_format: "bare" };
      const snapshot = await api.create({ name: "snapshot", ...formats, ...meta }, Uint8Array.from(noise("snap", 500)));
      const queued = await api.create({ name: "snapshot under way", ...formats, ...meta });
      await api.delete(original.id);
      const run = await stack.up([image("shaken")], "--refresh");
      assert.equal(run.steps.shaken, "create");
      assert.ok(![original.id, snapshot.id, queued.id].includes(await idOf(stack, "shaken")));
      for (const { id } of [snapshot, queued]) {
        assert.ok(await api.find(id), "it is still there");
        await api.delete(id);
      }
    });

    it("takes over what a killed run left", async () => {
      for (const point of ["before", "after"] as const) {
        const name = `killed ${point}`;
        let killed = () => {};
        const reached = new Promise<void>(resolve => {
          killed = resolve;
        });
        recorder.faults.add({
          method: "PUT",
          path: /^\/v1\/images\/[-0-9a-f]+$/,
          [point]: true,
          hook: () => killed(),
          delayMs: 1500,
        });
        await stack.declare([image("shaken"), image(name)]);
        const run = stack.start(["up", "--yes", "--skip-preview"]);
        await reached;
        run.kill("SIGKILL");
        await stack.run(["cancel", "--yes"]);
        await stack.up();
        const found = await named(name);
        assert.deepEqual(
          found.map(({ id, checksum }) => [id, checksum]),
          [[await idOf(stack, name), md5(disk)]],
        );
      }
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    const cases: Record<string, { args: Record<string, unknown>; says: RegExp }> = {
      "an unknown disk format": {
        args: { diskFormat: "vhdx" },
        says: /diskFormat must be one of ami, .*iso; not "vhdx"/,
      },
      "an unknown container format": {
        args: { containerFormat: "compressed" },
        says: /containerFormat must be one of ami, .*docker; not/,
      },
      "ami in bare": {
        args: { diskFormat: "ami" },
        says: /diskFormat and containerFormat must be the same where one of them is ami/,
      },
      "ari in aki": { args: { diskFormat: "ari", containerFormat: "aki" }, says: /must be the same where one of them/ },
      "a name of 256 characters": { args: { name: "x".repeat(256) }, says: /name must have at most 255 characters/ },
      "an empty name": { args: { name: "" }, says: /name must not be empty/ },
      "a name with a blank at its end": { args: { name: "x " }, says: /must not begin or end with a blank/ },
      "a line break": { args: { name: "a\nb" }, says: /control characters/ },
      "no name": { args: { name: undefined }, says: /a new image needs a name/ },
      "a negative minDisk": { args: { minDisk: -1 }, says: /minDisk must be a whole number of GB/ },
      "a fraction of a minRam": { args: { minRam: 1.5 }, says: /minRam must be a whole number of MB/ },
      "isPublic that is text": { args: { isPublic: "yes" }, says: /isPublic must be true or false/ },
      "protected that is a number": { args: { protected: 1 }, says: /protected must be true or false/ },
      "an owner that isn't text": { args: { owner: 7 }, says: /owner must be text/ },
      "a property with capitals": {
        args: { properties: { osDistro: "x" } },
        says: /wouldn't come back.*call it osdistro/,
      },
      "a property with a dash": {
        args: { properties: { "os-distro": "x" } },
        says: /wouldn't come back.*call it os_distro/,
      },
      "a property that no header can be called": {
        args: { properties: { größe: "x" } },
        says: /"größe" wouldn't come back as it is.*hold only a-z/,
      },
      "an empty property": { args: { properties: { p: "" } }, says: /must not be empty/ },
      "a property with a blank before it": {
        args: { properties: { p: " x" } },
        says: /must not begin or end with a blank/,
      },
      "a property that is too long": { args: { properties: { p: "x".repeat(16_000) } }, says: /at most 15872 bytes/ },
      "too much of them": {
        args: { properties: Object.fromEntries([..."abcdef"].map(key => [key, key.repeat(15_000)])) },
        says: /at most 60000 bytes in all/,
      },
      "a property that isn't text": { args: { properties: { answer: 42 } }, says: /must be text, not 42/ },
      "a property of the mark's": {
        args: { properties: { pulumi_images_resource: "x" } },
        says: /pulumi_images_resource is reserved/,
      },
      "data without a format": { args: { diskFormat: undefined }, says: /an image with data needs diskFormat/ },
      "a location without a format": {
        args: { source: undefined, location: "http://127.0.0.1/x", containerFormat: undefined },
        says: /an image with data needs containerFormat/,
      },
      "source and location": { args: { location: "http://127.0.0.1/x" }, says: /source and location both say/ },
      "a location that is no url": {
        args: { source: undefined, location: "x" },
        says: /location must be an http or https url/,
      },
      "a location that isn't http": {
        args: { source: undefined, location: "swift://x/y" },
        says: /location must be an http or https url/,
      },
      "a location with a password": {
        args: { source: undefined, location: "http://me:secret@127.0.0.1/x" },
        says: /must not hold a password/,
      },
      "an import with headers": {
        args: { source: { url: "http://127.0.0.1/x", mode: "import", headers: { a: "b" } } },
        says: /source\.headers.*mode "stream"/,
      },
      "an image id that isn't a UUID": { args: { imageId: "mine" }, says: /imageId must be a UUID/ },
      "adopt by nothing": { args: { adopt: {} }, says: /adopt must be \{ id \} or \{ name \}/ },
      "a visibility": { args: { visibility: "public" }, says: /glance-v1 has no visibility: use isPublic/ },
      tags: { args: { tags: ["x"] }, says: /glance-v1 has no tags: .*use properties/ },
      "a state": { args: { state: "deactivated" }, says: /glance-v1 has no state: / },
      regions: { args: { regions: ["nyc3"] }, says: /glance-v1 has no regions: / },
      stores: { args: { stores: ["fast"] }, says: /glance-v1 has no stores: / },
      "an unknown field": { args: { isPublik: true }, says: /glance-v1 has no isPublik; did you mean isPublic\?/ },
    };

    before(async () => {
      stack = await newStack("bad-input");
      recorder.clear();
      provider = await ProviderProcess.start(
        stack.folder,
        {},
        {
          "images:connections": JSON.stringify(connections()),
        },
      );
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
    });

    const reasons = (failures: { property: string; reason: string }[]) =>
      failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n");

    for (const [name, { args, says }] of Object.entries(cases)) {
      it(`${name}: a failed check`, async () => {
        assert.match(reasons(await provider.check("image", image(name, args).args)), says);
      });
    }

    it("of a member, and of what this service hasn't", async () => {
      const where = { service, connection: "owner", imageId: crypto.randomUUID() };
      const member = cloud.services["glance-v1"].accounts.consumer.projectId;
      const check = async (args: Record<string, unknown>) =>
        reasons(await provider.check("imageMember", { ...where, member, ...args }));
      assert.equal(await check({ canShare: true }), "");
      assert.match(await check({ canShare: "yes" }), /canShare must be true or false/);
      assert.match(await check({ member: undefined }), /glance-v1 needs member/);
      assert.match(await check({ imageId: "x" }), /imageId must be a UUID/);
      assert.match(await check({ accept: { connection: "consumer" } }), /glance-v1 has no accept: .*counts at once/);
      assert.match(await check({ status: "accepted" }), /glance-v1 has no status: /);
      assert.match(
        await check({ member: cloud.services["glance-v1"].accounts.owner.projectId }),
        /the connection's own project/,
      );
      assert.match(
        reasons(await provider.check("imageTag", { ...where, tag: "x" })),
        /glance-v1 has no ImageTag: the Image API v1 knows no tags; use the image's properties/,
      );
    });

    it("sends nothing to the service that it would refuse", () => assert.deepEqual(writes(), []));
  });
});
