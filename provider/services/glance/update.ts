import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import { gone } from "../lost.ts";
import type { ImageChange, ImageFacts, Job } from "../service.ts";
import { factsOf, type PatchOperation, patchOf, storesOf, type WireImage } from "./attributes.ts";
import type { GlanceCloud } from "./cloud.ts";
import { beginImport, tasksOf } from "./data.ts";
import { ownerImageTags } from "./ownership.ts";
import { busyStatuses, ImportFailed, isLocked, untilImported, untilSettled } from "./waiting.ts";

/** How often a write that somebody else's write undid is applied again. */
const mostRounds = 6;

/**
 * Brings an image's fields to what is wanted: one smallest patch, then one read that shows whether it stayed. Somebody else's
 * write at the same time makes Glance lose ours, so that what is missing afterwards is applied again.
 */
export async function update(cloud: GlanceCloud, id: string, change: ImageChange, job: Job): Promise<WireImage> {
  return await cloud.writes.run(id, async () => {
    cloud.rest.note({ id, status: change.actual.status });
    if ((await cloud.rest.until(id, job)) === undefined) throw gone(id);
    let facts = change.actual;
    let image: WireImage | undefined;
    for (let round = 0; round < mostRounds; round++) {
      const wrote = await write(cloud, id, facts, change, job);
      if (!wrote && image !== undefined) return image;
      image = await readBack(cloud, id, job);
      cloud.rest.note(image);
      facts = factsOf(image, cloud.dialect);
      if (isDone(facts, change)) return image;
    }
    throw new ImagesError(
      "conflict",
      `image ${id} doesn't keep the changes: something else writes to it all the time`,
      {
        hint: "Find what else manages this image (another stack, a script), and let only one of them do it",
      },
    );
  });
}

function isDone(facts: ImageFacts, { wanted, removedProperties }: ImageChange): boolean {
  return (
    patchOf(facts, wanted, removedProperties).length === 0 &&
    (wanted.state === undefined || wanted.state === facts.state || facts.status === "queued") &&
    storesMissing(facts, wanted).length === 0
  );
}

/** @returns whether anything was sent */
async function write(
  cloud: GlanceCloud,
  id: string,
  facts: ImageFacts,
  change: ImageChange,
  job: Job,
): Promise<boolean> {
  const { wanted, removedProperties } = change;
  let wrote = false;
  const patch = patchOf(facts, wanted, removedProperties);
  if (patch.length > 0) {
    await patchAsItIs(cloud, id, await withOwnerTags(cloud, id, patch, change), change);
    wrote = true;
  }
  if (wanted.state !== undefined && wanted.state !== facts.state && facts.status !== "queued") {
    await cloud.client.action(id, wanted.state === "deactivated" ? "deactivate" : "reactivate");
    wrote = true;
  }
  const missing = storesMissing(facts, wanted);
  if (missing.length > 0) {
    await copyToStores(cloud, id, missing, job);
    wrote = true;
  }
  for (const store of change.removedStores ?? []) {
    if (await cloud.client.deleteFromStore(store, id)) wrote = true;
  }
  return wrote;
}

/** A property to remove may be gone already (409, and nothing of the patch was applied): then the patch is made from what is there. */
async function patchAsItIs(
  cloud: GlanceCloud,
  id: string,
  patch: ReturnType<typeof patchOf>,
  change: ImageChange,
): Promise<void> {
  try {
    await cloud.client.patch(id, patch);
  } catch (error) {
    if (!(error instanceof ImagesError) || error.status !== 409) throw error;
    const image = await cloud.client.get(id);
    if (image === undefined) throw gone(id);
    const again = patchOf(factsOf(image, cloud.dialect), change.wanted, change.removedProperties);
    if (again.length > 0) await cloud.client.patch(id, await withOwnerTags(cloud, id, again, change));
  }
}

/** A list of tags is written whole: where the owner tag is among them, which no program sees, it stays there. */
async function withOwnerTags(
  cloud: GlanceCloud,
  id: string,
  patch: PatchOperation[],
  { actual }: ImageChange,
): Promise<PatchOperation[]> {
  const isCarried = String(actual.ownerTag ?? "").startsWith("tag:");
  if (!isCarried || !patch.some(({ path }) => path === "/tags")) return patch;
  const image = await cloud.client.get(id);
  if (image === undefined) throw gone(id);
  const kept = ownerImageTags(image);
  return patch.map(one => (one.path === "/tags" ? { ...one, value: [...(one.value as string[]), ...kept] } : one));
}

/** While data is being uploaded, a changed name is seen at once and comes back to the old one when the upload ends. */
async function readBack(cloud: GlanceCloud, id: string, job: Job): Promise<WireImage> {
  const image = await cloud.client.get(id);
  if (image === undefined) throw gone(id);
  return busyStatuses.includes(image.status) ? await untilSettled(cloud.client, id, job) : image;
}

function storesMissing(facts: ImageFacts, wanted: Record<string, unknown>): string[] {
  const has = new Set((facts.stores as string[] | undefined) ?? []);
  return facts.status === "queued"
    ? []
    : ((wanted.stores as string[] | undefined) ?? []).filter(store => !has.has(store));
}

/** Copies an active image's data to more stores, by the server. */
export async function copyToStores(
  cloud: GlanceCloud,
  id: string,
  stores: readonly string[],
  job: Job,
): Promise<WireImage> {
  const tasks = await tasksOf(cloud, id);
  const done = await startCopy(cloud, id, stores, tasks, job);
  if (done !== undefined) return done;
  const report = (text: string) => job.report(`copying to ${stores.join(", ")}: ${text}`);
  try {
    const image = await untilImported(cloud.client, id, tasks, { ...job, report });
    if (lackingIn(image, stores).length === 0) return image;
    throw await notCopied(cloud, id, stores, "");
  } catch (error) {
    throw error instanceof ImportFailed ? await notCopied(cloud, id, stores, error.reason) : error;
  }
}

/**
 * Asks for the copies. An earlier, interrupted run may have done so before, and they may be at work still: they are waited for then. An import
 * that died with its Glance keeps the image locked for an hour, and looks the same until the Glance breaks the lock for the one who asks next.
 * @returns the image when all stores have the data already
 */
async function startCopy(
  cloud: GlanceCloud,
  id: string,
  stores: readonly string[],
  tasks: ReadonlySet<string>,
  job: Job,
): Promise<WireImage | undefined> {
  let lacking = stores;
  let again = true;
  const { image } = await waitFor(
    async () => {
      try {
        const method = { name: "copy-image" } as const;
        await beginImport(cloud, id, { method, stores: lacking, all_stores_must_succeed: true }, tasks);
        return { image: undefined };
      } catch (error) {
        if (!(error instanceof ImagesError) || (error.status !== 400 && error.status !== 409)) throw error;
        const image = await cloud.client.get(id);
        if (image === undefined) throw gone(id);
        if (isLocked(image)) {
          job.report("waiting for an earlier import to end");
          return undefined;
        }
        lacking = lackingIn(image, stores);
        if (lacking.length === 0) return { image };
        if (!again || (lacking.length === stores.length && error.status === 400)) throw error;
        again = false;
        return undefined;
      }
    },
    () => `an earlier import into image ${id} to end; one that died with its Glance keeps the image locked for an hour`,
    job,
  );
  return image;
}

function lackingIn(image: WireImage, stores: readonly string[]): string[] {
  return stores.filter(store => !storesOf(image).includes(store));
}

/** The server doesn't always name the store that failed: it is one that hasn't the data. */
async function notCopied(
  cloud: GlanceCloud,
  id: string,
  stores: readonly string[],
  reason: string,
): Promise<ImagesError> {
  const image = await cloud.client.get(id);
  if (image === undefined) return gone(id);
  const lacking = lackingIn(image, stores).join(", ");
  return new ImagesError("failed", `image ${id} wasn't copied to the store ${lacking}${reason && `: ${reason}`}`, {
    hint: "The service doesn't say more: ask its operator with the image's id",
  });
}
