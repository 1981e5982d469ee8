import { ImagesError } from "../../errors.ts";
import type { Key } from "../keys.ts";
import type { Facts, Job, PartService, Values } from "../service.ts";
import { factsOf, patchOf, type WireImage } from "./attributes.ts";
import type { GlanceCloud } from "./cloud.ts";

/** How often a tag that somebody else's write took away again is written. */
const mostRounds = 10;

/** Tags that every server takes from a path as they are meant. */
const inPath = /^[\w .:,;=@~+!()*'-]+$/;

/** One tag of an image at a time, without minding the others. */
export function glanceTags(cloud: GlanceCloud): PartService {
  async function keyOf(imageId: unknown, tag: unknown): Promise<Key> {
    return { kind: "tag", cloud: await cloud.address(), imageId: String(imageId).toLowerCase(), entry: String(tag) };
  }

  return {
    keysOf: async ({ imageId, tag }) => [await keyOf(imageId, tag)],
    async create(values, job) {
      const [imageId, tag] = [String(values.imageId).toLowerCase(), String(values.tag)];
      await setTag(cloud, imageId, tag, true, job);
      return facts(imageId, tag);
    },
    async read(id) {
      const { imageId, tag } = parse(id);
      const image = await cloud.reads.read(imageId, true);
      return image?.tags !== undefined && hasTag(image, tag) ? facts(imageId, tag) : undefined;
    },
    // Both of its fields make another tag, so there is nothing to update.
    update: async (id, values) => facts(parse(id).imageId, String(values.tag)),
    async delete(id, _values: Values, job) {
      const { imageId, tag } = parse(id);
      if (job.stays(await keyOf(imageId, tag))) return;
      await setTag(cloud, imageId, tag, false, job);
    },
  };
}

function facts(imageId: string, tag: string): Facts {
  return { id: `${imageId}/${encodeURIComponent(tag)}`, imageId, tag };
}

function parse(id: string): { imageId: string; tag: string } {
  const slash = id.indexOf("/");
  if (slash < 0)
    throw new ImagesError("invalid", `the id of an ImageTag is <image id>/<tag>, not ${JSON.stringify(id)}`);
  return { imageId: id.slice(0, slash).toLowerCase(), tag: decodeURIComponent(id.slice(slash + 1)) };
}

/**
 * Sees to it that an image has a tag, or hasn't. Somebody else's change at the same time makes Glance lose it, so the image is looked at
 * afterwards.
 */
async function setTag(cloud: GlanceCloud, imageId: string, tag: string, wanted: boolean, job: Job): Promise<void> {
  await cloud.writes.run(imageId, async () => {
    for (let round = 0; round < mostRounds; round++) {
      const there = (await cloud.rest.until(imageId, job)) !== undefined;
      if (!there && wanted) throw noImage(imageId);
      if (!there || (!(await writeTag(cloud, imageId, tag, wanted)) && !wanted)) return;
      const image = await cloud.client.get(imageId);
      if (image === undefined && wanted) throw noImage(imageId);
      if (image === undefined || hasTag(image, tag) === wanted) return;
    }
    throw new ImagesError(
      "conflict",
      `the tag ${JSON.stringify(tag)} doesn't stay on image ${imageId}: something else writes to it all the time`,
    );
  });
}

/** @returns false when there was nothing to take away */
async function writeTag(cloud: GlanceCloud, imageId: string, tag: string, wanted: boolean): Promise<boolean> {
  if (cloud.dialect.tagCalls && inPath.test(tag)) {
    const found = wanted ? await cloud.client.putTag(imageId, tag) : await takeAway(cloud, imageId, tag);
    if (wanted && !found) throw noImage(imageId);
    return found;
  }
  // Without calls for one tag there is just the whole list; and front ends differ in what they make of a slash, a percent sign or UTF-8 in a path.
  const image = await cloud.client.get(imageId);
  if (image === undefined) {
    if (wanted) throw noImage(imageId);
    return false;
  }
  const before = (image.tags as string[] | undefined) ?? [];
  const tags = before.filter(other => other !== tag);
  if (wanted) tags.push(tag);
  const patch = patchOf(factsOf(image, cloud.dialect), { tags }, []);
  if (patch.length > 0) await cloud.client.patch(imageId, patch);
  return patch.length > 0;
}

/**
 * Two who write one tag in the same instant can make Glance note it twice; from then on it answers 500 to whoever takes it away, by DELETE
 * or by PATCH, and only the image's deletion helps (seen on Glance 33.0).
 */
async function takeAway(cloud: GlanceCloud, imageId: string, tag: string): Promise<boolean> {
  try {
    return await cloud.client.deleteTag(imageId, tag);
  } catch (error) {
    if (!(error instanceof ImagesError) || error.status !== 500) throw error;
    const image = await cloud.client.get(imageId);
    if (image === undefined || !hasTag(image, tag)) return false;
    throw new ImagesError("failed", `image ${imageId} still has the tag ${JSON.stringify(tag)}: ${error.message}`, {
      hint: "If that lasts, the service has noted the tag twice, as Glance does when two write it in the same instant: it only goes with the image, or by the service's operator. `pulumi state delete` forgets it",
      cause: error,
    });
  }
}

function hasTag(image: WireImage, tag: string): boolean {
  return Array.isArray(image.tags) && image.tags.includes(tag);
}

function noImage(imageId: string): ImagesError {
  return new ImagesError("not-found", `there is no image ${imageId} that this connection may change`, {
    hint: "Check imageId and connection: an image of another project can't be tagged",
  });
}
