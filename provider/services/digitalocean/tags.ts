import { ImagesError } from "../../errors.ts";
import type { Key } from "../keys.ts";
import type { Facts, PartService, Values } from "../service.ts";
import { sameTag } from "./attributes.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { earlierMs } from "./reads.ts";
import { addTag, removeTag } from "./tagging.ts";

/** Single tags of images. An id is `<image id>/<tag>`, the tag as in a url. */
export function tagParts(cloud: DigitalOceanCloud): PartService {
  /** Capital letters don't make another tag. */
  async function keyOf(imageId: unknown, tag: unknown): Promise<Key> {
    const entry = String(tag).toLowerCase();
    return { kind: "tag", cloud: await cloud.address(), imageId: String(imageId), entry };
  }
  async function read(id: string): Promise<Facts | undefined> {
    const { imageId, tag } = parse(id);
    const image = await cloud.reads.read(imageId, earlierMs);
    const found = image?.tags?.find(one => sameTag(one, tag));
    return found === undefined ? undefined : { id, imageId, tag: found };
  }
  async function create(values: Values): Promise<Facts> {
    const [imageId, tag] = [String(values.imageId), String(values.tag)];
    await addTag(cloud, imageId, tag).catch(error => {
      throw error instanceof ImagesError && error.code === "not-found" ? noImage(imageId) : error;
    });
    return { id: `${imageId}/${encodeURIComponent(tag)}`, imageId, tag };
  }
  return {
    keysOf: async ({ imageId, tag }) => [await keyOf(imageId, tag)],
    create,
    read,
    // There is nothing of a tag that could change: another tag is another resource.
    update: async (id, values) => (await read(id)) ?? (await create(values)),
    async delete(id, _values, job) {
      const { imageId, tag } = parse(id);
      if (job.stays(await keyOf(imageId, tag))) return;
      // Its capital letters may be others than the program's.
      const written = (await read(id))?.tag;
      await removeTag(cloud, imageId, written === undefined ? tag : String(written));
    },
  };
}

function parse(id: string): { imageId: string; tag: string } {
  const [imageId, tag, ...rest] = id.split("/");
  if (imageId && tag && rest.length === 0) return { imageId, tag: decodeURIComponent(tag) };
  throw new ImagesError("invalid", `the id of an ImageTag is <image id>/<tag>, not ${JSON.stringify(id)}`);
}

export function noImage(imageId: string): ImagesError {
  return new ImagesError("not-found", `there is no image ${imageId} that this connection can change`, {
    hint: "Check imageId and connection",
  });
}
