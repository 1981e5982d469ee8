import { type ImageApi, mustOwn, pause } from "./api.ts";
import { HttpError } from "./errors.ts";
import { tooMany } from "./quota.ts";
import { validateImage } from "./schemas.ts";
import type { Caller, Image } from "./state.ts";

/** PUT /v2/images/{id}/tags/{tag}. @throws HttpError 400, 403, 404, 413 */
export async function addTag(api: ImageApi, caller: Caller, id: string, tag: string): Promise<void> {
  validateImage(api.dialect, { tags: [tag] });
  const image = ownImage(api, caller, id);
  if (!image.tags.includes(tag)) image.tags.push(tag);
  const maximum = api.settings.maxTags;
  if (image.tags.length > maximum) {
    throw tooMany("image tags", image.tags.length, maximum, `Image tag limit exceeded for image ${id}: `, ":");
  }
  await pause(api.settings.saveDelay);
  api.repo.save(image);
}

/** DELETE /v2/images/{id}/tags/{tag}. @throws HttpError 403, 404 */
export async function removeTag(api: ImageApi, caller: Caller, id: string, tag: string): Promise<void> {
  const image = ownImage(api, caller, id);
  if (!image.tags.includes(tag)) throw new HttpError(404);
  image.tags = image.tags.filter(other => other !== tag);
  await pause(api.settings.saveDelay);
  api.repo.save(image);
}

function ownImage(api: ImageApi, caller: Caller, id: string): Image {
  const found = api.repo.state.images[id];
  if (!found || !api.repo.visible(found, caller)) throw new HttpError(404, `Image ${id} not found.`);
  mustOwn(found, caller, "modify_image");
  return api.repo.seenBy(caller, found);
}
