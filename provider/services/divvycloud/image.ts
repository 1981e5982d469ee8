import { ImagesError } from "../../errors.ts";
import type { Begun, ImageAdapter, Phase } from "../../reconcile/adapter.ts";
import { isTagOf, type OwnerTag } from "../../reconcile/ownership.ts";
import { waitFor } from "../../wait.ts";
import type { ImageFacts, ImageOrder, Job, Values } from "../service.ts";
import { factsOf } from "./attributes.ts";
import { type DivvyCloud, regionOf, scopeOf } from "./cloud.ts";
import { deleteImage } from "./delete.ts";
import { demandExpected } from "./expectations.ts";
import { adoptedNote, finishedNote, noteOf, ownershipOf, ownName, unfinishedName } from "./ownership.ts";
import { present, rename } from "./update.ts";

/** Words for an image that isn't ready yet, and for one that never will be; of the clouds behind, as DivvyCloud documents none. */
const busy = /^(pending|creating|queued|saving|transient|in[ _-]?progress)$/i;
const failed = /^(failed|error|invalid|killed|deregistered)$/i;

/** What DivvyCloud can do with an image. */
export function imageAdapter(cloud: DivvyCloud): ImageAdapter<ImageFacts> {
  return {
    findOwned: order => findOwned(cloud, order),
    get: async id => factsOf(await cloud.client.detail(id)),
    look: (id, earlier) => cloud.reads.read(id, earlier),
    asksForOwner: true,
    factsOf: facts => facts,
    ownershipOf: async ({ id, name }) => ownershipOf(name, await cloud.client.notes(id)),
    phase,
    canBecome: () => true,
    begin: (order, job) => begin(cloud, order, job),
    settled: async image => image,
    fill: async (image, _order, job) => ({ image: await untilReady(cloud, image, job) }),
    holds: async () => true,
    finish: (image, order, job) => finish(cloud, image, order, job),
    claim: (image, tag) => claim(cloud, image, tag),
    delete: (id, options, job) => deleteImage(cloud, id, options, job),
    carrier: () => "properties",
    // The snapshot is the cloud's own work, and is the next run's to wait for.
    keeps: error => !(error instanceof ImagesError) || error.code !== "failed",
  };
}

function phase({ status }: ImageFacts): Phase {
  if (failed.test(status)) return "failed";
  return busy.test(status) ? "empty" : "ready";
}

/** Still under the name that it was made by, or already under its own, with the owner tag in a note. */
async function findOwned(cloud: DivvyCloud, order: ImageOrder): Promise<ImageFacts[]> {
  const { ownerTag, values } = order;
  const own = [unfinishedName(ownerTag), ownName(ownerTag)];
  const owned: ImageFacts[] = [];
  for (const image of await sameRegion(cloud, values)) {
    const isNamed = own.includes(String(image.name));
    if (!isNamed && (values.name === undefined || image.name !== values.name)) continue;
    const { resource } = ownershipOf(image.name, await cloud.client.notes(image.id));
    if (isTagOf(order, resource)) owned.push(image);
  }
  return owned;
}

/** The images of the instance's cloud account and region, which is where its snapshot goes. */
async function sameRegion(cloud: DivvyCloud, { instance }: Values): Promise<ImageFacts[]> {
  const scope = scopeOf(String(instance));
  const images = await cloud.client.list(scope === undefined ? [] : [scope]);
  return images
    .map(factsOf)
    .filter(facts => facts !== undefined)
    .filter(({ id }) => regionOf(id) === regionOf(String(instance)));
}

/** DivvyCloud doesn't say which image a snapshot became: it is found by its name. */
async function begin(cloud: DivvyCloud, order: ImageOrder, job: Job): Promise<Begun<ImageFacts>> {
  const name = unfinishedName(order.ownerTag);
  const appeared = async () => (await sameRegion(cloud, order.values)).find(facts => facts.name === name);
  await snapshot(cloud, order, name, job, appeared);
  job.report("waiting for the image to appear");
  const what = `the image of ${String(order.values.instance)} to appear in DivvyCloud as ${name}`;
  const image = await waitFor(appeared, () => what, job);
  // What a query says of it so early isn't its end: it is waited for.
  return { image: { ...image, status: "pending" }, fresh: true };
}

async function snapshot(
  cloud: DivvyCloud,
  order: ImageOrder,
  name: string,
  job: Job,
  appeared: () => Promise<ImageFacts | undefined>,
): Promise<void> {
  const instance = String(order.values.instance);
  job.report("asking for the snapshot");
  try {
    await cloud.client.snapshot(instance, name);
  } catch (error) {
    if (!(error instanceof ImagesError)) throw error;
    if (error.status === 404) {
      throw new ImagesError("not-found", `there is no instance ${instance} to make an image from`, { cause: error });
    }
    if (error.status === 501) throw cloudCant(error);
    // The answer may be lost, and the image made all the same.
    if (error.code !== "unavailable" || (await appeared()) === undefined) throw error;
  }
}

function cloudCant(cause: ImagesError): ImagesError {
  return new ImagesError("unsupported", `the cloud behind can't make an image from an instance: ${cause.message}`, {
    hint: "Make the image in the cloud itself, and bring it under management with adopt",
    cause,
  });
}

async function untilReady(cloud: DivvyCloud, image: ImageFacts, job: Job): Promise<ImageFacts> {
  let { status } = image;
  return await waitFor(
    async () => {
      const facts = await present(cloud, image.id);
      status = facts.status;
      if (failed.test(status)) {
        throw new ImagesError("failed", `the image that was made, ${image.id}, is ${status}`, {
          hint: "DivvyCloud gives no reason: look at the instance and the image in the cloud itself",
        });
      }
      if (!busy.test(status)) return facts;
      job.report(status);
      return undefined;
    },
    () => `image ${image.id} to leave the state ${status}`,
    job,
  );
}

/** Notes whose image it is, and then gives it its own name: from then on it is finished. */
async function finish(cloud: DivvyCloud, image: ImageFacts, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const { id } = image;
  const name = (order.values.name as string | undefined) ?? ownName(order.ownerTag);
  demandExpected(image, { ...order.values, name: undefined });
  const notes = await cloud.client.notes(id);
  if (ownershipOf("", notes).resource !== order.ownerTag.resource)
    await cloud.client.addNote(id, noteOf(order.ownerTag));
  if (image.name === name) return image;
  job.report(`naming it ${name}`);
  try {
    return await rename(cloud, id, name, job);
  } catch (error) {
    if (order.values.name !== undefined || !isUnable(error)) throw cantRename(error, name);
    await cloud.client.addNote(id, finishedNote(order.ownerTag.resource));
    return image;
  }
}

function isUnable(error: unknown): error is ImagesError {
  return error instanceof ImagesError && ["unsupported", "rejected"].includes(error.code);
}

function cantRename(error: unknown, name: string): unknown {
  if (!isUnable(error)) return error;
  return new ImagesError(
    error.code,
    `the image was made, but can't be named ${JSON.stringify(name)}: ${error.message}`,
    {
      hint: "Where the cloud behind can't rename an image, leave name out: it keeps the name that it was made by",
      cause: error,
    },
  );
}

async function claim(cloud: DivvyCloud, image: ImageFacts, tag: OwnerTag): Promise<ImageFacts> {
  await cloud.client.addNote(image.id, adoptedNote(tag));
  return image;
}
