import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { ImagesError } from "../errors.ts";
import { type Field, type FieldTable, hasUnknown, type Problem, problemsOf } from "../fields/field.ts";
import { expectedOwner, laterTagsFrom, ownerTagFrom } from "../reconcile/ownership.ts";
import { finishedImage } from "../reconcile/warnings.ts";
import { forLeftover } from "../wait.ts";
import type { ServiceName } from "./names.ts";
import type { OpenOther } from "./registry.ts";
import type { Facts, ImageFacts, ImageOrder, ImageService, Job, PartService, Values } from "./service.ts";
import { lostContent } from "./storedData.ts";

/** Where a copy goes, as a program declares it. */
interface Target extends Values {
  connection: string;
  service?: ServiceName;
  mode?: "stream" | "import";
  url?: string;
}

/**
 * What comes along from the source, unless the target's declaration says otherwise. Properties do, too, one by one. All but the tags follow the
 * source from then on: an ImageTag of the same program is written beside the copy, before it or after it.
 */
const metadataFields = ["name", "minDisk", "minRam", "tags"] as const;
const formatFields = ["diskFormat", "containerFormat"] as const;

/**
 * Copies of an image in another cloud, region or project: the source's data is streamed to the target without touching the disk, and its
 * metadata comes along. The copy is an image with a mark of its own, so a repeat finds what an interrupted run left of it.
 */
export function copyAcross(source: ImageService, other: OpenOther): PartService {
  const targetOf = (values: Values): ImageService => {
    // A read by its id alone names the connection that the copy is on.
    if (values.to === undefined) return source;
    const { connection, service } = values.to as Target;
    return other({ connection, ...(service === undefined ? {} : { service }) });
  };

  async function sourceOf(values: Values): Promise<ImageFacts> {
    const imageId = String(values.imageId);
    const facts = await source.readImage(imageId);
    if (facts === undefined) {
      throw new ImagesError(
        "not-found",
        `there is no image ${imageId} on the connection ${source.connection.name} to copy`,
      );
    }
    if (facts.status !== "active") {
      throw new ImagesError(
        "conflict",
        `image ${imageId} can't be copied: it is ${facts.status}, and has to be active`,
      );
    }
    return facts;
  }

  async function orderOf(values: Values): Promise<ImageOrder & { left: string[] }> {
    const facts = await sourceOf(values);
    const { metadata: now, left } = metadataOf(values, facts, tableOf(targetOf(values)));
    const { metadata = {} } = values as { metadata?: Values };
    const data = source.imageData?.(facts);
    if (data === undefined) throw new ImagesError("unsupported", `${source.name} doesn't give out its images' data`);
    const { mode, url } = values.to as Target;
    return {
      values: { ...formatsOf(facts), ...now, ...metadata, ...placeOf(values) },
      left,
      data: mode === "import" ? { ...data, import: true, url } : data,
      ownerTag: ownerTagFrom(values),
      laterTags: laterTagsFrom(values),
      isCopy: true,
    };
  }

  return {
    async check(values, before) {
      if (hasUnknown(values.to)) return { problems: [] };
      const target = targetOf(values);
      await target.signIn();
      const { name, mode, url } = values.to as Target;
      const problems: Problem[] = [];
      if (mode === "import" && url === undefined) {
        problems.push({
          property: "to.url",
          reason: 'mode "import" needs a url that the target can fetch the data from',
        });
      }
      const here = (await source.place?.()) === (await target.place?.());
      if (here && name === undefined) {
        problems.push({
          property: "to.name",
          reason: "the copy is to be in the same project as its source: give it another name",
        });
      }
      const known = hasUnknown(values.imageId) ? undefined : await source.readImage(String(values.imageId));
      // A copy outlives its source, and needs it for nothing as long as it is there.
      const copied = isCopied(values, before);
      if (!hasUnknown(values.imageId) && known === undefined && !copied) {
        problems.push({
          property: "imageId",
          reason: `there is no image ${String(values.imageId)} on the connection ${source.connection.name}`,
        });
      }
      if (known !== undefined && known.status !== "active" && !copied) {
        problems.push({
          property: "imageId",
          reason: `image ${known.id} can't be copied: it is ${known.status}, and has to be active`,
          untilReady: true,
        });
      }
      if (here && known !== undefined && name === known.name) {
        problems.push({
          property: "to.name",
          reason: `the copy is to be in the same project as its source, and has the same name: ${name}`,
        });
      }
      const table = tableOf(target);
      const { metadata } = metadataOf(values, known, table);
      const asked = { ...(known === undefined ? {} : formatsOf(known)), ...metadata, ...placeOf(values) };
      const wrong = problemsOf(table, { service: target.name, ...asked }).filter(
        ({ property }) => known !== undefined || property !== "name",
      );
      if (wrong.length === 0) {
        wrong.push(...(await target.checkImage(mode === "import" ? { ...asked, source: { mode } } : asked)));
      }
      for (const { property, reason } of wrong) {
        const isFormat = (formatFields as readonly string[]).includes(property);
        problems.push({ property: isFormat ? "imageId" : `to.${property.replace(/^source\./, "")}`, reason });
      }
      const warnings = before === undefined && problems.length === 0 ? await finishedCopies(target, values) : [];
      if (known === undefined) return { problems, inputs: copied ? asCopied(before) : {}, warnings };
      const content = source.imageData?.(known).content;
      const inputs = { metadata: followed(values, metadata), ...(content === undefined ? {} : { content }) };
      return { problems, inputs, warnings };
    },

    // It shares nothing with other copies of the same image.
    keysOf: async () => [],

    async ownImage(id, values) {
      return { kind: "image", cloud: await targetOf(values).address(), imageId: id };
    },

    async create(values, job) {
      const target = targetOf(values);
      const { left, ...order } = await orderOf(values);
      if (left.length > 0) job.warn(`the copy is without ${left.join(", ")}: ${target.name} has no place for it`);
      return facts(values, await target.createImage(order, job));
    },

    async read(id, values) {
      const found = await targetOf(values).readImage(id, [], true);
      return found === undefined ? undefined : facts(values, found);
    },

    holder: targetOf,

    async completable(id, values, job) {
      // What the target fetches by itself isn't cut off with us.
      const patient = (values.to as Target).mode === "import" ? forLeftover(job) : job;
      return (await targetOf(values).completable?.(id, patient)) ?? true;
    },

    async update(id, values, changed, job, before) {
      const target = targetOf(values);
      const found = await target.readImage(id);
      if (found === undefined) {
        throw new ImagesError(
          "not-found",
          `the copy ${id} is no longer there on the connection ${target.connection.name}`,
          {
            hint: "Run pulumi up --refresh: it sees that it is gone and makes it again",
          },
        );
      }
      if (changed.includes("status") || found.status === "queued") {
        const order = { ...(await orderOf(values)), recordedOwner: expectedOwner(before).recorded };
        return facts(values, await target.completeImage(id, order, job));
      }
      const wanted = values.metadata as Values;
      const change = { actual: found, wanted, removedProperties: noLongerCopied(before.metadata, wanted) };
      return facts(values, await target.updateImage(id, change, job));
    },

    async delete(id, values: Values, job: Job) {
      const force = values.forceDelete === true || values.status === "unfinished";
      const owner = expectedOwner(values);
      await targetOf(values).deleteImage(id, { force, owner }, job);
    },
  };
}

/** Whether a copy of this image is there already. @param before its inputs */
export function isCopied(values: Values, before: Values | undefined): boolean {
  return before !== undefined && String(before.imageId).toLowerCase() === String(values.imageId).toLowerCase();
}

/** What is known of a source that can't be seen any more. */
function asCopied(before: Values | undefined): Values {
  const { metadata, content } = before ?? {};
  return { ...(metadata === undefined ? {} : { metadata }), ...(content === undefined ? {} : { content }) };
}

/**
 * The metadata that a copy is to have: the source's, as far as the target has a place for it, with what the target declares in its place.
 * @returns with the names of what stays behind
 */
function metadataOf(
  values: Values,
  source: ImageFacts | undefined,
  { fields }: FieldTable,
): { metadata: Values; left: string[] } {
  const { properties: declared, visibility, protected: isProtected, ...to } = values.to as Target;
  const metadata: Values = {};
  const left: string[] = [];
  for (const field of metadataFields) {
    const value = to[field] ?? source?.[field];
    if (value === undefined) continue;
    if (to[field] !== undefined || fields[field] !== undefined) metadata[field] = value;
    else if (!isDeepStrictEqual(value, [])) left.push(field);
  }
  const properties = Object.entries((source?.properties ?? {}) as Values);
  const fits = ([name, value]: [string, unknown]) =>
    v.safeParse((fields.properties as Field).schema, { [name]: value }).success;
  left.push(...properties.filter(entry => !fits(entry)).map(([name]) => `the property ${name}`));
  metadata.properties = { ...Object.fromEntries(properties.filter(fits)), ...(declared as Values | undefined) };
  if (isProtected !== undefined) metadata.protected = isProtected;
  if (visibility !== undefined) Object.assign(metadata, visibilityFor(visibility, fields));
  return { metadata, left };
}

/** What of a copy's metadata is compared: its tags only where the target declares them. */
function followed({ to }: Values, { tags, ...metadata }: Values): Values {
  return (to as Target).tags === undefined ? metadata : { tags, ...metadata };
}

/** Properties that came along, or were declared, and no longer do: what others put on the copy stays. */
function noLongerCopied(before: unknown, { properties: wanted }: Values): string[] {
  const { properties } = (before ?? {}) as Values;
  return Object.keys((properties ?? {}) as Values).filter(name => !Object.hasOwn((wanted ?? {}) as Values, name));
}

/** A visibility in the target's own words: the Image API v1 only knows public or not. */
function visibilityFor(visibility: unknown, fields: FieldTable["fields"]): Values {
  const known = fields.visibility !== undefined || (visibility !== "public" && visibility !== "private");
  return known ? { visibility } : { isPublic: visibility === "public" };
}

function formatsOf(source: ImageFacts): Values {
  return Object.fromEntries(
    formatFields.flatMap(field => (source[field] === undefined ? [] : [[field, source[field]]])),
  );
}

/** Warnings of finished images that carry a new copy's owner tag: its create leaves them alone. */
async function finishedCopies(target: ImageService, values: Values): Promise<string[]> {
  try {
    const order = { values: {}, ownerTag: ownerTagFrom(values), laterTags: laterTagsFrom(values) };
    return (await target.finishedImages(order)).map(image => finishedImage(image, true));
  } catch (error) {
    // The create meets it again, and has to get along with it.
    if (error instanceof ImagesError) return [];
    throw error;
  }
}

function placeOf({ to }: Values): Values {
  const { store } = to as Target;
  return store === undefined ? {} : { store };
}

function tableOf(target: ImageService): FieldTable {
  const table = target.imageFields?.();
  if (table !== undefined) return table;
  throw new ImagesError("unsupported", `an image can't be copied to ${target.name} by its data`);
}

/** What a copy is like now; of its properties, those that came along. */
function facts(values: Values, copy: ImageFacts): Facts {
  const expected = values.metadata as Values | undefined;
  const metadata: Values = {};
  for (const field of Object.keys(expected ?? {})) if (copy[field] !== undefined) metadata[field] = copy[field];
  if (expected?.properties !== undefined) {
    const actual = (copy.properties ?? {}) as Values;
    metadata.properties = Object.fromEntries(
      Object.entries(actual).filter(([key]) => Object.hasOwn(expected.properties as Values, key)),
    );
  }
  const digest =
    copy.hashValue === undefined
      ? copy.checksum && `md5:${String(copy.checksum)}`
      : `${String(copy.hashAlgorithm)}:${String(copy.hashValue)}`;
  const content = lostContent(copy.status) ?? copiedContent(values, digest);
  return {
    id: copy.id,
    copyId: copy.id,
    status: copy.status,
    progress: copy.status === "active" ? 100 : 0,
    ...(copy.size === undefined ? {} : { size: copy.size }),
    ...(digest === undefined ? {} : { digest }),
    ...(expected === undefined ? {} : { metadata }),
    ...(values.content === undefined ? {} : { content }),
    ...(copy.ownerTag === undefined ? {} : { ownerTag: copy.ownerTag }),
  };
}

/**
 * What a copy holds. The same data has the same digest wherever both services use the same algorithm; where they don't, it is held against
 * what the copy's own service said before.
 */
function copiedContent({ content, digest: before }: Values, digest: unknown): unknown {
  if (sameAlgorithm(content, digest)) return digest;
  return before === undefined || digest === undefined || before === digest
    ? content
    : `changed on the server (${String(digest)})`;
}

function sameAlgorithm(one: unknown, other: unknown): boolean {
  return typeof one === "string" && typeof other === "string" && one.split(":")[0] === other.split(":")[0];
}
