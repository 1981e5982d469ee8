import { isDeepStrictEqual } from "node:util";
import { redact } from "../../provider/redaction.ts";
import type { Values } from "../../provider/services/service.ts";
import { type Difference, differences, driftOf, isOpen, pendingOf } from "./changes.ts";
import { classesOfLoss, type DriftClass, driftClasses } from "./classify.ts";
import {
  type Change,
  type DriftReport,
  isDrifted,
  isPending,
  type ResourceReport,
  type Summary,
  type UpAction,
} from "./report.ts";
import { nameOf, type Seen, type Sighting } from "./steps.ts";
import { compare, hasSecret, secretText } from "./values.ts";
import { pathText } from "./words.ts";

/** Of what a program only reads (Image.get), what tells of trouble. */
const telling = ["status", "state", "owner", "visibility", "isPublic", "size", "checksum", "hashValue"];

/**
 * What a preview with refresh saw, resource by resource.
 * @param without what a preview without refresh would do to each urn: by it a secret that differs is known for a drift or for a change of the
 *   program, as the engine doesn't show its values. Needed where `hiddenChanges` names any of what is found without it.
 */
export function resourcesOf(
  { seen }: Sighting,
  without: ReadonlyMap<string, string | undefined> = new Map(),
): ResourceReport[] {
  const all = [...seen.values()];
  const images = new Map(
    all.filter(({ kind }) => kind === "Image").flatMap(one => idsOf(one).map(id => [id, one] as const)),
  );
  return all.map(one => resourceOf(one, images, without)).sort(byUrgency);
}

/** The resources that differ in nothing but secrets. */
export function hiddenChanges(resources: readonly ResourceReport[]): string[] {
  const isHidden = (change: Change) => change.old === secretText && change.new === secretText;
  return resources
    .filter(({ drift, pending }) => drift.length + pending.length > 0 && [...drift, ...pending].every(isHidden))
    .map(({ urn }) => urn);
}

function resourceOf(
  one: Seen,
  images: ReadonlyMap<string, Seen>,
  without: ReadonlyMap<string, string | undefined>,
): ResourceReport {
  const { urn, kind, before, after, wanted } = one;
  const old = (before?.inputs ?? {}) as Values;
  const said = (wanted?.inputs ?? old) as Values;
  const up = actionOf(one);
  const gone = before !== undefined && after === undefined;
  const drift = gone ? [] : serviceDrift(one);
  const pending: Change[] = [];
  const notes: string[] = [...(one.warnings ?? [])];
  // Where the provider sees no difference there is none, however the inputs are written.
  const changed = before !== undefined && wanted !== undefined && up !== "nothing" ? differences(old, said) : [];
  const source = sourceOf(one, images);
  for (const difference of changed) {
    if (isOpen(difference)) notes.push(`${pathText(difference.path)} follows from what up does to another resource`);
    else if (!isOfSource(one, difference, source)) pending.push(pendingOf(difference));
    else if (source !== undefined && serviceDrift(source).length > 0)
      notes.push(`${pathText(difference.path)} follows from the drift of its image, which up repairs first`);
    else if (!gone) drift.push(driftOf(kind, difference, "source"));
  }
  if ((up === "update" || up === "replace") && drift.length + changed.length === 0) {
    const masked = maskedIn(one).map(
      (path): Change => ({ path: [path], old: secretText, new: secretText, classes: [] }),
    );
    if (before?.outputs?.status === "unfinished") notes.push("up finishes what an earlier one left unfinished");
    else if (masked.length === 0) notes.push("the provider sees a difference that the inputs don't show");
    else if (without.get(urn) === "same")
      drift.push(
        ...masked.map(change => ({
          ...change,
          classes: driftOf(kind, { path: change.path, old: "", new: "" }, "service").classes,
          at: "service" as const,
        })),
      );
    else pending.push(...masked);
  }
  const classes: DriftClass[] = gone
    ? classesOfLoss(kind)
    : driftClasses.filter(each => drift.some(change => change.classes.includes(each)));
  const service = redact(String(said.service ?? old.service ?? ""));
  const connection = redact(String(said.connection ?? service));
  const target = targetOf(connection, said.to);
  return {
    urn: redact(urn),
    name: redact(nameOf(urn)),
    kind,
    id: redact(before?.id ?? ""),
    service,
    connection,
    image: redact(imageNameOf(one, images)),
    ...(target === undefined ? {} : { target: redact(target) }),
    up,
    gone,
    classes,
    drift,
    pending,
    notes,
  };
}

function serviceDrift({ kind, before, after }: Seen): Change[] {
  if (before === undefined || after === undefined) return [];
  const old = (before.outputs ?? {}) as Values;
  const now = (after.outputs ?? {}) as Values;
  const found = differences(old, now, old.managed === undefined ? telling : undefined);
  // The Image API's status and our state are one thing, said twice.
  const state = found.find(({ path }) => path[0] === "state");
  return found
    .filter(({ path, new: value }) => path[0] !== "status" || state?.new !== value)
    .map(difference => driftOf(kind, difference, "service"));
}

function actionOf({ op, before, after, wanted }: Seen): UpAction {
  const gone = before !== undefined && after === undefined;
  switch (op) {
    case "create":
      return gone ? "create again" : "create";
    case "update":
    case "replace":
      return op;
    case "delete":
      return "delete";
    default:
      return gone && wanted === undefined ? "forget" : "nothing";
  }
}

/** What a resource takes its data from: an Image's source, a copy's image. */
function sourceOf({ kind, before }: Seen, images: ReadonlyMap<string, Seen>): Seen | undefined {
  return kind === "ImageCopy" ? images.get(idText(before?.inputs?.imageId)) : undefined;
}

/**
 * Whether a difference between state and program comes from a source that isn't what it was, and not from the program: the provider works out
 * what an Image's data and a copy's metadata are to be each time anew.
 */
function isOfSource({ kind, before, wanted }: Seen, { path }: Difference, source: Seen | undefined): boolean {
  const same = (name: string) =>
    isDeepStrictEqual(before?.inputs?.[name] ?? undefined, wanted?.inputs?.[name] ?? undefined);
  if (kind === "Image") return path[0] === "content" && same("source");
  if (kind !== "ImageCopy" || !same("to") || !same("imageId")) return false;
  const itself =
    source?.before !== undefined && source.wanted !== undefined
      ? differences(source.before.inputs, source.wanted.inputs)
      : [];
  return ["content", "metadata"].includes(path[0] ?? "") && itself.length === 0;
}

/** The image's name as people know it: an Image's own, or that of the image that a member, tag or copy belongs to. */
function imageNameOf(one: Seen, images: ReadonlyMap<string, Seen>): string {
  const own = one.kind === "Image" ? one : images.get(idText(inputOf(one, "imageId")));
  if (own === undefined) return hasText(inputOf(one, "imageId")) ? String(inputOf(one, "imageId")) : nameOf(one.urn);
  const name = inputOf(own, "name") ?? own.before?.outputs?.name;
  return hasText(name) ? String(name) : nameOf(own.urn);
}

function inputOf({ before, wanted }: Seen, name: string): unknown {
  return before?.inputs?.[name] ?? wanted?.inputs?.[name];
}

function idsOf({ before, wanted }: Seen): string[] {
  return [before?.id, wanted?.id].filter(hasText).map(idText);
}

function idText(id: unknown): string {
  return String(id).toLowerCase();
}

function hasText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Where a copy is, if not on its own connection. */
function targetOf(connection: string, to: unknown): string | undefined {
  const { connection: other, tenant } = (to ?? {}) as { connection?: unknown; tenant?: unknown };
  if (hasText(other)) return other;
  return hasText(tenant) ? `${connection}, tenant ${tenant}` : undefined;
}

function maskedIn(one: Seen | undefined): string[] {
  const inputs = { ...one?.before?.inputs, ...one?.wanted?.inputs };
  return Object.keys(inputs)
    .filter(name => hasSecret(inputs[name]))
    .sort(compare);
}

function byUrgency(one: ResourceReport, other: ResourceReport): number {
  const keys = (resource: ResourceReport) => [
    resource.connection,
    resource.image,
    resource.kind,
    resource.name,
    resource.urn,
  ];
  const order = keys(one).map((key, at) => compare(key, keys(other)[at] as string));
  return urgency(one) - urgency(other) || (order.find(sign => sign !== 0) ?? 0);
}

function urgency(resource: ResourceReport): number {
  const [first] = resource.classes;
  if (first !== undefined) return driftClasses.indexOf(first);
  return isPending(resource) ? driftClasses.length : driftClasses.length + 1;
}

export function summaryOf(resources: readonly ResourceReport[]): Summary {
  const count = (test: (resource: ResourceReport) => boolean) => resources.filter(test).length;
  const of = (each: DriftClass) => count(({ classes }) => classes.includes(each));
  return {
    resources: resources.length,
    drifted: count(isDrifted),
    pending: count(isPending),
    security: of("security"),
    availability: of("availability"),
    metadata: of("metadata"),
  };
}

export function resultOf(summary: Summary, failed: boolean): DriftReport["result"] {
  if (failed) return "failed";
  if (summary.drifted > 0) return "drift";
  return summary.pending > 0 ? "pending" : "none";
}
