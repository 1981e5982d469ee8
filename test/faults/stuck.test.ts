import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kind } from "../../provider/fields/field.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { ownerConnections } from "../cloud/connections.ts";
import { client } from "../cloud/digitalocean/exercise.ts";
import { ProviderProcess } from "../engine/providerProcess.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { failureOf, remove, type State, up } from "./engine.ts";
import type { Values } from "./place.ts";

/** Longer than any of these tests. */
const never = 3_600_000;
const disk = Uint8Array.from(noise("stuck", 100_000));

/** A state of a service that doesn't end, met by a create that may take one second. */
interface Case {
  title: string;
  kind: Kind;
  args: () => Promise<Values> | Values;
  says: RegExp;
  /** The state knows afterwards of what was begun. */
  keeps: boolean;
}

describe("What is stuck", () => {
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let provider: ProviderProcess;
  let start: (env: NodeJS.ProcessEnv) => Promise<ProviderProcess>;
  let owner: ImageApi;
  let ecl: ImageApi;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-stuck-"));
    const project = join(dir, "project");
    await mkdir(project);
    await writeFile(join(project, "Pulumi.yaml"), "name: stuck\nruntime: nodejs\n");
    await writeFile(join(project, "disk.raw"), disk);
    await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(project, "node_modules"));
    cloud = await startCloud({
      dir: join(dir, "cloud"),
      settings: {
        openstack: { importDelay: never },
        ecl: { copyHold: 25 },
        digitalocean: { taskTime: never },
        divvycloud: { taskTime: never },
      },
    });
    files = await startFileServer();
    const body = { body: disk, headers: { etag: '"one"' } };
    files.files.set("/disk.raw", body);
    files.files.set("/slow.raw", { ...body, until: new Promise(() => {}) });
    const { openstack, ecl: eclCloud } = cloud.services;
    const region = openstack.regions[0];
    owner = await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, region?.imageUrl as string);
    ecl = await ImageApi.signIn(eclCloud.authUrl, eclCloud.accounts.owner, eclCloud.imageUrls.jp1);
    const { "glance-v1": v1, digitalocean, divvycloud, ...rest } = ownerConnections(cloud.services);
    const connections = { ...rest, v1, do: digitalocean, divvy: divvycloud };
    start = env => ProviderProcess.start(project, env, { "images:connections": JSON.stringify(connections) }, "kept");
    provider = await start({});
  });
  after(async () => {
    await provider.stop();
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const formats = { diskFormat: "raw", containerFormat: "bare" };
  const wire = { disk_format: "raw", container_format: "bare" };
  const tagOf = (imageId: string) => ({ service: "openstack", connection: "openstack", imageId, tag: "late" });

  const cases: Case[] = [
    {
      title: "an import into OpenStack",
      kind: "Image",
      args: () => ({
        ...{ service: "openstack", connection: "openstack", name: "stuck", ...formats },
        source: { url: `${files.url}/disk.raw`, mode: "import" },
      }),
      says: /waited \d+ s for the import into image [-0-9a-f]+ \(status importing\)/,
      keeps: true,
    },
    {
      title: "somebody's upload (saving)",
      kind: "ImageTag",
      args: async () => {
        const { id } = await owner.create({ name: "saving", ...wire });
        await owner.beginUpload(id, disk);
        return tagOf(id);
      },
      says: /waited \d+ s for image [-0-9a-f]+ to leave the status saving/,
      keeps: false,
    },
    {
      title: "staged data that nobody imports (uploading)",
      kind: "ImageTag",
      args: async () => {
        const { id } = await owner.create({ name: "uploading", ...wire });
        await owner.send("PUT", `/v2/images/${id}/stage`, { body: disk, type: "application/octet-stream" });
        return tagOf(id);
      },
      says: /waited \d+ s for image [-0-9a-f]+ to leave the status uploading/,
      keeps: false,
    },
    {
      title: "a copy from a url into a Glance v1 (saving)",
      kind: "Image",
      args: () => ({
        ...{ service: "glance-v1", connection: "v1", name: "stuck", ...formats },
        source: { url: `${files.url}/slow.raw`, mode: "import" },
      }),
      says: /waited \d+ s for image [-0-9a-f]+ to leave the status (saving|queued)/,
      keeps: true,
    },
    {
      title: "a copy job of ECL's",
      kind: "ImageCopy",
      args: async () => ({
        ...{ service: "ecl", connection: "ecl", imageId: (await ecl.create({ name: "copied", ...wire }, disk)).id },
        to: { tenant: cloud.services.ecl.accounts.consumer.projectId },
      }),
      says: /waited \d+ s for the copy to tenant \w+ \(job [-0-9a-f]+: replicat\w+ \d+ %\)/,
      keeps: true,
    },
    {
      title: "an import into DigitalOcean (pending)",
      kind: "Image",
      args: () => ({
        ...{ service: "digitalocean", connection: "do", name: "stuck", regions: ["nyc3"] },
        source: { url: `${files.url}/disk.raw` },
      }),
      says: /waited \d+ s for image \d+ to become available \(its status is (NEW|pending)\)/,
      keeps: true,
    },
    {
      title: "an action of DigitalOcean's",
      kind: "Image",
      args: async () => {
        const { body } = await client(cloud.services.digitalocean.controlUrl)("POST", "/sender/droplets", {});
        return { service: "digitalocean", connection: "do", name: "stuck", dropletId: String(body.id) };
      },
      says: /waited \d+ s for the snapshot of droplet \d+ \(action \d+\)/,
      keeps: false,
    },
    {
      title: "a snapshot of DivvyCloud's (pending)",
      kind: "Image",
      args: () => ({
        ...{ service: "divvycloud", connection: "divvy", name: "stuck" },
        instance: cloud.services.divvycloud.clouds.OPENSTACK?.instance,
      }),
      says: /waited \d+ s for image \S+ to leave the state pending/,
      keeps: true,
    },
  ];

  /** An image whose data comes by an import where there are several stores. */
  const inStores = (stores: string[]) => ({
    ...{ service: "openstack", connection: "openstack", name: "died", ...formats, stores },
    ...{ source: { file: "disk.raw" }, timeouts: { create: "1s" } },
  });

  for (const { title, kind, args, says, keeps } of cases) {
    it(`is waited for as long as customTimeouts says, and told with its state: ${title}`, async () => {
      const name = title.replace(/\W+/g, "-");
      const declared = { ...(await args()), timeouts: { create: "1s" } };
      const { message, state } = await failureOf(up(provider, kind, name, declared, undefined));
      assert.match(message, says);
      assert.match(message, /customTimeouts/);
      assert.equal(state !== undefined, keeps, `the state has ${JSON.stringify(state?.id)}`);
    });
  }

  it("makes room for a new image in the next up: an import that died with its Glance", async () => {
    const hasty = await start({ PULUMI_IMAGES_STALL_SECONDS: "1" });
    try {
      const { state } = await failureOf(up(hasty, "Image", "died", inStores(["fast", "slow"]), undefined));
      const [left] = await owner.list("name=died");
      assert.deepEqual([left?.status, left?.id], ["importing", state?.id]);
      const made = await up(hasty, "Image", "died", { ...inStores(["fast"]), timeouts: {} }, state);
      assert.deepEqual(
        (await owner.list("name=died")).map(({ id, status, size }) => [id, status, size]),
        [[made.id, "active", disk.length]],
      );
      assert.notEqual(made.id, left?.id);
    } finally {
      await hasty.stop();
    }
  });

  it("is waited for as long as customTimeouts says: a deletion in DivvyCloud's job queue", async () => {
    const [id] = cloud.services.divvycloud.clouds.GCE?.images ?? [];
    const declared = { service: "divvycloud", connection: "divvy", adopt: { id }, timeouts: { delete: "1s" } };
    const state: State = await up(provider, "Image", "deleted", declared, undefined);
    const { message } = await failureOf(remove(provider, state));
    assert.match(message, /waited \d+ s for image \S+ to be gone/);
    assert.match(message, /customTimeouts/);
  });
});
