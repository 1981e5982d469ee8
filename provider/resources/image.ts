import { urnOf } from "../../shared/resourceName.ts";
import { type ContentIdentity, identify, type Source } from "../content/index.ts";
import { warn } from "../engine.ts";
import { ImagesError } from "../errors.ts";
import { hasUnknown, knownIn, type Problem, unknownValue } from "../fields/field.ts";
import { whyNotAdoptable } from "../reconcile/adoptImage.ts";
import { claims, refuseConflicts, thisRun } from "../reconcile/claims.ts";
import {
  expectedOwner,
  isAnothers,
  isTagOf,
  laterTagsFrom,
  type OwnerTag,
  ownerTagFrom,
  recordOf,
} from "../reconcile/ownership.ts";
import { adoptedElsewhere, chosenIdTaken, finishedImage, untagged } from "../reconcile/warnings.ts";
import { configure, serviceOf, tableOf } from "../runtime.ts";
import type { ImageFacts, ImageOrder, ImageService, Values } from "../services/service.ts";
import { lostContent } from "../services/storedData.ts";
import { forLeftover } from "../wait.ts";
import { declaredIn, problemOf, problemsIn } from "./checks.ts";
import {
  declaredBefore,
  declareImage,
  isAdoptedAgain,
  isOthers,
  noteAdopted,
  noteAdoption,
  storesToLeave,
} from "./imageClaims.ts";
import { jobOf, momentOf } from "./job.ts";
import { changesOf, inputsFrom, outputsFrom, refreshedOutputs } from "./managed.ts";
import { type Provider, partly, toFailures } from "./provider.ts";
import { isReadById, nothingToRead } from "./readById.ts";
import {
  currentWhereabouts,
  demandReach,
  demandSameAccount,
  isMissing,
  rememberedAs,
  stillRemembered,
} from "./sameAccount.ts";
import { keepPrivate, openedSource, sourceData } from "./sources.ts";
import { changedIn, generationOf, inputsOfReplaced, noteInputs } from "./stateInputs.ts";

/** The lifecycle of an Image, on every service. */
export const image: Provider = {
  configure: async request => configure(request.config),

  async check(olds, news) {
    const [inputs, ignored] = declaredIn("Image", olds, news);
    noteInputs(inputs.resource, olds);
    claims.declare(String(inputs.resource), []);
    noteAdoption(inputs, olds);
    try {
      if (inputs.source !== undefined) inputs.source = openedSource(inputs.source);
    } catch (error) {
      return { inputs: news, failures: toFailures([problemOf("source", error)]) };
    }
    const problems = await problemsIn("Image", inputs, ignored, async service => [
      ...(await service.checkImage(knownIn(inputs))),
      ...(await declaredBefore(service, inputs)),
    ]);
    if (problems.length > 0) return { inputs: news, failures: toFailures(problems) };
    const generation = generationOf(inputs.resource, olds);
    if (generation > 0) inputs.generation = generation;
    if (Object.keys(olds).length === 0) {
      const problem = await problemOfNew(inputs, inputsOfReplaced(inputs.resource, olds));
      if (problem !== undefined) return { inputs: news, failures: toFailures([problem]) };
    }
    if (ignored.has("content") || ignored.has("source")) {
      // What the source holds now doesn't matter, nor whether it can be read.
      const { content } = olds;
      if (content !== undefined) inputs.content = content;
      if (inputs.source !== undefined)
        inputs.source = keepPrivate(inputs, typeof content === "string" ? { content } : undefined);
    } else if (inputs.source !== undefined) {
      const content = await contentOf(inputs, olds.content);
      if ("problem" in content) return { inputs: news, failures: toFailures([content.problem]) };
      inputs.content = content.identity;
      inputs.source = keepPrivate(inputs, content.known);
    }
    return { inputs: { ...inputs, __provider: news.__provider } };
  },

  async diff(id, olds, news) {
    const table = tableOf("Image", news.service);
    const { updates, replaces } = changesOf(table, olds, news);
    if (sameId(id, news.imageId)) drop(replaces, "imageId");
    refuseOtherAdoption(id, news);
    // Data that comes to an image without any, or to one that was adopted as it is, doesn't need a new image.
    if (olds.content === undefined && replaces.includes("content")) {
      drop(replaces, "content");
      updates.push("content");
    }
    if (olds.connection !== news.connection && olds.service === news.service) {
      (await isThere(id, news)) ? updates.push("connection") : replaces.push("connection");
    }
    if (needsData(olds, news)) {
      (await canComplete(id, olds, news)) ? updates.push("status") : replaces.push("status");
      // What an unfinished image is like isn't known, so it can't be too different to be finished.
      for (const name of Object.keys(table.fields))
        if (isUnfinished(olds) && table.fields[name]?.reported) drop(replaces, name);
    }
    if (replaces.length > 0 && news.imageId !== undefined && sameId(id, news.imageId))
      throw usedImageId(id, `a change of ${replaces.join(", ")}`);
    if (replaces.length > 0 && olds.connection === news.connection) await demandReachOf(id, olds);
    if (replaces.length === 0 && claims.has(String(news.resource)) && !hasUnknown(news.connection)) {
      refuseConflicts(await declareImage(serviceOf(news), id, news));
    }
    return { changes: replaces.length > 0 || (updates.length > 0 && changedIn(news)), replaces };
  },

  async create(inputs) {
    const service = serviceOf(inputs);
    const job = jobOf("create", inputs);
    const asking = currentWhereabouts(service);
    try {
      const facts =
        inputs.adopt === undefined ? await service.createImage(orderOf(inputs), job) : await adopt(service, inputs);
      const conflicts = await declareImage(service, facts.id, inputs);
      // Of an unfinished image that a renamed resource of this program has, too; it is that one's.
      refuseConflicts(conflicts.filter(({ key }) => key.kind === "image"));
      if (inputs.adopt !== undefined) claims.hold(String(inputs.resource), thisRun);
      noteAdopted(inputs);
      const outs = outputs(inputs, facts, rememberedAs(service, await asking, facts.owner));
      return { id: facts.id, outs: { ...outs, ...adoptionOf(inputs) } };
    } catch (error) {
      const account = await asking;
      throw partly(error, facts => outputs(inputs, facts, rememberedAs(service, account, facts.owner)));
    }
  },

  async read(id, props) {
    const service = serviceOf(props);
    const facts = await service.readImage(id, (props.managed as string[] | undefined) ?? [], true);
    if (facts === undefined) {
      if (isReadById(props)) throw nothingToRead("Image", id, service);
      if (props.managed !== undefined) await demandSameAccount(service, `image ${id}`, props);
      await tellOfNamesake(service, id, props);
      return { id: "", props: {} };
    }
    const table = tableOf("Image", props.service);
    // Without a list of what is managed it is a read of somebody else's image (Image.get).
    if (props.managed === undefined) return { id: facts.id, props: outputsFrom(table, props, facts), inputs: props };
    tellOfOwner(props, facts);
    await warnOfOtherOwner(service, id, props);
    const seen = withContentDrift(props, facts);
    const inputs = inputsFrom(table, props, seen);
    return { id: facts.id, props: refreshedOutputs(table, props, seen), inputs };
  },

  async update(id, olds, news) {
    const service = serviceOf(news);
    const job = jobOf("update", news);
    const account = await stillRemembered(service, olds, news);
    try {
      return { outs: keepingOwner(olds, outputs(news, await updated(service, id, olds, news), account)) };
    } catch (error) {
      if (isMissing(error)) await demandSameAccount(service, `image ${id}`, olds);
      throw partly(error, facts => keepingOwner(olds, outputs(news, facts, account)));
    }

    async function updated(service: ImageService, id: string, olds: Values, news: Values): Promise<ImageFacts> {
      const { change, any } = changesOf(tableOf("Image", news.service), olds, news);
      change.removedStores = await storesToLeave(service, id, change.removedStores, job);
      const order = { ...orderOf(news), recordedOwner: expectedOwner(olds).recorded };
      if (needsData(olds, news)) return await service.completeImage(id, order, job);
      const facts = any
        ? await service.updateImage(
            id,
            { ...change, actual: { ...olds, id } as ImageFacts, declared: Object.keys(news) },
            job,
          )
        : await service.readImage(id, Object.keys(news));
      if (facts === undefined) throw goneOutside(id, service);
      if (olds.content === undefined && order.data !== undefined) await demandContent(service, facts, order, job);
      return facts;
    }
  },

  async delete(id, props) {
    await demandReachOf(id, props);
    // One that never was what was ordered has nothing to protect.
    const how = { force: props.forceDelete === true || isUnfinished(props), queued: props.deletion === "queued" };
    const service = serviceOf(props);
    const job = jobOf("delete", props);
    if (await isOthers(service, id, job)) return;
    if (isAdoptedAgain(id, props)) return job.warn(`image ${id} stays: what replaces its resource adopts it again`);
    await service.deleteImage(id, { ...how, owner: expectedOwner(props) }, job);
  },
};

/**
 * What has to be known of a new resource before anything is done. Finished images with its owner tag are left alone: a warning names them.
 * @param replaced the inputs of what it replaces, where it does
 * @returns why the image that it adopts can't be adopted, or the id that it chooses can't be used
 */
async function problemOfNew(inputs: Values, replaced: Values | undefined): Promise<Problem | undefined> {
  if (replaced?.imageId !== undefined && sameId(String(replaced.imageId), inputs.imageId))
    return { property: "imageId", reason: usedImageId(String(inputs.imageId)).message };
  if (hasUnknown([inputs.connection, inputs.adopt, inputs.imageId])) return undefined;
  const ownerTag = ownerTagFrom(inputs);
  try {
    const service = serviceOf(inputs);
    if (inputs.adopt === undefined) {
      const finished = await service.finishedImages({ values: inputs, ownerTag, laterTags: laterTagsFrom(inputs) });
      const chosen = finished.find(({ id }) => id === String(inputs.imageId).toLowerCase());
      if (chosen !== undefined) return { property: "imageId", reason: chosenIdTaken(chosen) };
      for (const image of finished) warn(finishedImage(image), urnOf(String(inputs.resource)));
      return undefined;
    }
    const refusal = await refusalOf(service, inputs, ownerTag);
    return refusal && problemOf("adopt", refusal);
  } catch (error) {
    // The create meets it again, and has to get along with it.
    if (error instanceof ImagesError) return undefined;
    throw error;
  }
}

/** Why an image can't be adopted as it is declared. One that isn't there yet may come by what the program makes first. */
async function refusalOf(service: ImageService, inputs: Values, ownerTag: OwnerTag): Promise<ImagesError | undefined> {
  const adoption = inputs.adopt as Adoption;
  try {
    const facts = await adopted(service, adoption, Object.keys(inputs));
    const owner = await service.ownershipOf(facts.id);
    return (
      (owner && whyNotAdoptable(facts.id, owner, ownerTag, adoption.takeOver === true)) ?? whyDifferent(facts, inputs)
    );
  } catch (error) {
    if (error instanceof ImagesError && error.code === "conflict") return error;
    if (error instanceof ImagesError && error.code === "not-found")
      warn(`${error.message}: unless this program makes it first, pulumi up will fail`, urnOf(String(inputs.resource)));
    throw error;
  }
}

/** What an image is, and can't be changed to what is declared. */
function whyDifferent(facts: ImageFacts, inputs: Values): ImagesError | undefined {
  const { fields } = tableOf("Image", inputs.service);
  const { replaces } = changesOf(tableOf("Image", inputs.service), { ...facts, ...kept(inputs) }, inputs);
  const different = replaces.filter(field => fields[field]?.reported);
  if (different.length === 0) return undefined;
  const list = different
    .map(field => `${field} is ${JSON.stringify(facts[field]) ?? "not set"}, not ${JSON.stringify(inputs[field])}`)
    .join("; ");
  return new ImagesError("conflict", `image ${facts.id} can't be adopted as it is declared: ${list}`, {
    hint: "Declare what the image is, or leave adopt out to have a new one made",
  });
}

/** How a program names an image to adopt. */
interface Adoption {
  id?: string;
  name?: string;
  /** Of DivvyCloud's: type and name of the cloud account, and region. */
  cloud?: string;
  account?: string;
  region?: string;
  /** Even from another stack. */
  takeOver?: boolean;
}

/** Another stack may have taken the image over: then both write to it. */
async function warnOfOtherOwner(service: ImageService, id: string, props: Values): Promise<void> {
  const expected = expectedOwner(props);
  if (expected.recorded === undefined) return;
  const owner = await service.ownershipOf(id, true);
  if (owner === undefined || !isAnothers(owner, expected)) return;
  // A replacement that didn't get to its end has adopted it for this very resource.
  if (!isTagOf({ ownerTag: expected.tag, laterTags: laterTagsFrom(props) }, owner.resource))
    warn(adoptedElsewhere(id), urnOf(String(props.resource)));
}

/** The outputs with the owner tag that the image carries: a new name of the resource doesn't change it. */
function keepingOwner({ ownerTag, run }: Values, outputs: Values): Values {
  return { ...outputs, ...(ownerTag === undefined ? {} : { ownerTag }), ...(run === undefined ? {} : { run }) };
}

/**
 * Which run adopted an image. The state of a resource that was renamed can still say its old name, which the adopting one may have now: the run
 * tells the two apart when the old one is deleted.
 */
function adoptionOf({ adopt }: Values): Values {
  return adopt === undefined ? {} : { run: thisRun };
}

/** What the source holds now, so that a preview shows when it changed. */
async function contentOf(
  inputs: Values,
  before: unknown,
): Promise<{ identity: string; known?: ContentIdentity } | { problem: Problem }> {
  if (hasUnknown(inputs.source)) return { identity: unknownValue };
  try {
    const known = await identify(inputs.source as Source, {
      // What the service will be asked for, so that nothing is read twice.
      algorithms: hasUnknown(inputs.connection) ? [] : (serviceOf(inputs).digests ?? []),
      ...(typeof before === "string" ? { known: before } : {}),
    });
    return { identity: known.content, known };
  } catch (error) {
    return { problem: problemOf("source", error) };
  }
}

function orderOf(inputs: Values): ImageOrder {
  return {
    values: inputs,
    data: sourceData(inputs),
    ownerTag: ownerTagFrom(inputs),
    laterTags: laterTagsFrom(inputs),
  };
}

/** @param account the output that remembers it */
function outputs(inputs: Values, facts: ImageFacts, account: Values): Values {
  return { ...outputsFrom(tableOf("Image", inputs.service), inputs, facts), ...account };
}

/** What is to be deleted, now or after its replacement, has to be within reach: see sameAccount.ts. */
async function demandReachOf(id: string, props: Values): Promise<void> {
  const service = serviceOf(props);
  const isSeenAsOwn = async () => {
    const owner = await service.ownershipOf(id);
    return owner !== undefined && !isAnothers(owner, expectedOwner(props));
  };
  await demandReach(service, `image ${id}`, props, isSeenAsOwn);
}

/** Brings an existing image under management, as the program describes it, without a new upload. */
async function adopt(service: ImageService, inputs: Values): Promise<ImageFacts> {
  const table = tableOf("Image", inputs.service);
  const job = jobOf("create", inputs);
  const order = orderOf(inputs);
  const adoption = inputs.adopt as Adoption;
  const facts = await adopted(service, adoption, Object.keys(inputs));
  const takeOver = adoption.takeOver === true;
  const owner = await service.ownershipOf(facts.id);
  const refusal = owner && whyNotAdoptable(facts.id, owner, order.ownerTag, takeOver);
  if (refusal !== undefined) throw refusal;
  refuseConflicts(await declareImage(service, facts.id, inputs));
  const { change, any } = changesOf(table, { ...facts, ...kept(inputs) }, inputs);
  const different = whyDifferent(facts, inputs);
  if (different !== undefined) throw different;
  if (order.data !== undefined) await demandContent(service, facts, order, job);
  const actual = { ...facts, ...(owner === undefined ? {} : { ownerTag: recordOf(owner) }) };
  const now = any
    ? await service.updateImage(facts.id, { ...change, actual, declared: Object.keys(inputs) }, job)
    : facts;
  // Last, when nothing else can be wrong: from then on it is nobody else's.
  const { ownerTag } = await service.claimImage(facts.id, order.ownerTag, takeOver);
  if (ownerTag === "none") job.warn(untagged(facts.id));
  return { ...now, ownerTag };
}

/** The inputs that an image can't differ in, since a service doesn't report them. */
function kept(inputs: Values): Values {
  return { service: inputs.service, content: inputs.content, store: inputs.store };
}

async function adopted(service: ImageService, wanted: Adoption, fields: string[]): Promise<ImageFacts> {
  const { takeOver: _, ...query } = wanted;
  const which = wanted.id === undefined ? `named ${JSON.stringify(wanted.name)}` : `with the id ${wanted.id}`;
  const found =
    wanted.id === undefined ? await service.findImages(query) : [await service.readImage(wanted.id, fields)];
  const seen = found.filter(facts => facts !== undefined);
  const [first, ...others] = wanted.id === undefined ? await ownOf(service, seen) : seen;
  if (first === undefined && seen.length > 0) throw notOurs(which, seen);
  if (first === undefined) {
    throw new ImagesError(
      "not-found",
      `there is no image ${which} to adopt on the connection ${service.connection.name}`,
    );
  }
  if (others.length > 0) {
    const candidates = [first, ...others].map(
      ({ id, status, createdAt }) => `${id} (${status}, created ${String(createdAt)})`,
    );
    throw new ImagesError("conflict", `there are ${candidates.length} images ${which}: ${candidates.join(", ")}`, {
      hint: "Say which one with adopt: { id }",
    });
  }
  return first;
}

/** A name means an image of the connection's own project: anybody can give an image that name. */
function notOurs(which: string, [image]: readonly ImageFacts[]): ImagesError {
  return new ImagesError(
    "not-found",
    `there is no image ${which} of this connection's own project to adopt; image ${image?.id} belongs to project ${String(image?.owner)}`,
    {
      hint: "To use it without managing it, read it with Image.get; to adopt it all the same, name it by adopt: { id }",
    },
  );
}

/** The images of the connection's own account: a name is never another's image to adopt, although an administrator could. */
async function ownOf(service: ImageService, images: ImageFacts[]): Promise<ImageFacts[]> {
  const account = images.some(({ owner }) => owner !== undefined) ? await service.account?.() : undefined;
  return images.filter(({ owner }) => account === undefined || owner === undefined || owner === account);
}

async function demandContent(
  service: ImageService,
  facts: ImageFacts,
  order: ImageOrder,
  job: ReturnType<typeof jobOf>,
): Promise<void> {
  if (await service.holdsContent(facts, order, job)) return;
  throw new ImagesError("conflict", `the data of image ${facts.id} isn't what the declared source gives`, {
    hint: "Leave source out to keep the data as it is, or leave adopt out to have a new image made from the source",
  });
}

/** An image's data never changes in place; where it did, or was lost, somebody has to know. */
function withContentDrift(props: Values, facts: ImageFacts): ImageFacts {
  // A look from outside doesn't make it finished.
  if (isUnfinished(props)) return { ...facts, content: props.content, status: props.status as string };
  // One without data, for whatever reason, waits for it: that is for an update in place.
  if (props.content === undefined || facts.status === "queued") return { ...facts, content: props.content };
  const lost = lostContent(facts.status);
  if (lost !== undefined) return { ...facts, content: lost };
  for (const field of ["hashValue", "checksum", "size"]) {
    if (props[field] !== undefined && facts[field] !== undefined && props[field] !== facts[field]) {
      return { ...facts, content: `changed on the server (${field} ${String(facts[field])})` };
    }
  }
  return { ...facts, content: props.content };
}

/** Somebody who makes a deleted image anew makes another one: it is named, so that a person can decide which it is to be. */
async function tellOfNamesake(service: ImageService, id: string, props: Values): Promise<void> {
  if (typeof props.name !== "string" || props.managed === undefined) return;
  try {
    const found = (await service.findImages({ name: props.name })).filter(image => !sameId(id, image.id));
    if (found.length === 0) return;
    const list = found.map(image => `${image.id} (${image.status}, created ${String(image.createdAt ?? "?")})`);
    warn(
      `image ${id} is gone, and somebody made another one named ${JSON.stringify(props.name)}: ${list.join(", ")}. pulumi up makes a new image and leaves the other alone; to take the other over instead, write adopt: { id: "${found[0]?.id}" } and run pulumi up --refresh`,
      urnOf(String(props.resource)),
    );
  } catch (error) {
    // That the image is gone is known; this was only for advice.
    if (!(error instanceof ImagesError)) throw error;
  }
}

/** An image that was given away can be watched, as long as it is shown, and not taken back. */
function tellOfOwner(props: Values, facts: ImageFacts): void {
  if (props.owner === undefined || facts.owner === undefined || props.owner === facts.owner) return;
  if ((props.managed as string[]).includes("owner")) return;
  warn(
    `image ${facts.id} belongs to project ${String(facts.owner)} now, and belonged to ${String(props.owner)}: only an administrator of the cloud can give it back`,
    urnOf(String(props.resource)),
  );
}

function isUnfinished(props: Values): boolean {
  return props.status === "unfinished";
}

/** An image whose create ended early, or that waits for its data still. */
function needsData(props: Values, inputs: Values): boolean {
  return isUnfinished(props) || (props.status === "queued" && inputs.source !== undefined);
}

/** Whether this very image can still get its data. What a service fetches by itself wasn't cut off with us, and gets longer. */
async function canComplete(id: string, props: Values, inputs: Values): Promise<boolean> {
  const { connection, source } = inputs;
  if (!isUnfinished(props) || hasUnknown([connection, source])) return true;
  const service = serviceOf(inputs);
  const imported = (source as { mode?: string } | undefined)?.mode === "import";
  const job = momentOf(inputs);
  const completable = await service.completable?.(id, imported ? forLeftover(job) : job);
  return completable ?? (await service.readImage(id)) !== undefined;
}

function sameId(id: string, imageId: unknown): boolean {
  return typeof imageId === "string" && imageId.toLowerCase() === id.toLowerCase();
}

/** Adopting is for the first time. A replacement would delete the image that is managed now, which nobody who writes another id means. */
function refuseOtherAdoption(id: string, news: Values): void {
  const wanted = (news.adopt as { id?: string } | undefined)?.id;
  if (wanted === undefined || hasUnknown(wanted) || sameId(id, wanted)) return;
  throw new ImagesError("conflict", `adopt names image ${wanted}, but this resource manages image ${id} already`, {
    hint: `Declare the other image as a resource of another name. To stop managing this one without deleting it: pulumi state delete`,
  });
}

/** Two names of a connection can mean the same place: then the image is there under the other one, too. */
async function isThere(id: string, news: Values): Promise<boolean> {
  return hasUnknown(news.connection) || (await serviceOf(news).readImage(id)) !== undefined;
}

function usedImageId(id: string, cause = "a replacement"): ImagesError {
  return new ImagesError("conflict", `${cause} needs a new image, and imageId ${id} can't be used again`, {
    hint: "Choose another imageId together with this change, or leave imageId out",
  });
}

function goneOutside(id: string, service: ImageService): ImagesError {
  return new ImagesError("not-found", `image ${id} is no longer there on the connection ${service.connection.name}`, {
    hint: "Run pulumi up --refresh: it sees that the image is gone and makes it again",
  });
}

function drop(list: string[], entry: string): void {
  const at = list.indexOf(entry);
  if (at >= 0) list.splice(at, 1);
}
