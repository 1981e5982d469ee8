import { createHash } from "node:crypto";
import type { Declared } from "../stack.ts";

export type Phase = "absent" | "first" | "second" | "third";

/** One resource of the matrix: a subject is in the stack several times, each time at another point of its life. */
export interface Slot {
  /** Unique in the stack. */
  name: string;
  subject: Subject;
  /** The phases that it goes through, over and over. */
  life: readonly Phase[];
  phase: Phase;
  /** How often it has been made. */
  cycle: number;
  /** The image that a member, a tag or a copy is of; of a subject with `prepare`, what that made. */
  base: string;
  /** The image that it adopts, in this life, in the place of one that it makes: a killed run had finished it. */
  adopts?: string;
}

/** What declarations are made of. */
export interface Surroundings {
  /** Where two small disk images lie on a web server. */
  url(disk: 1 | 2): string;
  /** The digest of each. */
  digest(disk: 1 | 2): string;
  /** Ids of projects, by the account's name. */
  project(service: string, account: string): string;
  digitaloceanRecipient: string;
  divvycloudInstance: string;
}

/** One kind of resource on one service, in one of its ways to be made. */
export interface Subject {
  service: string;
  kind: Declared["kind"];
  /** Tells subjects of one service and kind apart. */
  variation: string;
  /** Whose connections it needs besides its own, as `<account>` or `<service>/<account>`. */
  others?: string[];
  /** Whether it needs an image to be there, made once by nobody of Pulumi's, or for each of its lives anew. */
  needs?: "image" | "image each time" | "droplet" | "backup each time" | "snapshot each time";
  /** Its update can't be taken back in place: it has to be made anew for the next one. */
  oneWay?: boolean;
  /** What the repeat says where it needs a person's hand, who then does what `MatrixBench.byHand` does, and repeats it. */
  byHand?: RegExp;
  /** What it is declared to be, from phase to phase. The same twice: there is no such step. */
  declare(phase: Exclude<Phase, "absent">, slot: Slot, around: Surroundings): Record<string, unknown>;
}

/** Names of the connections of a slot. */
export function connectionName(slot: Slot, other?: string): string {
  return other === undefined ? slot.name : `${slot.name} ${other}`;
}

const file = (phase: Phase) => ({ file: phase === "third" ? "disk-2.raw" : "disk-1.raw" });
const disk = (phase: Phase) => (phase === "third" ? 2 : 1);
const raw = { diskFormat: "raw", containerFormat: "bare" };
const renamed = (phase: Phase, { name }: Slot) => (phase === "first" ? name : `${name}, renamed`);

/** A uuid for each life of a slot: an image's id can be used once. */
export function idFor({ name, cycle }: Slot): string {
  const hex = createHash("sha256").update(`${name}/${cycle}/${process.pid}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Where a program sends the data itself. */
function uploads(service: string, more: Record<string, unknown> = {}): Subject {
  return {
    ...{ service, kind: "Image", variation: "file" },
    declare: (phase, slot) => ({
      ...raw,
      ...more,
      ...(phase === "first" ? {} : { properties: { os_distro: "debian" }, minDisk: 3 }),
      ...{ name: renamed(phase, slot), source: file(phase) },
    }),
  };
}

function tag(service: string, variation: string, text: string): Subject {
  return {
    ...{ service, kind: "ImageTag", variation, needs: "image" },
    declare: (phase, { base }) => ({ imageId: base, tag: phase === "third" ? `${text}2` : text }),
  };
}

function acrossTo(service: string, other: string): Subject {
  return {
    ...{ service, kind: "ImageCopy", variation: `to ${other.split("/")[0]}`, needs: "image", others: [other] },
    declare: (phase, slot) => ({
      imageId: slot.base,
      to: {
        connection: connectionName(slot, other),
        ...(other.includes("/") ? { service: other.split("/")[0] } : {}),
        ...{ name: slot.name, minDisk: phase === "first" ? 1 : 2 },
      },
    }),
  };
}

const openstack: Subject[] = [
  uploads("openstack", { tags: ["a"], visibility: "private" }),
  {
    ...{ service: "openstack", kind: "Image", variation: "import" },
    declare: (phase, slot, { url, digest }) => ({
      ...{ ...raw, name: renamed(phase, slot) },
      source: { url: url(disk(phase)), digest: digest(disk(phase)), mode: "import" },
    }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "stores" },
    declare: (phase, slot) => ({ ...raw, name: renamed(phase, slot), stores: ["fast", "slow"], source: file(phase) }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "one more store", oneWay: true },
    declare: (phase, { name }) => ({
      ...{ ...raw, name, source: file(phase) },
      stores: phase === "first" ? ["fast"] : ["fast", "slow"],
    }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "hidden" },
    declare: (phase, { name }) => ({
      ...{ ...raw, name, source: file(phase), protected: true, forceDelete: true, hidden: phase !== "second" },
    }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "deactivated" },
    declare: (phase, { name }) => ({
      ...{ ...raw, name, source: file(phase), state: phase === "second" ? "active" : "deactivated" },
    }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "members" },
    declare: (phase, { name }, { project }) => ({
      ...{ ...raw, name, source: file(phase), visibility: "shared" },
      members: ["consumer", ...(phase === "second" ? ["admin"] : [])].map(account => project("openstack", account)),
    }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "chosen id" },
    // What a killed run finished and didn't record keeps its id.
    byHand: /image [-0-9a-f]{36} .* has this id: .* write adopt/,
    declare: (phase, slot) => ({
      ...{ ...raw, name: renamed(phase, slot), source: file("first") },
      ...(slot.adopts === undefined ? { imageId: idFor(slot) } : { adopt: { id: slot.adopts } }),
    }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "data later", oneWay: true },
    declare: (phase, { name }) => ({ ...raw, name, ...(phase === "first" ? {} : { source: file(phase) }) }),
  },
  {
    ...{ service: "openstack", kind: "Image", variation: "adopted", needs: "image each time" },
    declare: (phase, slot) => ({ adopt: { id: slot.base }, name: renamed(phase, slot), minRam: 7 }),
  },
  {
    ...{ service: "openstack", kind: "ImageMember", variation: "", needs: "image", others: ["consumer"] },
    declare: (phase, slot, { project }) => {
      const imageId = slot.base;
      if (phase === "third") return { imageId, member: project("openstack", "admin") };
      const accept = { connection: connectionName(slot, "consumer") };
      const status = phase === "first" ? "accepted" : "rejected";
      return { imageId, member: project("openstack", "consumer"), accept, status };
    },
  },
  tag("openstack", "", "golden"),
  tag("openstack", "by a patch", "größe"),
  {
    ...{ service: "openstack", kind: "ImageCopy", variation: "to a store", needs: "image" },
    declare: (_phase, { base }) => ({ imageId: base, to: { stores: ["slow"] } }),
  },
  acrossTo("openstack", "consumer"),
  acrossTo("openstack", "istack/owner"),
];

const ecl: Subject[] = [
  uploads("ecl", { tags: ["a"] }),
  {
    ...{ service: "ecl", kind: "ImageMember", variation: "", needs: "image", others: ["consumer"] },
    declare: (phase, slot, { project }) => ({
      ...{ imageId: slot.base, member: project("ecl", "consumer") },
      ...{ accept: { connection: connectionName(slot, "consumer") } },
      status: phase === "first" ? "accepted" : "rejected",
    }),
  },
  tag("ecl", "", "golden"),
  {
    // Of another image each time: where one was copied before, what became of each such copy is looked for first.
    ...{ service: "ecl", kind: "ImageCopy", variation: "to a tenant", needs: "image each time", others: ["consumer"] },
    declare: (_phase, slot, { project }) => ({
      imageId: slot.base,
      to: { tenant: project("ecl", "consumer"), connection: connectionName(slot, "consumer") },
    }),
  },
];

const istack: Subject[] = [
  uploads("istack", { tags: ["a"] }),
  tag("istack", "", "golden"),
  acrossTo("istack", "openstack/owner"),
];

const glanceV1: Subject[] = [
  uploads("glance-v1"),
  {
    ...{ service: "glance-v1", kind: "Image", variation: "copied from a url" },
    declare: (phase, slot, { url }) => ({
      ...{ ...raw, name: renamed(phase, slot), source: { url: url(disk(phase)), mode: "import" } },
    }),
  },
  {
    ...{ service: "glance-v1", kind: "Image", variation: "location" },
    declare: (phase, slot, { url }) => ({ ...raw, name: renamed(phase, slot), location: url(disk(phase)) }),
  },
  {
    ...{ service: "glance-v1", kind: "ImageMember", variation: "", needs: "image" },
    declare: (phase, { base }, { project }) => ({
      ...{ imageId: base, canShare: phase === "second" },
      member: project("glance-v1", phase === "third" ? "admin" : "consumer"),
    }),
  },
  acrossTo("glance-v1", "consumer"),
];

const digitalocean: Subject[] = [
  {
    ...{ service: "digitalocean", kind: "Image", variation: "url", oneWay: true },
    declare: (phase, slot, { url }) => ({
      ...{ name: renamed(phase, slot), source: { url: url(disk(phase)) } },
      ...(phase === "first" ? { regions: ["nyc3"] } : { regions: ["nyc3", "ams3"], tags: ["golden"] }),
    }),
  },
  {
    ...{ service: "digitalocean", kind: "Image", variation: "of a droplet", needs: "droplet" },
    declare: (phase, slot) => ({ name: renamed(phase, slot), dropletId: slot.base, tags: ["golden"] }),
  },
  {
    ...{ service: "digitalocean", kind: "Image", variation: "of a backup", needs: "backup each time" },
    declare: (phase, slot) => ({ name: renamed(phase, slot), backupId: slot.base }),
  },
  {
    ...{
      service: "digitalocean",
      kind: "ImageMember",
      variation: "",
      needs: "snapshot each time",
      others: ["recipient"],
      // DigitalOcean tells an offer's id once; without it the offer can be neither found nor cancelled.
      byHand: /can't be offered: .* Cancel it in the control panel, and run up again/,
    },
    declare: (_phase, slot, { digitaloceanRecipient }) => ({
      ...{ imageId: slot.base, recipientUuid: digitaloceanRecipient },
      accept: { connection: connectionName(slot, "recipient") },
    }),
  },
  tag("digitalocean", "", "golden"),
  {
    ...{ service: "digitalocean", kind: "ImageCopy", variation: "to a region", needs: "image", oneWay: true },
    declare: (phase, { base }) => ({
      ...{ imageId: base, to: { regions: phase === "first" ? ["ams3"] : ["ams3", "fra1"] } },
    }),
  },
];

const divvycloud: Subject[] = [
  {
    ...{ service: "divvycloud", kind: "Image", variation: "of an instance" },
    declare: (phase, slot, { divvycloudInstance }) => ({ name: renamed(phase, slot), instance: divvycloudInstance }),
  },
  {
    ...{ service: "divvycloud", kind: "Image", variation: "adopted", needs: "image each time" },
    declare: (phase, slot) => ({ adopt: { id: slot.base }, name: renamed(phase, slot) }),
  },
];

/**
 * The lives of a subject's slots: in each run, one is created and another one deleted; one is updated, and one replaced, where there is such a
 * thing.
 */
export function livesOf(subject: Subject, around: Surroundings): Record<string, readonly Phase[]> {
  const slot: Slot = { name: "", subject, life: [], phase: "first", cycle: 1, base: "" };
  const declared = (phase: Exclude<Phase, "absent">) => JSON.stringify(subject.declare(phase, slot, around));
  const updates = declared("first") !== declared("second");
  return {
    ...(updates && subject.oneWay
      ? { a: ["absent", "first", "second"], b: ["first", "second", "absent"], c: ["second", "absent", "first"] }
      : { a: ["absent", "first"], b: ["first", "absent"], ...(updates ? { updated: ["first", "second"] } : {}) }),
    ...(declared("second") === declared("third") ? {} : { replaced: ["second", "third"] }),
  };
}

/** Every kind of resource on every service of the local cloud. */
export const subjects: Subject[] = [...openstack, ...ecl, ...istack, ...glanceV1, ...digitalocean, ...divvycloud];
