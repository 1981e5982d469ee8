import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RecordedRequest, type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { itChangesEveryField } from "./everyField.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, type Run, Stack } from "./stack.ts";

const service = "divvycloud";

function image(name: string, args: Record<string, unknown>, more: Partial<Declared> = {}): Declared {
  return { kind: "Image", name, args: { service, connection: "key", ...args }, ...more };
}

describe("divvycloud", () => {
  let dir: string;
  let cloud: LocalCloud;
  let recorder: Recorder;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-divvycloud-"));
    cloud = await startCloud({ dir, services: ["divvycloud"] });
    recorder = await startRecorder({ target: cloud.services.divvycloud.url });
  });
  after(async () => {
    await recorder.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => recorder.faults.clear());

  function connections(): Record<string, Record<string, unknown>> {
    const { admin, viewer } = cloud.services.divvycloud;
    const { username, password } = admin;
    return {
      key: { service, url: recorder.url, apiKey: admin.apiKey },
      login: { service, url: recorder.url, username, password },
      viewer: { service, url: recorder.url, apiKey: viewer.apiKey },
    };
  }

  const newStack = (project: string) =>
    Stack.create({ project: `divvycloud-${project}`, config: { "images:connections": connections() } });
  const idOf = async (stack: Stack, name: string) => (await stack.state())[name]?.id as string;
  const shown = ({ method, path }: RecordedRequest) => `${method} ${decodeURIComponent(path)}`;
  const requestsTo = (part: string) =>
    recorder.requests.filter(({ path, json }) => decodeURIComponent(path).includes(part) || json?.includes(part));
  const writes = () => recorder.requests.filter(({ path }) => /prototype|snapshot|notes\/create/.test(path)).map(shown);

  /** What happens behind DivvyCloud's back. */
  async function control(method: string, path: string, body?: unknown): Promise<{ resource_id: string }> {
    const { controlUrl } = cloud.services.divvycloud;
    const answer = await fetch(`${controlUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}`);
    return answer.status === 204 ? { resource_id: "" } : ((await answer.json()) as { resource_id: string });
  }
  const make = async (attributes: Record<string, unknown>) =>
    (await control("POST", "/images", attributes)).resource_id;
  const set = (id: string, attributes: Record<string, unknown>) => control("PATCH", `/images/${id}`, attributes);
  const vanish = (id: string) => control("DELETE", `/images/${id}`);

  /** Straight to the service, as somebody who doesn't use Pulumi. */
  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const { url, admin } = cloud.services.divvycloud;
    return await fetch(`${url}${path}`, {
      method,
      headers: { "api-key": admin.apiKey, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
  async function attributesOf(id: string): Promise<Record<string, unknown> | undefined> {
    const answer = await send("GET", `/v2/public/resource/${id}/detail`);
    if (answer.status === 404) return undefined;
    const { details } = (await answer.json()) as { details: { privateimage: Record<string, unknown> } };
    return details.privateimage;
  }
  /** Names and ids of the images of a cloud account, oldest first. */
  async function imagesIn(account: number): Promise<{ name: string; id: string }[]> {
    const scopes = [`divvyorganizationservice:${account}`];
    const query = { selected_resource_type: "privateimage", scopes, filters: [], offset: 0, limit: 100, order_by: "" };
    const answer = await send("POST", "/v2/public/resource/query", query);
    const { resources } = (await answer.json()) as {
      resources: { privateimage: { name: string; common: { resource_id: string } } }[];
    };
    return resources.map(({ privateimage: { name, common } }) => ({ name, id: common.resource_id }));
  }
  const namesIn = async (account: number) => (await imagesIn(account)).map(({ name }) => name);
  const instance = (type = "OPENSTACK") => cloud.services.divvycloud.clouds[type]?.instance as string;

  describe("adopt", () => {
    let stack: Stack;
    let declared: Declared[];
    const ids: string[] = [];
    const mapping = [{ device_name: "/dev/sda1", volume_size: 8 }];
    const attributes = {
      ...{ name: "gold – größe", description: "the gold one", min_ram: 1024, min_disk: 10, tags: { team: "blue" } },
      ...{ product_code: "a".repeat(25), product_code_type: "marketplace", shared: true },
    };

    before(async () => {
      stack = await newStack("adopt");
      ids.push(await make(attributes), await make({ name: "by-query", cloud: "GCE", region_name: "europe-west1" }));
      await make({ name: "by-query", cloud: "AWS" });
      for (let n = 0; n < 4; n++) ids.push(await make({ name: `more-${n}`, cloud: "OPENSTACK" }));
      declared = [
        image("byId", {
          adopt: { id: ids[0] },
          ...{ name: "gold – größe", description: "the gold one", minRam: 1024, minDisk: 10, shared: true },
          ...{ architecture: "x86_64", platform: "linux", rootDeviceType: "ebs", virtualizationType: "HVM" },
          ...{ productCode: "a".repeat(25), productCodeType: "marketplace", blockDeviceMapping: mapping },
          ...{ cloud: "AWS", account: "aws-dev", region: "us-east-1", organizationServiceId: 1, state: "available" },
        }),
        image("byQuery", { adopt: { name: "by-query", cloud: "GCE", region: "europe-west1" } }),
        ...ids.slice(2).map((id, n) => image(`more${n}`, { adopt: { id } })),
        image("read", {}, { get: ids[0], show: ["name", "minRam", "resourceTags", "status", "cloudImageId"] }),
      ];
      recorder.clear();
      await stack.up(declared);
    });
    after(() => stack.dispose());

    it("takes images over by resource id and by query: all it writes is a note of whose they are", async () => {
      assert.deepEqual([await idOf(stack, "byId"), await idOf(stack, "byQuery")], ids.slice(0, 2));
      assert.deepEqual(writes().toSorted(), ids.map(id => `POST /v2/public/resource/${id}/notes/create`).toSorted());
    });

    it("gives out every attribute", async () => {
      const outputs = await stack.outputs("byId");
      const expected = {
        ...{ name: "gold – größe", status: "available", state: "available", description: "the gold one" },
        ...{ minRam: 1024, minDisk: 10, architecture: "x86_64", platform: "linux", rootDeviceType: "ebs" },
        ...{ virtualizationType: "HVM", shared: true, productCode: "a".repeat(25), productCodeType: "marketplace" },
        ...{ blockDeviceMapping: mapping, cloud: "AWS", account: "aws-dev", region: "us-east-1" },
        ...{ organizationServiceId: 1, cloudImageId: ids[0]?.split(":")[3], resourceTags: { team: "blue" } },
      };
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map(key => [key, outputs[key]])), expected);
      assert.match(String(outputs.createdAt), /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const shownOutputs = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
      assert.deepEqual(shownOutputs.read, {
        ...{ name: "gold – größe", minRam: 1024, resourceTags: { team: "blue" }, status: "available" },
        cloudImageId: ids[0]?.split(":")[3],
      });
    });

    it("changes nothing the next time; reads many at once", async () => {
      recorder.clear();
      const run = await stack.preview(declared, "--refresh", "--expect-no-changes");
      assert.equal(run.code, 0, run.text);
      assert.doesNotMatch(run.text, /Image::(by|more)/);
      assert.deepEqual(writes(), []);
      assert.ok(requestsTo("resource/query").length > 0);
      const details = requestsTo("/detail");
      assert.ok(details.length < ids.length, recorder.requests.map(shown).join("\n"));
    });

    it("sends the key and the content type with each request", () => {
      for (const { headers } of recorder.requests) {
        assert.equal(headers["api-key"], cloud.services.divvycloud.admin.apiKey);
        assert.match(String(headers["content-type"]), /^application\/json/);
      }
    });

    it("lists the candidates of a query that fits several, says when none does, and what isn't as expected", async () => {
      const twins = [await make({ name: "twin" }), await make({ name: "twin" })];
      const other = await make({ name: "other", min_ram: 2048 });
      const several = await stack.preview([...declared, image("twin", { adopt: { name: "twin" } })]);
      assert.notEqual(several.code, 0);
      for (const id of twins) assert.ok(several.text.includes(id), several.text);
      const wrong = [
        image("none", { adopt: { name: "twin", region: "nowhere" } }),
        image("other", { adopt: { id: other }, name: "renamed", minRam: 1024, platform: "windows" }),
        image("gone", { adopt: { id: "privateimage:1:us-east-1:ami-gone:" } }),
      ];
      recorder.clear();
      const run = await stack.tryUp([...declared, ...wrong], "--continue-on-error");
      assert.notEqual(run.code, 0);
      assert.match(run.text, /there is no image named "twin" to adopt/);
      assert.match(run.text, /there is no image with the id privateimage:1:us-east-1:ami-gone: to adopt/);
      assert.match(
        run.text,
        /platform is "linux", not "windows".*; minRam is 2048, not 1024|minRam is 2048, not 1024.*; platform is "linux", not "windows"/,
      );
      assert.match(run.text, /change it in the cloud itself \(AWS\), or declare what it is, or leave/);
      assert.deepEqual(writes(), [], "nothing is renamed where something else can't be right");
      for (const id of [...twins, other]) await vanish(id);
    });
  });

  describe("update and drift", () => {
    let stack: Stack;
    let preview: Run;
    const ids = new Map<string, string>();
    /** The declared value, the attribute that is changed outside, and its value then. */
    const drifts: Record<string, [unknown, Record<string, unknown>, unknown]> = {
      description: ["", { description: "changed" }, "changed"],
      state: ["available", { state: "deregistered" }, "deregistered"],
      architecture: ["x86_64", { architecture: "x86_32" }, "x86_32"],
      platform: ["linux", { platform: "windows" }, "windows"],
      rootDeviceType: ["ebs", { root_device_type: "snapshot" }, "snapshot"],
      virtualizationType: ["HVM", { virtualization_type: "paravirtual" }, "PV"],
      blockDeviceMapping: [[{ device_name: "/dev/sda1", volume_size: 8 }], { block_device_mapping: [] }, []],
      minRam: [512, { min_ram: 4096 }, 4096],
      minDisk: [8, { min_disk: 80 }, 80],
      shared: [false, { shared: true }, true],
      productCode: ["b".repeat(25), { product_code: "c".repeat(25) }, "c".repeat(25)],
      productCodeType: ["none", { product_code_type: "marketplace" }, "marketplace"],
    };
    const declared = (name = "name") => [
      image("name", { adopt: { id: ids.get("name") }, name }),
      ...Object.entries(drifts).map(([field, [value]]) =>
        image(field, { adopt: { id: ids.get(field) }, [field]: value }),
      ),
      image("quiet", { adopt: { id: ids.get("quiet") }, name: "quiet" }),
    ];

    before(async () => {
      stack = await newStack("drift");
      for (const name of ["name", "quiet", ...Object.keys(drifts)]) {
        ids.set(name, await make({ name, description: "", product_code: "b".repeat(25) }));
      }
      await stack.up(declared());
    });
    after(async () => {
      // What was adopted is deleted with the stack.
      await stack.dispose();
    });

    itChangesEveryField("divvycloud", [{ to: { name: "umbenannt – ü" } }]);

    it("renames in place, by one write", async () => {
      recorder.clear();
      const run = await stack.up(declared("umbenannt – ü"));
      assert.deepEqual([run.steps.name, run.diffs.name], ["update", ["name"]]);
      const id = ids.get("name") as string;
      assert.deepEqual(requestsTo(id).map(shown), [
        `POST /v2/prototype/resource/${id}/name/set`,
        `GET /v2/public/resource/${id}/detail`,
      ]);
      assert.equal((await attributesOf(id))?.name, "umbenannt – ü");
      recorder.clear();
      const again = await stack.up(declared("umbenannt – ü"));
      assert.deepEqual(new Set(Object.values(again.steps)), new Set(["same"]));
      assert.deepEqual(writes(), []);
    });

    it("shows each drift, old and new, and nothing of what isn't declared", async () => {
      await set(ids.get("name") as string, { name: "drifted" });
      await set(ids.get("quiet") as string, { min_ram: 9, description: "theirs", tags: { a: "b" } });
      for (const [field, [, change]] of Object.entries(drifts)) await set(ids.get(field) as string, change);
      preview = await stack.preview(declared("umbenannt – ü"), "--refresh");
      const fields: [string, unknown, unknown][] = Object.entries(drifts).map(([field, [old, , now]]) => [
        field,
        old,
        now,
      ]);
      for (const [field, old, now] of [...fields, ["name", "umbenannt – ü", "drifted"] as const]) {
        const own = preview.events
          .flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? [])
          .filter(({ urn }) => urn.endsWith(`::${field}`));
        const refresh = own.find(({ op, new: after }) => op === "refresh" && after);
        assert.deepEqual([refresh?.old?.outputs[field], refresh?.new?.outputs[field]], [old, now], field);
        assert.deepEqual([preview.steps[field], preview.diffs[field]], ["update", [field]]);
      }
      assert.equal(preview.steps.quiet, "same");
    });

    it("up repairs the name, and says of each other field that and why it can't be repaired", async () => {
      recorder.clear();
      const run = await stack.tryUp(declared("umbenannt – ü"), "--refresh", "--continue-on-error");
      assert.notEqual(run.code, 0);
      for (const [field, [old, , now]] of Object.entries(drifts)) {
        const says = `image ${ids.get(field)} isn't as expected: ${field} is ${JSON.stringify(now)}, not ${JSON.stringify(old)} as it is declared`;
        assert.ok(run.text.includes(says), `${says}\n${run.text}`);
        assert.ok(run.text.includes(`or declare what it is, or leave ${field} out`));
      }
      assert.deepEqual(writes(), [`POST /v2/prototype/resource/${ids.get("name")}/name/set`]);
      assert.equal((await attributesOf(ids.get("name") as string))?.name, "umbenannt – ü");
    });

    it("is content again once the cloud is as declared, or the declaration as the cloud is", async () => {
      for (const field of Object.keys(drifts).slice(0, 6)) {
        await set(ids.get(field) as string, {
          ...{ description: "", state: "available", architecture: "x86_64", platform: "linux" },
          ...{ root_device_type: "ebs", virtualization_type: "hvm" },
        });
      }
      const changed = declared("umbenannt – ü").map(resource => {
        const drift = Object.keys(drifts).slice(6).includes(resource.name) ? drifts[resource.name] : undefined;
        return drift ? { ...resource, args: { ...resource.args, [resource.name]: drift[2] } } : resource;
      });
      recorder.clear();
      await stack.up(changed, "--refresh");
      assert.deepEqual(writes(), []);
      const again = await stack.preview(changed, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
    });

    it("an adopted image that is gone can't be made again, and that is said", async () => {
      await vanish(ids.get("quiet") as string);
      const run = await stack.tryUp(undefined, "--refresh");
      assert.notEqual(run.code, 0);
      assert.match(run.text, /there is no image with the id privateimage:1:[^ ]+ to adopt/);
    });
  });

  describe("from an instance", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("instance");
    });
    after(() => stack.dispose());

    it("makes an image, waits until it is available, and names it", async () => {
      recorder.clear();
      const declared = [
        image("snapshot", { instance: instance(), name: "from – instance", cloud: "OPENSTACK" }),
        image("unnamed", { instance: instance("GCE") }),
      ];
      await stack.up(declared);
      const outputs = await stack.outputs("snapshot");
      assert.deepEqual(
        [outputs.name, outputs.status, outputs.rootDeviceType],
        ["from – instance", "available", "snapshot"],
      );
      assert.match(String((await stack.outputs("unnamed")).name), /^pulumi-images-[0-9a-f]{32}$/);
      const id = await idOf(stack, "snapshot");
      const steps = [`POST /v2/public/instance/${instance()}/snapshot/create`];
      steps.push(`POST /v2/public/resource/${id}/notes/create`, `POST /v2/prototype/resource/${id}/name/set`);
      const own = writes().filter(write => write.includes(id) || write.includes(instance()));
      assert.deepEqual(own, steps);
      recorder.clear();
      const again = await stack.preview(declared, "--refresh", "--expect-no-changes");
      assert.equal(again.code, 0, again.text);
      assert.deepEqual(writes(), []);
    });

    it("is made again when it was deleted outside", async () => {
      const before = await idOf(stack, "snapshot");
      await vanish(before);
      const run = await stack.up(undefined, "--refresh");
      assert.equal(run.steps.snapshot, "create");
      const after = await idOf(stack, "snapshot");
      assert.notEqual(after, before);
      assert.equal((await attributesOf(after))?.name, "from – instance");
    });

    it("tells what can't be: Amazon at preview, an instance that isn't there, one who may only read, a failed image", async () => {
      recorder.clear();
      const amazon = await stack.preview([image("amazon", { instance: instance("AWS"), name: "x" })]);
      assert.notEqual(amazon.code, 0);
      assert.match(amazon.text, /property instance .*Not implemented by Amazon.*aws-dev is AWS.*with adopt/s);
      assert.deepEqual(writes(), []);
      const run = await stack.tryUp(
        [
          image("nowhere", { instance: "instance:2:RegionOne:i-gone:", name: "nowhere" }),
          image("forbidden", { instance: instance("GCE"), connection: "viewer", name: "forbidden" }),
        ],
        "--continue-on-error",
      );
      assert.notEqual(run.code, 0);
      assert.match(run.text, /there is no instance instance:2:RegionOne:i-gone: to make an image from/);
      assert.match(run.text, /You may not change resources.*answered 403/s);
      recorder.faults.add({
        method: "POST",
        path: /snapshot\/create$/,
        after: true,
        hook: async () => {
          cloud.settings.divvycloud.taskTime = 200;
          await set((await imagesIn(2)).at(-1)?.id as string, { state: "failed" });
        },
      });
      cloud.settings.divvycloud.taskTime = 60_000;
      const failed = await stack.tryUp([image("failing", { instance: instance(), name: "failing" })]);
      assert.notEqual(failed.code, 0);
      assert.match(failed.text, /the image that was made, privateimage:2:[^,]+, is failed/);
      assert.ok(!(await namesIn(2)).some(name => /failing|pulumi-images/.test(name)), "it is taken away");
    });

    it("says what isn't as expected of a new image, keeps it, and goes on once the declaration is right", async () => {
      const wrong = image("expected", { instance: instance(), name: "expected", platform: "windows" });
      const run = await stack.tryUp([wrong]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /platform is "linux", not "windows"/);
      const id = await idOf(stack, "expected");
      await stack.up([image("expected", { instance: instance(), name: "expected", platform: "linux" })]);
      assert.equal(await idOf(stack, "expected"), id);
      assert.equal((await stack.outputs("expected")).status, "available");
      assert.equal((await namesIn(2)).filter(name => name === "expected").length, 1);
    });

    it("resumes what a killed run left before it got its name, and leaves alone what had it", async () => {
      const points = { "killed early": /snapshot\/create$/, "killed late": /name\/set$/ };
      for (const [name, path] of Object.entries(points)) {
        let killed = () => {};
        const reached = new Promise<void>(resolve => {
          killed = resolve;
        });
        recorder.faults.add({ method: "POST", path, after: true, hook: () => killed(), delayMs: 60_000 });
        await stack.declare([image(name, { instance: instance(), name })]);
        const run = stack.start(["up", "--yes", "--skip-preview"]);
        await reached;
        run.kill("SIGKILL");
        await stack.run(["cancel", "--yes"]);
        recorder.clear();
        const repeated = await stack.up();
        const isFinished = name === "killed late";
        assert.equal(requestsTo("snapshot/create").length, isFinished ? 1 : 0);
        const names = (await namesIn(2)).filter(other => other === name || other.startsWith("pulumi-images-"));
        assert.deepEqual(names, isFinished ? [name, name] : [name]);
        assert.equal((await attributesOf(await idOf(stack, name)))?.name, name);
        if (!isFinished) continue;
        const made = await idOf(stack, name);
        const other = (await imagesIn(2)).find(image => image.name === name && image.id !== made);
        assert.match(repeated.text, new RegExp(`image ${other?.id} .* is finished.*adopt: \\{ id: "${other?.id}" \\}`));
        await vanish(other?.id as string);
      }
    });

    it("never takes somebody else's image of the same name", async () => {
      const theirs = await make({ name: "same name", cloud: "OPENSTACK" });
      await stack.up([image("mine", { instance: instance(), name: "same name" })]);
      assert.notEqual(await idOf(stack, "mine"), theirs);
      await stack.up([]);
      assert.ok(await attributesOf(theirs), "it is still there");
      await vanish(theirs);
    });
  });

  describe("delete", () => {
    it("waits until the image is gone, or with deletion: queued doesn't; one that is gone is fine", async () => {
      const stack = await newStack("delete");
      const ids = [await make({ name: "waited" }), await make({ name: "queued" }), await make({ name: "gone" })];
      try {
        await stack.up([
          image("waited", { adopt: { id: ids[0] } }),
          image("queued", { adopt: { id: ids[1] }, deletion: "queued" }),
          image("gone", { adopt: { id: ids[2] } }),
        ]);
        await vanish(ids[2] as string);
        recorder.clear();
        await stack.up([image("queued", { adopt: { id: ids[1] }, deletion: "queued" })]);
        assert.equal(await attributesOf(ids[0] as string), undefined);
        const own = requestsTo(ids[0] as string).map(shown);
        assert.equal(
          own.filter(request => !/detail|notes\/list/.test(request))[0],
          "POST /v2/prototype/resources/delete",
        );
        assert.ok(own.length > 2, "its job took a while");
        // Longer than any test: so a deletion that waits would never end.
        cloud.settings.divvycloud.taskTime = 3_600_000;
        recorder.clear();
        await stack.up([]);
        assert.deepEqual(
          recorder.requests.map(shown).filter(request => /delete|detail/.test(request)),
          [`GET /v2/public/resource/${ids[1]}/detail`, "POST /v2/prototype/resources/delete"],
        );
        assert.ok(await attributesOf(ids[1] as string), "its job is still in the queue");
      } finally {
        cloud.settings.divvycloud.taskTime = 200;
        await stack.dispose();
      }
    });
  });

  describe("session", () => {
    it("logs in once for all, and once again when the session ends", async () => {
      const stack = await newStack("session");
      const ids = [await make({ name: "s1" }), await make({ name: "s2" })];
      const declared = (name: string) =>
        ids.map((id, n) => image(`s${n}`, { connection: "login", adopt: { id }, name: `${name}${n}` }));
      const logins = () => requestsTo("user/login").length;
      try {
        await stack.up(declared("s"));
        recorder.clear();
        let ended = false;
        recorder.faults.add({
          method: "POST",
          path: /name\/set$/,
          hook: async () => {
            if (!ended) await control("DELETE", "/sessions");
            ended = true;
          },
        });
        await stack.up(declared("renamed"), "--parallel", "1");
        assert.equal(logins(), 2, "one for the run, one more after the session's end");
        assert.equal(recorder.requests.filter(({ status }) => status === 401).length, 1);
        for (const [n, id] of ids.entries()) assert.equal((await attributesOf(id))?.name, `renamed${n}`);
        for (const { headers, path } of recorder.requests) {
          assert.equal(headers["x-auth-token"] === undefined, path.endsWith("/login"), path);
        }
        const state = JSON.stringify(await stack.state());
        assert.ok(!state.includes(cloud.services.divvycloud.admin.password));
      } finally {
        await stack.dispose();
      }
    });

    it("wrong credentials are told at preview, once, without showing them", async () => {
      const stack = await newStack("credentials");
      const { username } = cloud.services.divvycloud.admin;
      const wrong = (settings: Record<string, unknown>) =>
        ProviderProcess.start(
          stack.folder,
          {},
          {
            "images:connections": JSON.stringify({ key: { service, url: recorder.url, ...settings } }),
          },
        );
      try {
        const declared = image("x", { adopt: { name: "x" } }).args;
        for (const settings of [{ username, password: "not-the-password" }, { apiKey: "not-the-api-key" }]) {
          const provider = await wrong(settings);
          recorder.clear();
          try {
            for (let n = 0; n < 2; n++) {
              const [failure] = await provider.check("image", declared);
              assert.equal(failure?.property, "connection");
              assert.match(String(failure?.reason), /401/);
              assert.doesNotMatch(String(failure?.reason), /not-the-/);
            }
            if ("password" in settings) assert.equal(requestsTo("user/login").length, 1, "not tried again");
          } finally {
            await provider.stop();
          }
        }
      } finally {
        await stack.dispose();
      }
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    const id = "privateimage:1:us-east-1:ami-0abc:";
    const cases: Record<string, { args: Record<string, unknown>; says: RegExp }> = {
      "neither adopt nor instance": {
        args: { adopt: undefined },
        says: /it needs adopt, or instance to make one from/,
      },
      "adopt and instance": {
        args: { instance: "instance:2:RegionOne:i-1:" },
        says: /adopt takes an existing image, instance makes a new one/,
      },
      "an id of another kind": {
        args: { adopt: { id: "instance:1:us-east-1:i-1:" } },
        says: /adopt\.id must be a resource id such as privateimage:/,
      },
      "an id without its last colon": {
        args: { adopt: { id: id.slice(0, -1) } },
        says: /adopt\.id must be a resource id/,
      },
      "adopt by id and name": { args: { adopt: { id, name: "x" } }, says: /adopt has no name; it knows id/ },
      "adopt by nothing": { args: { adopt: {} }, says: /adopt needs name/ },
      "adopt by an unknown word": {
        args: { adopt: { name: "x", zone: "y" } },
        says: /adopt has no zone; it knows name, cloud, account, region/,
      },
      "an instance that is none": {
        args: { adopt: undefined, instance: "i-1" },
        says: /instance must be a resource id such as instance:/,
      },
      "an empty name": { args: { name: "" }, says: /name must not be empty/ },
      "a name of two lines": { args: { name: "a\nb" }, says: /control characters/ },
      "an unknown deletion": { args: { deletion: "later" }, says: /deletion must be one of immediate, queued/ },
      "an unknown architecture": {
        args: { architecture: "arm64" },
        says: /architecture must be one of x86_64, x86_32/,
      },
      "an unknown platform": { args: { platform: "bsd" }, says: /platform must be one of linux, windows/ },
      "an unknown virtualization": {
        args: { virtualizationType: "hvm" },
        says: /virtualizationType must be one of PV, HVM/,
      },
      "a product code of 24 characters": {
        args: { productCode: "a".repeat(24) },
        says: /productCode must be 25 letters and digits/,
      },
      "a product code with a dash": {
        args: { productCode: `${"a".repeat(24)}-` },
        says: /productCode must be 25 letters/,
      },
      "an unknown product code type": {
        args: { productCodeType: "devpay" },
        says: /productCodeType must be one of marketplace, none/,
      },
      "a negative minRam": { args: { minRam: -1 }, says: /minRam must be a whole number of MB/ },
      "a fraction of a minDisk": { args: { minDisk: 0.5 }, says: /minDisk must be a whole number of GB/ },
      "shared that is text": { args: { shared: "yes" }, says: /shared must be true or false/ },
      "a mapping that is no list": {
        args: { blockDeviceMapping: {} },
        says: /blockDeviceMapping must be a list of objects/,
      },
      "a mapping of text": {
        args: { blockDeviceMapping: ["x"] },
        says: /each entry of blockDeviceMapping must be an object/,
      },
      "a number as state": { args: { state: 1 }, says: /state must be text/ },
      "an empty cloud": { args: { cloud: "" }, says: /cloud must not be empty/ },
      "an organization of text": {
        args: { organizationServiceId: "1" },
        says: /organizationServiceId must be a whole number/,
      },
      "a source": { args: { source: { file: "x" } }, says: /divvycloud has no source: it takes no image data/ },
      "a disk format": { args: { diskFormat: "raw" }, says: /divvycloud has no diskFormat: / },
      tags: { args: { tags: ["x"] }, says: /divvycloud has no tags: no way to write tags is documented/ },
      properties: { args: { properties: { a: "b" } }, says: /divvycloud has no properties: / },
      "a visibility": { args: { visibility: "public" }, says: /divvycloud has no visibility: use shared/ },
      regions: { args: { regions: ["nyc3"] }, says: /divvycloud has no regions: an image is in one region/ },
      protected: { args: { protected: true }, says: /divvycloud has no protected: / },
      "an unknown field": { args: { minRamm: 1 }, says: /divvycloud has no minRamm; did you mean minRam\?/ },
    };

    before(async () => {
      stack = await newStack("bad-input");
      recorder.clear();
      provider = await ProviderProcess.start(stack.folder, {}, { "images:connections": JSON.stringify(connections()) });
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
    });
    const reasons = (failures: { property: string; reason: string }[]) =>
      failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n");

    it("what is right passes", async () => {
      assert.equal(reasons(await provider.check("image", image("x", { adopt: { id } }).args)), "");
    });

    for (const [name, { args, says }] of Object.entries(cases)) {
      it(`${name}: a failed check`, async () => {
        assert.match(reasons(await provider.check("image", image("x", { adopt: { id }, ...args }).args)), says);
      });
    }

    it("there are no tags, members and copies, and it says why", async () => {
      const where = { service, connection: "key", imageId: id };
      assert.match(
        reasons(await provider.check("imageTag", { ...where, tag: "x" })),
        /divvycloud has no ImageTag: no way to write tags is documented/,
      );
      assert.match(
        reasons(await provider.check("imageMember", { ...where, member: "x" })),
        /divvycloud has no ImageMember: it can't share an image/,
      );
      assert.match(
        reasons(await provider.check("imageCopy", { ...where, to: { connection: "key" } })),
        /divvycloud has no ImageCopy: .*can't copy an image/,
      );
    });

    it("sends nothing that would be refused", () => assert.deepEqual(writes(), []));
  });
});
