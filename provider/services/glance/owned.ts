import { OwnerLooks } from "../../reconcile/ownerLooks.ts";
import type { WireImage } from "./attributes.ts";
import type { Query } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import { asImageTags, ownerProperties, ownershipOf } from "./ownership.ts";

/** Finds the project's own images by their owner tag. */
export interface OwnedImages {
  find: OwnerLooks<WireImage>["find"];
}

/** Where the cloud forbids the properties, image tags carry the owner tag: those of a whole stack are looked for once. */
export function ownedImages(cloud: GlanceCloud): OwnedImages {
  const byProperties = looks(cloud, stack => ({ [ownerProperties.stack]: stack }));
  // Without filters one listing shows everything.
  if (!cloud.dialect.filters) return byProperties;
  const byImageTags = looks(cloud, stack => ({ tag: asImageTags({ [ownerProperties.stack]: stack }) }));
  return {
    async find(order, options) {
      const [found, tagged] = await Promise.all([
        byProperties.find(order, options),
        byImageTags.find(order, { ...options, earlier: true }),
      ]);
      return [...found, ...tagged.filter(({ id }) => !found.some(image => image.id === id))];
    },
  };
}

function looks(cloud: GlanceCloud, filterOf: (stack: string) => Query): OwnerLooks<WireImage> {
  const { filters } = cloud.dialect;
  return new OwnerLooks({
    filter: filters ? "owner tag" : "nothing",
    async list(stack, hidden) {
      const owner = await cloud.projectId();
      const variant = hidden && cloud.dialect.hidden ? { os_hidden: true } : {};
      const listed = await cloud.client.list({ owner, ...(filters ? filterOf(stack) : {}), ...variant });
      // Another project may have shared an image with the same tag, and not every cloud knows the filters.
      return listed.filter(image => image.owner === owner && ownershipOf(image).resource !== undefined);
    },
    resourceOf: image => ownershipOf(image).resource,
  });
}
