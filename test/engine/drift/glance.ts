import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { unknownValue } from "../../../provider/fields/field.ts";
import type { Tampering } from "../../cloud/openStackCloud.ts";
import type { ImageApi } from "../../openstack/imageApi.ts";
import { sha256, sha512 } from "../../support/disk.ts";
import type { FileServer } from "../../support/fileServer.ts";
import type { Declared, Stack } from "../stack.ts";
import { changeCopied, disk, fileDrift, urlDrifts } from "./data.ts";
import type { Case, Found, Quiet } from "./drifting.ts";

/** A service that speaks the Image API v2, and its people: connections `owner` and `consumer`, where it has one `admin`. */
export interface Place {
  service: "openstack" | "ecl" | "istack";
  owner: ImageApi;
  consumer: ImageApi;
  consumerId: string;
  /** Some other project. */
  strangerId: string;
  files: FileServer;
  /** Does what no API can. */
  tamper(id: string, values: Tampering): Promise<void>;
}

const formats = { diskFormat: "raw", containerFormat: "bare" };
const wireFormats = { disk_format: "raw", container_format: "bare" };
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
const ours = "source of copies";
const theirs = "0".repeat(32);

/** The resources of a stack on one service. */
function declaring(service: string) {
  const of =
    (kind: Declared["kind"]) =>
    (name: string, args: Record<string, unknown>): Declared => ({
      kind,
      name,
      args: { service, connection: "owner", ...args },
    });
  const image = of("Image");
  return {
    image: (name: string, args: Record<string, unknown> = {}) =>
      image(name, { name, ...formats, source: { file: "disk.raw" }, ...args }),
    /** One without data, for what is about metadata only. */
    bare: (name: string, args: Record<string, unknown> = {}) => image(name, { name, ...args }),
    adopted: image,
    member: of("ImageMember"),
    tag: of("ImageTag"),
    copy: of("ImageCopy"),
  };
}

/** What the copies are of. */
export function sourceOfCopies(service: string): Declared[] {
  const { image } = declaring(service);
  return [image(ours, { tags: ["golden"], properties: { os_distro: "ubuntu" }, minDisk: 2, minRam: 128 })];
}

/** The drifts that each service with the Image API v2 has. */
export function drifts(place: Place, stack: Stack): Record<string, Case> {
  return { ...imageDrifts(place, stack), ...tagDrifts(place), ...copyDrifts(place, stack) };
}

function imageDrifts({ service, owner, files, tamper }: Place, stack: Stack): Record<string, Case> {
  const { image, bare, adopted } = declaring(service);
  const hashes = service === "openstack";
  const digest = hashes ? { os_hash_value: "ab".repeat(64) } : { checksum: "ab".repeat(16) };
  const field = (
    args: Record<string, unknown>,
    wire: Record<string, unknown>,
    shows: Case["shows"],
    means: Case["means"] = ["metadata"],
  ): Case => ({
    declared: name => [bare(name, args)],
    drift: ({ id }) => owner.set(id, wire),
    ...(shows === undefined ? {} : { shows }),
    means,
  });
  const remade = new Map<string, string>();
  let adoptee = "";
  const [narrow, wide] =
    service === "ecl" ? ["private", "shared"] : ["private", service === "istack" ? "public" : "community"];
  const admin = service === "istack" ? { connection: "admin" } : {};
  return {
    "Image name changed": {
      declared: name => [bare(name)],
      drift: ({ id }) => owner.set(id, { name: "drifted" }),
      shows: { name: ["Image name changed", "drifted"] },
      means: ["metadata"],
    },
    "Image minDisk changed": field({ minDisk: 2 }, { min_disk: 20 }, { minDisk: [2, 20] }),
    "Image minRam changed": field({ minRam: 2 }, { min_ram: 20 }, { minRam: [2, 20] }),
    "Image visibility widened": {
      declared: name => [bare(name, { visibility: narrow })],
      drift: ({ id }) =>
        service === "istack" ? tamper(id, { visibility: "public" }) : owner.set(id, { visibility: wide }),
      shows: { visibility: [narrow, wide] },
      means: ["security"],
    },
    "Image visibility narrowed": {
      declared: name => [bare(name, { ...admin, visibility: wide })],
      drift: ({ id }) => tamper(id, { visibility: "private" }),
      shows: { visibility: [wide, "private"] },
      means: ["availability"],
    },
    "Image protection taken off": field(
      { protected: true, forceDelete: true },
      { protected: false },
      { protected: [true, false] },
      ["security"],
    ),
    "Image protection put on": field(
      { protected: false, forceDelete: true },
      { protected: true },
      { protected: [false, true] },
    ),
    "Image tag missing": field({ tags: ["a", "b"] }, { tags: ["b"] }, { tags: [["a", "b"], ["b"]] }),
    "Image tag added": field({ tags: ["a"] }, { tags: ["z", "a"] }, { tags: [["a"], ["a", "z"]] }),
    "Image property changed": field(
      { properties: { p: "1", q: "2" } },
      { p: "one" },
      {
        properties: [
          { p: "1", q: "2" },
          { p: "one", q: "2" },
        ],
      },
    ),
    "Image property removed": {
      declared: name => [bare(name, { properties: { p: "1", q: "2" } })],
      drift: ({ id }) => owner.patch(id, { op: "remove", path: "/p" }),
      shows: { properties: [{ p: "1", q: "2" }, { q: "2" }] },
      means: ["metadata"],
    },
    "Image property added, with exclusiveProperties": {
      declared: name => [bare(name, { properties: { p: "1" }, exclusiveProperties: true })],
      drift: ({ id }) =>
        owner.patch(
          id,
          ...["other", "owner_specified.openstack.md5", "boot_roles"].map(key => ({
            op: "add",
            path: `/${key}`,
            value: "x",
          })),
        ),
      shows: { properties: [{ p: "1" }, { p: "1", other: "x" }] },
      means: ["metadata"],
      async repaired({ id }) {
        const now = await owner.image(id);
        assert.deepEqual([now.p, now.other, now.boot_roles], ["1", undefined, "x"]);
      },
    },
    "Image killed, or in error": {
      declared: name => [image(name)],
      drift: ({ id }) => tamper(id, { status: "killed" }),
      shows: { status: ["active", "killed"], content: [`sha256:${sha256(disk)}`, "none (killed)"] },
      means: ["availability"],
    },
    "Image its data lost (queued again)": {
      declared: name => [image(name)],
      drift: ({ id }) =>
        tamper(id, {
          status: "queued",
          locations: [],
          checksum: null,
          os_hash_value: null,
          os_hash_algo: null,
          size: null,
          virtual_size: null,
        }),
      shows: {
        status: ["active", "queued"],
        checksum: [md5(disk), undefined],
        size: [disk.length, undefined],
        ...(hashes ? { hashValue: [sha512(disk), undefined] } : {}),
      },
      means: ["availability"],
      repaired: async ({ id }) => assert.deepEqual(Buffer.from(await owner.data(id)), disk),
    },
    "Image its digest isn't what it was": {
      declared: name => [image(name)],
      drift: ({ id }) => tamper(id, digest),
      shows: hashes
        ? {
            hashValue: [sha512(disk), digest.os_hash_value],
            content: [`sha256:${sha256(disk)}`, `changed on the server (hashValue ${digest.os_hash_value})`],
          }
        : {
            checksum: [md5(disk), digest.checksum],
            content: [`sha256:${sha256(disk)}`, `changed on the server (checksum ${digest.checksum})`],
          },
      means: ["security"],
    },
    "Image its size isn't what it was": {
      declared: name => [image(name)],
      drift: ({ id }) => tamper(id, { size: 12 }),
      shows: {
        size: [disk.length, 12],
        content: [`sha256:${sha256(disk)}`, "changed on the server (size 12)"],
      },
      means: ["security"],
    },
    "Image its checksum isn't what it was, without a source": {
      prepare: async () => {
        adoptee = (await owner.create({ name: "sourceless", ...wireFormats }, disk)).id;
      },
      declared: name => [adopted(name, { adopt: { id: adoptee } })],
      drift: ({ id }) => tamper(id, { checksum: "cd".repeat(16) }),
      shows: { checksum: [md5(disk), "cd".repeat(16)] },
      means: ["security"],
    },
    "Image diskFormat changed, before it has data": field(
      { ...formats },
      { disk_format: "iso" },
      { diskFormat: ["raw", "iso"] },
      ["security"],
    ),
    "Image containerFormat changed, before it has data": field(
      { ...formats },
      { container_format: "ovf" },
      {
        containerFormat: ["bare", "ovf"],
      },
      ["security"],
    ),
    "Image given to another project": {
      declared: name => [bare(name)],
      // So that its first owner still sees it; nothing is declared of it.
      drift: ({ id }) => tamper(id, { owner: theirs, visibility: "public" }),
      shows: ({ outputs }) => ({ owner: [outputs.owner, theirs] }),
      means: ["security"],
      says: ({ id }) => new RegExp(`image ${id} belongs to project ${theirs} now`),
      tidy: ({ id, outputs }) => tamper(id, { owner: String(outputs.owner) }),
    },
    "Image deleted": {
      declared: name => [bare(name)],
      drift: ({ id }) => owner.delete(id),
      means: ["availability"],
    },
    "Image deleted, and made again under the same name": {
      declared: name => [bare(name)],
      async drift({ id }) {
        const { name } = await owner.image(id);
        await owner.delete(id);
        remade.set(id, (await owner.create({ name })).id);
      },
      means: ["availability"],
      says: ({ id }) =>
        new RegExp(
          `image ${id} is gone, and somebody made another one .*${remade.get(id)} .*adopt: \\{ id: "${remade.get(id)}" \\}`,
        ),
      repaired: async ({ id }, now) => {
        assert.notEqual(now.id, remade.get(id));
        assert.equal(await owner.exists(String(remade.get(id))), true, "somebody else's image stays");
      },
      tidy: async ({ id }) => await owner.delete(String(remade.get(id))),
    },
    "Image deleted, after it was adopted by its id": adoptedDrift(),
    ...fileDrift(
      (name, args) => image(name, args),
      () => stack,
    ),
    ...urlDrifts((name, args) => image(name, args), files, service),
  };

  function adoptedDrift(): Case {
    let id = "";
    return {
      prepare: async () => {
        ({ id } = await owner.create({ name: "adoptee" }));
      },
      declared: name => [adopted(name, { adopt: { id } })],
      drift: found => owner.delete(found.id),
      means: ["availability"],
      says: () => new RegExp(`there is no image with the id ${id} to adopt`),
    };
  }
}

function tagDrifts({ service, owner }: Place): Record<string, Case> {
  const { bare, tag } = declaring(service);
  return {
    "ImageTag removed": {
      declared: name => [
        bare("tagged"),
        tag("left", { imageId: { $output: "tagged.id" }, tag: "left" }),
        tag(name, { imageId: { $output: "tagged.id" }, tag: "gone" }),
      ],
      drift: ({ idOf }) => owner.set(idOf("tagged"), { tags: ["left", "somebody's"] }),
      means: ["metadata"],
      repaired: async ({ idOf }) =>
        assert.deepEqual((await owner.image(idOf("tagged"))).tags.toSorted(), ["gone", "left", "somebody's"]),
    },
  };
}

/** Members, where the service has them. */
export function memberDrifts({ service, owner, consumer, consumerId, strangerId }: Place): Record<string, Case> {
  const { bare, member } = declaring(service);
  const path = (id: string, project = consumerId) => `/v2/images/${id}/members/${project}`;
  const invite = (id: string, project: string) =>
    owner.send("POST", `/v2/images/${id}/members`, { body: { member: project } });
  const one = (
    name: string,
    drift: (image: string) => Promise<unknown>,
    to: string | undefined,
    args: Record<string, unknown> = {},
  ): Case => ({
    declared: own => [
      bare(name, { visibility: "shared" }),
      member(own, {
        imageId: { $output: `${name}.id` },
        member: consumerId,
        accept: { connection: "consumer" },
        ...args,
      }),
    ],
    drift: ({ idOf }) => drift(idOf(name)),
    ...(to === undefined ? {} : { shows: { status: [args.status ?? "accepted", to] } }),
    means: to === "accepted" ? ["metadata"] : ["availability"],
  });
  const answer = (status: string) => (id: string) => consumer.send("PUT", path(id), { body: { status } });
  return {
    "ImageMember removed": one("shared 1", id => owner.send("DELETE", path(id)), undefined),
    "ImageMember rejected": one("shared 2", answer("rejected"), "rejected"),
    "ImageMember pending again": one("shared 3", answer("pending"), "pending"),
    "ImageMember accepted, where that isn't declared so": one("shared 4", answer("accepted"), "accepted", {
      status: "rejected",
    }),
    "Image member added, with members declared": {
      declared: name => [bare(name, { visibility: "shared", members: [consumerId.toUpperCase()] })],
      drift: ({ id }) => invite(id, strangerId),
      shows: { members: [[consumerId.toUpperCase()], [consumerId, strangerId].toSorted()] },
      means: ["security"],
    },
    "Image member removed, with members declared": {
      declared: name => [bare(name, { visibility: "shared", members: [strangerId, consumerId] })],
      drift: ({ id }) => owner.send("DELETE", path(id)),
      shows: { members: [[strangerId, consumerId], [strangerId]] },
      means: ["availability"],
    },
  };
}

/** What services with the Image API's actions have. */
export function stateDrifts({ service, owner, consumer }: Place): Record<string, Case> {
  const { image } = declaring(service);
  const changed = (from: string, to: string): Pick<Case, "shows"> => ({
    shows: { state: [from, to], status: [from, to] },
  });
  return {
    "Image deactivated, with state declared": {
      declared: name => [image(name, { state: "active" })],
      drift: ({ id }) => owner.deactivate(id),
      ...changed("active", "deactivated"),
      means: ["availability"],
    },
    "Image activated, with state declared": {
      declared: name => [image(name, { state: "deactivated" })],
      drift: ({ id }) => owner.send("POST", `/v2/images/${id}/actions/reactivate`),
      ...changed("deactivated", "active"),
      means: ["security"],
    },
    "Image deactivated, with no state declared": {
      declared: name => [image(name)],
      drift: ({ id }) => owner.deactivate(id),
      ...changed("active", "deactivated"),
      means: ["availability"],
    },
    "ImageCopy deactivated": {
      ...copyCase(service, "watched copy"),
      drift: ({ id }) => consumer.deactivate(id),
      shows: { status: ["active", "deactivated"] },
      means: ["availability"],
    },
  };
}

function copyCase(service: string, copyName: string, to: Record<string, unknown> = {}): Pick<Case, "declared"> {
  const { copy } = declaring(service);
  return {
    declared: name => [
      copy(name, {
        imageId: { $output: `${ours}.id` },
        forceDelete: true,
        to: { connection: "consumer", name: copyName, ...to },
      }),
    ],
  };
}

function copyDrifts({ service, owner, consumer, tamper }: Place, stack: Stack): Record<string, Case> {
  const { copy, image } = declaring(service);
  const hashes = service === "openstack";
  const digest = hashes ? `sha512:${sha512(disk)}` : `md5:${md5(disk)}`;
  const [narrow, wide] = ["private", service === "ecl" ? "shared" : service === "istack" ? "public" : "community"];
  const changed = (
    copyName: string,
    drift: (id: string) => Promise<unknown>,
    old: Record<string, unknown>,
    now: Record<string, unknown>,
    means: Case["means"] = ["metadata"],
    to: Record<string, unknown> = {},
  ): Case => ({
    ...copyCase(service, copyName, to),
    drift: ({ id }) => drift(id),
    shows: { metadata: [old, now] },
    means,
  });
  const other = hashes ? `sha512:${"ef".repeat(64)}` : `md5:${"ef".repeat(16)}`;
  let unmanaged: Awaited<ReturnType<ImageApi["create"]>>;
  return {
    "ImageCopy deleted": {
      ...copyCase(service, "copy 1"),
      drift: ({ id }) => consumer.delete(id),
      means: ["availability"],
    },
    "ImageCopy name changed": changed(
      "copy 2",
      id => consumer.set(id, { name: "drifted" }),
      { name: "copy 2" },
      { name: "drifted" },
    ),
    "ImageCopy minDisk or minRam changed": changed(
      "copy 3",
      id => consumer.set(id, { min_disk: 7, min_ram: 9 }),
      { minDisk: 2, minRam: 128 },
      { minDisk: 7, minRam: 9 },
    ),
    "ImageCopy tag missing": changed(
      "copy 4",
      id => consumer.set(id, { tags: ["golden"] }),
      { tags: ["copied", "golden"] },
      { tags: ["golden"] },
      ["metadata"],
      { tags: ["copied", "golden"] },
    ),
    "ImageCopy property changed": changed(
      "copy 5",
      id => consumer.set(id, { os_distro: "debian" }),
      { properties: { os_distro: "ubuntu" } },
      { properties: { os_distro: "debian" } },
    ),
    "ImageCopy visibility widened": changed(
      "copy 6",
      id => (service === "istack" ? tamper(id, { visibility: wide }) : consumer.set(id, { visibility: wide })),
      { visibility: narrow },
      { visibility: wide },
      ["security"],
      { visibility: narrow },
    ),
    "ImageCopy protection taken off": changed(
      "copy 7",
      id => consumer.set(id, { protected: false }),
      { protected: true },
      { protected: false },
      ["security"],
      { protected: true },
    ),
    "ImageCopy killed, or in error": {
      ...copyCase(service, "copy 8"),
      drift: ({ id }) => tamper(id, { status: "killed" }),
      shows: { status: ["active", "killed"], content: [digest, "none (killed)"] },
      means: ["availability"],
    },
    "ImageCopy its digest isn't what its source's is": {
      ...copyCase(service, "copy 9"),
      drift: ({ id }) => tamper(id, hashes ? { os_hash_value: "ef".repeat(64) } : { checksum: "ef".repeat(16) }),
      shows: { content: [digest, other], digest: [digest, other] },
      means: ["security"],
    },
    "ImageCopy its source's name or properties changed": {
      prepare: async () => {
        unmanaged = await owner.create({ name: "theirs", ...wireFormats, p: "1", tags: ["old"] }, disk);
      },
      declared: name => [copy(name, { imageId: unmanaged.id.toUpperCase(), to: { connection: "consumer" } })],
      drift: async () => await owner.set(unmanaged.id, { name: "renamed", tags: ["new"], p: "2" }),
      shows: {
        metadata: [
          { name: "theirs", properties: { p: "1" } },
          { name: "renamed", properties: { p: "2" } },
        ],
      },
      means: ["metadata"],
      async repaired({ id }) {
        const now = await consumer.image(id);
        assert.deepEqual([now.name, now.tags, now.p], ["renamed", ["old"], "2"]);
      },
      tidy: async () => await owner.delete(unmanaged.id),
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
      repaired: async (_found, { id }) => assert.notDeepEqual(Buffer.from(await consumer.data(id)), disk),
    },
  };
}

/** What happens to images and isn't drift, on each of these services. */
export function quiet({ service, owner, consumer }: Place): Record<string, Quiet> {
  const { bare, copy } = declaring(service);
  const odd = {
    ...{
      number: "42",
      padded: "007",
      fraction: "1.50",
      yes: "true",
      True: "True",
      none: "None",
      null: "null",
      empty: "",
    },
    ...{ composed: "\u00e9", decomposed: "e\u0301", spaced: "  two  ", json: '{"a":1}' },
  };
  const add =
    (...keys: string[]) =>
    (found: Found) =>
      owner.patch(found.id, ...keys.map(key => ({ op: "add", path: `/${key}`, value: "x" })));
  let source = "";
  return {
    "a property that somebody else added": {
      declared: name => [bare(name, { properties: { own: "1" } })],
      change: add("other"),
    },
    "properties that servers and tools add": {
      declared: name => [bare(name, { properties: {}, exclusiveProperties: true })],
      change: add("owner_specified.openstack.sha256", "boot_roles", "owner_user_name", "signature_verified"),
    },
    "an undeclared field": { declared: name => [bare(name)], change: ({ id }) => owner.set(id, { min_disk: 9 }) },
    "an undeclared tag": { declared: name => [bare(name)], change: ({ id }) => owner.set(id, { tags: ["theirs"] }) },
    "tags in another order": {
      declared: name => [bare(name, { tags: ["b", "c", "a"] })],
      change: ({ id }) => owner.set(id, { tags: ["c", "a", "b"] }),
    },
    "a change and its way back, which leave a time": {
      declared: name => [bare(name, { properties: odd, minDisk: 1 })],
      async change({ id }) {
        await owner.set(id, { min_disk: 2 });
        await owner.set(id, { min_disk: 1 });
      },
    },
    "a copy whose source was deleted": {
      prepare: async () => {
        source = (await owner.create({ name: "to go", ...wireFormats }, disk)).id;
      },
      declared: name => [copy(name, { imageId: source, to: { connection: "consumer" } })],
      change: () => owner.delete(source),
    },
    "a copy's own tags and times": {
      declared: name => [
        copy(name, { imageId: { $output: `${ours}.id` }, to: { connection: "consumer", name: "with more" } }),
      ],
      async change({ id }) {
        await consumer.patch(id, { op: "add", path: "/more", value: "x" });
        await consumer.set(id, { tags: ["theirs"] });
      },
    },
  };
}
