import type { Connection, OpenStackSettings } from "../../connection.ts";
import { createHttp, type Http } from "../../http.ts";
import { openSession } from "../../keystone.ts";
import { reconciled } from "../../reconcile/index.ts";
import { copyAcross } from "../copyAcross.ts";
import { addressOf } from "../keys.ts";
import { Memberships } from "../memberships.ts";
import type { OpenOther } from "../registry.ts";
import type { ImageFacts, ImageQuery, ImageService, PartService, Values } from "../service.ts";
import { dataOf } from "../storedData.ts";
import { factsOf } from "./attributes.ts";
import { createClient, tellingClient } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import { copiesInStores } from "./copies.ts";
import { holds } from "./data.ts";
import type { Dialect } from "./dialect.ts";
import { Discovery } from "./discovery.ts";
import { shareAsOrdered, withMembers } from "./exclusiveMembers.ts";
import { imageFields } from "./fields.ts";
import { imageAdapter, isDeleted } from "./image.ts";
import { glanceLookups } from "./lookups.ts";
import { MemberReads } from "./memberReads.ts";
import { glanceMembers } from "./members.ts";
import { glanceAnswers } from "./ownAnswers.ts";
import { ownedImages } from "./owned.ts";
import { imageReads } from "./reads.ts";
import { Rest } from "./rest.ts";
import { glanceTags } from "./tags.ts";
import { update } from "./update.ts";
import { writeQueue } from "./writes.ts";

/** An open service, and what a service with more than the Image API v2 builds upon. */
export interface OpenGlance {
  service: ImageService;
  cloud: GlanceCloud;
  http: Http;
}

/** Opens an image service that speaks the Image API v2, behind Keystone. Nothing is sent before it is first used. */
export function openGlance(
  connection: Connection<OpenStackSettings>,
  dialect: Dialect,
  other: OpenOther,
  ownAnswers = glanceAnswers("v2"),
): OpenGlance {
  const session = openSession(connection);
  const http = createHttp({
    service: dialect.service,
    baseUrl: () => session.endpoint("image"),
    authorize: async renew => ({ "x-auth-token": await session.token(renew) }),
    ownAnswers,
    ...(connection.settings.caFile === undefined ? {} : { caFile: connection.settings.caFile }),
    ...(connection.settings.insecure === undefined ? {} : { insecure: connection.settings.insecure }),
  });
  const client = tellingClient(createClient(http), id => {
    cloud.reads.wrote(id.toLowerCase());
    cloud.memberships.wrote(id);
  });
  const rest = new Rest(client);
  const members = new MemberReads(client);
  const cloud: GlanceCloud = {
    client,
    dialect,
    rest,
    reads: imageReads(
      client,
      dialect,
      () => session.projectId(),
      image => rest.note(image),
    ),
    members,
    memberships: new Memberships((imageId, member) => members.read(imageId, member)),
    writes: writeQueue,
    get owned() {
      return owned;
    },
    carrier: "properties",
    address: async () => addressOf(await session.endpoint("image")),
    projectId: () => session.projectId(),
    hashAlgorithm: dialect.hashes ? "sha512" : "md5",
  };
  const owned = ownedImages(cloud);
  const discovery = new Discovery(cloud);
  const service: ImageService = {
    name: dialect.service,
    connection,
    async signIn() {
      // Both are in one answer of Keystone's: whether the account is right, and whether it has this service, in this region.
      await session.token();
      await session.endpoint("image");
    },
    address: () => cloud.address(),
    imageFields: () => imageFields(dialect),
    checkImage: values => discovery.check(values),
    ...reconciled(imageAdapter(cloud)),
    digests: dialect.hashes ? ["sha512"] : ["md5"],
    async readImage(id, fields = [], earlierWillDo) {
      const image = await cloud.reads.read(id.toLowerCase(), earlierWillDo);
      if (image === undefined || isDeleted(image)) return undefined;
      return await withMembers(cloud, factsOf(image, dialect), fields);
    },
    findImages: query => find(cloud, query),
    async updateImage(id, change, job) {
      const updated = factsOf(await update(cloud, id, change, job), dialect);
      const facts = await shareAsOrdered(cloud, updated, change.wanted);
      return facts.members === undefined ? await withMembers(cloud, facts, change.declared ?? []) : facts;
    },
    async holdsContent(facts, order, job) {
      const image = await client.get(facts.id);
      return image !== undefined && (await holds(cloud, image, order, job));
    },
    account: () => session.projectId(),
    region: () => session.region("image"),
    async place() {
      return `${await session.endpoint("image")} ${await session.projectId()}`;
    },
    imageData: facts => dataOf(cloud.client, facts),
    ...(dialect.sharing.length > 0
      ? { members: glanceMembers(cloud, connection.name, name => session.findProject(name), other) }
      : {}),
    tags: glanceTags(cloud),
    lookups: glanceLookups(cloud),
  };
  const across = copyAcross(service, other);
  const copies = dialect.import ? byTarget("stores", copiesInStores(cloud, discovery), across) : across;
  return { service: { ...service, copies }, cloud, http };
}

/** What `to` names decides how a copy is made: `special` where it has this field. */
export function byTarget(field: string, special: PartService, across: PartService): PartService {
  const of = (values: Values) => {
    const to = values.to as Values | undefined;
    // A read by an id alone has no target; only the special ones can be told by their ids.
    return to === undefined || to[field] !== undefined ? special : across;
  };
  return {
    check: async (values, before) => (await of(values).check?.(values, before)) ?? { problems: [] },
    create: (values, job) => of(values).create(values, job),
    keysOf: values => of(values).keysOf(values),
    ownImage: async (id, values) => await of(values).ownImage?.(id, values),
    read: (id, values) => of(values).read(id, values),
    update: (id, values, changed, job, before) => of(values).update(id, values, changed, job, before),
    delete: (id, values, job) => of(values).delete(id, values, job),
    holder: values => of(values).holder?.(values),
    completable: async (id, values, job) => (await of(values).completable?.(id, values, job)) ?? true,
  };
}

/** Among the images that this project owns, and only else among those that others made available to it. */
async function find({ client, dialect, projectId }: GlanceCloud, query: ImageQuery): Promise<ImageFacts[]> {
  const exactly = Object.entries(query).map(([field, value]) => [
    field,
    // Without it, what stands before a colon in a name would be the operator.
    dialect.filters ? `eq:${value}` : value,
  ]);
  // Without a visibility it has the project's own images, public ones, and shared ones that the project has accepted.
  const listed = await client.list(Object.fromEntries(exactly));
  // Not every cloud knows the filters.
  const images = listed.filter(({ id, name }) => id === (query.id ?? id) && name === (query.name ?? name));
  const owner = await projectId();
  const own = images.filter(image => image.owner === owner);
  const offered = images.filter(
    ({ visibility }) => visibility === "public" || dialect.sharing.includes(String(visibility)),
  );
  return (own.length > 0 ? own : offered).map(image => factsOf(image, dialect));
}
