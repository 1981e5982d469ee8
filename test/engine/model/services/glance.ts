import { createHash } from "node:crypto";
import type { Account as CloudAccount } from "../../../cloud/openStackCloud.ts";
import { type ApiImage, ImageApi } from "../../../openstack/imageApi.ts";
import { GlanceV1Api, type V1Image } from "../../../support/glanceV1Api.ts";
import type { Values } from "../../providerProcess.ts";
import type { Kind } from "../provider.ts";
import type { Bench } from "./bench.ts";
import type { Account, ImageSpec, ModelService, TrueImage, Truth } from "./service.ts";
import { whole } from "./whole.ts";

const formats = { diskFormat: "raw", containerFormat: "bare" };
const property = { resource: "pulumi_images_resource", stack: "pulumi_images_stack" } as const;
const unfinished = "pulumi_images_unfinished";

/** What a cloud's operator may write into `property_protection_file`. */
const everybody = ["admin", "member", "reader"];
const reserved = [
  { property: "^pulumi_.*", create: ["admin"], read: everybody, update: ["admin"], delete: ["admin"] },
  { property: ".*", create: everybody, read: everybody, update: everybody, delete: everybody },
];

type Dialect = "openstack" | "ecl" | "istack";

/** The services that speak the Image API v2. */
export async function glanceService(bench: Bench): Promise<ModelService> {
  const name = bench.service as Dialect;
  const service = bench.services[name];
  const imageUrl =
    name === "openstack"
      ? (bench.services.openstack.imageServers[0] as string)
      : name === "ecl"
        ? bench.services.ecl.imageUrls.jp1
        : bench.services.istack.imageUrl;
  const accounts = service.accounts as Record<Account, CloudAccount>;
  const as = renewed(account => ImageApi.signIn(service.authUrl, accounts[account], imageUrl));
  const owns = (account: Account) => accounts[account].projectId;
  const apiOf = (image: TrueImage) => as(image.account === owns("owner") ? "owner" : "consumer");
  const gated = await bench.gate.through(imageUrl);

  async function truthOf(account: Account): Promise<TrueImage[]> {
    const api = await as(account);
    const mine = (await api.list()).filter(({ owner, status }) => owner === owns(account) && status !== "deleted");
    return await Promise.all(mine.map(async image => trueImage(image, await members(api, image))));
  }

  return {
    name,
    kinds: {
      openstack: ["Image", "ImageTag", "ImageMember", "ImageCopy"],
      ecl: ["Image", "ImageTag", "ImageMember"],
      istack: ["Image", "ImageTag"],
    }[name] as Kind[],
    accounts: true,
    async connection(account) {
      const { username, password, projectId } = accounts[account];
      return {
        ...{ service: name, authUrl: service.authUrl, username, password, userDomainId: "default", projectId },
        imageEndpoint: gated,
      };
    },
    imageArgs: ({ name: called, data, fields }) => ({
      ...{ ...formats, name: called, source: { file: bench.diskFile(data) } },
      ...(name === "istack" ? {} : { visibility: "shared" }),
      ...{ minDisk: fields + 1, properties: { colour: String(fields) } },
    }),
    adoptArgs: ({ fields }) => ({ minDisk: fields + 1 }),
    differs(image, spec) {
      const real = JSON.parse(image.whole) as ApiImage;
      return [
        ...(real.name === spec.name ? [] : [`its name is ${real.name}, not ${spec.name}`]),
        ...(real.min_disk === spec.fields + 1 ? [] : [`its min_disk is ${real.min_disk}, not ${spec.fields + 1}`]),
        ...(real.colour === String(spec.fields) ? [] : [`its colour is ${real.colour}, not ${spec.fields}`]),
      ];
    },
    tagArgs: tag => ({ tag: `tag-${tag}` }),
    memberArgs: () => ({ member: owns("consumer") }),
    copyArgs: () => ({ to: { stores: ["slow"] } }),
    partOf,
    digestOf: data => digest(bench.disks[data] as Buffer),
    async truth() {
      const all = await Promise.all([truthOf("owner"), truthOf("consumer")]);
      return new Map(all.flat().map(image => [image.id, image]));
    },
    async remove(image) {
      const api = await apiOf(image);
      await unprotect(api, image);
      await api.delete(image.id);
    },
    rename: async (image, called) => (await apiOf(image)).set(image.id, { name: called }),
    async retag(image, tag) {
      const api = await apiOf(image);
      const { tags } = JSON.parse(image.whole) as ApiImage;
      const others = tags.filter(other => !other.startsWith(`${property.resource}=`));
      if (others.length < tags.length)
        return await api.set(image.id, { tags: [...others, ...(tag ? [`${property.resource}=${tag}`] : [])] });
      const has = image.ownerTag !== undefined;
      if (tag !== undefined)
        await api.patch(image.id, { op: has ? "replace" : "add", path: `/${property.resource}`, value: tag });
      else if (has) await api.patch(image.id, { op: "remove", path: `/${property.resource}` });
    },
    async make(account, called) {
      const shared = name === "istack" ? {} : { visibility: "shared" };
      const body = { name: called, disk_format: "raw", container_format: "bare", ...shared };
      return (await (await as(account)).create(body, bench.disks[0])).id;
    },
    async plant(id, called, tags) {
      const api = await as("consumer");
      const visibility = name === "openstack" ? "community" : "shared";
      const body = {
        ...{ id, name: called, disk_format: "raw", container_format: "bare", visibility },
        ...{ [property.resource]: tags.resource, [property.stack]: tags.stack },
        ...(tags.unfinished ? { [unfinished]: "2026-01-01T00:00:00Z" } : {}),
      };
      const made = await api.create(body, bench.disks[0]);
      if (visibility === "shared")
        await api.send("POST", `/v2/images/${made.id}/members`, { body: { member: owns("owner") } });
      return made.id;
    },
    ...(name === "openstack" && bench.local
      ? { forbid: () => void Object.assign(bench.local?.settings.openstack ?? {}, { propertyProtections: reserved }) }
      : {}),
    async clear() {
      if (name === "openstack" && bench.local) bench.local.settings.openstack.propertyProtections = [];
      for (const account of ["owner", "consumer"] as const) {
        for (const image of await truthOf(account)) {
          const api = await as(account);
          await unprotect(api, image);
          await api.send("DELETE", `/v2/images/${image.id}`);
        }
      }
    },
  };
}

const renewMs = 4000;

/** Signs in for each account, and again before that has expired. */
function renewed<Api>(signIn: (account: Account) => Promise<Api>): (account: Account) => Promise<Api> {
  const known = new Map<Account, { at: number; api: Promise<Api> }>();
  return account => {
    const { at, api } = known.get(account) ?? { at: 0, api: undefined };
    if (api !== undefined && Date.now() - at < renewMs) return api;
    const anew = signIn(account);
    known.set(account, { at: Date.now(), api: anew });
    return anew;
  };
}

async function unprotect(api: ImageApi, image: TrueImage): Promise<void> {
  if (JSON.parse(image.whole).protected === true) await api.set(image.id, { protected: false });
}

async function members(api: ImageApi, image: ApiImage): Promise<string[]> {
  if (image.visibility !== "shared") return [];
  const answer = await api.send("GET", `/v2/images/${image.id}/members`);
  return ((await answer.json()) as { members: { member_id: string }[] }).members.map(({ member_id }) => member_id);
}

function trueImage(image: ApiImage, members: string[]): TrueImage {
  const { updated_at: _, ...rest } = image;
  const owner = (name: string) =>
    (image[name] as string | undefined) ?? image.tags.find(tag => tag.startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    id: image.id,
    account: String(image.owner),
    name: image.name,
    finished: ["active", "deactivated"].includes(image.status) && owner(unfinished) === undefined,
    busy: ["saving", "uploading", "importing"].includes(image.status) || Boolean(image.os_glance_importing_to_stores),
    ownerTag: owner(property.resource),
    stackTag: owner(property.stack),
    digest: (image.checksum as string | null) ?? undefined,
    tags: image.tags.filter(tag => !tag.startsWith("pulumi_images_")),
    members,
    places: String(image.stores ?? "")
      .split(",")
      .filter(Boolean)
      .sort(),
    whole: whole({ ...rest, members }),
  };
}

function partOf(kind: Kind, args: Values): string {
  if (kind === "ImageTag") return String(args.tag);
  return kind === "ImageMember" ? String(args.member) : String((args.to as { stores: string[] }).stores[0]);
}

const digest = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** The Image API v1. */
export async function glanceV1Service(bench: Bench): Promise<ModelService> {
  const { authUrl, imageUrl, accounts } = bench.services["glance-v1"];
  const as = renewed(account => GlanceV1Api.signIn(authUrl, accounts[account], imageUrl));
  const owns = (account: Account) => accounts[account].projectId;
  const apiOf = (image: TrueImage) => as(image.account === owns("owner") ? "owner" : "consumer");
  const gated = await bench.gate.through(imageUrl);

  async function truthOf(account: Account): Promise<TrueImage[]> {
    const api = await as(account);
    const mine = (await api.list()).filter(({ owner }) => owner === owns(account));
    return await Promise.all(
      mine.map(async image => {
        const found = (await api.members(image.id)).map(({ member_id }) => member_id);
        return {
          ...{ id: image.id, account: image.owner, name: image.name ?? "" },
          finished: image.status === "active" && image.properties[unfinished] === undefined,
          busy: image.status === "saving",
          ...{ ownerTag: image.properties[property.resource] ?? undefined },
          ...{ stackTag: image.properties[property.stack] ?? undefined },
          ...{ digest: image.checksum ?? undefined, tags: [], members: found, places: [] },
          whole: whole({ ...image, updated_at: undefined, members: found }),
        };
      }),
    );
  }

  return {
    name: "glance-v1",
    kinds: ["Image", "ImageMember"],
    accounts: true,
    async connection(account) {
      const { username, password, projectId } = accounts[account];
      return {
        ...{ service: "glance-v1", authUrl, username, password, userDomainId: "default", projectId },
        imageEndpoint: gated,
      };
    },
    imageArgs: ({ name, data, fields }) => ({
      ...{ ...formats, name, source: { file: bench.diskFile(data) } },
      ...{ minDisk: fields + 1, properties: { colour: String(fields) } },
    }),
    adoptArgs: ({ fields }) => ({ minDisk: fields + 1 }),
    differs(image, spec) {
      const real = JSON.parse(image.whole) as V1Image;
      const { colour } = real.properties;
      return [
        ...(real.name === spec.name ? [] : [`its name is ${real.name}, not ${spec.name}`]),
        ...(real.min_disk === spec.fields + 1 ? [] : [`its min_disk is ${real.min_disk}, not ${spec.fields + 1}`]),
        ...(colour === String(spec.fields) ? [] : [`its colour is ${colour}, not ${spec.fields}`]),
      ];
    },
    tagArgs: () => ({}),
    memberArgs: () => ({ member: owns("consumer") }),
    copyArgs: () => ({}),
    partOf,
    digestOf: data => digest(bench.disks[data] as Buffer),
    async truth(): Promise<Truth> {
      const all = await Promise.all([truthOf("owner"), truthOf("consumer")]);
      return new Map(all.flat().map(image => [image.id, image]));
    },
    remove: async image => (await apiOf(image)).delete(image.id),
    rename: async (image, name) => (await apiOf(image)).set(image.id, { name }),
    async retag(image, tag) {
      const api = await apiOf(image);
      if (tag !== undefined) return await api.set(image.id, { [`property-${property.resource}`]: tag });
      const { properties } = JSON.parse(image.whole) as V1Image;
      const kept = Object.entries(properties).filter(([key]) => key !== property.resource);
      await api.setProperties(image.id, Object.fromEntries(kept.map(([key, value]) => [key, value ?? ""])));
    },
    async make(account, name) {
      const meta = { name, disk_format: "raw", container_format: "bare" };
      return (await (await as(account)).create(meta, new Uint8Array(bench.disks[0] as Buffer))).id;
    },
    async plant(id, name, tags) {
      const meta = {
        ...{ id, name, disk_format: "raw", container_format: "bare", is_public: "false" },
        ...{ [`property-${property.resource}`]: tags.resource, [`property-${property.stack}`]: tags.stack },
        ...(tags.unfinished ? { [`property-${unfinished}`]: "2026-01-01T00:00:00Z" } : {}),
      };
      const api = await as("consumer");
      const made = await api.create(meta, new Uint8Array(bench.disks[0] as Buffer));
      await api.putMember(made.id, owns("owner"), false);
      return made.id;
    },
    async clear() {
      for (const account of ["owner", "consumer"] as const)
        for (const image of await truthOf(account)) await (await as(account)).delete(image.id);
    },
  };
}

export type { ImageSpec };
