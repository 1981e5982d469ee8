import { OwnerLooks } from "../../reconcile/ownerLooks.ts";
import type { OwnerTag } from "../../reconcile/ownership.ts";
import type { WireImage } from "./attributes.ts";
import type { Query } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import { asImageTags, ownerProperties, ownershipOf } from "./ownership.ts";

/** Looks for the project's own images by their owner tag. */
export function ownedImages(cloud: GlanceCloud): OwnerLooks<WireImage> {
  const filterOf = (by: keyof OwnerTag, tag: OwnerTag): Query => {
    if (!cloud.dialect.filters) return {};
    const property = { [ownerProperties[by]]: tag[by] };
    return cloud.carrier === "tags" ? { tag: asImageTags(property) } : property;
  };
  return new OwnerLooks({
    filter: cloud.dialect.filters ? "owner tag" : "nothing",
    async list(by, tag, hidden) {
      const owner = await cloud.projectId();
      const variant = hidden && cloud.dialect.hidden ? { os_hidden: true } : {};
      const listed = await cloud.client.list({ owner, ...filterOf(by, tag), ...variant });
      // Another project may have shared an image with the same tag, and not every cloud knows the filters.
      return listed.filter(image => image.owner === owner && ownershipOf(image).resource !== undefined);
    },
    resourceOf: image => ownershipOf(image).resource,
  });
}
