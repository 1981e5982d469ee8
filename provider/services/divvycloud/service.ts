import type { Connection, DivvyCloudSettings } from "../../connection.ts";
import { hasUnknown, type Problem } from "../../fields/field.ts";
import { reconciled } from "../../reconcile/index.ts";
import { addressOf } from "../keys.ts";
import type { ImageFacts, ImageQuery, ImageService, Values } from "../service.ts";
import { factsOf } from "./attributes.ts";
import { createClient, tellingClient, type WireCloud } from "./client.ts";
import { type DivvyCloud, scopeOf } from "./cloud.ts";
import { imageAdapter } from "./image.ts";
import { divvyCloudLookups } from "./lookups.ts";
import { imageReads } from "./reads.ts";
import { openSession } from "./session.ts";
import { update } from "./update.ts";

/** Opens a DivvyCloud (Rapid7 InsightCloudSec). Nothing is sent before it is first used. */
export function openDivvyCloud(connection: Connection<DivvyCloudSettings>): ImageService {
  const session = openSession(connection);
  const client = tellingClient(createClient(session.http), id => cloud.reads.wrote(id));
  const cloud: DivvyCloud = { client, reads: imageReads(client) };
  let accounts: Promise<WireCloud[]> | undefined;

  /** Amazon is the one cloud of which it is documented that it makes no image from an instance. */
  async function checkImage({ instance }: Values): Promise<Problem[]> {
    if (typeof instance !== "string" || hasUnknown(instance)) return [];
    accounts ??= client.clouds().catch(error => {
      accounts = undefined;
      throw error;
    });
    const account = (await accounts).find(({ resource_id }) => resource_id.replace(/:$/, "") === scopeOf(instance));
    if (account?.cloud_type_id !== "AWS") return [];
    const reason = `DivvyCloud makes no image from an instance of Amazon's ("Not implemented by Amazon"), and ${account.name} is AWS: make the AMI in AWS, and take it over with adopt`;
    return [{ property: "instance", reason }];
  }

  return {
    name: "divvycloud",
    connection,
    signIn: () => session.signIn(),
    address: async () => addressOf(connection.settings.url),
    checkImage,
    ...reconciled(imageAdapter(cloud)),
    readImage: (id, _fields, earlierWillDo) => cloud.reads.read(id, earlierWillDo),
    findImages: query => find(cloud, query),
    updateImage: (id, change, job) => update(cloud, id, change, job),
    account: () => session.organization(),
    // An image's data never passes through DivvyCloud, so none is ever declared.
    holdsContent: async () => true,
    lookups: divvyCloudLookups(client),
  };
}

async function find({ client }: DivvyCloud, query: ImageQuery): Promise<ImageFacts[]> {
  const images = (await client.list([])).map(factsOf).filter(facts => facts !== undefined);
  const wanted = Object.entries(query).filter(([, value]) => value !== undefined);
  return images.filter(facts => wanted.every(([field, value]) => facts[field] === value));
}
