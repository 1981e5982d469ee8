import { ImagesError } from "../../errors.ts";
import { gone } from "../lost.ts";
import type { ImageChange, ImageFacts, Job } from "../service.ts";
import { differingFields, differingProperties, factsOf, propertiesOf, type WireImage } from "./attributes.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { isGone } from "./waiting.ts";

/**
 * Brings an image's fields to what is wanted, by one write. A property is removed by writing all the others: those that the program
 * doesn't manage are read just before, so that they stay.
 * @param known the image as it was just read, where the caller has it
 */
export async function update(
  cloud: GlanceV1Cloud,
  id: string,
  { actual, wanted, removedProperties }: ImageChange,
  _job: Job,
  known?: WireImage,
): Promise<ImageFacts> {
  return await cloud.writes.run(id, async () => {
    const fields = differingFields(actual, wanted);
    const properties = differingProperties(actual, wanted);
    if (removedProperties.length > 0) {
      const before = propertiesOf(await present(cloud, id));
      const rest = Object.entries(before).filter(([name]) => !removedProperties.includes(name));
      if (rest.length < Object.keys(before).length) {
        return factsOf(await write(cloud, id, fields, { ...Object.fromEntries(rest), ...properties }, true));
      }
    }
    if (Object.keys(fields).length + Object.keys(properties).length === 0) {
      return factsOf(known ?? (await present(cloud, id)));
    }
    return factsOf(await write(cloud, id, fields, properties, false));
  });
}

async function present(cloud: GlanceV1Cloud, id: string): Promise<WireImage> {
  const image = await cloud.client.get(id);
  if (isGone(image)) throw gone(id);
  return image;
}

async function write(
  cloud: GlanceV1Cloud,
  id: string,
  fields: Record<string, unknown>,
  properties: Record<string, string>,
  purge: boolean,
): Promise<WireImage> {
  try {
    return await cloud.client.update(id, fields, properties, purge);
  } catch (error) {
    if (!(error instanceof ImagesError) || error.status !== 403 || fields.owner === undefined) throw error;
    throw new ImagesError("forbidden", error.message, {
      hint: "Only an admin may give an image to another project: leave owner out",
      cause: error,
    });
  }
}
