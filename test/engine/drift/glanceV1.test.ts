import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unknownValue } from "../../../provider/fields/field.ts";
import { type Recorder, startRecorder } from "../../../tools/recorder/recorder.ts";
import { type LocalCloud, startCloud } from "../../cloud/cloud.ts";
import { sha256 } from "../../support/disk.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { GlanceV1Api } from "../../support/glanceV1Api.ts";
import { type Declared, Stack } from "../stack.ts";
import { changeCopied, disk, fileDrift, urlDrifts, writeDisks } from "./data.ts";
import { type Case, describeDrifts, type Quiet } from "./drifting.ts";

const service = "glance-v1";
const formats = { diskFormat: "raw", containerFormat: "bare" };
const digest = createHash("md5").update(disk).digest("hex");
const other = "ab".repeat(16);
const theirs = "0".repeat(32);
const ours = "source of copies";

const of =
  (kind: Declared["kind"]) =>
  (name: string, args: Record<string, unknown>): Declared => ({
    kind,
    name,
    args: { service, connection: "owner", ...args },
  });
const image = (name: string, args: Record<string, unknown> = {}) =>
  of("Image")(name, { name, ...formats, source: { file: "disk.raw" }, ...args });
const bare = (name: string, args: Record<string, unknown> = {}) => of("Image")(name, { name, ...args });
const [adopted, member, copy] = [of("Image"), of("ImageMember"), of("ImageCopy")];

describe("Drift on glance-v1", () => {
  let dir: string;
  let cloud: LocalCloud;
  let recorder: Recorder;
  let files: FileServer;
  let owner: GlanceV1Api;
  let consumer: GlanceV1Api;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-drift-v1-"));
    cloud = await startCloud({ dir, services: [service] });
    const { authUrl, accounts, imageUrl } = cloud.services[service];
    recorder = await startRecorder({ target: imageUrl });
    files = await startFileServer();
    owner = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
    consumer = await GlanceV1Api.signIn(authUrl, accounts.consumer, imageUrl);
  });

  describeDrifts(service, {
    async newStack() {
      const { authUrl, accounts, region } = cloud.services[service];
      const connections = Object.fromEntries(
        Object.entries(accounts).map(([name, { username, password, userDomain, projectName, projectDomain }]) => [
          name,
          {
            ...{ service, authUrl, username, password, projectName, region, imageEndpoint: recorder.url },
            ...{ userDomainName: userDomain, projectDomainName: projectDomain },
          },
        ]),
      );
      return await writeDisks(await Stack.create({ project: "drift", config: { "images:connections": connections } }));
    },
    others: () => [image(ours, { properties: { os_distro: "ubuntu" }, minDisk: 2, minRam: 128 })],
    cases: stack => ({ ...images(stack), ...members(), ...copies(stack) }),
    quiet,
    writes: {
      forget: () => recorder.clear(),
      list: () =>
        recorder.requests
          .filter(({ method }) => !["GET", "HEAD"].includes(method))
          .map(({ method, path }) => `${method} ${path}`),
    },
  });

  after(async () => {
    await files?.stop();
    await recorder?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const field = (
    args: Record<string, unknown>,
    meta: Record<string, string>,
    shows: NonNullable<Case["shows"]>,
    means: Case["means"] = ["metadata"],
  ): Case => ({ declared: name => [bare(name, args)], drift: ({ id }) => owner.set(id, meta), shows, means });

  function images(stack: Stack): Record<string, Case> {
    const remade = new Map<string, string>();
    const content = `sha256:${sha256(disk)}`;
    let adoptee = "";
    let sourceless = "";
    return {
      "Image name changed": {
        ...field({}, { name: "abgedriftet" }, { name: ["Image name changed", "abgedriftet"] }),
      },
      "Image minDisk changed": field({ minDisk: 2 }, { min_disk: "20" }, { minDisk: [2, 20] }),
      "Image minRam changed": field({ minRam: 2 }, { min_ram: "20" }, { minRam: [2, 20] }),
      "Image made public": field({ isPublic: false }, { is_public: "True" }, { isPublic: [false, true] }, ["security"]),
      "Image made private": field({ isPublic: true }, { is_public: "False" }, { isPublic: [true, false] }, [
        "availability",
      ]),
      "Image protection taken off": field(
        { protected: true, forceDelete: true },
        { protected: "False" },
        { protected: [true, false] },
        ["security"],
      ),
      "Image protection put on": field(
        { protected: false, forceDelete: true },
        { protected: "True" },
        { protected: [false, true] },
      ),
      "Image property changed": field(
        { properties: { p: "1", q: "2" } },
        { "property-p": "éins" },
        {
          properties: [
            { p: "1", q: "2" },
            { p: "éins", q: "2" },
          ],
        },
      ),
      "Image property removed": {
        declared: name => [bare(name, { properties: { p: "1", q: "2" } })],
        drift: ({ id }) => owner.setProperties(id, { q: "2" }),
        shows: { properties: [{ p: "1", q: "2" }, { q: "2" }] },
        means: ["metadata"],
      },
      "Image property added, with exclusiveProperties": {
        ...field(
          { properties: { p: "1" }, exclusiveProperties: true },
          { "property-other": "x", "property-boot_roles": "x", "property-owner_specified.openstack.md5": "x" },
          { properties: [{ p: "1" }, { p: "1", other: "x" }] },
        ),
        async repaired({ id }) {
          const { properties } = await owner.image(id);
          assert.deepEqual([properties.p, properties.other, properties.boot_roles], ["1", undefined, "x"]);
        },
      },
      "Image killed, or in error": {
        declared: name => [image(name)],
        drift: ({ id }) => cloud.tamper(id, { status: "killed" }),
        shows: { status: ["active", "killed"], content: [content, "none (killed)"] },
        means: ["availability"],
      },
      "Image its data lost (queued again)": {
        declared: name => [image(name)],
        drift: ({ id }) =>
          cloud.tamper(id, { status: "queued", checksum: null, size: 0, virtual_size: null, locations: [] }),
        shows: {
          status: ["active", "queued"],
          checksum: [digest, undefined],
          size: [disk.length, 0],
        },
        means: ["availability"],
        repaired: async ({ id }) => assert.deepEqual(await owner.data(id), Buffer.from(disk)),
      },
      "Image its digest isn't what it was": {
        declared: name => [image(name)],
        drift: ({ id }) => cloud.tamper(id, { checksum: other }),
        shows: { checksum: [digest, other], content: [content, `changed on the server (checksum ${other})`] },
        means: ["security"],
      },
      "Image its size isn't what it was": {
        declared: name => [image(name)],
        drift: ({ id }) => cloud.tamper(id, { size: 12 }),
        shows: { size: [disk.length, 12], content: [content, "changed on the server (size 12)"] },
        means: ["security"],
      },
      "Image its checksum isn't what it was, without a source": {
        prepare: async () => {
          const meta = { name: "sourceless", disk_format: "raw", container_format: "bare" };
          sourceless = (await owner.create(meta, Uint8Array.from(disk))).id;
        },
        declared: name => [adopted(name, { adopt: { id: sourceless.toUpperCase() } })],
        drift: ({ id }) => cloud.tamper(id, { checksum: other }),
        shows: { checksum: [digest, other] },
        means: ["security"],
      },
      "Image diskFormat changed, before it has data": field(
        formats,
        { disk_format: "iso" },
        { diskFormat: ["raw", "iso"] },
        ["security"],
      ),
      "Image containerFormat changed, before it has data": field(
        formats,
        { container_format: "ovf" },
        { containerFormat: ["bare", "ovf"] },
        ["security"],
      ),
      "Image given to another project": {
        declared: name => [bare(name)],
        drift: ({ id }) => cloud.tamper(id, { owner: theirs, is_public: true }),
        shows: ({ outputs }) => ({ owner: [outputs.owner, theirs] }),
        means: ["security"],
        says: ({ id }) => new RegExp(`image ${id} belongs to project ${theirs} now`),
        tidy: ({ id, outputs }) => cloud.tamper(id, { owner: outputs.owner }),
      },
      "Image given to another project, with owner declared": {
        declared: name => [
          bare(name, { connection: "admin", owner: cloud.services[service].accounts.owner.projectId }),
        ],
        drift: ({ id }) => cloud.tamper(id, { owner: theirs }),
        shows: ({ outputs }) => ({ owner: [outputs.owner, theirs] }),
        means: ["security"],
      },
      "Image deleted": { declared: name => [bare(name)], drift: ({ id }) => owner.delete(id), means: ["availability"] },
      "Image deleted, and made again under the same name": {
        declared: name => [bare(name)],
        async drift({ id }) {
          const name = String((await owner.image(id)).name);
          await owner.delete(id);
          remade.set(id, (await owner.create({ name })).id);
        },
        means: ["availability"],
        says: ({ id }) => new RegExp(`image ${id} is gone, and somebody made another one .*${remade.get(id)}`),
        tidy: async ({ id }) => await owner.delete(String(remade.get(id))),
      },
      "Image deleted, after it was adopted by its id": {
        prepare: async () => {
          adoptee = (await owner.create({ name: "adoptee" })).id;
        },
        declared: name => [adopted(name, { adopt: { id: adoptee } })],
        drift: ({ id }) => owner.delete(id),
        means: ["availability"],
        says: () => new RegExp(`there is no image with the id ${adoptee} to adopt`),
      },
      ...fileDrift(image, () => stack),
      ...urlDrifts(image, files, service),
    };
  }

  function members(): Record<string, Case> {
    const project = () => cloud.services[service].accounts.consumer.projectId;
    const shared = (name: string, canShare: boolean, to: boolean | undefined): Case => ({
      declared: own => [
        bare(name),
        member(own, { imageId: { $output: `${name}.id` }, member: project().toUpperCase(), canShare }),
      ],
      drift: ({ idOf }) =>
        to === undefined ? owner.removeMember(idOf(name), project()) : owner.putMember(idOf(name), project(), to),
      ...(to === undefined ? {} : { shows: { canShare: [canShare, to] } }),
      means: [to === true ? "security" : "availability"],
    });
    return {
      "ImageMember removed": shared("shared 1", false, undefined),
      "ImageMember may share on": shared("shared 2", false, true),
      "ImageMember may no longer share on": shared("shared 3", true, false),
    };
  }

  function copies(stack: Stack): Record<string, Case> {
    const to = (copyName: string, more: Record<string, unknown> = {}): Pick<Case, "declared"> => ({
      declared: name => [
        copy(name, {
          ...{ imageId: { $output: `${ours}.id` }, forceDelete: true },
          to: { connection: "consumer", name: copyName, ...more },
        }),
      ],
    });
    const changed = (
      copyName: string,
      meta: Record<string, string>,
      shows: [unknown, unknown],
      means: Case["means"] = ["metadata"],
      more: Record<string, unknown> = {},
    ): Case => ({
      ...to(copyName, more),
      drift: ({ id }) => consumer.set(id, meta),
      shows: { metadata: shows },
      means,
    });
    let unmanaged = "";
    return {
      "ImageCopy deleted": { ...to("copy 1"), drift: ({ id }) => consumer.delete(id), means: ["availability"] },
      "ImageCopy name changed": changed("copy 2", { name: "drifted" }, [{ name: "copy 2" }, { name: "drifted" }]),
      "ImageCopy minDisk or minRam changed": changed("copy 3", { min_disk: "7", min_ram: "9" }, [
        { minDisk: 2, minRam: 128 },
        { minDisk: 7, minRam: 9 },
      ]),
      "ImageCopy property changed": changed("copy 5", { "property-os_distro": "debian" }, [
        { properties: { os_distro: "ubuntu" } },
        { properties: { os_distro: "debian" } },
      ]),
      "ImageCopy protection taken off": changed(
        "copy 7",
        { protected: "False" },
        [{ protected: true }, { protected: false }],
        ["security"],
        { protected: true },
      ),
      "ImageCopy killed, or in error": {
        ...to("copy 8"),
        drift: ({ id }) => cloud.tamper(id, { status: "killed" }),
        shows: { status: ["active", "killed"], content: [`md5:${digest}`, "none (killed)"] },
        means: ["availability"],
      },
      "ImageCopy its digest isn't what its source's is": {
        ...to("copy 9"),
        drift: ({ id }) => cloud.tamper(id, { checksum: other }),
        shows: { content: [`md5:${digest}`, `md5:${other}`], digest: [`md5:${digest}`, `md5:${other}`] },
        means: ["security"],
      },
      "ImageCopy its source's name or properties changed": {
        prepare: async () => {
          const meta = { name: "theirs", disk_format: "raw", container_format: "bare", "property-p": "1" };
          unmanaged = (await owner.create(meta, Uint8Array.from(disk))).id;
        },
        declared: name => [copy(name, { imageId: unmanaged, to: { connection: "consumer" } })],
        drift: () => owner.set(unmanaged, { name: "renamed", "property-p": "2" }),
        shows: {
          metadata: [
            { name: "theirs", properties: { p: "1" } },
            { name: "renamed", properties: { p: "2" } },
          ],
        },
        means: ["metadata"],
        repaired: async ({ id }) => assert.equal((await consumer.image(id)).name, "renamed"),
        tidy: () => owner.delete(unmanaged),
      },
      "ImageCopy its source's data changed": {
        declared: name => [
          image("changing source", { source: { file: "copied.raw" } }),
          copy(name, { imageId: { $output: "changing source.id" }, to: { connection: "consumer", name: "follower" } }),
        ],
        drift: () => changeCopied(stack),
        shows: ({ outputs }) => ({ imageId: [outputs.imageId, unknownValue] }),
        means: ["metadata"],
        along: { "changing source": "replace" },
        repaired: async (_found, { id }) => assert.notDeepEqual(await consumer.data(id), Buffer.from(disk)),
      },
    };
  }

  function quiet(): Record<string, Quiet> {
    const odd = {
      number: "42",
      padded: "007",
      fraction: "1.50",
      yes: "true",
      no: "False",
      none: "None",
      composed: "é",
      decomposed: "e\u0301",
    };
    let source = "";
    return {
      "a property that somebody else added": {
        declared: name => [bare(name, { properties: { own: "1" } })],
        change: ({ id }) => owner.set(id, { "property-other": "x" }),
      },
      "properties that servers and tools add": {
        declared: name => [bare(name, { properties: {}, exclusiveProperties: true })],
        change: ({ id }) =>
          owner.set(id, { "property-owner_specified.openstack.md5": "x", "property-image_type": "snapshot" }),
      },
      "an undeclared field": { declared: name => [bare(name)], change: ({ id }) => owner.set(id, { min_disk: "9" }) },
      "a change and its way back, which leave a time": {
        declared: name => [bare(name, { properties: odd, minDisk: 1 })],
        async change({ id }) {
          await owner.set(id, { min_disk: "2" });
          await owner.set(id, { min_disk: "1" });
        },
      },
      "a copy whose source was deleted": {
        prepare: async () => {
          const meta = { name: "to go", disk_format: "raw", container_format: "bare" };
          source = (await owner.create(meta, Uint8Array.from(disk))).id;
        },
        declared: name => [copy(name, { imageId: source, to: { connection: "consumer" } })],
        change: () => owner.delete(source),
      },
    };
  }
});
