import { type ImageApi, mustOwn, policyRefusal } from "./api.ts";
import { storeNamed } from "./data.ts";
import { HttpError } from "./errors.ts";
import type { Caller, Image } from "./state.ts";

/** The stores hold files only, so that no address that a client could give is one of theirs: as with Glance without an http store. */
function checkUrl(value: unknown): void {
  const url = (value as { url?: unknown } | null)?.url;
  throw new HttpError(400, `Invalid location: ${String(url)}`);
}

function mustShow(api: ImageApi, verb: string): void {
  if (!api.settings.showLocations) {
    throw new HttpError(403, `It's not allowed to ${verb} locations if locations are invisible.`);
  }
}

/** PATCH replace /locations. @throws HttpError 400, 403, 409 */
export async function replaceLocations(api: ImageApi, caller: Caller, image: Image, value: unknown): Promise<void> {
  if (!Array.isArray(value) || !value.length)
    throw new HttpError(403, { detail: "Cannot set locations to empty list." });
  mustOwn(image, caller, "set_image_location");
  mustShow(api, "update");
  mustBeOpen(image, "replace");
  checkUrl(value[0]);
}

/** PATCH add /locations/{position}. @throws HttpError 400, 403, 409 */
export async function addLocation(
  api: ImageApi,
  caller: Caller,
  image: Image,
  position: string,
  value: unknown,
): Promise<void> {
  mustOwn(image, caller, "set_image_location");
  mustShow(api, "add");
  mustBeOpen(image, "add");
  if (position !== "-" && !/^\d+$/.test(position)) throw new HttpError(400, "Invalid position for adding a location.");
  checkUrl(value);
}

/** PATCH remove /locations/{position}. @throws HttpError 400, 403, 409 */
export async function removeLocation(api: ImageApi, caller: Caller, image: Image, position: string): Promise<void> {
  if (!caller.isAdmin) throw policyRefusal("delete_image_location");
  mustShow(api, "remove");
  if (image.status !== "active") {
    throw new HttpError(409, `It's not allowed to remove locations if image status is ${image.status}.`);
  }
  if (image.locations.length === 1) throw new HttpError(403, "Cannot remove last location in the image.");
  const index = position === "-" ? image.locations.length - 1 : Number(position);
  const [removed] = Number.isInteger(index) ? image.locations.splice(index, 1) : [];
  if (!removed) throw new HttpError(400, "Invalid position for removing a location.");
  await storeNamed(api, removed.store).remove(image.id);
}

function mustBeOpen(image: Image, verb: string): void {
  if (image.status === "active" || image.status === "queued") return;
  throw new HttpError(409, `It's not allowed to ${verb} locations if image status is ${image.status}.`);
}

/** GET /v2/images/{id}/locations, for an admin (a service, really). @throws HttpError 403, 404 */
export function listLocations(api: ImageApi, caller: Caller, id: string) {
  const image = api.repo.get(id, caller);
  if (!caller.isAdmin) throw policyRefusal("fetch_image_location");
  return image.locations.map(({ url, store }) => ({ url, metadata: { store } }));
}

/** POST /v2/images/{id}/locations: without an http store only a service may, and then only with an address of a store. */
export function postLocation(api: ImageApi, caller: Caller, id: string, body: unknown): never {
  const url = (body as { url?: unknown } | null)?.url;
  if (typeof url !== "string") {
    throw new HttpError(400, "Provided object does not match schema 'location': 'url' is a required property");
  }
  const image = api.repo.get(id, caller);
  if (image.status !== "queued") {
    throw new HttpError(409, `It's not allowed to add locations if image status is ${image.status}.`);
  }
  mustOwn(image, caller, "add_image_location");
  throw new HttpError(403, "http store must be enabled to use location API by normal user.");
}
