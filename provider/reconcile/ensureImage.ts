import { setTimeout as pause } from "node:timers/promises";
import { ImagesError, UnfinishedError } from "../errors.ts";
import { pauseAfter } from "../http/retry.ts";
import { gone, ServiceLost } from "../services/lost.ts";
import type { ImageFacts, ImageOrder, Job } from "../services/service.ts";
import { type Filled, type ImageAdapter, SpentImage } from "./adapter.ts";
import { isAnothers, isUnfinishedOf, recordOf } from "./ownership.ts";
import { finishedElsewhere, finishedImage, untagged } from "./warnings.ts";

/** How often a create begins anew because another run was at work on the same image. */
const maxMeetings = 5;
/** How long the removal of an image may take when the time for making it is over. */
const cleanupMs = 30_000;

/** An image that a resource is to have, and what it takes to get there. */
interface Work<Image> {
  adapter: ImageAdapter<Image>;
  order: ImageOrder;
  job: Job;
}

/** The image, or `undefined` where it was no use or is another run's: then a new one is needed. */
type Outcome = ImageFacts | undefined;

/**
 * Makes the image of an order. An unfinished image of the same owner tag is resumed where it can become what is ordered,
 * and removed where it can't. A finished one is left alone, with a warning.
 */
export async function ensureImage<Image>(
  adapter: ImageAdapter<Image>,
  order: ImageOrder,
  job: Job,
): Promise<ImageFacts> {
  const work = { adapter, order, job };
  const [first, ...others] = await findUnfinished(work);
  for (const other of others) await removeUnfinished(work, idOf(work, other), job);
  return (first && (await resume(work, first))) ?? (await makeNew(work));
}

/** Finished images that carry the order's owner tag, although no state has them as this resource's. */
export async function finishedImages<Image>(adapter: ImageAdapter<Image>, order: ImageOrder): Promise<ImageFacts[]> {
  const finished: ImageFacts[] = [];
  for (const image of await adapter.findOwned(order, true)) {
    if (!(await adapter.ownershipOf(image)).unfinished) finished.push(adapter.factsOf(image));
  }
  return finished;
}

/**
 * Resumes an image that the state has, whose create or update ended before it was done.
 * @throws ImagesError "not-found"; "conflict" where it was no use and is removed
 */
export async function resumeImage<Image>(
  adapter: ImageAdapter<Image>,
  id: string,
  order: ImageOrder,
  job: Job,
): Promise<ImageFacts> {
  const found = await adapter.get(id);
  if (found === undefined) throw gone(id);
  const expected = { tag: order.ownerTag, recorded: order.recordedOwner };
  if (isAnothers(await adapter.ownershipOf(found), expected)) throw anothers(id);
  const work = { adapter, order, job };
  const image = await adapter.settled(found, job);
  const facts = image && (await tryToComplete(work, image, true));
  if (facts !== undefined) return facts;
  const now = await adapter.get(id);
  if (now !== undefined && isAnothers(await adapter.ownershipOf(now), expected)) throw anothers(id);
  await adapter.delete(id, { force: true, recorded: true }, job);
  throw new ImagesError("conflict", `image ${id}, which an earlier run began, couldn't be finished, and was removed`, {
    hint: "Run pulumi up again: it makes a new one",
  });
}

/**
 * Whether an image that the state has, and whose create or update ended early, can still be completed. It can't where the service,
 * or the network, died while the image was being sent its data: only a new image helps then.
 */
export async function canResume<Image>(adapter: ImageAdapter<Image>, id: string, job: Job): Promise<boolean> {
  const image = await adapter.get(id);
  const settled = image && (await adapter.settled(image, job));
  return settled !== undefined && adapter.phase(settled) !== "failed";
}

/** Those of the order's owner tag that are unfinished, the one that got furthest first. Warns of the finished ones. */
async function findUnfinished<Image>({ adapter, order, job }: Work<Image>): Promise<Image[]> {
  const unfinished: Image[] = [];
  for (const image of await adapter.findOwned(order, true)) {
    const ownership = await adapter.ownershipOf(image);
    if (isUnfinishedOf(order, ownership)) unfinished.push(image);
    else if (!ownership.unfinished) job.warn(finishedImage(adapter.factsOf(image), order.isCopy));
  }
  const phases = ["ready", "empty", "failed"];
  const rank = (image: Image) => (adapter.canBecome(image, order) ? 0 : 10) + phases.indexOf(adapter.phase(image));
  return unfinished.sort((one, other) => rank(one) - rank(other));
}

async function makeNew<Image>(work: Work<Image>): Promise<ImageFacts> {
  const { adapter, order, job } = work;
  let spent = 0;
  for (let meetings = 0; meetings < maxMeetings; meetings++) {
    // A run that was told to stop begins nothing: its end would be recorded nowhere.
    if (job.signal.aborted) throw new ImagesError("interrupted", "was told to stop before the image was begun");
    const { image, fresh, finished = [] } = await adapter.begin(order, job);
    for (const other of finished) job.warn(finishedImage(adapter.factsOf(other), order.isCopy));
    try {
      const facts = fresh ? await complete(work, image, true) : await resume(work, image);
      if (facts !== undefined) return facts;
    } catch (error) {
      if (!(error instanceof SpentImage)) throw error;
      spent += 1;
      if (spent >= (adapter.attempts ?? 1) || order.values.imageId !== undefined) throw givenUp(error, spent, order);
      meetings -= 1;
      job.report(`the connection broke; uploading again (${spent + 1} of ${adapter.attempts})`);
      await pause(pauseAfter(spent + 1), undefined, { signal: job.signal });
    }
  }
  throw new ImagesError("conflict", "other runs of this resource keep making its image at the same time", {
    hint: "Let one run end before the next one begins",
  });
}

/** Brings an unfinished image of an earlier run to what is ordered. One that can't become that is removed. */
async function resume<Image>(work: Work<Image>, found: Image): Promise<Outcome> {
  const { adapter, order, job } = work;
  job.report("resuming what an earlier run began");
  // It was found by a listing, which may be older than what another run has done to it since.
  const now = await adapter.get(idOf(work, found));
  const image = now && (await adapter.settled(now, job));
  if (image !== undefined) {
    if (!(await adapter.ownershipOf(image)).unfinished) {
      job.warn(finishedElsewhere(adapter.factsOf(image), order.isCopy));
      return undefined;
    }
    const facts = await tryToComplete(work, image, true);
    if (facts !== undefined) return facts;
  }
  await removeUnfinished(work, idOf(work, found), job);
  return undefined;
}

/** @param follow whether another run that is met on this image is followed */
async function tryToComplete<Image>(work: Work<Image>, image: Image, follow: boolean): Promise<Outcome> {
  const { adapter, order, job } = work;
  if (!adapter.canBecome(image, order)) return undefined;
  const phase = adapter.phase(image);
  if (phase === "failed" || (phase === "ready" && !(await adapter.holds(image, order, job)))) return undefined;
  try {
    return await complete(work, image, false, follow);
  } catch (error) {
    if (error instanceof SpentImage) return undefined;
    throw error;
  }
}

/** Data, then what can only be done with the data in place. An image that fails for good is removed again. */
async function complete<Image>(work: Work<Image>, image: Image, fresh: boolean, follow = true): Promise<Outcome> {
  const { adapter, order, job } = work;
  let hasData = adapter.phase(image) !== "empty";
  try {
    const marked = fresh ? adapter.carrier() !== "none" : (await adapter.ownershipOf(image)).unfinished;
    const filled: Filled<Image> = hasData ? { image } : await adapter.fill(image, order, job, fresh);
    hasData = true;
    // Whoever removes the marker owns the image: one that has lost it meanwhile is another run's.
    const isOthers = marked && !(await adapter.ownershipOf(filled.image)).unfinished;
    const finished = isOthers ? undefined : await adapter.finish(filled.image, order, job, fresh);
    if (finished === undefined) {
      job.warn(finishedElsewhere(adapter.factsOf(filled.image), order.isCopy));
      return undefined;
    }
    await filled.verify?.(finished);
    return await result(work, finished);
  } catch (error) {
    // Another run is at work on the same image: what it makes isn't removed.
    const met = follow && error instanceof ImagesError && error.status === 409 && !job.signal.aborted;
    const now = met ? await adapter.get(idOf(work, image)) : undefined;
    if (now !== undefined) return await followRun(work, now);
    throw await cleanedUp(work, idOf(work, image), error, { fresh, hasData });
  }
}

/** What another run of this resource makes of the image that both were at work on. */
async function followRun<Image>(work: Work<Image>, found: Image): Promise<Outcome> {
  const { adapter, order, job } = work;
  const image = await adapter.settled(found, job);
  if (image === undefined) return undefined;
  if (!(await adapter.ownershipOf(image)).unfinished) {
    job.warn(finishedElsewhere(adapter.factsOf(image), order.isCopy));
    return undefined;
  }
  return await tryToComplete(work, image, false);
}

async function result<Image>({ adapter, order, job }: Work<Image>, image: Image): Promise<ImageFacts> {
  const ownership = await adapter.ownershipOf(image);
  const facts = adapter.factsOf(image);
  if (ownership.resource === undefined) job.warn(untagged(facts.id));
  return {
    ...((await adapter.withDetails?.(facts, order)) ?? facts),
    ownerTag: recordOf(ownership),
  };
}

/**
 * What to throw after a create failed. Time running out says nothing about the image, nor does a service that is gone: such an
 * image stays, and the state has it, for the next run to resume. After any other failure it is removed.
 */
async function cleanedUp<Image>(
  work: Work<Image>,
  id: string,
  error: unknown,
  { fresh, hasData }: { fresh: boolean; hasData: boolean },
): Promise<unknown> {
  const { adapter, job } = work;
  const code = error instanceof ImagesError ? error.code : undefined;
  if (code === "not-found") return error;
  const facts: ImageFacts = { id, status: "unfinished" };
  const isLost = error instanceof ServiceLost || (hasData && code === "unavailable");
  const unknown = code === "timeout" || code === "interrupted" || isLost || adapter.keeps?.(error) === true;
  if (unknown || job.signal.aborted) return unfinished(work, error, facts);
  try {
    const late = { ...job, deadline: Math.max(job.deadline, Date.now() + cleanupMs) };
    // Data that was found wrong may have been found so after the marker was removed.
    await removeUnfinished(work, id, late, { wrong: code === "content", untagged: fresh });
    return error;
  } catch {
    return unfinished(work, error instanceof SpentImage ? error.cause : error, facts);
  }
}

function unfinished<Image>({ adapter, order }: Work<Image>, error: unknown, facts: ImageFacts): UnfinishedError {
  const { resource } = order.ownerTag;
  return new UnfinishedError(error, { ...facts, ownerTag: recordOf({ resource, carrier: adapter.carrier() }) });
}

/**
 * Removes an image that a create began and nobody has finished.
 * @param known.wrong this run has found that the image's data is wrong
 * @param known.untagged this run has begun it, so it may be without an owner tag
 */
async function removeUnfinished<Image>(
  { adapter, order }: Work<Image>,
  id: string,
  job: Job,
  known: { wrong: boolean; untagged: boolean } = { wrong: false, untagged: false },
): Promise<void> {
  const image = await adapter.get(id);
  if (image === undefined) return;
  const { resource, unfinished } = await adapter.ownershipOf(image);
  const removable =
    resource === undefined ? known.untagged : resource === order.ownerTag.resource && (unfinished || known.wrong);
  if (removable) await adapter.delete(id, { force: true }, job);
}

function givenUp({ cause }: SpentImage, attempts: number, { values: { imageId } }: ImageOrder): ImagesError {
  const tries = attempts === 1 ? "the upload broke off" : `${attempts} uploads broke off; the last`;
  return new ImagesError(cause instanceof ImagesError ? cause.code : "failed", `${tries}: ${cause.message}`, {
    cause,
    ...(imageId === undefined
      ? {}
      : { hint: `imageId ${String(imageId)} can't be used again: choose another one, or leave it out` }),
  });
}

function anothers(id: string): ImagesError {
  return new ImagesError("conflict", `image ${id} carries the owner tag of another resource, so it is not resumed`, {
    hint: "Run pulumi up with --replace for this resource: it makes an image of its own",
  });
}

function idOf<Image>({ adapter }: Work<Image>, image: Image): string {
  return adapter.factsOf(image).id;
}
