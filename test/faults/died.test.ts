import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { RealOpenStackCloud } from "../../tools/openstack/start.ts";
import { type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import { CloudProcess } from "../cloud/process.ts";
import { ProviderProcess } from "../engine/providerProcess.ts";
import { cloudOf, connectionOf } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { failureOf, remove, type State, up } from "./engine.ts";
import type { Values } from "./place.ts";

/** An OpenStack whose Glance can be killed, and starts again with what it had. */
interface Mortal {
  recorder: Recorder;
  connection: Values;
  api: ImageApi;
  /** Ends it at once, and starts it again. */
  dies(): Promise<void>;
  stop(): Promise<void>;
}

const disk = Uint8Array.from(noise("died", 100_000));
/** More than a Glance copies between its answer and its end. */
const large = Uint8Array.from(noise("died, large", 16 * 2 ** 20));
/** How long an import is given up after, in seconds: twice this. */
const stallSeconds = "4";

const clouds: Record<string, (dir: string) => Promise<Mortal>> = {
  async local(dir) {
    const process = await CloudProcess.start({
      dir,
      services: ["openstack"],
      settings: { openstack: { importDelay: 300 } },
    });
    const { openstack } = process.services;
    const recorder = await startRecorder({ target: openstack.imageServers[0] as string });
    return {
      recorder,
      connection: { ...connectionOf(openstack, openstack.accounts.owner), imageEndpoint: recorder.url },
      api: await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, openstack.imageServers[0] as string),
      async dies() {
        await process.kill();
        await process.restart();
      },
      async stop() {
        await recorder.stop();
        await process.stop();
      },
    };
  },
  async real() {
    const cloud = await cloudOf("real");
    const real = cloud as unknown as RealOpenStackCloud;
    return {
      recorder: cloud.recorders[0] as Recorder,
      connection: connectionOf(cloud, cloud.accounts.owner),
      api: await cloud.as("owner"),
      async dies() {
        await real.killGlance();
        await real.restartGlance();
      },
      async stop() {},
    };
  },
};

for (const [kind, start] of Object.entries(clouds)) {
  describe(`An import that dies with its Glance, on the ${kind} OpenStack`, () => {
    let dir: string;
    let cloud: Mortal;
    let files: FileServer;
    let provider: ProviderProcess;
    let finish = () => {};

    before(async function () {
      this.timeout(600_000);
      dir = await mkdtemp(join(tmpdir(), "pulumi-images-died-"));
      const project = join(dir, "project");
      await mkdir(project);
      await writeFile(join(project, "Pulumi.yaml"), "name: died\nruntime: nodejs\n");
      await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(project, "node_modules"));
      cloud = await start(join(dir, "cloud"));
      files = await startFileServer();
      const config = { "images:connections": JSON.stringify({ owner: cloud.connection }) };
      const env = { PULUMI_IMAGES_STALL_SECONDS: stallSeconds };
      provider = await ProviderProcess.start(project, env, config, "kept");
    });
    after(async function () {
      this.timeout(60_000);
      await provider.stop();
      cloud.recorder.faults.clear();
      for (const name of ["begun", "asked", "died, copied"])
        for (const { id } of await cloud.api.list(`name=${name}`)) await cloud.api.delete(id);
      finish();
      await files.stop();
      await cloud.stop();
      await rm(dir, { recursive: true, force: true });
    });

    const openstack = { service: "openstack", connection: "owner" };
    const hasty = { timeouts: { create: "1s" } };
    const served = { body: disk, headers: { etag: '"one"' } };
    const imported = (name: string) => ({
      ...{ ...openstack, name, diskFormat: "raw", containerFormat: "bare" },
      source: { url: `${files.url}/disk.raw`, mode: "import" },
    });

    it("is replaced by the next up, without anybody's doing, whether it has begun or not", async function () {
      this.timeout(180_000);
      const until = new Promise<void>(resolve => {
        finish = resolve;
      });
      files.files.set("/disk.raw", { ...served, until });
      const args = { ...imported("begun"), ...hasty, protected: true };
      const begun = await failureOf(up(provider, "Image", "begun", args, undefined));
      assert.equal(begun.state?.outs.status, "unfinished");
      const statusOf = async (state: State) => (await cloud.api.image(state.id)).status;
      while ((await statusOf(begun.state)) !== "importing") await pause(20);
      cloud.recorder.faults.add({ method: "POST", path: /\/import$/, after: true, hook: () => cloud.dies() });
      const asked = await failureOf(up(provider, "Image", "asked", { ...imported("asked"), ...hasty }, undefined));
      assert.equal(asked.state?.outs.status, "unfinished");
      assert.equal(await statusOf(begun.state), "importing");
      assert.ok((await cloud.api.image(asked.state.id)).os_glance_import_task, "the image is locked");
      files.files.set("/disk.raw", served);
      await Promise.all([makesOne("begun", begun.state), makesOne("asked", asked.state)]);
    });

    /** The next up makes exactly one image of it, with the right data, and the next destroy leaves nothing. */
    async function makesOne(name: string, state: State): Promise<void> {
      const made = await up(provider, "Image", name, imported(name), state);
      assert.notEqual(made.id, state.id);
      assert.deepEqual(
        (await cloud.api.list(`name=${name}`)).map(({ id, status, os_hash_value }) => [id, status, os_hash_value]),
        [[made.id, "active", sha512(disk)]],
      );
      await remove(provider, made);
      assert.deepEqual(await cloud.api.list(`name=${name}`), []);
    }

    it("as a copy to a store is waited for, with a message that says for how long", async function () {
      this.timeout(180_000);
      const body = { name: "died, copied", disk_format: "raw", container_format: "bare" };
      const { id } = await cloud.api.create(body, large);
      cloud.recorder.faults.add({ method: "POST", path: /\/import$/, after: true, hook: () => cloud.dies() });
      const declared = { ...openstack, imageId: id, to: { stores: ["slow"] }, ...hasty };
      const copy = () => failureOf(up(provider, "ImageCopy", "copied", declared, undefined));
      const first = await copy();
      assert.match(first.message, /waited \d+ s for the import into image \S+ \(status active\)/);
      const left = await cloud.api.image(id);
      assert.ok(left.os_glance_import_task, "the image is locked");
      assert.equal(first.state, undefined);
      const { message } = await copy();
      assert.match(message, /waited \d+ s for an earlier import into image \S+ to end; .* locked for an hour/);
      assert.match(message, /customTimeouts/);
    });
  });
}
