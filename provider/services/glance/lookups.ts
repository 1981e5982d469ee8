import type { Lookups } from "../lookups.ts";
import { openDataFrom } from "../openData.ts";
import type { GlanceCloud } from "./cloud.ts";
import { listImages, listingFilters } from "./listing.ts";
import { memberFacts } from "./members.ts";

/** What an Image API v2 lets one look up. */
export function glanceLookups(cloud: GlanceCloud): Lookups {
  const { client, dialect } = cloud;
  const common: Lookups = {
    filters: () => listingFilters(dialect),
    listImages: listing => listImages(cloud, listing),
    ownFilters: async () => ({ owner: await cloud.projectId() }),
    schema: name => client.schema(name),
    openData: (imageId, from, signal) => openDataFrom(from, start => client.download(imageId, start, signal)),
    async about() {
      const { versions, date } = await client.versions();
      return {
        versions: versions
          .toSorted((one, other) => minorOf(other.id) - minorOf(one.id))
          .map(({ id, status }) => (status === "CURRENT" ? `${id} (current)` : id)),
        ...(date === undefined ? {} : { clock: new Date(date) }),
      };
    },
  };
  const members: Pick<Lookups, "listMembers"> = {
    async listMembers(imageId) {
      const members = await client.members(imageId);
      if (members !== undefined) return members.map(memberFacts);
      // One that isn't shared keeps its members to itself.
      return (await client.get(imageId)) === undefined ? undefined : [];
    },
  };
  const shared = dialect.sharing.length === 0 ? common : { ...common, ...members };
  if (!dialect.import) return shared;
  return {
    ...shared,
    stores: async () =>
      (await client.stores()).map(store => ({
        id: store.id,
        ...(store.description === undefined ? {} : { description: store.description }),
        isDefault: store.default === "true",
        readOnly: store["read-only"] === "true",
      })),
    importMethods: () => client.importMethods(),
  };
}

/** v2.17 → 17 */
function minorOf(version: string): number {
  return Number(version.split(".")[1] ?? 0);
}
