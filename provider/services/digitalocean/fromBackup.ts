import { ImagesError, UnfinishedError } from "../../errors.ts";
import type { ImageAdapter } from "../../reconcile/adapter.ts";
import { claimImage } from "../../reconcile/adoptImage.ts";
import { gone } from "../lost.ts";
import type { ImageFacts, ImageOrder, Job } from "../service.ts";
import { factsOf } from "./attributes.ts";
import type { WireAction, WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { update } from "./update.ts";
import { untilEnded } from "./waiting.ts";

/**
 * The image of an order that names a backup. It keeps the backup's id, so it is there already, and becomes this resource's as an adopted one does.
 * @throws ImagesError "conflict" where another stack's owner tag claims it
 */
export async function imageFromBackup(
  cloud: DigitalOceanCloud,
  adapter: ImageAdapter<WireImage>,
  order: ImageOrder,
  job: Job,
): Promise<ImageFacts> {
  const id = String(order.values.backupId);
  const image = await convertBackup(cloud, id, job);
  try {
    const { ownerTag } = await claimImage(adapter, id, order.ownerTag, false);
    return { ...factsOf(await update(cloud, id, factsOf(image), order.values, job, image)), ownerTag };
  } catch (error) {
    if (error instanceof ImagesError && (error.code === "not-found" || error.code === "conflict")) throw error;
    throw new UnfinishedError(error, { id, status: "unfinished", ownerTag: order.ownerTag.resource });
  }
}

/**
 * Makes a snapshot of a droplet's backup, so that it isn't rotated away. It is the same image afterwards, by the same id: a repeat finds it
 * converted, and knows by its actions that it was a backup.
 */
async function convertBackup(cloud: DigitalOceanCloud, id: string, job: Job): Promise<WireImage> {
  const image = await cloud.client.image(id);
  if (image === undefined) {
    throw new ImagesError("not-found", `there is no backup ${id} that this connection can see`, {
      hint: "DigitalOcean deletes the oldest backup of a droplet when it makes a new one",
    });
  }
  const conversion = await conversionOf(cloud, id);
  if (image.type !== "backup") {
    if (conversion !== undefined) return image;
    throw new ImagesError("conflict", `image ${id} is no backup: it is a ${image.type} image`, {
      hint: "Take it over as it is with adopt: { id }",
    });
  }
  const action: WireAction = conversion?.status === "in-progress" ? conversion : await begin(cloud, id);
  job.report("converting the backup to a snapshot");
  const what = `the conversion of backup ${id}`;
  const completed = await untilEnded(action, action => cloud.client.imageAction(id, action), what, job);
  cloud.reads.wrote(id);
  if (!completed) {
    throw new ImagesError(
      "failed",
      `${what} failed: action ${String(action.id)} errored, DigitalOcean doesn't say why`,
    );
  }
  const converted = await cloud.client.image(id);
  if (converted === undefined) throw gone(id);
  return converted;
}

async function conversionOf(cloud: DigitalOceanCloud, id: string): Promise<WireAction | undefined> {
  return (await cloud.client.imageActions(id)).find(({ type }) => type === "convert");
}

/** Asks for the conversion, once; where the answer is lost, the image's actions tell. */
async function begin(cloud: DigitalOceanCloud, id: string): Promise<WireAction> {
  try {
    return await cloud.client.beginImageAction(id, { type: "convert" });
  } catch (error) {
    if (!(error instanceof ImagesError) || error.code !== "unavailable") throw error;
    const begun = await conversionOf(cloud, id).catch(() => undefined);
    if (begun === undefined) throw error;
    return begun;
  }
}
