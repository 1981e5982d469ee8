import { randomBytes, randomUUID } from "node:crypto";

/** Everything that the local DigitalOcean remembers, as it lies on disk. Field names of the wire are kept where a thing is served as it is. */
export interface State {
  accounts: Account[];
  images: Image[];
  volumeSnapshots: VolumeSnapshot[];
  droplets: Droplet[];
  actions: Action[];
  tags: Tag[];
  transfers: Transfer[];
  nextId: number;
}

/** A team (or a person): who a token belongs to, and to whom a snapshot can be transferred. */
export interface Account {
  name: string;
  email: string;
  uuid: string;
  token: string;
  /** Tokens that were made later. */
  moreTokens?: string[];
  /** uuids of other teams in which this account may accept a transfer, so that a transfer to them needs no acceptance. */
  memberOf: string[];
}

export type ImageStatus = "NEW" | "available" | "pending" | "deleted" | "retired";

export interface Image {
  id: number;
  /** uuid of the account, or null for a public image. */
  owner: string | null;
  name: string;
  type: "base" | "snapshot" | "backup" | "custom" | "admin";
  distribution: string;
  slug: string | null;
  regions: string[];
  created_at: string;
  /** GB */
  min_disk_size: number | null;
  size_gigabytes: number | null;
  description: string;
  status: ImageStatus;
  error_message: string;
  /** A public 1-Click image, for the list filter `type=application`. */
  application?: boolean;
  /** Where a custom image comes from, and the region it goes to. */
  source?: { url: string; region: string };
  /** sha256 of a custom image's bytes as they were downloaded, hex. */
  sha256?: string;
  /** The droplet that a snapshot or a backup was made from. */
  dropletId?: number;
}

export interface VolumeSnapshot {
  id: string;
  owner: string;
  name: string;
  created_at: string;
  regions: string[];
  min_disk_size: number;
  size_gigabytes: number;
  volumeId: string;
}

export interface Droplet {
  id: number;
  owner: string;
  name: string;
  region: string;
  status: "active" | "off";
  distribution: string;
  /** GB */
  disk: number;
}

export interface Action {
  id: number;
  owner: string;
  status: "in-progress" | "completed" | "errored";
  type: string;
  started_at: string;
  completed_at: string | null;
  resource_id: number;
  resource_type: "image" | "droplet";
  region_slug: string;
  /** What a droplet's action was asked to do: the name of its snapshot, or its new name. */
  name?: string;
}

export type ResourceType = "droplet" | "image" | "volume" | "volume_snapshot";

export interface Tag {
  owner: string;
  name: string;
  /** In the order of tagging: the last one is the last that was tagged. */
  resources: { resource_id: string; resource_type: ResourceType }[];
}

export interface Transfer {
  id: number;
  imageId: number;
  sender: string;
  /** uuid of the recipient's account. */
  recipient: string;
  status: "pending" | "accepted" | "declined" | "canceled";
}

export function newToken(): string {
  return `dop_v1_${randomBytes(32).toString("hex")}`;
}

/** The world when the local DigitalOcean starts for the first time: two accounts, public images, a droplet with a backup for each account. */
export function newState(now: Date): State {
  const sender = newAccount("sender");
  const recipient = newAccount("recipient");
  const created_at = timestamp(now);
  const state: State = {
    accounts: [sender, recipient],
    images: [],
    volumeSnapshots: [],
    droplets: [],
    actions: [],
    tags: [],
    transfers: [],
    nextId: 7_000_000,
  };
  for (const [slug, distribution, name] of PUBLIC_IMAGES) {
    state.images.push({
      id: state.nextId++,
      owner: null,
      name,
      type: "snapshot",
      distribution,
      slug,
      regions: ["ams3", "fra1", "lon1", "nyc1", "nyc3", "sfo3", "sgp1", "tor1"],
      created_at,
      min_disk_size: 10,
      size_gigabytes: 2.34,
      description: "",
      status: "available",
      error_message: "",
      ...(slug.startsWith("app-") && { application: true }),
    });
  }
  for (const account of state.accounts) {
    const droplet = newDroplet(state, account, { name: `${account.name}-01` });
    newDropletImage(state, droplet, { type: "backup", name: `${droplet.name} ${created_at.slice(0, 10)}`, created_at });
  }
  return state;
}

const PUBLIC_IMAGES = [
  ["ubuntu-22-04-x64", "Ubuntu", "22.04 (LTS) x64"],
  ["ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64"],
  ["debian-12-x64", "Debian", "12 x64"],
  ["rockylinux-9-x64", "Rocky Linux", "9 x64"],
  ["app-docker-20-04", "Ubuntu", "Docker on Ubuntu"],
] as const;

function newAccount(name: string): Account {
  return {
    name,
    email: `${name}@example.com`,
    uuid: randomUUID(),
    token: newToken(),
    memberOf: [],
  };
}

/** Adds a droplet to an account. */
export function newDroplet(
  state: State,
  account: Account,
  options: { name?: string; region?: string; distribution?: string; disk?: number } = {},
): Droplet {
  const id = state.nextId++;
  const droplet: Droplet = {
    id,
    owner: account.uuid,
    name: options.name ?? `droplet-${id}`,
    region: options.region ?? "nyc3",
    status: "active",
    distribution: options.distribution ?? "Ubuntu",
    disk: options.disk ?? 25,
  };
  state.droplets.push(droplet);
  return droplet;
}

/** Adds the image that a snapshot or a backup of a droplet is. */
export function newDropletImage(
  state: State,
  droplet: Droplet,
  options: { type: "snapshot" | "backup"; name: string; created_at: string },
): Image {
  const image: Image = {
    id: state.nextId++,
    owner: droplet.owner,
    name: options.name,
    type: options.type,
    distribution: droplet.distribution,
    slug: null,
    regions: [droplet.region],
    created_at: options.created_at,
    min_disk_size: droplet.disk,
    size_gigabytes: 2.34,
    description: "",
    status: "available",
    error_message: "",
    dropletId: droplet.id,
  };
  state.images.push(image);
  return image;
}

/** Takes an image, and what hangs on it, out of the world. */
export function removeImage(state: State, image: Image): void {
  state.images.splice(state.images.indexOf(image), 1);
  untagEverywhere(state, "image", String(image.id));
  for (const transfer of state.transfers) {
    if (transfer.imageId === image.id && transfer.status === "pending") transfer.status = "canceled";
  }
}

/** Takes all tags from a resource that is going away or to another account. */
export function untagEverywhere(state: State, type: ResourceType, id: string): void {
  for (const tag of state.tags) {
    tag.resources = tag.resources.filter(it => !(it.resource_type === type && it.resource_id === id));
  }
}

/** Names of the tags on a resource, in the order in which the tags were made. */
export function tagsOf(state: State, type: ResourceType, id: string): string[] {
  return state.tags
    .filter(tag => tag.resources.some(it => it.resource_type === type && it.resource_id === id))
    .map(tag => tag.name);
}

/**
 * The account's tag of that name, made when there is none. Names are case-stable: the spelling used first stays, and another
 * capitalization means the same tag.
 */
export function ensureTag(state: State, owner: string, name: string): Tag {
  const same = name.toLowerCase();
  const known = state.tags.find(tag => tag.owner === owner && tag.name.toLowerCase() === same);
  if (known) return known;
  const tag: Tag = { owner, name, resources: [] };
  state.tags.push(tag);
  return tag;
}

/** Puts a tag on a resource, which makes it the last one tagged. */
export function applyTag(tag: Tag, resource_type: ResourceType, resource_id: string): void {
  removeTag(tag, resource_type, resource_id);
  tag.resources.push({ resource_type, resource_id });
}

/** Takes a tag from a resource; it need not be there. */
export function removeTag(tag: Tag, type: ResourceType, id: string): void {
  tag.resources = tag.resources.filter(it => !(it.resource_type === type && it.resource_id === id));
}

/** A time as DigitalOcean writes it: ISO 8601, whole seconds, Z. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
