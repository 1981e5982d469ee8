import { type ImageApi, isoTime } from "./api.ts";
import { allowed } from "./protections.ts";
import type { Caller, Image } from "./state.ts";

/** Properties that are kept and never shown. */
const UNSEEN = new Set(["os_glance_stage_host"]);

/** The image document that a client gets. @see https://docs.openstack.org/api-ref/image/v2/#show-image */
export function imageView(api: ImageApi, caller: Caller, image: Image): Record<string, unknown> {
  const { dialect, settings } = api;
  const path = `/v2/images/${image.id}`;
  const properties = Object.entries(image.properties).filter(
    ([key]) => !UNSEEN.has(key) && allowed(settings.propertyProtections, key, "read", caller),
  );
  // Where the data of a deactivated image lies is for an admin only, and with it in which stores.
  const locations = image.status === "deactivated" && !caller.isAdmin ? [] : image.locations;
  const urls = locations.map(({ url, store }) => ({ url, metadata: dialect.multiStore ? { store } : {} }));
  return {
    ...dialect.extraFields,
    // A property without a value is text in the answer, unless the dialect knows it as a field that may be null.
    ...Object.fromEntries(
      properties.map(([key, value]) => [key, value ?? (dialect.settableFields.includes(key) ? null : "")]),
    ),
    name: image.name,
    disk_format: image.disk_format,
    container_format: image.container_format,
    visibility: image.visibility,
    size: image.size,
    virtual_size: image.virtual_size,
    status: image.status,
    checksum: image.checksum,
    protected: image.protected,
    min_ram: image.min_ram,
    min_disk: image.min_disk,
    owner: image.owner,
    ...(dialect.hidden && { os_hidden: image.os_hidden }),
    ...(dialect.hashes && { os_hash_algo: image.os_hash_algo, os_hash_value: image.os_hash_value }),
    id: image.id,
    created_at: isoTime(image.created_at),
    updated_at: isoTime(image.updated_at),
    ...(settings.showLocations && { locations: urls, ...(urls[0] && { direct_url: urls[0].url }) }),
    tags: image.tags,
    self: path,
    file: `${path}/file`,
    schema: "/v2/schemas/image",
    ...(dialect.multiStore && locations.length > 0 && { stores: locations.map(({ store }) => store).join(",") }),
  };
}
