import type { Http } from "../../http.ts";

/**
 * The requests of DigitalOcean's API v2 about images, one function each, and nothing else: what they mean is decided by their callers.
 * Source: docs.digitalocean.com/reference/api, github.com/digitalocean/openapi.
 */
export interface DigitalOceanClient {
  /** One page of the account's own images. @param page from 1 on */
  page(page: number): Promise<{ images: WireImage[]; total: number }>;
  /** Every image that the filters let through, public ones too. */
  list(filters: { type?: string; private?: true; tag_name?: string }): Promise<WireImage[]>;
  /** undefined: 404, which is also the answer for an image of somebody else's. A public image is found by its slug, too. */
  image(idOrSlug: string): Promise<WireImage | undefined>;
  /** Starts the import of a custom image. Not sent again when its answer is lost. */
  importImage(body: ImportBody): Promise<WireImage>;
  updateImage(id: string, body: UpdateBody): Promise<WireImage>;
  /** false: there was no such image. */
  deleteImage(id: string): Promise<boolean>;
  beginImageAction(id: string, body: { type: "convert" } | { type: "transfer"; region: string }): Promise<WireAction>;
  /** The last 20, newest first. */
  imageActions(id: string): Promise<WireAction[]>;
  imageAction(id: string, action: string): Promise<WireAction>;
  /** undefined: there is no such droplet. */
  beginSnapshot(droplet: string, name: string): Promise<WireAction | undefined>;
  /** The last 20, newest first; undefined: there is no such droplet. */
  dropletActions(droplet: string): Promise<WireAction[] | undefined>;
  dropletAction(droplet: string, action: string): Promise<WireAction>;
  dropletSnapshots(droplet: string): Promise<{ id: WireId; name: string }[]>;
  /** Makes a tag, or finds it. Gives its name as it is written: whoever used it first chose the capital letters. */
  createTag(name: string): Promise<string>;
  /** false: there is no such tag (written like this), or no such image. */
  assignTag(tag: string, imageId: string): Promise<boolean>;
  unassignTag(tag: string, imageId: string): Promise<boolean>;
  deleteTag(tag: string): Promise<boolean>;
  /** The id of the transfer; "0" when it needed no acceptance. undefined: there is no such image. */
  offer(imageId: string, recipient: Recipient): Promise<string | undefined>;
  /** false: there is no such transfer (any more). */
  acceptOffer(imageId: string, transfer: string, recipientUuid: string): Promise<boolean>;
  cancelOffer(imageId: string, transfer: string): Promise<boolean>;
  /** The team (of earlier accounts, the user) that a token is of; undefined: the token isn't allowed to ask. */
  account(): Promise<string | undefined>;
  /** undefined: the token isn't allowed to list regions. */
  regions(): Promise<{ slug: string; name: string; available: boolean }[] | undefined>;
}

/** A number on the wire; text where a JavaScript number can't hold it (see http/json.ts). */
export type WireId = number | string;

export interface WireImage {
  id: WireId;
  name: string;
  type?: string;
  distribution?: string;
  slug?: string | null;
  public?: boolean;
  regions?: string[];
  created_at?: string;
  /** GB */
  min_disk_size?: number | null;
  size_gigabytes?: number | null;
  description?: string | null;
  tags?: string[];
  /** NEW, pending, available, deleted, retired */
  status: string;
  error_message?: string | null;
}

export interface WireAction {
  id: WireId;
  status: "in-progress" | "completed" | "errored";
  type: string;
  region_slug?: string | null;
}

export interface ImportBody {
  name: string;
  url: string;
  region: string;
  distribution?: string;
  description?: string;
  tags: string[];
}

export interface UpdateBody {
  name?: string;
  description?: string;
  distribution?: string;
}

export type Recipient = { recipient_email: string } | { recipient_uuid: string };

/** The most that a page holds. */
export const pageSize = 200;

export function createClient(http: Http): DigitalOceanClient {
  const image = (id: string) => `/v2/images/${encodeURIComponent(id)}`;
  const droplet = (id: string) => `/v2/droplets/${encodeURIComponent(id)}`;
  const tag = (name: string) => `/v2/tags/${encodeURIComponent(name)}`;
  const resources = (id: string) => ({ resources: [{ resource_id: id, resource_type: "image" }] });

  /** All entries of a list, page by page; undefined where there is no such list. The `next` link may lead past a proxy, so pages are counted. */
  async function all<T>(
    path: string,
    key: string,
    filters: Record<string, string | true> = {},
  ): Promise<T[] | undefined> {
    const entries: T[] = [];
    for (let page = 1; ; page++) {
      const { status, body } = await http.send<Record<string, T[]> & { meta: { total: number } }>({
        method: "GET",
        path,
        query: { ...filters, page, per_page: pageSize },
        accept: [404],
      });
      if (status === 404) return undefined;
      const found = body[key] ?? [];
      entries.push(...found);
      if (found.length < pageSize || entries.length >= body.meta.total) return entries;
    }
  }

  async function lastActions(path: string): Promise<WireAction[] | undefined> {
    const { status, body } = await http.send<{ actions: WireAction[] }>({ method: "GET", path, accept: [404] });
    return status === 404 ? undefined : body.actions;
  }

  /** Does something that can be done twice, and says whether what it is done to was there. */
  async function was(method: "POST" | "DELETE", path: string, json?: unknown, accept = [404]): Promise<boolean> {
    const { status } = await http.send({ method, path, ...(json ? { json } : {}), accept, repeatable: true });
    return !accept.includes(status);
  }

  return {
    async page(page) {
      const { body } = await http.send<{ images: WireImage[]; meta: { total: number } }>({
        method: "GET",
        path: "/v2/images",
        query: { private: true, page, per_page: pageSize },
      });
      return { images: body.images, total: body.meta.total };
    },
    list: async filters => (await all<WireImage>("/v2/images", "images", filters)) ?? [],
    async image(id) {
      const { status, body } = await http.send<{ image: WireImage }>({ method: "GET", path: image(id), accept: [404] });
      return status === 404 ? undefined : body.image;
    },
    async importImage(json) {
      return (await http.send<{ image: WireImage }>({ method: "POST", path: "/v2/images", json })).body.image;
    },
    async updateImage(id, json) {
      return (await http.send<{ image: WireImage }>({ method: "PUT", path: image(id), json })).body.image;
    },
    deleteImage: id => was("DELETE", image(id)),
    async beginImageAction(id, json) {
      const path = `${image(id)}/actions`;
      return (await http.send<{ action: WireAction }>({ method: "POST", path, json })).body.action;
    },
    imageActions: async id => (await lastActions(`${image(id)}/actions`)) ?? [],
    async imageAction(id, action) {
      const path = `${image(id)}/actions/${encodeURIComponent(action)}`;
      return (await http.send<{ action: WireAction }>({ method: "GET", path })).body.action;
    },
    async beginSnapshot(id, name) {
      const path = `${droplet(id)}/actions`;
      const json = { type: "snapshot", name };
      const { status, body } = await http.send<{ action: WireAction }>({ method: "POST", path, json, accept: [404] });
      return status === 404 ? undefined : body.action;
    },
    dropletActions: id => lastActions(`${droplet(id)}/actions`),
    async dropletAction(id, action) {
      const path = `${droplet(id)}/actions/${encodeURIComponent(action)}`;
      return (await http.send<{ action: WireAction }>({ method: "GET", path })).body.action;
    },
    dropletSnapshots: async id =>
      (await all<{ id: WireId; name: string }>(`${droplet(id)}/snapshots`, "snapshots")) ?? [],
    async createTag(name) {
      const request = { method: "POST", path: "/v2/tags", json: { name }, repeatable: true } as const;
      return (await http.send<{ tag: { name: string } }>(request)).body.tag.name;
    },
    assignTag: (name, id) => was("POST", `${tag(name)}/resources`, resources(id)),
    unassignTag: (name, id) => was("DELETE", `${tag(name)}/resources`, resources(id)),
    deleteTag: name => was("DELETE", tag(name)),
    async offer(id, json) {
      const path = `${image(id)}/account_transfer`;
      const { status, body } = await http.send<{ transfer_id: WireId }>({ method: "POST", path, json, accept: [404] });
      return status === 404 ? undefined : String(body.transfer_id);
    },
    acceptOffer: (id, transfer, recipientUuid) =>
      was("POST", `${image(id)}/account_transfer/accept`, {
        transfer_id: asNumber(transfer),
        recipient_uuid: recipientUuid,
      }),
    // One that was accepted, declined or cancelled can't be cancelled any more.
    cancelOffer: (id, transfer) =>
      was("POST", `${image(id)}/account_transfer/cancel`, { transfer_id: asNumber(transfer) }, [404, 422]),
    async account() {
      const { status, body } = await http.send<{ account: { uuid: string; team?: { uuid: string } } }>({
        method: "GET",
        path: "/v2/account",
        accept: [403, 404],
        optional: true,
      });
      return status === 200 ? (body.account.team?.uuid ?? body.account.uuid) : undefined;
    },
    async regions() {
      const query = { per_page: pageSize };
      const { status, body } = await http.send<{ regions: { slug: string; name: string; available: boolean }[] }>({
        method: "GET",
        path: "/v2/regions",
        query,
        accept: [403],
      });
      return status === 403 ? undefined : body.regions;
    },
  };
}

/** TypeScript's library doesn't know it yet (ECMAScript 2026, in V8 since Node 21). */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** An id as JSON's number, whatever its size. */
function asNumber(id: string): unknown {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : rawJSON(id);
}
