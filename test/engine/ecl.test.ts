import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveConnection } from "../../provider/connection.ts";
import { openEcl } from "../../provider/services/ecl/service.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { ImageBench, until } from "./imageBench.ts";
import { describeImage } from "./imageLifecycle.ts";
import { ProviderProcess } from "./providerProcess.ts";
import type { Declared, Run, Stack } from "./stack.ts";

const service = "ecl";
const jobsPath = "/v2/extension/image_replicator/jobs";

interface Job {
  job_id: string;
  status: string;
  copy_progress: number;
  destination_image_id: string | null;
  source_image_id: string;
}

describe("ecl", () => {
  let bench: ImageBench;
  let consumer: ImageApi;
  before(async () => {
    bench = await ImageBench.start(service);
    consumer = await bench.as("consumer");
  });
  after(() => bench.stop());

  const tenants = () => bench.cloud.services.ecl.accounts;
  const settings = () => bench.cloud.settings.ecl;

  describeImage(() => bench, service, {
    elsewhere: { members: "shows and repairs what happened outside" },
    updates: {
      visibility: { from: { visibility: "private" }, to: { visibility: "shared" }, is: { visibility: "shared" } },
    },
  });

  describe("what only ECL has", () => {
    let stack: Stack;
    before(async () => {
      stack = await bench.newStack("own");
    });
    after(() => stack.dispose());

    it("gives out .os.type, .service.type and license_switch, and they aren't properties", async () => {
      const fields = { ".os.type": "ubuntu", ".service.type": "vserver", license_switch: "Red_Hat_ComLicense" };
      const made = await bench.owner.create({ name: "typed", ...fields, p: "1" });
      await stack.up([
        { kind: "Image", name: "typed", args: { service, connection: "owner", adopt: { id: made.id } } },
      ]);
      const { osType, serviceType, licenseSwitch, properties } = await stack.outputs("typed");
      assert.deepEqual([osType, serviceType, licenseSwitch], ["ubuntu", "vserver", "Red_Hat_ComLicense"]);
      assert.deepEqual(properties, { p: "1" });
    });

    it("takes a format of ECL's older documents, with a warning", async () => {
      await writeFile(join(stack.folder, "kernel"), noise("kernel", 1000));
      const kernel = { diskFormat: "aki", containerFormat: "aki", source: { file: "kernel" } };
      const run = await stack.up([bench.image("kernel", kernel), bench.image("usual")]);
      const warnings = run.events
        .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
        .filter(({ severity }) => severity === "warning");
      assert.deepEqual(
        warnings.map(({ message, urn }) => [urn?.split("::").at(-1), message.trim().replace(/:.*/s, "")]).sort(),
        [
          ["kernel", "containerFormat aki isn't among ECL's bare"],
          ["kernel", "diskFormat aki isn't among ECL's raw, qcow2, iso"],
        ],
      );
    });

    it("reads many images at once from one listing, since the service can't be asked for some", async () => {
      const connections = JSON.stringify(bench.connections());
      const config = { get: (key: string) => (key === "images:connections" ? connections : undefined) };
      const opened = openEcl(resolveConnection(service, "owner", config, {}), () =>
        assert.fail("one account is enough"),
      );
      const names = ["a", "b", "c", "d", "e"];
      const ids = await Promise.all(names.map(async name => (await bench.owner.create({ name })).id));
      await opened.signIn();
      bench.forget();
      const found = await Promise.all([...ids, crypto.randomUUID()].map(id => opened.readImage(id)));
      assert.deepEqual(
        found.map(facts => facts?.name),
        [...names, undefined],
      );
      assert.deepEqual(
        bench.requests().map(request => request.replace(/[-0-9a-f]{36}/, "ID")),
        [`GET /v2/images?owner=${tenants().owner.projectId}&limit=1000`, "GET /v2/images/ID"],
      );
      bench.cloud.settings.ecl.maxPageSize = 2;
      try {
        const paged = await Promise.all(ids.map(id => opened.readImage(id)));
        assert.deepEqual(
          paged.map(facts => facts?.name),
          names,
        );
      } finally {
        bench.cloud.settings.ecl.maxPageSize = 1000;
      }
      for (const id of ids) await bench.owner.delete(id);
    });
  });

  describe("ImageMember and ImageTag", () => {
    let stack: Stack;
    const part = (
      kind: "ImageMember" | "ImageTag",
      name: string,
      of: string,
      args: Record<string, unknown>,
    ): Declared => ({
      kind,
      name,
      args: { service, connection: "owner", imageId: { $output: `${of}.id` }, ...args },
    });
    const declared = () => {
      const member = tenants().consumer.projectId;
      return [
        bench.image("shared", { visibility: "shared" }),
        bench.image("private"),
        bench.image("exclusive", { members: [member] }),
        part("ImageMember", "accepted", "shared", { member, accept: { connection: "consumer" } }),
        part("ImageMember", "invited", "private", { member }),
        part("ImageTag", "one", "private", { tag: "one" }),
        part("ImageTag", "two", "private", { tag: "größe/2" }),
      ];
    };
    const idOf = async (name: string) => (await stack.state())[name]?.id as string;
    const statusOf = async (image: string) => {
      const answer = await bench.owner.send("GET", `/v2/images/${await idOf(image)}/members`);
      const { members } = (await answer.json()) as { members: { status: string; member_id: string }[] };
      return members.find(({ member_id }) => member_id === tenants().consumer.projectId)?.status;
    };

    before(async () => {
      stack = await bench.newStack("parts");
      await stack.up(declared());
    });
    after(() => stack.dispose());

    it("shares images with a tenant, which accepts, and tags them", async () => {
      assert.deepEqual(
        [await statusOf("shared"), await statusOf("private"), await statusOf("exclusive")],
        ["accepted", "pending", "pending"],
      );
      const { id } = await consumer.image(await idOf("shared"));
      assert.ok(
        (await consumer.list()).some(image => image.id === id),
        "the other tenant sees it",
      );
      assert.deepEqual((await bench.owner.image(await idOf("private"))).tags.toSorted(), ["größe/2", "one"]);
    });

    it("changes nothing, and writes nothing, when nothing changed", async () => {
      bench.forget();
      const run = await stack.up(declared(), "--refresh");
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
      assert.deepEqual(bench.writes(), []);
    });

    it("shows and repairs what happened outside", async () => {
      const member = tenants().consumer.projectId;
      const shared = await idOf("shared");
      const own = await idOf("private");
      await consumer.send("PUT", `/v2/images/${shared}/members/${member}`, { body: { status: "rejected" } });
      await bench.owner.send("DELETE", `/v2/images/${own}/members/${member}`);
      const stranger = { member: tenants().overseas.projectId };
      await bench.owner.send("POST", `/v2/images/${await idOf("exclusive")}/members`, { body: stranger });
      await bench.owner.send("DELETE", `/v2/images/${own}/tags/one`);
      await bench.owner.send("PUT", `/v2/images/${own}/tags/theirs`);
      bench.forget();
      const run = await stack.up(declared(), "--refresh");
      assert.deepEqual(
        [run.steps.accepted, run.steps.invited, run.steps.one, run.steps.two, run.steps.exclusive],
        ["update", "create", "create", "same", "update"],
      );
      assert.deepEqual([run.diffs.accepted, run.diffs.exclusive], [["status"], ["members"]]);
      assert.equal(bench.writes().length, 4, bench.writes().join("\n"));
      const { members } = (await (
        await bench.owner.send("GET", `/v2/images/${await idOf("exclusive")}/members`)
      ).json()) as { members: { member_id: string }[] };
      assert.deepEqual(
        members.map(({ member_id }) => member_id),
        [member],
      );
      assert.deepEqual([await statusOf("shared"), await statusOf("private")], ["accepted", "pending"]);
      assert.deepEqual((await bench.owner.image(own)).tags.toSorted(), ["größe/2", "one", "theirs"]);
    });

    it("takes back its own shares and tags only", async () => {
      await stack.up(declared().slice(0, 3));
      assert.deepEqual([await statusOf("shared"), await statusOf("private")], [undefined, undefined]);
      assert.equal(await statusOf("exclusive"), "pending");
      assert.deepEqual((await bench.owner.image(await idOf("private"))).tags, ["theirs"]);
    });
  });

  describe("ImageCopy to a tenant", () => {
    let stack: Stack;
    const copy = (
      name: string,
      of: string,
      to: Record<string, unknown>,
      options: Record<string, unknown> = {},
    ): Declared => ({
      kind: "ImageCopy",
      name,
      args: { service, connection: "owner", imageId: { $output: `${of}.id` }, to },
      options,
    });
    const toConsumer = () => ({ tenant: tenants().consumer.projectId, connection: "consumer" });
    const jobs = async (): Promise<Job[]> => (await (await bench.owner.send("GET", jobsPath)).json()) as Job[];
    const jobsOf = async (image: string) => {
      const id = (await stack.state())[image]?.id;
      return (await jobs()).filter(({ source_image_id }) => source_image_id === id);
    };
    const progress = (run: Run, name: string) =>
      run.events
        .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
        .filter(({ urn, severity }) => urn?.endsWith(`::${name}`) && severity !== "warning")
        .map(({ message }) => message.trim());
    const running = (percent: number) =>
      until(async () => (await jobs()).find(job => job.status === "replicating" && job.copy_progress === percent));

    beforeEach(() => {
      Object.assign(settings(), { copyStep: 30, copyEnd: "replicated", copyHold: null });
    });
    before(async () => {
      stack = await bench.newStack("copies");
    });
    after(() => stack.dispose());

    describe("that works", () => {
      const overseas = () => ({ tenant: tenants().overseas.projectId, connection: "overseas" });
      const declared = () => [
        bench.image("golden", { properties: { os_distro: "debian" } }),
        bench.image("silver"),
        copy("watched", "golden", toConsumer()),
        copy("far", "golden", overseas()),
        copy("unwatched", "silver", { tenant: tenants().consumer.projectId }),
      ];
      let run: Run;

      before(async () => {
        settings().copyStep = 400;
        run = await stack.up(declared());
      });

      it("copies to another tenant, in another region too, and shows how far it is", async () => {
        const { watched, far, unwatched } = await stack.state();
        assert.deepEqual([watched?.outputs.status, watched?.outputs.progress], ["replicated", 100]);
        assert.deepEqual([unwatched?.outputs.status, unwatched?.outputs.progress], ["replicated", 100]);
        const there = await consumer.image(watched?.outputs.copyId as string);
        assert.deepEqual([there.owner, there.status, there.name], [tenants().consumer.projectId, "active", "golden"]);
        assert.deepEqual(Buffer.from(await consumer.data(there.id)), bench.disk);
        const remote = await (await bench.as("overseas")).image(far?.outputs.copyId as string);
        assert.deepEqual([remote.status, remote.size], ["active", bench.disk.length]);
        const job = (await jobs()).find(({ job_id }) => job_id === watched?.outputs.jobId);
        assert.equal(job?.destination_image_id, there.id);
        assert.equal(watched?.outputs.digest, `md5:${String(there.checksum)}`);
        assert.equal(unwatched?.outputs.digest, undefined, "another tenant's image can't be seen without a connection");
        const shown = new Set(progress(run, "watched"));
        assert.ok(
          [...shown].every(line => /^(replicate_requested|replicating|replicated) \d+ %$/.test(line)),
          [...shown].join("\n"),
        );
        assert.ok(
          [...shown].some(line => /^replicating (25|50|75) %$/.test(line)),
          [...shown].join("\n"),
        );
      });

      it("changes nothing, and asks for no other copy, when nothing changed", async () => {
        bench.forget();
        const again = await stack.up(declared(), "--refresh");
        assert.deepEqual(new Set(Object.values(again.steps)), new Set(["same"]));
        assert.deepEqual(bench.writes(), []);
      });

      it("makes a copy again that was deleted there", async () => {
        const before = await stack.outputs("watched");
        await consumer.delete(before.copyId as string);
        const preview = await stack.preview(declared(), "--refresh");
        assert.deepEqual(
          [preview.steps.watched, preview.steps.far, preview.steps.unwatched],
          ["create", "same", "same"],
        );
        await stack.up(declared(), "--refresh");
        const after = await stack.outputs("watched");
        assert.notEqual(after.copyId, before.copyId);
        assert.notEqual(after.jobId, before.jobId);
        assert.equal((await consumer.image(after.copyId as string)).status, "active");
      });

      it("is read by the image's and the tenant's id, without being managed", async () => {
        const id = (await stack.state()).watched?.id as string;
        assert.equal(id, `${(await stack.state()).golden?.id}/${tenants().consumer.projectId}`);
        const read = { kind: "ImageCopy", name: "theirs", args: { service, connection: "owner" }, get: id } as const;
        await stack.up([...declared(), { ...read, show: ["copyId", "status"] }]);
        const shown = JSON.parse((await stack.run(["stack", "output", "--json"])).text);
        assert.deepEqual(shown.theirs, { copyId: (await stack.outputs("watched")).copyId, status: "replicated" });
      });

      it("is watched from when a connection is given; deleted where there is one, and else left with a warning", async () => {
        const before = await stack.outputs("unwatched");
        const now = declared().map(one => (one.name === "unwatched" ? copy("unwatched", "silver", toConsumer()) : one));
        bench.forget();
        const noted = await stack.up(now);
        assert.equal(noted.steps.unwatched, "update");
        assert.deepEqual(bench.writes(), []);
        const after = await stack.outputs("unwatched");
        assert.deepEqual([after.copyId, after.jobId], [before.copyId, before.jobId]);
        assert.match(String(after.digest), /^md5:/);
        const far = declared().map(one =>
          one.name === "far" ? copy("far", "golden", { tenant: tenants().overseas.projectId }) : one,
        );
        await stack.up(far.filter(({ name }) => name !== "unwatched"));
        const left = (await stack.outputs("far")).copyId as string;
        assert.equal(await consumer.exists(before.copyId as string), false, "deleted with its resource");
        const gone = await stack.up([bench.image("golden", { properties: { os_distro: "debian" } })]);
        assert.match(gone.text, new RegExp(`image ${left} stays in tenant ${tenants().overseas.projectId}`));
        const remote = await bench.as("overseas");
        assert.equal(await remote.exists(left), true);
        await remote.delete(left);
        assert.deepEqual(await consumer.list(`owner=${tenants().consumer.projectId}`), []);
      });
    });

    describe("that doesn't", () => {
      const declared = (name: string, options: Record<string, unknown> = {}) => [
        bench.image(`of ${name}`),
        copy(name, `of ${name}`, toConsumer(), options),
      ];

      it("a failed job: reported with its last state, and started again by the next up", async () => {
        settings().copyEnd = "error";
        const run = await stack.tryUp(declared("failing"));
        assert.notEqual(run.code, 0);
        assert.match(run.text, /ended as error at 50 % \(job [-0-9a-f]{36}\)/);
        const left = await stack.outputs("failing");
        assert.deepEqual([left.status, left.progress], ["unfinished", 50]);
        settings().copyEnd = "replicated";
        const refreshed = await stack.preview(undefined, "--refresh");
        assert.equal(refreshed.steps.failing, "update");
        const again = await stack.up();
        assert.equal(again.steps.failing, "update");
        const { jobId, copyId, status } = await stack.outputs("failing");
        assert.notEqual(jobId, left.jobId);
        assert.equal(status, "replicated");
        assert.equal(await consumer.exists(copyId as string), true);
        assert.equal((await stack.up()).steps.failing, "same");
      });

      it("a job that somebody canceled: the same", async () => {
        settings().copyHold = 25;
        await stack.declare(declared("canceled"));
        const ending = stack.tryUp();
        const { job_id } = await running(25);
        await bench.owner.send("DELETE", `${jobsPath}/${job_id}`);
        const run = await ending;
        assert.notEqual(run.code, 0);
        assert.match(run.text, new RegExp(`ended as canceled at 25 % \\(job ${job_id}\\)`));
        settings().copyHold = null;
        await stack.up();
        assert.deepEqual(
          (await jobsOf("of canceled")).map(({ status }) => status),
          ["canceled", "replicated"],
        );
      });

      it("no time left: the next up waits on for the same job; a destroy cancels it, and nothing stays", async () => {
        settings().copyHold = 50;
        const limited = declared("late", { customTimeouts: { create: "3s", update: "2s" } });
        const first = await stack.tryUp(limited);
        assert.notEqual(first.code, 0);
        assert.match(first.text, /waited \d+ s for the copy to tenant .*replicating 50 %/);
        const second = await stack.tryUp(limited);
        assert.notEqual(second.code, 0);
        const [job, ...others] = await jobsOf("of late");
        assert.deepEqual([job?.status, others], ["replicating", []]);
        const destroyed = await stack.up(limited.slice(0, 1));
        assert.equal(destroyed.steps.late, "delete");
        const [after] = await jobsOf("of late");
        assert.deepEqual([after?.status, after?.destination_image_id], ["canceled", null]);
        assert.equal(await consumer.exists(job?.destination_image_id as string), false);
      });

      const ways: [string, NodeJS.Signals][] = [
        ["interrupted with Ctrl-C", "SIGINT"],
        ["killed", "SIGKILL"],
      ];
      for (const [how, signal] of ways) {
        it(`an up that is ${how}: the job is canceled, and the next up makes exactly one copy`, async () => {
          settings().copyHold = 25;
          await stack.declare(declared(signal));
          const run = stack.start(["up", "--yes", "--skip-preview"]);
          const ended = new Promise(resolve => run.once("close", resolve));
          let text = "";
          run.stdout?.on("data", chunk => (text += String(chunk)));
          const { job_id } = await running(25);
          run.kill(signal);
          await ended;
          await until(async () => (await jobs()).find(job => job.job_id === job_id && job.status === "canceled"));
          if (signal === "SIGINT") {
            // Told in time, it has noted how far it came.
            const { status, jobId } = await stack.outputs(signal);
            assert.deepEqual([status, jobId], ["unfinished", job_id]);
            assert.match(text, new RegExp(`was interrupted, so its job ${job_id} is being canceled`));
          } else await stack.run(["cancel", "--yes"]);
          settings().copyHold = null;
          await stack.up();
          assert.deepEqual(
            (await jobsOf(`of ${signal}`)).map(({ status }) => status),
            ["canceled", "replicated"],
          );
          const copies = await consumer.list(`owner=${tenants().consumer.projectId}`);
          assert.equal(copies.filter(({ name }) => name === `of ${signal}`).length, 1);
        });
      }

      it("a status that isn't documented: shown as it is, and waited for", async () => {
        const odd = {
          status: "verifying",
          copy_progress: 33,
          job_id: "x",
          source_image_id: "y",
          destination_tenant_id: "z",
        };
        const headers = { "content-type": "application/json" };
        const path = new RegExp(`^${jobsPath}/[-0-9a-f]{36}$`);
        bench.cloud.faults.add({ method: "GET", path, status: 200, headers, body: JSON.stringify(odd), count: 3 });
        const run = await stack.up(declared("odd"));
        assert.ok(progress(run, "odd").includes("verifying 33 %"), progress(run, "odd").join("\n"));
        assert.equal((await stack.outputs("odd")).status, "replicated");
      });

      it("a tenant that there isn't: said by the service, and nothing is noted", async () => {
        const run = await stack.tryUp([bench.image("x"), copy("nobody", "x", { tenant: "0".repeat(32) })]);
        assert.notEqual(run.code, 0);
        assert.match(run.text, /can't be copied to tenant 0{32}: Tenant 0{32} not found/);
        assert.equal((await stack.state()).nobody, undefined);
      });
    });

    describe("beside a job that isn't its own", () => {
      const declared = (name: string, options: Record<string, unknown> = {}) => [
        bench.image(`of ${name}`),
        copy(name, `of ${name}`, toConsumer(), options),
      ];
      /** Somebody else's job for the same image and tenant: another stack's, or one that a killed run left. */
      const otherJob = async (imageId: string): Promise<string> => {
        const body = { image_id: imageId, tenant_id_dst: tenants().consumer.projectId };
        return ((await (await bench.owner.send("POST", jobsPath, { body })).json()) as { job_id: string }).job_id;
      };
      const ended = (jobId: string) =>
        until(async () => (await jobs()).find(job => job.job_id === jobId && job.status === "replicated"));
      const told = (run: Run) =>
        run.events
          .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
          .filter(({ severity, message }) => severity === "warning" && !message.includes("pending operations"))
          .map(({ message }) => message.trim());
      const baseOf = async (name: string): Promise<string> => {
        await stack.up(declared(name).slice(0, 1));
        return (await stack.state())[`of ${name}`]?.id as string;
      };
      const own = async (name: string) => (await stack.outputs(name)) as { jobId: string; copyId: string };

      it("a done one: a warning at preview and at up; its copy stays, and the resource makes and removes one of its own", async () => {
        const theirs = await otherJob(await baseOf("beside"));
        const { destination_image_id } = await ended(theirs);
        const says = new RegExp(
          `job ${theirs} has copied image .*replicated 100 %; its copy is image ${destination_image_id}`,
        );
        const preview = await stack.preview(declared("beside"));
        assert.match(told(preview).join("\n"), says);
        assert.match(told(preview).join("\n"), /delete it by a connection of the tenant; .* aliases/);
        const run = await stack.up();
        assert.equal(told(run).length, 1, told(run).join("\n"));
        assert.match(told(run).join("\n"), says);
        const { jobId, copyId } = await own("beside");
        assert.notEqual(jobId, theirs);
        assert.notEqual(copyId, destination_image_id);
        assert.deepEqual(told(await stack.preview(undefined, "--refresh", "--expect-no-changes")), []);
        await stack.up(declared("beside").slice(0, 1));
        assert.equal(await consumer.exists(copyId), false);
        assert.equal(await consumer.exists(destination_image_id as string), true);
        await consumer.delete(destination_image_id as string);
      });

      it("one at work: isn't followed, and not canceled", async () => {
        settings().copyHold = 25;
        const theirs = await otherJob(await baseOf("busy"));
        await running(25);
        const preview = await stack.preview(declared("busy"));
        assert.match(
          told(preview).join("\n"),
          new RegExp(`job ${theirs} is copying image .* cancel it with .*cancel-job ${theirs}`),
        );
        settings().copyHold = null;
        await stack.up();
        const { jobId, copyId } = await own("busy");
        assert.notEqual(jobId, theirs);
        const { destination_image_id } = await ended(theirs);
        assert.deepEqual(
          [await consumer.exists(copyId), await consumer.exists(destination_image_id as string)],
          [true, true],
        );
        await stack.up(declared("busy").slice(0, 1));
        assert.equal(await consumer.exists(destination_image_id as string), true);
        await consumer.delete(destination_image_id as string);
      });

      it("when its own is in the state: goes on with that one, and only with that one", async () => {
        settings().copyHold = 50;
        const limited = declared("own", { customTimeouts: { create: "2s" } });
        assert.notEqual((await stack.tryUp(limited)).code, 0);
        const { jobId } = await own("own");
        settings().copyHold = null;
        const { destination_image_id } = await ended(await otherJob((await stack.state())["of own"]?.id as string));
        const run = await stack.up(declared("own"));
        assert.equal(run.steps.own, "update");
        assert.deepEqual(told(run), []);
        assert.equal((await own("own")).jobId, jobId);
        await stack.up([]);
        assert.equal(await consumer.exists(destination_image_id as string), true);
        await consumer.delete(destination_image_id as string);
      });

      it("when the answer to its own was lost: finds it as the one that is listed since", async () => {
        const theirs = await otherJob(await baseOf("lost"));
        const { destination_image_id } = await ended(theirs);
        bench.cloud.faults.add({ method: "POST", path: new RegExp(`^${jobsPath}$`), drop: "after" });
        await stack.up(declared("lost"));
        const { jobId } = await own("lost");
        assert.deepEqual(
          (await jobsOf("of lost")).map(({ job_id }) => job_id),
          [theirs, jobId],
        );
        await consumer.delete(destination_image_id as string);
      });

      it("another resource's of the same name in the cloud: renamed without an alias, the new one copies, and the old copy goes", async () => {
        await stack.up(declared("first"));
        const before = await own("first");
        const renamed = [bench.image("of first"), copy("second", "of first", toConsumer())];
        const preview = await stack.preview(renamed);
        assert.match(told(preview).join("\n"), new RegExp(`job ${before.jobId} has copied image .* aliases`));
        await stack.up(renamed);
        const { copyId } = await own("second");
        assert.deepEqual([await consumer.exists(before.copyId), await consumer.exists(copyId)], [false, true]);
        const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
        assert.equal(quiet.code, 0, quiet.text);
      });

      it("of another resource of the program: an error at preview that names both", async () => {
        await baseOf("twice");
        const run = await stack.preview([...declared("twice"), copy("again", "of twice", toConsumer())]);
        assert.notEqual(run.code, 0);
        assert.match(
          run.text,
          /the ImageCopy (twice|again) and the ImageCopy (twice|again) both declare the copy of image .* in the tenant/,
        );
      });

      it("whose copy an Image of the program has adopted: the copy stays when the ImageCopy goes", async () => {
        await stack.up(declared("given"));
        const { copyId } = await own("given");
        const adopting: Declared = {
          kind: "Image",
          name: "theirs",
          args: { service, connection: "consumer", adopt: { id: copyId } },
        };
        const both = await stack.preview([...declared("given"), adopting]);
        assert.notEqual(both.code, 0);
        assert.match(
          both.text,
          /the (ImageCopy given|Image theirs) and the (ImageCopy given|Image theirs) both declare image/,
        );
        const run = await stack.up([bench.image("of given"), adopting]);
        assert.match(told(run).join("\n"), new RegExp(`image ${copyId} stays: the Image theirs declares it`));
        assert.equal(await consumer.exists(copyId), true);
      });
    });
  });

  describe("ImageCopy to a connection", () => {
    it("streams the data to another tenant, and to another service", async () => {
      const stack = await bench.newStack("across");
      const copy = (name: string, to: Record<string, unknown>): Declared => ({
        kind: "ImageCopy",
        name,
        args: { service, connection: "owner", imageId: { $output: "golden.id" }, to },
      });
      const declared = [
        bench.image("golden", { tags: ["t"], properties: { os_distro: "debian" } }),
        copy("tenant", { connection: "consumer", visibility: "shared" }),
        copy("openstack", { connection: "openstack", service: "openstack" }),
      ];
      try {
        await stack.up(declared);
        const { tenant, openstack } = await stack.state();
        const there = await consumer.image(tenant?.outputs.copyId as string);
        assert.deepEqual(
          [there.status, there.visibility, there.tags, there.os_distro],
          ["active", "shared", ["t"], "debian"],
        );
        assert.deepEqual(Buffer.from(await consumer.data(there.id)), bench.disk);
        assert.deepEqual([openstack?.outputs.status, openstack?.outputs.size], ["active", bench.disk.length]);
        await consumer.set(there.id, { name: "drifted" });
        const run = await stack.up(declared, "--refresh");
        assert.deepEqual([run.steps.tenant, run.steps.openstack], ["update", "same"]);
        assert.equal((await consumer.image(there.id)).name, "golden");
      } finally {
        await stack.dispose();
      }
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    const cases: Record<string, { args: Record<string, unknown>; says: RegExp }> = {
      "a format of OpenStack's": {
        args: { diskFormat: "vhdx" },
        says: /diskFormat must be one of raw, qcow2, iso, .*; not "vhdx"/,
      },
      "a container of OpenStack's": {
        args: { containerFormat: "docker" },
        says: /containerFormat must be one of bare, .*; not "docker"/,
      },
      "a visibility of OpenStack's": {
        args: { visibility: "community" },
        says: /visibility must be one of private, shared, public; not "community"/,
      },
      "a name of 256 characters": {
        args: { name: "x".repeat(256) },
        says: /name must have at most 255 characters, not 256/,
      },
      "an empty name": { args: { name: "" }, says: /name must not be empty/ },
      "no name": { args: { name: undefined }, says: /a new image needs a name/ },
      "a tag of 256 characters": { args: { tags: ["x".repeat(256)] }, says: /tags\[0\].*at most 255 characters/ },
      "a tag twice": { args: { tags: ["x", "x"] }, says: /holds "x" twice/ },
      "a minDisk as text": { args: { minDisk: "5" }, says: /minDisk must be a whole number of GB from 0/ },
      "a negative minRam": { args: { minRam: -1 }, says: /minRam must be a whole number of MB/ },
      "an imageId that isn't one": { args: { imageId: "x" }, says: /imageId must be a UUID/ },
      "protected as text": { args: { protected: "yes" }, says: /protected must be true or false/ },
      "data without a format": {
        args: { containerFormat: undefined },
        says: /an image with data needs containerFormat/,
      },
      "a property of the service's": {
        args: { properties: { ".os.type": "x" } },
        says: /\.os\.type is the service's own: it is the output osType/,
      },
      "a property that is a field": { args: { properties: { min_disk: "1" } }, says: /use the field minDisk/ },
      "an output as an argument": {
        args: { licenseSwitch: "x" },
        says: /ecl has no licenseSwitch: the service sets it/,
      },
      hidden: { args: { hidden: true }, says: /ecl has no hidden: this service can't hide an image/ },
      "a state": { args: { state: "deactivated" }, says: /ecl has no state: this service can't deactivate/ },
      "a store": { args: { store: "fast" }, says: /ecl has no store: this service has one store/ },
      "members of a public image": {
        args: { members: ["0".repeat(32)], visibility: "public" },
        says: /only an image with visibility "private" or "shared" has members, not a public one/,
      },
      "a member that isn't one": { args: { members: ["x"] }, says: /members\[0\].*a member must be a project's id/ },
      "the service's own import": {
        args: { source: { url: "http://127.0.0.1:9/x", mode: "import", digest: `sha256:${"0".repeat(64)}` } },
        says: /doesn't offer web-download .*use mode "stream"/,
      },
      "a field of DigitalOcean's": { args: { regions: ["nyc3"] }, says: /ecl has no regions: copy the image/ },
      "a field of Glance v1's": { args: { isPublic: true }, says: /ecl has no isPublic: use visibility: "public"/ },
    };

    before(async () => {
      stack = await bench.newStack("bad");
      provider = await ProviderProcess.start(
        stack.folder,
        {},
        { "images:connections": JSON.stringify(bench.connections()) },
      );
      bench.forget();
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
    });

    for (const [name, { args, says }] of Object.entries(cases)) {
      it(`${name}: a failed check`, async () => {
        const failures = await provider.check("image", bench.image("x", args).args);
        assert.match(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"), says);
      });
    }

    it("of a member, a tag and a copy", async () => {
      const { id: queued } = await bench.owner.create({ name: "queued" });
      bench.forget();
      const check = async (kind: "imageMember" | "imageTag" | "imageCopy", args: Record<string, unknown>) =>
        (await provider.check(kind, { service, connection: "owner", imageId: queued, ...args }))
          .map(({ property, reason }) => `${property}: ${reason}`)
          .join("\n");
      const { owner, overseas } = tenants();
      assert.match(await check("imageMember", { member: owner.projectId }), /the connection's own project/);
      assert.match(
        await check("imageMember", { status: "maybe" }),
        /status must be one of accepted, rejected, pending/,
      );
      assert.match(await check("imageMember", { canShare: true }), /ecl has no canShare/);
      assert.match(await check("imageTag", { tag: "" }), /tag must not be empty/);
      const copyTo = (to: Record<string, unknown>) => check("imageCopy", { to });
      assert.match(await copyTo({}), /to must be { tenant } or { tenant, connection } or { connection }/);
      assert.match(await copyTo({ tenant: "x" }), /to.tenant must be a tenant's id, 32 hex digits, not "x"/);
      assert.match(await copyTo({ tenant: owner.projectId }), /in the tenant that the image is in already/);
      assert.match(
        await copyTo({ tenant: overseas.projectId, connection: "consumer" }),
        /to.connection: the connection consumer is one of tenant [0-9a-f]{32}, not of/,
      );
      assert.match(
        await copyTo({ tenant: overseas.projectId, name: "x" }),
        /to.name: the service copies to a tenant by itself/,
      );
      assert.match(await copyTo({ tenant: overseas.projectId }), /imageId: image .* can't be copied: it is queued/);
      assert.match(await copyTo({ stores: ["fast"] }), /to has no stores/);
      assert.match(
        await copyTo({ connection: "consumer", visibility: "community" }),
        /to.visibility: visibility must be one of private, shared, public; not "community"/,
      );
      const nothing = crypto.randomUUID();
      assert.match(
        await check("imageCopy", { imageId: nothing, to: { tenant: overseas.projectId } }),
        new RegExp(`imageId: there is no image ${nothing}`),
      );
    });

    it("sends nothing to the service that it would refuse", () => assert.deepEqual(bench.writes(), []));
  });
});
