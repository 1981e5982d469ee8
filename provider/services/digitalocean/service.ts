import { closest } from "fastest-levenshtein";
import type { Connection, DigitalOceanSettings } from "../../connection.ts";
import type { Problem } from "../../fields/field.ts";
import { hasUnknown } from "../../fields/field.ts";
import { budgetFor } from "../../http/budget.ts";
import { createHttp } from "../../http.ts";
import { reconciled } from "../../reconcile/index.ts";
import { addressOf } from "../keys.ts";
import type { OpenOther } from "../registry.ts";
import type { ImageService } from "../service.ts";
import { factsOf, isDeleted } from "./attributes.ts";
import { createClient } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { copyParts } from "./copies.ts";
import { imageFromBackup } from "./fromBackup.ts";
import { untilDropletIdle } from "./fromDroplet.ts";
import { imageAdapter } from "./image.ts";
import { digitalOceanLookups } from "./lookups.ts";
import { memberParts } from "./members.ts";
import { digitalOceanAnswers } from "./ownAnswers.ts";
import { earlierMs, ImageReads } from "./reads.ts";
import { tagParts } from "./tags.ts";
import { update, warnOfRegionsLeft } from "./update.ts";

/** What a token may ask in any minute and any hour. Source: docs.digitalocean.com/reference/api, "Rate Limit". */
const limits = [
  { requests: 250, seconds: 60 },
  { requests: 5000, seconds: 3600 },
];

/** Opens DigitalOcean as the account of a connection. Nothing is sent before it is first used. */
export function openDigitalOcean(connection: Connection<DigitalOceanSettings>, other: OpenOther): ImageService {
  const { token, endpoint } = connection.settings;
  const http = createHttp({
    service: "digitalocean",
    baseUrl: async () => endpoint,
    authorize: async () => ({ authorization: `Bearer ${token}` }),
    ownAnswers: digitalOceanAnswers,
    budget: budgetFor(token, limits),
  });
  const client = createClient(http);
  const address = async () => addressOf(endpoint);
  const cloud: DigitalOceanCloud = { client, reads: new ImageReads(client), address };
  const adapter = imageAdapter(cloud);
  const images = reconciled(adapter);
  let signedIn: Promise<unknown> | undefined;
  let regions: ReturnType<typeof client.regions> | undefined;
  let account: ReturnType<typeof client.account> | undefined;

  function askAccount(): Promise<string | undefined> {
    account ??= client.account().catch(error => {
      account = undefined;
      throw error;
    });
    return account;
  }

  /** A region that is closed may well have an image from before, so that is left to the transfer to say. */
  async function checkRegions(property: string, wanted: readonly string[]): Promise<Problem[]> {
    regions ??= client.regions();
    const known = (await regions.catch(forgetRegions))?.map(({ slug }) => slug);
    if (known === undefined) return [];
    return wanted.flatMap((region, index) => {
      if (known.includes(region)) return [];
      const reason = `DigitalOcean has no region ${region}; did you mean ${closest(region, known)}?`;
      return [{ property: `${property}[${index}]`, reason }];
    });
  }

  function forgetRegions(error: unknown): never {
    regions = undefined;
    throw error;
  }

  return {
    name: "digitalocean",
    connection,
    async signIn() {
      // There is no session: a token shows whether it is good when it is used, here for what is asked next anyway.
      signedIn ??= cloud.reads.begin();
      await signedIn.catch(error => {
        signedIn = undefined;
        throw error;
      });
    },
    address,
    checkImage: async ({ regions }) =>
      Array.isArray(regions) && !hasUnknown(regions) ? await checkRegions("regions", regions) : [],
    ...images,
    async createImage(order, job) {
      const { backupId, dropletId } = order.values;
      if (backupId !== undefined) return await imageFromBackup(cloud, adapter, order, job);
      if (dropletId !== undefined) {
        // What an earlier run asked the droplet for has to have ended before it can be found.
        await untilDropletIdle(cloud, String(dropletId), job);
        await cloud.reads.all(0);
      }
      return await images.createImage(order, job);
    },
    completeImage: (id, order, job) =>
      order.values.backupId === undefined
        ? images.completeImage(id, order, job)
        : imageFromBackup(cloud, adapter, order, job),
    async readImage(id, _fields, earlierWillDo) {
      const image = await cloud.reads.read(id, earlierWillDo ? earlierMs : undefined);
      return image === undefined || isDeleted(image) ? undefined : factsOf(image);
    },
    async findImages({ id, name }) {
      const images = await cloud.reads.all(0);
      return images
        .filter(image => !isDeleted(image))
        .filter(image => (id === undefined || String(image.id) === id) && (name === undefined || image.name === name))
        .map(factsOf);
    },
    async updateImage(id, change, job) {
      warnOfRegionsLeft(id, change.actual, change.wanted, job);
      return factsOf(await update(cloud, id, change.actual, change.wanted, job));
    },
    account: askAccount,
    // DigitalOcean reports nothing about the data by which it could be told.
    holdsContent: async () => false,
    lookups: digitalOceanLookups(client),
    members: memberParts(cloud, other, askAccount),
    tags: tagParts(cloud),
    copies: copyParts(cloud, checkRegions),
  };
}
