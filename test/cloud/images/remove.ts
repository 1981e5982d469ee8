import { type ImageApi, mustOwn, policyRefusal } from "./api.ts";
import { storeNamed } from "./data.ts";
import { HttpError } from "./errors.ts";
import type { Caller } from "./state.ts";

/** DELETE /v2/images/{id}, in any state; its members, tags and data go too. @throws HttpError 400, 403, 404 */
export async function deleteImage(api: ImageApi, caller: Caller, id: string): Promise<void> {
  const image = api.repo.state.images[id];
  if (!image || !api.repo.visible(image, caller)) throw new HttpError(404, `Failed to find image ${id} to delete`);
  mustOwn(image, caller, "delete_image");
  if (image.protected) throw new HttpError(403, `Image ${id} is protected and cannot be deleted.`);
  // A Glance that died over its deletion has left it.
  if (image.status === "deleted")
    throw new HttpError(400, "Image status transition from deleted to deleted is not allowed");
  api.repo.remove(id);
  api.stagingUsed = true;
  await api.staging.remove(id);
  for (const blobs of Object.values(api.stores)) await blobs.remove(id);
}

/** DELETE /v2/stores/{store}/{id}: the data in one store, unless it is the only one. @throws HttpError 403, 404, 409 */
export async function deleteFromStore(api: ImageApi, caller: Caller, store: string, id: string): Promise<void> {
  if (!api.dialect.multiStore) throw new HttpError(404);
  if (!api.dialect.stores.includes(store)) {
    throw new HttpError(409, `The selected store ${store} is not available on this node.`);
  }
  const found = api.repo.state.images[id];
  if (!found || !api.repo.visible(found, caller)) throw new HttpError(404, `Failed to find image ${id}`);
  if (!caller.isAdmin)
    throw policyRefusal(found.owner === caller.projectId ? "delete_image_location" : "get_image_location");
  const image = api.repo.seenBy(caller, found);
  if (image.status !== "active") {
    throw new HttpError(409, "It's not allowed to remove image data from store if image status is not 'active'");
  }
  if (image.locations.length === 1) {
    throw new HttpError(
      403,
      "Cannot delete image data from the only store containing it. Consider deleting the image instead.",
    );
  }
  const rest = image.locations.filter(location => location.store !== store);
  if (rest.length === image.locations.length) throw new HttpError(404, `Image ${id} is not stored in store ${store}.`);
  image.locations = rest;
  api.repo.save(image);
  await storeNamed(api, store).remove(id);
}
