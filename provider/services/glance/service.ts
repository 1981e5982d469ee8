import { closest } from "fastest-levenshtein";
import type { Connection, OpenStackSettings } from "../../connection.ts";
import type { Problem } from "../../fields/field.ts";
import { createHttp } from "../../http.ts";
import { openSession } from "../../keystone.ts";
import type { ImageFacts, ImageQuery, ImageService, Values } from "../service.ts";
import { factsOf } from "./attributes.ts";
import { createClient } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import { complete, create } from "./create.ts";
import { holds } from "./data.ts";
import { remove } from "./delete.ts";
import type { Dialect } from "./dialect.ts";
import { ImageReads } from "./reads.ts";
import { update } from "./update.ts";
import { WriteQueue } from "./writes.ts";

/** Opens an image service that speaks the Image API v2, behind Keystone. Nothing is sent before it is first used. */
export function openGlance(connection: Connection<OpenStackSettings>, dialect: Dialect): ImageService {
  const session = openSession(connection);
  const http = createHttp({
    service: dialect.service,
    baseUrl: () => session.endpoint("image"),
    authorize: async renew => ({ "x-auth-token": await session.token(renew) }),
    ...(connection.settings.caFile === undefined ? {} : { caFile: connection.settings.caFile }),
    ...(connection.settings.insecure === undefined ? {} : { insecure: connection.settings.insecure }),
  });
  const client = createClient(http);
  const cloud: GlanceCloud = {
    client,
    dialect,
    reads: new ImageReads(client, dialect),
    writes: new WriteQueue(),
    projectId: () => session.projectId(),
    hashAlgorithm: dialect.hashes ? "sha512" : "md5",
  };
  const discovery = new Discovery(cloud);
  return {
    name: dialect.service,
    connection,
    async signIn() {
      await session.token();
    },
    checkImage: values => discovery.check(values),
    createImage: (order, job) => create(cloud, order, job),
    async completeImage(id, order, job) {
      const image = await client.get(id);
      return image === undefined ? await create(cloud, order, job) : await complete(cloud, image, order, job);
    },
    async readImage(id) {
      const image = await cloud.reads.read(id);
      if (image === undefined || image.status === "deleted" || image.status === "pending_delete") return undefined;
      return factsOf(image, dialect);
    },
    findImages: query => find(cloud, query),
    updateImage: (id, change, job) => update(cloud, id, change, job),
    deleteImage: (id, options, job) => remove(cloud, id, options, job),
    async holdsContent(facts, order, job) {
      const image = await client.get(facts.id);
      return image !== undefined && (await holds(cloud, image, order, job));
    },
  };
}

/** Among the images that this project owns, and only else among those that others made available to it. */
async function find({ client, dialect, projectId }: GlanceCloud, query: ImageQuery): Promise<ImageFacts[]> {
  const images = await client.list({ ...query, visibility: dialect.hidden ? "all" : undefined });
  const owner = await projectId();
  const own = images.filter(image => image.owner === owner);
  return (own.length > 0 ? own : images).map(image => factsOf(image, dialect));
}

/** What a cloud's operator has set up, asked for once, and only for an image that depends on it. */
class Discovery {
  readonly #cloud: GlanceCloud;
  #stores: Promise<string[]> | undefined;
  #importMethods: Promise<string[]> | undefined;
  #diskFormats: Promise<string[]> | undefined;

  constructor(cloud: GlanceCloud) {
    this.#cloud = cloud;
  }

  async check(values: Values): Promise<Problem[]> {
    return [
      ...(await this.#checkStores(values)),
      ...(await this.#checkImport(values)),
      ...(await this.#checkDiskFormat(values)),
    ];
  }

  async #checkStores(values: Values): Promise<Problem[]> {
    const wanted = [
      ...(typeof values.store === "string" ? [["store", values.store] as const] : []),
      ...((values.stores as string[] | undefined) ?? []).map((store, index) => [`stores[${index}]`, store] as const),
    ];
    if (wanted.length === 0) return [];
    this.#stores ??= this.#cloud.client
      .stores()
      .then(stores => stores.filter(store => store["read-only"] !== "true").map(({ id }) => id));
    const stores = await this.#stores;
    if (stores.length === 0) {
      return [{ property: wanted[0]?.[0] ?? "stores", reason: "this cloud has no choice of stores: leave it out" }];
    }
    return wanted
      .filter(([, store]) => !stores.includes(store))
      .map(([property, store]) => ({
        property,
        reason: `this cloud has no store ${store}; it has ${stores.join(", ")}: did you mean ${closest(store, stores)}?`,
      }));
  }

  async #checkImport(values: Values): Promise<Problem[]> {
    const source = values.source as { mode?: string } | undefined;
    const severalStores = ((values.stores as string[] | undefined) ?? []).length > 1;
    const needed =
      source?.mode === "import" ? "web-download" : severalStores && source !== undefined ? "glance-direct" : undefined;
    if (needed === undefined) return [];
    this.#importMethods ??= this.#cloud.client.importMethods();
    const methods = await this.#importMethods;
    if (methods.includes(needed)) return [];
    const property = needed === "web-download" ? "source.mode" : "stores";
    const instead =
      needed === "web-download" ? 'use mode "stream"' : "name one store, and copy to the others with ImageCopy";
    const has = methods.length === 0 ? "no import methods" : methods.join(", ");
    return [{ property, reason: `this cloud doesn't offer ${needed} (it has ${has}): ${instead}` }];
  }

  /** An operator may allow more formats than the Image API's own list, or fewer: the cloud's schema says. */
  async #checkDiskFormat(values: Values): Promise<Problem[]> {
    const format = values.diskFormat;
    if (typeof format !== "string" || this.#cloud.dialect.diskFormats.includes(format)) return [];
    this.#diskFormats ??= this.#cloud.client.schema("image").then(schema => {
      const property = (schema.properties as Record<string, { enum?: (string | null)[] }> | undefined)?.disk_format;
      return (property?.enum ?? []).filter(value => value !== null);
    });
    const formats = await this.#diskFormats;
    return formats.includes(format)
      ? []
      : [
          {
            property: "diskFormat",
            reason: `diskFormat must be one of ${formats.join(", ")}; not ${JSON.stringify(format)}`,
          },
        ];
  }
}
