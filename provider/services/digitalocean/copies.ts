import { ImagesError } from "../../errors.ts";
import { hasUnknown } from "../../fields/field.ts";
import type { Key } from "../keys.ts";
import type { Facts, Job, PartService, Values } from "../service.ts";
import { isDeleted } from "./attributes.ts";
import type { WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { earlierMs } from "./reads.ts";
import { addRegions } from "./regions.ts";
import { noImage } from "./tags.ts";
import { untilAvailable } from "./waiting.ts";

/**
 * An image in more regions. It is the same image everywhere, and DigitalOcean can't take it out of a region again: deleting a copy leaves it
 * there, and says so. An id is `<image id>/<regions at first>`, parted by commas.
 */
export function copyParts(cloud: DigitalOceanCloud, checkRegions: CheckRegions): PartService {
  async function bring(id: string, values: Values, job: Job): Promise<Facts> {
    const { imageId } = parse(id);
    const image = await cloud.client.image(imageId);
    if (image === undefined) throw noImage(imageId);
    // One that is still being imported can't be transferred.
    const there = await (image.status === "available" ? image : untilAvailable(cloud, imageId, job));
    const missing = wantedOf(id, values).filter(region => !there.regions?.includes(region));
    return factsOf(id, missing.length === 0 ? there : await addRegions(cloud, imageId, missing, job));
  }
  const keysOf = async (imageId: unknown, regions: readonly string[]): Promise<Key[]> => {
    const address = await cloud.address();
    return regions.map(entry => ({ kind: "region", cloud: address, imageId: String(imageId), entry }));
  };

  /** Of regions that this resource no longer declares, those that it alone brought the image to. */
  async function leftOf(imageId: string, regions: readonly string[], job: Job): Promise<string[]> {
    const keys = await keysOf(imageId, regions);
    return keys.flatMap(key => (job.stays(key) ? [] : [String(key.entry)]));
  }

  return {
    keysOf: async ({ imageId, to, regions }) =>
      await keysOf(imageId, (regions ?? (to as { regions: string[] }).regions) as string[]),
    async check({ to }) {
      if (hasUnknown(to)) return { problems: [] };
      const { regions } = to as { regions: string[] };
      return { problems: await checkRegions("to.regions", regions), inputs: { regions } };
    },
    create: (values, job) =>
      bring(`${String(values.imageId)}/${(values.regions as string[]).toSorted().join(",")}`, values, job),
    async read(id) {
      const image = await cloud.reads.read(parse(id).imageId, earlierMs);
      return image === undefined || isDeleted(image) ? undefined : factsOf(id, image);
    },
    async update(id, values, _changed, job, before) {
      const facts = await bring(id, values, job);
      const wanted = wantedOf(id, values);
      const dropped = ((before.regions as string[] | undefined) ?? []).filter(region => !wanted.includes(region));
      const { imageId } = parse(id);
      warnOfLeft(imageId, await leftOf(imageId, dropped, job), facts.regions as string[], job);
      return facts;
    },
    async delete(id, values, job) {
      const { imageId } = parse(id);
      const image = await cloud.reads.read(imageId);
      warnOfLeft(imageId, await leftOf(imageId, wantedOf(id, values), job), image?.regions ?? [], job);
    },
  };
}

/** What is wrong with a list of regions, by what the service has. */
export type CheckRegions = (
  property: string,
  regions: readonly string[],
) => Promise<{ property: string; reason: string }[]>;

function warnOfLeft(imageId: string, dropped: readonly string[], regions: readonly string[], job: Job): void {
  const left = dropped.filter(region => regions.includes(region));
  if (left.length > 0)
    job.warn(`image ${imageId} stays in ${left.join(", ")}: DigitalOcean can't take an image out of a region`);
}

function wantedOf(id: string, values: Values): string[] {
  return (values.regions as string[] | undefined) ?? parse(id).regions;
}

function factsOf(id: string, image: WireImage): Facts {
  const imageId = String(image.id);
  const regions = image.regions ?? [];
  return { id, imageId, copyId: imageId, status: image.status, regions };
}

function parse(id: string): { imageId: string; regions: string[] } {
  const [imageId, regions, ...rest] = id.split("/");
  if (imageId && regions && rest.length === 0) return { imageId, regions: regions.split(",") };
  throw new ImagesError("invalid", `the id of an ImageCopy is <image id>/<region>,…, not ${JSON.stringify(id)}`);
}
