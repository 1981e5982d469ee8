import { ImagesError } from "../../errors.ts";
import { gone } from "../lost.ts";
import type { ImageFacts, Job, Values } from "../service.ts";
import { factsOf, regionsMissing, tagChanges, updateBody } from "./attributes.ts";
import type { WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { addRegions } from "./regions.ts";
import { addTag, removeTag } from "./tagging.ts";

/** How often a write that somebody else's write undid is applied again. */
const mostRounds = 6;

/**
 * Brings an image's fields to what is wanted: name, distribution and description by one request, tags through the tags API (an image's update
 * takes none), regions by transfers. What comes back is what the service says afterwards; what is missing then is written again.
 * @param actual what the image is known to be; only what differs from it is written
 * @param known the image itself, where it has just been read
 */
export async function update(
  cloud: DigitalOceanCloud,
  id: string,
  actual: ImageFacts,
  wanted: Values,
  job: Job,
  known?: WireImage,
): Promise<WireImage> {
  let facts = actual;
  let image = known;
  for (let round = 0; round < mostRounds; round++) {
    const written = await write(cloud, id, facts, wanted, job);
    if (written === undefined && image !== undefined) return image;
    image = written === undefined || written === "read again" ? await present(cloud, id) : written;
    facts = factsOf(image);
  }
  throw new ImagesError("conflict", `image ${id} doesn't keep the changes: something else writes to it all the time`, {
    hint: "Find what else manages this image (another stack, a script), and let only one of them do it",
  });
}

/** @returns undefined when there was nothing to write; the image where an answer has shown all of what was written */
async function write(
  cloud: DigitalOceanCloud,
  id: string,
  facts: ImageFacts,
  wanted: Values,
  job: Job,
): Promise<WireImage | "read again" | undefined> {
  let written: WireImage | "read again" | undefined;
  const body = updateBody(facts, wanted);
  if (Object.keys(body).length > 0) {
    written = await cloud.client.updateImage(id, body);
    cloud.reads.wrote(id);
  }
  const { add, remove } = tagChanges(facts, wanted);
  for (const tag of add) await addTag(cloud, id, tag);
  for (const tag of remove) await removeTag(cloud, id, tag);
  if (add.length + remove.length > 0) written = "read again";
  const regions = regionsMissing(facts, wanted);
  if (regions.length > 0) written = await addRegions(cloud, id, regions, job);
  return written;
}

async function present(cloud: DigitalOceanCloud, id: string): Promise<WireImage> {
  const image = await cloud.client.image(id);
  if (image === undefined) throw gone(id);
  return image;
}

/** DigitalOcean has no way to take an image out of a region again, short of deleting it everywhere. */
export function warnOfRegionsLeft(id: string, actual: ImageFacts, wanted: Values, job: Job): void {
  // Without a list of what was managed the image is just being adopted: then no region was ever declared.
  if (!Array.isArray(actual.managed) || !Array.isArray(wanted.regions)) return;
  const left = ((actual.regions as string[] | undefined) ?? []).filter(
    region => !(wanted.regions as string[]).includes(region),
  );
  if (left.length === 0) return;
  job.warn(
    `image ${id} stays in ${left.join(", ")}, which is no longer managed: DigitalOcean can't take an image out of a region`,
  );
}
