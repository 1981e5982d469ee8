import type { Readable } from "node:stream";
import type { Download, Http } from "../../http.ts";
import { tellingWrites } from "../tellingWrites.ts";
import type { WireImage } from "./attributes.ts";
import { headerValue, imageOf, toHeaders } from "./headers.ts";

/**
 * The requests of the Image API v1, one function each, and nothing else: what they mean is decided by their callers.
 * Source: docs.openstack.org/api-ref/image/v1; glance 11.0.0.
 */
export interface GlanceV1Client {
  /** All that fit the filters, in full, the newest first. @param most how many are wanted at the most */
  list(filters: Record<string, string>, most?: number): Promise<WireImage[]>;
  /** One listing's page: the newest first. @param after the id of the last image of the page before */
  page(filters: Record<string, string>, after?: string): Promise<WireImage[]>;
  /** undefined: 404, which is also the answer for an image of somebody else's. */
  get(id: string, deadline?: number): Promise<WireImage | undefined>;
  /** Makes an image without data. undefined: the id is used, or was used by an image that has been deleted since (409). */
  reserve(fields: Record<string, unknown>, properties: Record<string, string>): Promise<WireImage | undefined>;
  /** @param purge properties that aren't named are removed */
  update(
    id: string,
    fields: Record<string, unknown>,
    properties: Record<string, string>,
    purge: boolean,
  ): Promise<WireImage>;
  upload(id: string, data: Upload): Promise<WireImage>;
  /** Has the service fetch the data itself. false: it is at it already, or the image has data (409). */
  copyFrom(id: string, url: string): Promise<boolean>;
  /** Says where the data is, for the service to read it there each time. undefined: the image has data already (409). */
  setLocation(id: string, url: string): Promise<WireImage | undefined>;
  /** false: there was no such image. */
  delete(id: string): Promise<boolean>;
  download(id: string): Promise<Download>;
  /** The versions of the API, and the server's clock. */
  versions(): Promise<{ versions: string[]; date: string | undefined }>;
  /** undefined: there is no such image. */
  members(id: string): Promise<WireMember[] | undefined>;
  /** The images that are shared with a project, as far as the caller may see them. undefined: the service doesn't tell. */
  sharedWith(member: string): Promise<(WireMember & { image_id: string })[] | undefined>;
  /** Adds a member, or changes one. Without `canShare` that is false for a new one, and stays for an old one. */
  putMember(id: string, member: string, canShare: boolean | undefined): Promise<void>;
  /** false: there was no such member. */
  removeMember(id: string, member: string): Promise<boolean>;
}

export interface WireMember {
  member_id: string;
  /** May share the image with others. */
  can_share: boolean;
}

export interface Upload {
  open: () => Promise<{ stream: Readable; size?: number | undefined }>;
  /** Bytes and MD5 that the service is to hold the data against, where known beforehand. */
  size: number | undefined;
  checksum: string | undefined;
  signal: AbortSignal;
  deadline: number;
}

/** The most that a page holds, unless the operator allows less. */
const pageLimit = 1000;
/** No operator allows less than the service's own default. */
export const leastLimit = 25;

export function createClient(http: Http): GlanceV1Client {
  // Ids are UUIDs, which are compared letter by letter there and written in lower case.
  const path = (id: string) => `/v1/images/${encodeURIComponent(id.toLowerCase())}`;
  const memberPath = (id: string, member: string) => `${path(id)}/members/${encodeURIComponent(member)}`;
  // Without it, properties that a request doesn't name are removed.
  const keep = { "x-glance-registry-purge-props": "false" };
  const page = async (filters: Record<string, string>, after?: string) => {
    const { body } = await http.send<{ images: WireImage[] }>({
      method: "GET",
      path: "/v1/images/detail",
      // An admin gets public images and their own without is_public, everybody else isn't asked.
      query: { is_public: "None", limit: pageLimit, marker: after, ...filters },
    });
    return body.images;
  };
  const put = (id: string, headers: Record<string, string>, accept: readonly number[] = []) =>
    http.send<{ image: WireImage }>({ method: "PUT", path: path(id), headers, accept });
  return {
    page,
    async list(filters, most = Number.POSITIVE_INFINITY) {
      const images: WireImage[] = [];
      for (;;) {
        // There is no link to a next page, and no telling how many the operator allows on one.
        const next = await page(filters, images.at(-1)?.id);
        images.push(...next);
        if (next.length < leastLimit || images.length >= most) return images;
      }
    },
    async get(id, deadline) {
      const limit = deadline === undefined ? {} : { deadline };
      const answer = await http.send({ method: "HEAD", path: path(id), accept: [404], ...limit });
      return answer.status === 404 ? undefined : imageOf(answer.headers);
    },
    async reserve(fields, properties) {
      const answer = await http.send<{ image: WireImage }>({
        method: "POST",
        path: "/v1/images",
        headers: toHeaders(fields, properties),
        accept: [409],
        // With the id chosen, the second one is told that it is used.
        repeatable: true,
      });
      return answer.status === 409 ? undefined : answer.body.image;
    },
    async update(id, fields, properties, purge) {
      const headers = { ...toHeaders(fields, properties), "x-glance-registry-purge-props": String(purge) };
      return (await put(id, headers)).body.image;
    },
    async upload(id, { open, size, checksum, signal, deadline }) {
      const announced = { ...(size === undefined ? {} : { size }), ...(checksum === undefined ? {} : { checksum }) };
      const answer = await http.send<{ image: WireImage }>({
        method: "PUT",
        path: path(id),
        headers: { ...keep, ...toHeaders(announced), "content-type": "application/octet-stream" },
        body: open,
        // Whether the data arrived is asked of the image, never guessed.
        repeatable: false,
        signal,
        deadline,
      });
      return answer.body.image;
    },
    async copyFrom(id, url) {
      const headers = { ...keep, "x-glance-api-copy-from": headerValue(new URL(url).href) };
      return (await put(id, headers, [409])).status !== 409;
    },
    async setLocation(id, url) {
      const answer = await put(id, { ...keep, ...toHeaders({ location: new URL(url).href }) }, [409]);
      return answer.status === 409 ? undefined : answer.body.image;
    },
    async delete(id) {
      return (await http.send({ method: "DELETE", path: path(id), accept: [404] })).status !== 404;
    },
    download: id =>
      http.download({ method: "GET", path: path(id), headers: { accept: "application/octet-stream, */*" } }),
    async versions() {
      const answer = await http.send<{ versions?: { id: string }[] }>({ method: "GET", path: "/", accept: [300] });
      return {
        versions: (answer.body.versions ?? []).map(version => version.id),
        date: answer.headers.date as string | undefined,
      };
    },
    async members(id) {
      const answer = await http.send<{ members: WireMember[] }>({
        method: "GET",
        path: `${path(id)}/members`,
        accept: [404],
      });
      return answer.status === 404 ? undefined : answer.body.members;
    },
    async sharedWith(member) {
      const answer = await http.send<{ shared_images: { image_id: string; can_share: boolean }[] }>({
        method: "GET",
        path: `/v1/shared-images/${encodeURIComponent(member)}`,
        accept: [403, 404],
      });
      return answer.status === 200
        ? answer.body.shared_images.map(shared => ({ ...shared, member_id: member }))
        : undefined;
    },
    async putMember(id, member, canShare) {
      const json = canShare === undefined ? {} : { json: { member: { can_share: canShare } } };
      await http.send({ method: "PUT", path: memberPath(id, member), ...json });
    },
    async removeMember(id, member) {
      return (await http.send({ method: "DELETE", path: memberPath(id, member), accept: [404] })).status !== 404;
    },
  };
}

/** The same client, which tells of its writes to images. @param wrote gets the image's id before each write and after it */
export function tellingClient(client: GlanceV1Client, wrote: (id: string) => void): GlanceV1Client {
  const told = tellingWrites(wrote);
  return {
    ...client,
    update: told(client.update),
    upload: told(client.upload),
    copyFrom: told(client.copyFrom),
    setLocation: told(client.setLocation),
    putMember: told(client.putMember),
    removeMember: told(client.removeMember),
    delete: told(client.delete),
  };
}
