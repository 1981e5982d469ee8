import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectionOf, environmentOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type Declared, type Run, Stack, type StateResource } from "./stack.ts";

const service = "openstack";

/** Glance shares an image with any id. */
const someProject = "5".repeat(32);

/** A proxy's answer to everything. */
const proxyPage = {
  status: 404,
  headers: { "content-type": "text/html" },
  body: "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>",
};

onEachCloud("What isn't seen isn't gone", cloud => {
  let owner: ImageApi;
  let consumer: ImageApi;
  const disk = noise("not seen", 20_000);

  before(async () => {
    owner = await cloud().as("owner");
    consumer = await cloud().as("consumer");
  });

  /** A stack whose connection comes from the environment, as in CI: there another project's credentials are easily there. */
  async function newStack(project: string): Promise<Stack> {
    const { accounts, regions } = cloud();
    const elsewhere = connectionOf(cloud(), accounts.owner, regions[1]?.name);
    // An only one would be the default.
    const other = connectionOf(cloud(), accounts.admin);
    // All that fails here is tried again in vain.
    const env = { ...environmentOf(cloud(), accounts.owner), PULUMI_IMAGES_RETRY_PAUSE_MS: "1" };
    const stack = await Stack.create({ project, config: { "images:connections": { elsewhere, other } }, env });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    return stack;
  }

  /** Runs a command as an account. */
  const runAs = (account: "owner" | "consumer", stack: Stack, ...args: string[]): Promise<Run> =>
    stack.run(args, { env: environmentOf(cloud(), cloud().accounts[account]) });

  const image = (name: string, args: Record<string, unknown> = {}): Declared => {
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    return { kind: "Image", name, args: { service, name, ...data, ...args } };
  };

  /** One of each kind. @param member the project that the image is shared with */
  function declared(name: string, visibility: string, member?: string): Declared[] {
    const of = { service, imageId: { $output: `${name}.id` } };
    // A tag that comes later is none of the copy's business.
    const to = { connection: "elsewhere", name: `${name}-copy`, tags: [] };
    return [
      image(name, { visibility }),
      { kind: "ImageTag", name: "tag", args: { ...of, tag: "gold" } },
      { kind: "ImageCopy", name: "copy", args: { ...of, to } },
      ...(member === undefined ? [] : [{ kind: "ImageMember", name: "member", args: { ...of, member } } as const]),
    ];
  }

  /** Every command that could take something out of a state: all have to fail, say why, and change neither the state nor the cloud. */
  async function demandNothingLost(
    stack: Stack,
    account: "owner" | "consumer",
    why: readonly RegExp[],
    region = cloud().regions[0]?.name,
  ): Promise<void> {
    const before = await whatIsLeft(stack);
    cloud().forget();
    for (const command of [
      ["preview", "--refresh"],
      ["refresh", "--yes", "--skip-preview"],
      ["up", "--yes", "--skip-preview", "--refresh"],
      ["destroy", "--yes", "--skip-preview"],
      ["destroy", "--yes", "--skip-preview", "--refresh"],
    ]) {
      const env = environmentOf(cloud(), cloud().accounts[account], region);
      const { code, text } = await stack.run(command, { env });
      assert.notEqual(code, 0, `${command.join(" ")} succeeds:\n${text}`);
      for (const words of why) assert.match(text, words, `${command.join(" ")}:\n${text}`);
      assert.deepEqual(await whatIsLeft(stack), before, `the state after ${command.join(" ")}`);
    }
    assert.deepEqual(
      cloud()
        .writes()
        .filter(write => write.startsWith("POST")),
      [],
      "nothing was made",
    );
  }

  /** What a state knows of its resources; when it looked last is the engine's affair. */
  const known = (state: Record<string, StateResource>) =>
    Object.fromEntries(Object.entries(state).map(([name, { id, inputs, outputs }]) => [name, { id, inputs, outputs }]));
  /** The copy is elsewhere, where another connection leads to: it may well be deleted. */
  async function whatIsLeft(stack: Stack) {
    const { copy: _, ...rest } = known(await stack.state());
    return rest;
  }

  async function idsOf(stack: Stack): Promise<Record<string, string>> {
    return Object.fromEntries(Object.entries(await stack.state()).map(([name, { id }]) => [name, id]));
  }

  describe("a proxy answers 404 for the image service, and Keystone works", () => {
    let stack: Stack;
    before(async () => {
      stack = await newStack("not-seen-proxy");
      await stack.up(declared("behind-a-proxy", "shared", someProject));
    });
    after(() => stack.dispose());
    afterEach(() => {
      for (const recorder of cloud().recorders) recorder.faults.clear();
    });

    it("to everything: nothing leaves the state, and the error names the proxies", async () => {
      for (const recorder of cloud().recorders) recorder.faults.add({ ...proxyPage, times: Number.POSITIVE_INFINITY });
      await demandNothingLost(stack, "owner", [
        /404 Not Found doesn't come from the service itself/,
        /Check the connection's address and the proxies on the way to it/,
      ]);
    });

    it("to the images alone: the service's other answers tell", async () => {
      const path = /^\/v2\/images(\/|\?.*\bid=)/;
      for (const recorder of cloud().recorders)
        recorder.faults.add({ ...proxyPage, path, times: Number.POSITIVE_INFINITY });
      await demandNothingLost(stack, "owner", [/lacks the header x-openstack-request-id/]);
    });

    it("and once it is away, all is as it was: no drift, and destroy deletes", async () => {
      const { steps, code } = await stack.preview(undefined, "--refresh");
      assert.equal(code, 0);
      assert.deepEqual(
        Object.values(steps).filter(step => step !== "same" && step !== "refresh"),
        [],
      );
      const ids = await idsOf(stack);
      await stack.destroy();
      assert.equal(await owner.exists(String(ids["behind-a-proxy"])), false);
      assert.deepEqual(await stack.state(), {});
    });
  });

  /** Who sees the image besides its project: nobody who matters, a project that it is shared with, everybody who knows its id. */
  const sights: Record<string, () => [visibility: string, member?: string]> = {
    unseen: () => ["shared", someProject],
    "shared with it": () => ["shared", cloud().accounts.consumer.projectId],
    "of the community": () => ["community"],
  };

  for (const [sight, args] of Object.entries(sights)) {
    describe(`another project's credentials under the same name, the image being ${sight}`, () => {
      let stack: Stack;
      const name = `another-project-${sight.replaceAll(" ", "-")}`;
      before(async () => {
        stack = await newStack(name);
        await stack.up(declared(name, ...args()));
      });
      after(() => stack.dispose());

      if (sight === "unseen") {
        it("nothing leaves the state, nothing is made, and the error names both projects and what to do", async () => {
          const { accounts } = cloud();
          await demandNothingLost(stack, "consumer", [
            new RegExp(`of project ${accounts.owner.projectId}`),
            new RegExp(`connection \\S+ is project ${accounts.consumer.projectId} now`),
            /Use the credentials of project .*pulumi state delete '/,
          ]);
        });

        it("the right project in another region: nothing leaves the state, nothing is made, and the error names both regions", async () => {
          const [here, there] = cloud().regions.map(({ name }) => name);
          const why = [
            new RegExp(`of region ${here}, as the state remembers`),
            new RegExp(`is region ${there} now`),
            new RegExp(`Use the region ${here}; or .*pulumi state delete '`),
          ];
          await demandNothingLost(stack, "owner", why, there);
        });

        it("up doesn't replace it by one of the other project's", async () => {
          await writeFile(join(stack.folder, "other.raw"), noise("other", 20_000));
          const [visibility] = args();
          const changed = image(name, { visibility, source: { file: "other.raw" } });
          await stack.declare([changed]);
          const { code, text } = await runAs("consumer", stack, "up", "--yes", "--skip-preview");
          assert.notEqual(code, 0, text);
          assert.deepEqual(
            (await consumer.list(`name=${name}`)).filter(one => one.owner === cloud().accounts.consumer.projectId),
            [],
          );
        });
      }

      it("destroy doesn't say that it deleted what it may not delete", async () => {
        const ids = await idsOf(stack);
        const { code, text } = await runAs("consumer", stack, "destroy", "--yes", "--skip-preview");
        assert.notEqual(code, 0, text);
        const left = await stack.state();
        for (const kept of [name, "tag"]) assert.equal(left[kept]?.id, ids[kept], text);
        assert.deepEqual((await owner.image(String(ids[name]))).tags, ["gold"]);
      });

      it("the right credentials go on where they were", async () => {
        const ids = await idsOf(stack);
        await stack.up(declared(name, ...args()), "--refresh");
        assert.equal((await stack.state())[name]?.id, ids[name]);
        await stack.destroy();
        assert.equal(await owner.exists(String(ids[name])), false);
      });
    });
  }

  describe("an image that was deleted", () => {
    it("is gone: refresh drops it, and up makes it anew", async () => {
      const stack = await newStack("really-gone");
      try {
        await stack.up([image("really-gone")]);
        const { "really-gone": id } = await idsOf(stack);
        await owner.delete(String(id));
        const { steps } = await stack.up(undefined, "--refresh");
        assert.equal(steps["really-gone"], "create");
        await stack.destroy();
      } finally {
        await stack.dispose();
      }
    });
  });
});
