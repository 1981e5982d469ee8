import type { Connection, OpenStackSettings } from "../../connection.ts";
import { createHttp } from "../../http.ts";
import { openSession } from "../../keystone.ts";
import { reconciled } from "../../reconcile/index.ts";
import { OwnerLooks } from "../../reconcile/ownerLooks.ts";
import { copyAcross } from "../copyAcross.ts";
import { glanceAnswers } from "../glance/ownAnswers.ts";
import { ownerProperties } from "../glance/ownership.ts";
import { writeQueue } from "../glance/writes.ts";
import { addressOf } from "../keys.ts";
import type { OpenOther } from "../registry.ts";
import type { ImageFacts, ImageQuery, ImageService } from "../service.ts";
import { dataOf } from "../storedData.ts";
import { factsOf } from "./attributes.ts";
import { createClient, tellingClient } from "./client.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { holds } from "./data.ts";
import { imageFields } from "./fields.ts";
import { imageAdapter, ownershipOf } from "./image.ts";
import { glanceV1Lookups } from "./lookups.ts";
import { glanceV1Members, memberships } from "./members.ts";
import { imageReads } from "./reads.ts";
import { update } from "./update.ts";
import { isGone } from "./waiting.ts";

/** Opens an image service that speaks the Image API v1, behind Keystone. Nothing is sent before it is first used. */
export function openGlanceV1(connection: Connection<OpenStackSettings>, other: OpenOther): ImageService {
  const session = openSession(connection);
  const { caFile, insecure } = connection.settings;
  const http = createHttp({
    service: "glance-v1",
    baseUrl: () => session.endpoint("image"),
    authorize: async renew => ({ "x-auth-token": await session.token(renew) }),
    ownAnswers: glanceAnswers("v1"),
    caFile,
    insecure,
  });
  const client = tellingClient(createClient(http), id => {
    cloud.reads.wrote(id.toLowerCase());
    cloud.memberships.wrote(id);
  });
  const cloud: GlanceV1Cloud = {
    client,
    reads: imageReads(client),
    memberships: memberships(client),
    writes: writeQueue,
    owned: new OwnerLooks({
      filter: "owner tag",
      list: stack => client.list({ [`property-${ownerProperties.stack}`]: stack }),
      resourceOf: image => ownershipOf(image).resource,
    }),
    carrier: "properties",
    address: async () => addressOf(await session.endpoint("image")),
    projectId: () => session.projectId(),
  };
  const service: ImageService = {
    name: "glance-v1",
    connection,
    async signIn() {
      // Both are in one answer of Keystone's: whether the account is right, and whether it has this service, in this region.
      await session.token();
      await session.endpoint("image");
    },
    address: () => cloud.address(),
    imageFields,
    // Nothing that only the service knows: it can't be asked for its formats or its policies.
    checkImage: async () => [],
    digests: ["md5"],
    ...reconciled(imageAdapter(cloud)),
    async readImage(id, _fields, earlierWillDo) {
      const image = await cloud.reads.read(id.toLowerCase(), earlierWillDo);
      return isGone(image) ? undefined : factsOf(image);
    },
    findImages: query => find(cloud, query),
    updateImage: (id, change, job) => update(cloud, id, change, job),
    async holdsContent(facts, order, job) {
      const image = await client.get(facts.id);
      return !isGone(image) && (await holds(image, order, job));
    },
    account: () => session.projectId(),
    region: () => session.region("image"),
    async place() {
      return `${await session.endpoint("image")} ${await session.projectId()}`;
    },
    imageData: facts => dataOf(cloud.client, facts),
    lookups: glanceV1Lookups(cloud),
    members: glanceV1Members(cloud, name => session.findProject(name)),
    get copies() {
      return copies;
    },
  };
  const copies = copyAcross(service, other);
  return service;
}

/** Among the images that this project owns, and only else among those that others made available to it. */
async function find({ client, projectId }: GlanceV1Cloud, { id, name }: ImageQuery): Promise<ImageFacts[]> {
  if (id !== undefined) {
    const image = await client.get(id);
    return isGone(image) ? [] : [factsOf(image)];
  }
  const images = (await client.list(name === undefined ? {} : { name })).filter(image => !isGone(image));
  const owner = await projectId();
  const own = images.filter(image => image.owner === owner);
  return (own.length > 0 ? own : images).map(factsOf);
}
