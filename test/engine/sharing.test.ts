import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Answer } from "../../tools/recorder/faults.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { startFileServer } from "../support/fileServer.ts";
import { ProviderProcess } from "./providerProcess.ts";
import { type Declared, Stack } from "./stack.ts";

onEachCloud("Sharing, tagging, copying", cloud => {
  let owner: ImageApi;
  let consumer: ImageApi;
  const disk = noise("shared", 50_000);
  const service = "openstack";

  before(async () => {
    owner = await cloud().as("owner");
    consumer = await cloud().as("consumer");
  });

  /** A stack with a connection for each account and region. */
  async function newStack(project: string): Promise<Stack> {
    const { accounts, regions } = cloud();
    const connections = {
      owner: connectionOf(cloud(), accounts.owner),
      consumer: connectionOf(cloud(), accounts.consumer),
      admin: connectionOf(cloud(), accounts.admin),
      elsewhere: connectionOf(cloud(), accounts.owner, regions[1]?.name),
    };
    const stack = await Stack.create({ project, config: { "images:connections": connections } });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    return stack;
  }

  const image = (name: string, args: Record<string, unknown> = {}): Declared => ({
    kind: "Image",
    name,
    args: {
      service,
      connection: "owner",
      name,
      diskFormat: "raw",
      containerFormat: "bare",
      source: { file: "disk.raw" },
      ...args,
    },
  });

  describe("ImageMember", () => {
    let stack: Stack;
    let imageId: string;
    const member = () => cloud().accounts.consumer.projectId;
    const memberOf = async (id: string): Promise<{ status: string } | undefined> => {
      const answer = await owner.send("GET", `/v2/images/${id}/members`);
      const { members } = (await answer.json()) as { members: { member_id: string; status: string }[] };
      return members.find(({ member_id }) => member_id === member());
    };
    const declared = () =>
      [
        image("shared"),
        image("invited"),
        image("refused"),
        image("exclusive", { members: [member()] }),
        image("by-name", { connection: "admin" }),
        {
          kind: "ImageMember",
          name: "named-member",
          // An administrator may look a project up by its name.
          args: {
            service,
            connection: "admin",
            imageId: { $output: "by-name.id" },
            member: cloud().accounts.consumer.projectName,
            accept: { connection: "consumer" },
          },
        },
        {
          kind: "ImageMember",
          name: "accepted-member",
          args: {
            service,
            connection: "owner",
            imageId: { $output: "shared.id" },
            member: member(),
            accept: { connection: "consumer" },
          },
        },
        {
          kind: "ImageMember",
          name: "invited-member",
          args: { service, connection: "owner", imageId: { $output: "invited.id" }, member: member() },
        },
        {
          kind: "ImageMember",
          name: "refused-member",
          args: {
            service,
            connection: "owner",
            imageId: { $output: "refused.id" },
            member: member(),
            accept: { connection: "consumer" },
            status: "rejected",
          },
        },
      ] as Declared[];

    before(async () => {
      stack = await newStack("members");
      await stack.up(declared());
      imageId = (await stack.state()).shared?.id as string;
    });
    after(() => stack.dispose());

    it("invites, accepts and rejects", async () => {
      const state = await stack.state();
      assert.equal((await memberOf(imageId))?.status, "accepted");
      assert.equal((await memberOf(state.invited?.id as string))?.status, "pending");
      assert.equal((await memberOf(state.refused?.id as string))?.status, "rejected");
      assert.equal((await memberOf(state.exclusive?.id as string))?.status, "pending");
      assert.equal(state["named-member"]?.outputs.memberId, member());
      const outputs = state["accepted-member"]?.outputs;
      assert.deepEqual([outputs?.status, outputs?.memberId, outputs?.imageId], ["accepted", member(), imageId]);
      for (const time of [outputs?.createdAt, outputs?.updatedAt]) assert.match(String(time), /^20\d\d-.*Z$/);
      assert.ok(
        (await consumer.list()).some(({ id }) => id === imageId),
        "the consumer sees it",
      );
    });

    it("changes nothing, and writes nothing, when nothing changed", async () => {
      cloud().forget();
      const run = await stack.up(declared(), "--refresh");
      assert.deepEqual(new Set(Object.values(run.steps)), new Set(["same"]));
      assert.deepEqual(cloud().writes(), []);
    });

    it("shows and repairs what happened outside: removed, rejected, taken back, an undeclared member", async () => {
      const state = await stack.state();
      const ids = { invited: state.invited?.id, exclusive: state.exclusive?.id, named: state["by-name"]?.id };
      await consumer.send("PUT", `/v2/images/${ids.named}/members/${member()}`, { body: { status: "pending" } });
      await owner.send("DELETE", `/v2/images/${ids.invited}/members/${member()}`);
      await consumer.send("PUT", `/v2/images/${imageId}/members/${member()}`, { body: { status: "rejected" } });
      const stranger = cloud().accounts.admin.projectId;
      await owner.send("POST", `/v2/images/${ids.exclusive}/members`, { body: { member: stranger } });
      const preview = await stack.preview(undefined, "--refresh");
      assert.equal(preview.steps["invited-member"], "create");
      assert.equal(preview.steps["accepted-member"], "update");
      assert.deepEqual(preview.diffs["accepted-member"], ["status"]);
      assert.match(preview.text, /status +: "accepted" => "rejected"/);
      assert.deepEqual(preview.diffs["named-member"], ["status"]);
      assert.match(preview.text, /status +: "accepted" => "pending"/);
      assert.deepEqual(preview.diffs.exclusive, ["members"]);
      assert.equal(preview.steps["refused-member"], "same");
      cloud().forget();
      await stack.up(undefined, "--refresh");
      assert.equal(cloud().writes().length, 4, cloud().writes().join("\n"));
      assert.equal((await memberOf(imageId))?.status, "accepted");
      const answered = await consumer.send("GET", `/v2/images/${ids.named}/members/${member()}`);
      assert.equal(((await answered.json()) as { status: string }).status, "accepted");
      assert.equal((await memberOf(ids.invited as string))?.status, "pending");
      const { members } = (await (await owner.send("GET", `/v2/images/${ids.exclusive}/members`)).json()) as {
        members: { member_id: string }[];
      };
      assert.deepEqual(
        members.map(({ member_id }) => member_id),
        [member()],
      );
    });

    it("takes over who is a member already, and lets the consumer accept by itself, without owning the image", async () => {
      const theirs = await owner.create({ name: "theirs", disk_format: "raw", container_format: "bare" }, disk);
      await owner.send("POST", `/v2/images/${theirs.id}/members`, { body: { member: member() } });
      const consuming = await newStack("consuming");
      try {
        const accepting: Declared = {
          kind: "ImageMember",
          name: "mine",
          args: { service, connection: "consumer", imageId: theirs.id },
        };
        const again: Declared = {
          kind: "ImageMember",
          name: "again",
          args: { service, connection: "owner", imageId: theirs.id, member: member() },
        };
        const read: Declared = {
          kind: "ImageMember",
          name: "read",
          args: { service, connection: "owner" },
          get: `${theirs.id}/${member()}`,
          show: ["memberId"],
        };
        await consuming.up([again, accepting, read]);
        assert.equal((await memberOf(theirs.id))?.status, "accepted");
        await consuming.up([again]);
        assert.equal((await memberOf(theirs.id))?.status, "pending", "the answer is taken back");
        await consuming.up([]);
        assert.equal(await memberOf(theirs.id), undefined);
        assert.equal(await owner.exists(theirs.id), true);
      } finally {
        await consuming.dispose();
        await owner.delete(theirs.id);
      }
    });

    it("says what is wrong: an image that isn't shared, an answer that only the invited can give", async () => {
      const wrong = await newStack("wrong-members");
      try {
        const inviting = (args: Record<string, unknown>): Declared => ({
          kind: "ImageMember",
          name: "m",
          args: { service, connection: "owner", imageId: { $output: "i.id" }, member: member(), ...args },
        });
        const isPrivate = await wrong.tryUp([image("i", { visibility: "private" }), inviting({})]);
        assert.notEqual(isPrivate.code, 0);
        assert.match(isPrivate.text, /can't have members: its visibility is private/);
        assert.match(isPrivate.text, /visibility: "shared"/);
        const alone = await wrong.tryUp([image("i", { visibility: "shared" }), inviting({ status: "accepted" })]);
        assert.notEqual(alone.code, 0);
        assert.match(alone.text, /only that project itself can make it accepted.*accept: \{ connection \}/);
      } finally {
        await wrong.dispose();
      }
    });
  });

  describe("ImageTag", () => {
    const tags = ["2026-11", "with space", "a/b", "größe", "ümlaut & more", "%41"];
    const tag = (name: string, imageId: unknown): Declared => ({
      kind: "ImageTag",
      name: `tag ${name}`,
      args: { service, connection: "owner", imageId, tag: name },
    });

    it("owns its tag and no other, whatever letters are in it", async () => {
      const [one, two] = [await newStack("tags-one"), await newStack("tags-two")];
      try {
        await one.up([image("tagged"), ...tags.map(name => tag(name, { $output: "tagged.id" }))]);
        const { id } = (await one.state()).tagged as { id: string };
        await two.up([tag("of-two", id)]);
        assert.deepEqual((await owner.image(id)).tags.toSorted(), [...tags, "of-two"].toSorted());
        cloud().forget();
        for (const stack of [one, two]) {
          const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
          assert.equal(quiet.code, 0, quiet.text);
        }
        assert.deepEqual(cloud().writes(), []);
        // Taken away outside: shows, and comes back; one that somebody else added shows nothing.
        await owner.send("DELETE", `/v2/images/${id}/tags/2026-11`);
        const drift = await one.preview(undefined, "--refresh");
        assert.equal(drift.steps["tag 2026-11"], "create");
        assert.equal(Object.values(drift.steps).filter(op => op !== "same").length, 1);
        await one.up(
          [image("tagged"), ...tags.slice(0, 3).map(name => tag(name, { $output: "tagged.id" }))],
          "--refresh",
        );
        assert.deepEqual((await owner.image(id)).tags.toSorted(), [...tags.slice(0, 3), "of-two"].toSorted());
        const urn = (await one.state())["tag 2026-11"]?.urn as string;
        await one.up(undefined, "--replace", urn);
        assert.ok((await owner.image(id)).tags.includes("2026-11"), "replaced by itself, it is still there");
        await two.up([]);
        assert.deepEqual((await owner.image(id)).tags.toSorted(), tags.slice(0, 3).toSorted());
      } finally {
        await two.dispose();
        await one.dispose();
      }
    });

    it("is told when an Image of the program declares all tags", async () => {
      const stack = await newStack("tags-fight");
      try {
        const run = await stack.tryUp([image("tagged", { tags: ["all"] }), tag("one more", { $output: "tagged.id" })]);
        assert.notEqual(run.code, 0);
        assert.match(run.text, /the Image tagged declares all tags of this image/);
      } finally {
        await stack.dispose();
      }
    });
  });

  describe("ImageCopy", () => {
    let stack: Stack;
    let there: ImageApi;
    const copy = (to: Record<string, unknown>, args: Record<string, unknown> = {}): Declared => ({
      kind: "ImageCopy",
      name: "copy",
      args: { service, connection: "owner", imageId: { $output: "original.id" }, to, ...args },
    });
    const original = (args: Record<string, unknown> = {}) =>
      image("original", { tags: ["golden"], properties: { os_distro: "ubuntu" }, minDisk: 2, minRam: 128, ...args });

    before(async () => {
      stack = await newStack("copies");
      there = await cloud().as("owner", 1);
    });
    after(() => stack.dispose());

    it("brings data and metadata to another region", async () => {
      await stack.up([original(), copy({ connection: "elsewhere", name: "the copy", properties: { copied: "yes" } })]);
      const state = await stack.state();
      const made = await there.image(state.copy?.id as string);
      assert.deepEqual(
        [
          made.name,
          made.status,
          made.os_hash_value,
          made.min_disk,
          made.min_ram,
          made.os_distro,
          made.copied,
          made.tags,
          made.disk_format,
        ],
        ["the copy", "active", sha512(disk), 2, 128, "ubuntu", "yes", ["golden"], "raw"],
      );
      assert.deepEqual(Buffer.from(await there.data(made.id)), disk);
      const { copyId, status, progress, digest, size } = state.copy?.outputs ?? {};
      assert.deepEqual(
        [copyId, status, progress, digest, size],
        [made.id, "active", 100, `sha512:${sha512(disk)}`, disk.length],
      );
    });

    it("changes nothing, and writes nothing, when nothing changed", async () => {
      cloud().forget();
      const run = await stack.up(undefined, "--refresh");
      assert.deepEqual(run.steps, { original: "same", copy: "same" });
      assert.deepEqual(cloud().writes(), []);
    });

    it("shows and repairs what changed at the target, or is gone", async () => {
      const { id } = (await stack.state()).copy as { id: string };
      await there.set(id, { name: "drifted" });
      const preview = await stack.preview(undefined, "--refresh");
      assert.equal(preview.steps.copy, "update");
      assert.deepEqual(preview.diffs.copy, ["metadata"]);
      assert.match(preview.text, /name +: "the copy" => "drifted"/);
      cloud().forget();
      await stack.up(undefined, "--refresh");
      assert.deepEqual(cloud().writes(), [`PATCH /v2/images/${id}`]);
      assert.equal((await there.image(id)).name, "the copy");
      await there.delete(id);
      const gone = await stack.up(undefined, "--refresh");
      assert.equal(gone.steps.copy, "create");
      assert.equal((await there.image((await stack.state()).copy?.id as string)).os_hash_value, sha512(disk));
    });

    it("follows its source: metadata in place, other data by a new copy", async () => {
      const before = (await stack.state()).copy?.id as string;
      const declared = { name: "the copy", properties: { copied: "no" }, tags: { $output: "original.tags" } };
      const changed = copy({ connection: "elsewhere", ...declared });
      await there.patch(before, { op: "add", path: "/theirs", value: "stays" });
      cloud().forget();
      const followed = await stack.up([original({ tags: ["silver"], properties: { os_version: "24.04" } }), changed]);
      assert.deepEqual(followed.steps, { original: "update", copy: "update" });
      assert.deepEqual(
        cloud()
          .writes()
          .filter(write => write.includes(before)),
        [`PATCH /v2/images/${before}`],
      );
      const { tags, os_distro, os_version, copied, theirs } = await there.image(before);
      assert.deepEqual([tags, os_distro, os_version], [["silver"], undefined, "24.04"]);
      assert.deepEqual([copied, theirs], ["no", "stays"], "what the target declares wins, what others put there stays");
      const other = noise("other data", 60_000);
      await writeFile(join(stack.folder, "disk.raw"), other);
      const run = await stack.up();
      assert.equal(run.steps.copy, "replace");
      assert.equal(await there.exists(before), false);
      assert.equal((await there.image((await stack.state()).copy?.id as string)).os_hash_value, sha512(other));
      await writeFile(join(stack.folder, "disk.raw"), disk);
    });

    it("is left as it is by ImageTags of its source, and leaves its own to others, whichever comes first", async () => {
      const of = { service, connection: "owner", imageId: { $output: "source.id" } };
      const program = (to: Record<string, unknown> = {}): Declared[] => [
        image("source", { visibility: "shared" }),
        { kind: "ImageMember", name: "member", args: { ...of, member: cloud().accounts.consumer.projectId } },
        { kind: "ImageCopy", name: "copy", args: { ...of, to: { connection: "elsewhere", ...to } } },
      ];
      const tag = (name: string, args: Record<string, unknown> = {}, options = {}): Declared => ({
        ...{ kind: "ImageTag", name, options },
        args: { ...of, tag: name, ...args },
      });
      const later = [tag("later"), tag("approved", { connection: "elsewhere", imageId: { $output: "copy.copyId" } })];
      const stack = await newStack("beside");
      try {
        for (const tags of [[tag("beside")], [...later, tag("copied", {}, { dependsOn: ["copy"] })], later]) {
          const run = await stack.up([...program(), ...tags]);
          assert.match(run.steps.copy as string, /^(create|same)$/);
          for (const flags of [[], ["--refresh"]]) {
            const quiet = await stack.preview(undefined, "--expect-no-changes", ...flags);
            assert.equal(quiet.code, 0, quiet.text);
          }
        }
        const { id } = (await stack.state()).copy as { id: string };
        assert.ok((await there.image(id)).tags.includes("approved"));
        const refused = await stack.tryUp([...program({ tags: ["a"] }), ...later]);
        assert.match(refused.text, /the ImageCopy copy declares all tags of this image, and the ImageTag approved/);
      } finally {
        await stack.dispose();
      }
    });

    it("ends in one right image when the target breaks in the middle, and when the run is killed", async () => {
      await stack.up([original()]);
      const target = cloud().recorders[1];
      const broken = copy({ connection: "elsewhere", name: "broken" });
      target?.faults.add({ method: "PUT", path: /\/file$/, drop: "during-body" });
      await stack.up([original(), broken]);
      const found = await there.list("name=broken");
      assert.deepEqual(
        found.map(({ os_hash_value }) => os_hash_value),
        [sha512(disk)],
      );
      await stack.up([original()]);
      let reached = () => {};
      const uploading = new Promise<void>(resolve => {
        reached = resolve;
      });
      target?.faults.add({ method: "PUT", path: /\/file$/, after: true, hook: () => reached(), delayMs: 1000 });
      await stack.declare([original(), broken]);
      const run = stack.start(["up", "--yes", "--skip-preview"]);
      await uploading;
      run.kill("SIGKILL");
      await stack.run(["cancel", "--yes"]);
      await stack.up();
      const again = await there.list("name=broken");
      assert.deepEqual(
        again.map(({ os_hash_value }) => os_hash_value),
        [sha512(disk)],
      );
      assert.equal(again[0]?.id, (await stack.state()).copy?.id);
    });

    it("has the target fetch the data itself, where the program says from where", async () => {
      const files = await startFileServer();
      try {
        files.files.set("/original.raw", { body: disk, headers: { etag: '"1"' } });
        const to = { connection: "elsewhere", name: "fetched", mode: "import", url: `${files.url}/original.raw` };
        await stack.up([
          original(),
          copy({ connection: "elsewhere", name: "broken" }),
          { ...copy(to), name: "fetched" },
        ]);
        const made = await there.image((await stack.state()).fetched?.id as string);
        assert.deepEqual([made.name, made.status, made.os_hash_value], ["fetched", "active", sha512(disk)]);
        assert.ok(files.requests.length > 0, "the target fetched it");
        assert.ok(
          !cloud()
            .requests()
            .some(({ path }) => path === `/v2/images/${made.id}/file`),
          "nothing was sent",
        );
      } finally {
        await files.stop();
      }
    });

    it("reads a tag and a copy by their ids, without managing them", async () => {
      const state = await stack.state();
      const imageId = state.original?.id as string;
      const copyId = state.copy?.id as string;
      const reading = await newStack("reading");
      try {
        const run = await reading.up([
          {
            kind: "ImageTag",
            name: "tag",
            args: { service, connection: "owner" },
            get: `${imageId}/golden`,
            show: ["tag"],
          },
          {
            kind: "ImageCopy",
            name: "copy",
            args: { service, connection: "elsewhere" },
            get: copyId,
            show: ["status", "size"],
          },
        ]);
        assert.deepEqual(run.steps, { tag: "read", copy: "read" });
        const shown = JSON.parse((await reading.run(["stack", "output", "--json"])).text);
        assert.deepEqual(shown, { tag: { tag: "golden" }, copy: { status: "active", size: disk.length } });
      } finally {
        await reading.dispose();
      }
      assert.equal(await there.exists(copyId), true);
    });

    it("names the store that a copy failed in, with the reason that the server gives", async () => {
      const lost = await owner.create({ name: "lost data", disk_format: "raw", container_format: "bare" }, disk);
      const files = (await readdir(cloud().dataDir, { recursive: true })).filter(path => path.includes(lost.id));
      assert.ok(files.length > 0, "the cloud keeps the data in a file");
      for (const file of files) await rm(join(cloud().dataDir, file));
      const failing: Declared = {
        kind: "ImageCopy",
        name: "failing",
        args: { service, connection: "owner", imageId: lost.id, to: { stores: ["slow"] } },
      };
      const run = await stack.tryUp([original(), failing]);
      assert.notEqual(run.code, 0);
      assert.match(run.text, /image [-0-9a-f]+ wasn't copied to the store slow: \w+/);
      await owner.delete(lost.id);
    });

    it("brings an image to more stores, sees a lost one, and takes it out again", async () => {
      const admin = await cloud().as("admin");
      const kept = image("kept", { connection: "admin" });
      const copied: Declared = {
        kind: "ImageCopy",
        name: "in-stores",
        args: { service, connection: "admin", imageId: { $output: "kept.id" }, to: { stores: ["slow"] } },
      };
      const run = await stack.up([kept, copied]);
      const shown = run.events.flatMap(({ diagnosticEvent }) =>
        diagnosticEvent?.urn?.endsWith("::in-stores") ? [diagnosticEvent.message.trim()] : [],
      );
      assert.ok(
        shown.some(line => /^copying to slow: active/.test(line)),
        JSON.stringify(shown),
      );
      const { id } = (await stack.state()).kept as { id: string };
      const storesOf = async () =>
        String((await admin.image(id)).stores)
          .split(",")
          .toSorted();
      assert.deepEqual(await storesOf(), ["fast", "slow"]);
      const outputs = await stack.outputs("in-stores");
      assert.deepEqual([outputs.stores, outputs.copyId, outputs.progress], [["slow"], id, 100]);
      const quiet = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(quiet.code, 0, quiet.text);
      await admin.send("DELETE", `/v2/stores/slow/${id}`);
      const preview = await stack.preview(undefined, "--refresh");
      assert.deepEqual(preview.diffs["in-stores"], ["stores"]);
      await stack.up(undefined, "--refresh");
      assert.deepEqual(await storesOf(), ["fast", "slow"]);
      await stack.up([kept]);
      assert.deepEqual(await storesOf(), ["fast"]);
      assert.equal((await admin.image(id)).os_hash_value, sha512(disk), "the data itself stays");
    });

    it("leaves a copy in its store, with a warning, where the account may not take it out", async () => {
      const copied: Declared = {
        kind: "ImageCopy",
        name: "in-stores",
        args: { service, connection: "owner", imageId: { $output: "original.id" }, to: { stores: ["slow"] } },
      };
      await stack.up([original(), copied]);
      const run = await stack.up([original()]);
      assert.match(
        run.text,
        /the copy of image [0-9a-f-]+ in the store slow stays: this cloud lets only an administrator delete from a store/,
      );
      const { id } = (await stack.state()).original as { id: string };
      assert.equal((await owner.image(id)).status, "active");
    });
  });

  describe("bad input", () => {
    let stack: Stack;
    let provider: ProviderProcess;
    let queued: string;
    let active: string;
    before(async () => {
      stack = await newStack("bad-parts");
      queued = (await owner.create({ name: "queued" })).id;
      active = (await owner.create({ name: "active", disk_format: "raw", container_format: "bare" }, disk)).id;
      const { accounts, regions } = cloud();
      const connections = {
        owner: connectionOf(cloud(), accounts.owner),
        elsewhere: connectionOf(cloud(), accounts.owner, regions[1]?.name),
        admin: connectionOf(cloud(), accounts.admin),
      };
      provider = await ProviderProcess.start(stack.folder, {}, { "images:connections": JSON.stringify(connections) });
      cloud().forget();
    });
    after(async () => {
      await provider.stop();
      await stack.dispose();
      await owner.delete(queued);
      await owner.delete(active);
    });

    const cases: [string, "imageMember" | "imageTag" | "imageCopy", () => Record<string, unknown>, RegExp][] = [
      [
        "sharing with oneself",
        "imageMember",
        () => ({ imageId: active, member: cloud().accounts.owner.projectId }),
        /needn't be shared with the project that owns it/,
      ],
      [
        "sharing with oneself, by name",
        "imageMember",
        () => ({ connection: "admin", imageId: active, member: cloud().accounts.admin.projectName }),
        /needn't be shared with the project that owns it/,
      ],
      ["a member of no name", "imageMember", () => ({ imageId: active, member: "" }), /member must not be empty/],
      [
        "a project that there isn't",
        "imageMember",
        () => ({ imageId: active, member: "no-such-project" }),
        /no-such-project/,
      ],
      [
        "an unknown answer",
        "imageMember",
        () => ({ imageId: active, member: "a".repeat(32), status: "maybe" }),
        /status must be one of accepted, rejected, pending/,
      ],
      [
        "accept without member",
        "imageMember",
        () => ({ imageId: active, accept: { connection: "elsewhere" } }),
        /set member too/,
      ],
      [
        "an unknown connection to accept",
        "imageMember",
        () => ({ imageId: active, member: "a".repeat(32), accept: { connection: "nowhere" } }),
        /nowhere/,
      ],
      ["an image id of the wrong form", "imageTag", () => ({ imageId: "mine", tag: "x" }), /imageId must be a UUID/],
      [
        "a tag of 256 characters",
        "imageTag",
        () => ({ imageId: active, tag: "x".repeat(256) }),
        /at most 255 characters/,
      ],
      ["no tag", "imageTag", () => ({ imageId: active }), /openstack needs tag/],
      [
        "a copy onto its own place",
        "imageCopy",
        () => ({ imageId: active, to: { connection: "owner" } }),
        /give it another name/,
      ],
      [
        "a copy onto its own place and name",
        "imageCopy",
        () => ({ imageId: active, to: { connection: "owner", name: "active" } }),
        /has the same name/,
      ],
      [
        "a store that there isn't",
        "imageCopy",
        () => ({ imageId: active, to: { stores: ["sloow"] } }),
        /no store sloow; it has fast, slow: did you mean slow\?/,
      ],
      [
        "neither stores nor connection",
        "imageCopy",
        () => ({ imageId: active, to: {} }),
        /to must be \{ stores \} or \{ connection \}/,
      ],
      [
        "a name for a copy in a store",
        "imageCopy",
        () => ({ imageId: active, to: { stores: ["slow"], name: "x" } }),
        /no name of its own/,
      ],
      [
        "an image that isn't active",
        "imageCopy",
        () => ({ imageId: queued, to: { stores: ["slow"] } }),
        /it is queued, and has to be active/,
      ],
      [
        "an image that isn't active, elsewhere",
        "imageCopy",
        () => ({ imageId: queued, to: { connection: "elsewhere" } }),
        /it is queued, and has to be active/,
      ],
      [
        "an image that there isn't",
        "imageCopy",
        () => ({ imageId: crypto.randomUUID(), to: { connection: "elsewhere" } }),
        /there is no image/,
      ],
      [
        "an import without a url",
        "imageCopy",
        () => ({ imageId: active, to: { connection: "elsewhere", mode: "import" } }),
        /needs a url/,
      ],
    ];
    for (const [name, kind, args, says] of cases) {
      it(`${name}: a failed check`, async () => {
        const failures = await provider.check(kind, { service, connection: "owner", ...args() });
        assert.match(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"), says);
        assert.deepEqual(cloud().writes(), []);
      });
    }

    describe("of what arrives", () => {
      const copying = (to: Record<string, unknown>) =>
        provider.make(
          "imageCopy",
          { service, connection: "owner", imageId: active, to },
          `urn:pulumi:dev::test::copy::${crypto.randomUUID()}`,
        );
      const changed = (edit: (image: Record<string, unknown>) => void) => (answer: Answer) => {
        if (answer.status !== 200) return answer;
        const image = JSON.parse(answer.body.toString());
        edit(image);
        const body = Buffer.from(JSON.stringify(image));
        return { ...answer, headers: { ...answer.headers, "content-length": String(body.length) }, body };
      };
      let there: ImageApi;
      before(async () => {
        there = await cloud().as("owner", 1);
      });
      afterEach(() => {
        for (const { faults } of cloud().recorders) faults.clear();
      });

      it("a source that gives other data than its digest says: told, and nothing stays at the target", async () => {
        const other = Buffer.from(disk);
        other.writeUInt8(other.readUInt8(25_000) ^ 1, 25_000);
        const alter = (answer: Answer) => ({ ...answer, body: other });
        cloud().recorders[0]?.faults.add({ method: "GET", path: /\/file$/, alter, times: Number.POSITIVE_INFINITY });
        const to = { connection: "elsewhere", name: "never whole" };
        await assert.rejects(copying(to), { message: new RegExp(`the data of image ${active}.*sha512`) });
        assert.deepEqual(await there.list("name=never%20whole"), []);
      });

      it("a target that says of other data that it has arrived: told, and nothing stays there", async () => {
        const alter = changed(image => {
          if (image.status === "active") image.os_hash_value = "0".repeat(128);
        });
        const path = /^\/v2\/images\/[-0-9a-f]{36}$/;
        cloud().recorders[1]?.faults.add({ method: "PATCH", path, alter, times: Number.POSITIVE_INFINITY });
        const to = { connection: "elsewhere", name: "other data" };
        await assert.rejects(copying(to), { message: /isn't what the source gives: sha512 0{128}, not [0-9a-f]{128}/ });
        assert.deepEqual(await there.list("name=other%20data"), []);
      });

      it("a store that has the data already: taken over, without a write", async () => {
        cloud().forget();
        const { id, outputs } = await copying({ stores: ["fast"] });
        assert.deepEqual([id, outputs.stores, outputs.progress], [active, ["fast"], 100]);
        assert.deepEqual([outputs.size, outputs.digest], [disk.length, `sha512:${sha512(disk)}`]);
        assert.deepEqual(cloud().writes(), []);
      });
    });

    it("what went with its image: is seen as gone, and its deletion is fine", async () => {
      const args = { name: "going", disk_format: "raw", container_format: "bare", visibility: "shared" };
      const { id: imageId } = await owner.create(args, disk);
      const of = { service, connection: "owner", imageId };
      const urn = (name: string) => `urn:pulumi:dev::test::going::${name}`;
      const parts = [
        await provider.make("imageMember", { ...of, member: cloud().accounts.consumer.projectId }, urn("member")),
        await provider.make("imageTag", { ...of, tag: "going" }, urn("tag")),
        await provider.make("imageCopy", { ...of, to: { stores: ["fast"] } }, urn("copy")),
      ];
      await owner.delete(imageId);
      for (const { id, outputs } of parts) {
        assert.equal((await provider.read(id, outputs)).id, "", id);
        await provider.delete(id, outputs);
      }
    });

    it("a store that is no longer declared: the copy is taken out of it, and stays in the others", async () => {
      const admin = await cloud().as("admin");
      const { id: imageId } = await admin.create({ name: "fewer", disk_format: "raw", container_format: "bare" }, disk);
      const resource = "urn:pulumi:dev::test::fewer::copy";
      const to = (...stores: string[]) => ({ service, connection: "admin", imageId, to: { stores } });
      const stores = async () => String((await admin.image(imageId)).stores);
      const { inputs: olds } = await provider.checkInputs("imageCopy", to("fast", "slow"), { resource });
      const { id, outputs } = await provider.create(olds);
      assert.deepEqual((await stores()).split(",").toSorted(), ["fast", "slow"]);
      const { inputs } = await provider.checkInputs("imageCopy", to("fast"), { resource, olds });
      const { changes, replaces } = await provider.diff(id, outputs, inputs);
      assert.deepEqual([changes, replaces], [true, []]);
      assert.deepEqual((await provider.update(id, outputs, inputs)).stores, ["fast"]);
      assert.equal(await stores(), "fast");
      await admin.delete(imageId);
    });

    it("a cloud without the import method: says which it has", async () => {
      const methods = JSON.stringify({ "import-methods": { description: "", type: "array", value: ["web-download"] } });
      const answer = { status: 200, headers: { "content-type": "application/json" }, body: methods };
      cloud().recorders[0]?.faults.add({ method: "GET", path: /\/v2\/info\/import/, ...answer });
      const { accounts } = cloud();
      const fresh = await ProviderProcess.start(
        stack.folder,
        {},
        {
          "images:connections": JSON.stringify({ owner: connectionOf(cloud(), accounts.owner) }),
        },
      );
      try {
        const failures = await fresh.check("imageCopy", {
          service,
          connection: "owner",
          imageId: active,
          to: { stores: ["slow"] },
        });
        assert.match(
          failures[0]?.reason ?? "",
          /doesn't copy between stores \(it has web-download\): use to: \{ connection \}/,
        );
      } finally {
        await fresh.stop();
      }
    });
  });
});
