import { ImagesError, UnfinishedError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { ImageFacts, ImageOrder, Job, Mark, Values } from "../service.ts";
import { factsOf } from "./attributes.ts";
import { type DivvyCloud, regionOf, scopeOf } from "./cloud.ts";
import { remove } from "./delete.ts";
import { demandExpected } from "./expectations.ts";
import { present, rename } from "./update.ts";

/** Words for an image that isn't ready yet, and for one that never will be; of the clouds behind, as DivvyCloud documents none. */
const busy = /^(pending|creating|queued|saving|transient|in[ _-]?progress)$/i;
const failed = /^(failed|error|invalid|killed|deregistered)$/i;

/**
 * Makes an image from an instance, or takes over what an earlier try of the same resource left.
 *
 * DivvyCloud doesn't say which image a snapshot became, and knows no marks on images but two: their names, and notes. So the image is made
 * under a name that is its mark, gets a note with the mark, and then its own name. At each point a repeat finds it.
 */
export async function create(cloud: DivvyCloud, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const found = await findMarked(cloud, order);
  if (found.length > 0) {
    job.warn(
      `took over image ${found[0]?.id}, which an earlier run of this resource had made, but not noted in the state`,
    );
    return await finishOne(cloud, found, order, job);
  }
  await snapshot(cloud, order, job);
  job.report("waiting for the image to appear");
  const made = await waitFor(
    async () => {
      const marked = await named(cloud, order, markedName(order.mark));
      return marked.length > 0 ? marked : undefined;
    },
    () => `the image of ${String(order.values.instance)} to appear in DivvyCloud as ${markedName(order.mark)}`,
    job,
  );
  return await finishOne(cloud, made, order, job);
}

/** Brings an image of ours from wherever an interrupted run left it to what is ordered. */
export async function complete(cloud: DivvyCloud, image: ImageFacts, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const { id } = image;
  try {
    const ready = await untilReady(cloud, image, job);
    const name = order.values.name as string | undefined;
    if (name !== undefined && ready.name !== name) {
      await addMark(cloud, id, order.mark);
      job.report(`naming it ${name}`);
      const facts = await rename(cloud, id, name, job).catch(error => {
        throw cantRename(error, name);
      });
      demandExpected(facts, order.values);
      return facts;
    }
    demandExpected(ready, order.values);
    return ready;
  } catch (error) {
    if (!(error instanceof ImagesError) || error.code === "not-found") throw error;
    if (error.code !== "failed") throw new UnfinishedError(error, { ...image, status: "unfinished" });
    await remove(cloud, id, {}, job).catch(() => {
      throw new UnfinishedError(error, { ...image, status: "unfinished" });
    });
    throw error;
  }
}

/** A snapshot that was asked for twice may have become two images: one is kept. */
async function finishOne(
  cloud: DivvyCloud,
  [first, ...others]: ImageFacts[],
  order: ImageOrder,
  job: Job,
): Promise<ImageFacts> {
  for (const { id } of others) await remove(cloud, id, {}, job);
  return await complete(cloud, first as ImageFacts, order, job);
}

async function snapshot(cloud: DivvyCloud, order: ImageOrder, job: Job): Promise<void> {
  const instance = String(order.values.instance);
  job.report("asking for the snapshot");
  try {
    await cloud.client.snapshot(instance, markedName(order.mark));
  } catch (error) {
    if (!(error instanceof ImagesError)) throw error;
    if (error.status === 404) {
      throw new ImagesError("not-found", `there is no instance ${instance} to make an image from`, { cause: error });
    }
    if (error.status === 501) throw cloudCant(error);
    // The answer may be lost, and the image made all the same.
    if (error.code !== "unavailable" || (await named(cloud, order, markedName(order.mark))).length === 0) throw error;
  }
}

function cloudCant(cause: ImagesError): ImagesError {
  return new ImagesError("unsupported", `the cloud behind can't make an image from an instance: ${cause.message}`, {
    hint: "Make the image in the cloud itself, and bring it under management with adopt",
    cause,
  });
}

function cantRename(error: unknown, name: string): unknown {
  if (!(error instanceof ImagesError) || !["unsupported", "rejected"].includes(error.code)) return error;
  return new ImagesError(
    error.code,
    `the image was made, but can't be named ${JSON.stringify(name)}: ${error.message}`,
    {
      hint: "Where the cloud behind can't rename an image, leave name out: it is then called by its mark",
      cause: error,
    },
  );
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

/** What an earlier, interrupted run left: still under the mark's name, or already under its own, with the mark in a note. */
async function findMarked(cloud: DivvyCloud, order: ImageOrder): Promise<ImageFacts[]> {
  const all = await sameRegion(cloud, order.values);
  const marked = all.filter(({ name }) => name === markedName(order.mark));
  for (const image of all.filter(({ name }) => name === order.values.name)) {
    if ((await cloud.client.notes(image.id)).includes(noteOf(order.mark))) marked.push(image);
  }
  return marked;
}

async function named(cloud: DivvyCloud, order: ImageOrder, name: string): Promise<ImageFacts[]> {
  return (await sameRegion(cloud, order.values)).filter(facts => facts.name === name);
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

async function addMark(cloud: DivvyCloud, id: string, mark: Mark): Promise<void> {
  if (!(await cloud.client.notes(id)).includes(noteOf(mark))) await cloud.client.addNote(id, noteOf(mark));
}

/** Lower-case letters, digits and dashes, at most 63: what every cloud takes as a name. */
function markedName(mark: Mark): string {
  return `pulumi-images-${mark.resource}`;
}

function noteOf(mark: Mark): string {
  return `Managed by pulumi-images: resource ${mark.resource}, stack ${mark.stack}`;
}
