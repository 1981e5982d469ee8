import type { Readable } from "node:stream";
import type { Download, Http } from "../../http.ts";
import { tellingWrites } from "../tellingWrites.ts";
import type { PatchOperation, WireImage } from "./attributes.ts";

/**
 * The requests of the Image API v2, one function each, and nothing else: what they mean is decided by their callers.
 * Source: docs.openstack.org/api-ref/image/v2.
 */
export interface GlanceClient {
  /** @param most how many images are wanted at the most; without it all */
  list(query: Query, most?: number): Promise<WireImage[]>;
  /** The same, page by page: each is asked for when it is wanted. */
  pages(query: Query): AsyncGenerator<WireImage[]>;
  /** undefined: 404, which is also the answer for an image of somebody else's. */
  get(id: string, deadline?: number): Promise<WireImage | undefined>;
  /** undefined: the id is used, or was used by an image that has been deleted since (409). */
  create(body: Record<string, unknown>): Promise<WireImage | undefined>;
  patch(id: string, patch: readonly PatchOperation[]): Promise<WireImage>;
  /** The same, not sent again when its answer is lost. */
  patchOnce(id: string, patch: readonly PatchOperation[]): Promise<WireImage>;
  /** false: there was no such image. */
  delete(id: string): Promise<boolean>;
  upload(id: string, data: Upload): Promise<void>;
  stage(id: string, data: Upload): Promise<void>;
  import(id: string, body: ImportBody): Promise<void>;
  tasks(id: string): Promise<WireTask[]>;
  action(id: string, action: "deactivate" | "reactivate"): Promise<void>;
  /** false: there is no such image. */
  putTag(id: string, tag: string): Promise<boolean>;
  /** false: there is no such image, or it hasn't the tag. */
  deleteTag(id: string, tag: string): Promise<boolean>;
  /** undefined: there is no such image, or its members can't be seen, as it isn't shared (any more). */
  members(id: string): Promise<WireMember[] | undefined>;
  /** undefined as with `members`, or no such member. */
  member(id: string, member: string): Promise<WireMember | undefined>;
  /** undefined: is a member already (409). */
  addMember(id: string, member: string): Promise<WireMember | undefined>;
  /** undefined: there is no such member. */
  answer(id: string, member: string, status: string): Promise<WireMember | undefined>;
  /** false: there was no such member. */
  removeMember(id: string, member: string): Promise<boolean>;
  /** false: the image wasn't in that store. */
  deleteFromStore(store: string, id: string): Promise<boolean>;
  stores(): Promise<WireStore[]>;
  importMethods(): Promise<string[]>;
  schema(name: string): Promise<Record<string, unknown>>;
  usage(): Promise<Record<string, { usage: number; limit: number }>>;
  /**
   * Status 200 with all of the data, 206 with what follows `from`, 204 without any (there is none yet), 416 when there is nothing behind `from`.
   * @param from the byte to begin at
   */
  download(id: string, from?: number, signal?: AbortSignal): Promise<Download>;
  /** The versions of the API, and the server's clock. */
  versions(): Promise<{ versions: { id: string; status: string }[]; date: string | undefined }>;
}

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Upload {
  open: () => Promise<{ stream: Readable; size?: number | undefined }>;
  /** Bytes, when known: announced, so that the server refuses what was cut short. */
  size: number | undefined;
  /** The store to write to; without it the server's default. */
  store?: string | undefined;
  signal?: AbortSignal;
  deadline?: number;
}

export interface ImportBody {
  method:
    | { name: "glance-direct" | "copy-image" }
    | { name: "web-download"; uri: string }
    | { name: "glance-download"; glance_region: string; glance_image_id: string; glance_service_interface: string };
  stores?: readonly string[];
  all_stores_must_succeed?: boolean;
}

/** Source: docs.openstack.org/api-ref/image/v2 "Sharing". */
export interface WireMember {
  image_id: string;
  member_id: string;
  status: "pending" | "accepted" | "rejected";
  created_at: string;
  updated_at: string;
}

export interface WireTask {
  id: string;
  type: string;
  status: "pending" | "processing" | "success" | "failure";
  message: string | null;
  input?: { import_req?: ImportBody };
  created_at: string;
  updated_at: string;
}

export interface WireStore {
  id: string;
  description?: string;
  /** The text "true" on the default store. */
  default?: string;
  "read-only"?: string;
}

/** A Glance that dies over a deletion may show the image for ever, as deleted, and answers 400 to another deletion. To everybody it is gone. */
function isDead({ status }: WireImage): boolean {
  return status === "deleted";
}

/** The Image API answers at most this many images a page, whatever `limit` says. */
const pageLimit = 1000;

export function createClient(http: Http): GlanceClient {
  // Ids are UUIDs, which are compared letter by letter there and written in lower case.
  const image = (id: string) => `/v2/images/${encodeURIComponent(id.toLowerCase())}`;
  const memberPath = (id: string, member: string) => `${image(id)}/members/${encodeURIComponent(member)}`;
  const send = async (path: string, kind: "file" | "stage", data: Upload) => {
    await http.send({
      method: "PUT",
      path: `${path}/${kind}`,
      headers: {
        "content-type": "application/octet-stream",
        ...(data.size === undefined ? {} : { "x-openstack-image-size": String(data.size) }),
        ...(data.store === undefined ? {} : { "x-image-meta-store": data.store }),
      },
      body: data.open,
      // Whether the data arrived is asked of the image, never guessed.
      repeatable: false,
      ...(data.signal ? { signal: data.signal } : {}),
      ...(data.deadline === undefined ? {} : { deadline: data.deadline }),
    });
  };
  async function* pages(query: Query, most = Number.POSITIVE_INFINITY): AsyncGenerator<WireImage[]> {
    let left = most;
    let marker: string | undefined;
    do {
      const limit = Math.min(Number(query.limit ?? pageLimit), left);
      // The server's own `next` link loses repeated filters, so the next page is asked for with ours.
      const { body } = await http.send<{ images: WireImage[]; next?: string }>({
        method: "GET",
        path: "/v2/images",
        query: { ...query, limit, marker },
      });
      yield body.images.filter(image => !isDead(image));
      left -= body.images.length;
      marker = body.next === undefined ? undefined : body.images.at(-1)?.id;
    } while (marker !== undefined && left > 0);
  }
  const sendPatch = async (id: string, patch: readonly PatchOperation[], repeatable: boolean) => {
    const headers = { "content-type": "application/openstack-images-v2.1-json-patch" };
    const request = { method: "PATCH", path: image(id), headers, json: patch, repeatable } as const;
    return (await http.send<WireImage>(request)).body;
  };
  return {
    pages,
    async list(query, most) {
      const images: WireImage[] = [];
      for await (const page of pages(query, most)) images.push(...page);
      return images;
    },
    async get(id, deadline) {
      const limit = deadline === undefined ? {} : { deadline };
      const answer = await http.send<WireImage>({ method: "GET", path: image(id), accept: [404], ...limit });
      return answer.status === 404 || isDead(answer.body) ? undefined : answer.body;
    },
    async create(body) {
      const answer = await http.send<WireImage>({
        method: "POST",
        path: "/v2/images",
        json: body,
        accept: [409],
        repeatable: true,
      });
      return answer.status === 409 ? undefined : answer.body;
    },
    // The second time, what is there already stays so; only what was to be removed is missed (409), which callers look into.
    patch: (id, patch) => sendPatch(id, patch, true),
    patchOnce: (id, patch) => sendPatch(id, patch, false),
    async delete(id) {
      const answer = await http.send({ method: "DELETE", path: image(id), accept: [404] });
      return answer.status !== 404;
    },
    upload: (id, data) => send(image(id), "file", data),
    stage: (id, data) => send(image(id), "stage", data),
    async import(id, body) {
      await http.send({ method: "POST", path: `${image(id)}/import`, json: body });
    },
    async tasks(id) {
      // Clouds before Wallaby don't have it.
      const answer = await http.send<{ tasks: WireTask[] }>({
        method: "GET",
        path: `${image(id)}/tasks`,
        accept: [403, 404],
        optional: true,
      });
      return answer.status === 200 ? answer.body.tasks : [];
    },
    async action(id, action) {
      await http.send({ method: "POST", path: `${image(id)}/actions/${action}`, repeatable: true });
    },
    async putTag(id, tag) {
      const path = `${image(id)}/tags/${encodeURIComponent(tag)}`;
      return (await http.send({ method: "PUT", path, accept: [404] })).status !== 404;
    },
    async deleteTag(id, tag) {
      const path = `${image(id)}/tags/${encodeURIComponent(tag)}`;
      return (await http.send({ method: "DELETE", path, accept: [404] })).status !== 404;
    },
    async members(id) {
      const answer = await http.send<{ members: WireMember[] }>({
        method: "GET",
        path: `${image(id)}/members`,
        accept: [403, 404],
      });
      return answer.status === 200 ? answer.body.members : undefined;
    },
    async member(id, member) {
      const answer = await http.send<WireMember>({ method: "GET", path: memberPath(id, member), accept: [403, 404] });
      return answer.status === 200 ? answer.body : undefined;
    },
    async addMember(id, member) {
      // Twice is 409, so that it can be repeated without harm.
      const answer = await http.send<WireMember>({
        method: "POST",
        path: `${image(id)}/members`,
        json: { member },
        accept: [409],
        repeatable: true,
      });
      return answer.status === 409 ? undefined : answer.body;
    },
    async answer(id, member, status) {
      const answer = await http.send<WireMember>({
        method: "PUT",
        path: memberPath(id, member),
        json: { status },
        accept: [404],
      });
      return answer.status === 404 ? undefined : answer.body;
    },
    async removeMember(id, member) {
      return (await http.send({ method: "DELETE", path: memberPath(id, member), accept: [404] })).status !== 404;
    },
    async deleteFromStore(store, id) {
      const path = `/v2/stores/${encodeURIComponent(store)}/${encodeURIComponent(id.toLowerCase())}`;
      const answer = await http.send({ method: "DELETE", path, accept: [404] });
      return answer.status !== 404;
    },
    async stores() {
      const answer = await http.send<{ stores: WireStore[] }>({
        method: "GET",
        path: "/v2/info/stores",
        accept: [404],
        optional: true,
      });
      return answer.status === 404 ? [] : answer.body.stores;
    },
    async importMethods() {
      const answer = await http.send<{ "import-methods": { value: string[] } }>({
        method: "GET",
        path: "/v2/info/import",
        accept: [404],
        optional: true,
      });
      return answer.status === 404 ? [] : answer.body["import-methods"].value;
    },
    async schema(name) {
      return (await http.send<Record<string, unknown>>({ method: "GET", path: `/v2/schemas/${name}` })).body;
    },
    async usage() {
      const answer = await http.send<{ usage: Record<string, { usage: number; limit: number }> }>({
        method: "GET",
        path: "/v2/info/usage",
        accept: [403, 404],
        optional: true,
      });
      return answer.status === 200 ? (answer.body.usage ?? {}) : {};
    },
    download: (id, from = 0, signal) =>
      http.download({
        method: "GET",
        path: `${image(id)}/file`,
        headers: { accept: "application/octet-stream", ...(from === 0 ? {} : { range: `bytes=${from}-` }) },
        accept: [416],
        ...(signal === undefined ? {} : { signal }),
      }),
    async versions() {
      const answer = await http.send<{ versions?: { id: string; status: string }[] }>({
        method: "GET",
        path: "/",
        accept: [300],
      });
      return { versions: answer.body.versions ?? [], date: answer.headers.date as string | undefined };
    },
  };
}

/** The same client, which tells of its writes to images. @param wrote gets the image's id before each write and after it */
export function tellingClient(client: GlanceClient, wrote: (id: string) => void): GlanceClient {
  const told = tellingWrites(wrote);
  return {
    ...client,
    create: body => told(() => client.create(body))(String(body.id)),
    patch: told(client.patch),
    patchOnce: told(client.patchOnce),
    delete: told(client.delete),
    upload: told(client.upload),
    stage: told(client.stage),
    import: told(client.import),
    action: told(client.action),
    addMember: told(client.addMember),
    answer: told(client.answer),
    removeMember: told(client.removeMember),
    putTag: told(client.putTag),
    deleteTag: told(client.deleteTag),
    deleteFromStore: (store, id) => told(() => client.deleteFromStore(store, id))(id),
  };
}
