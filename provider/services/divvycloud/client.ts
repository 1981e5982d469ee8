import type { Http } from "../../http.ts";
import { tellingWrites } from "../tellingWrites.ts";
import type { WireResource } from "./attributes.ts";

/**
 * The requests of DivvyCloud (Rapid7 InsightCloudSec) that have to do with private images, one function each.
 * Source: the vendor's Swagger description of /v2, and its own clients.
 */
export interface DivvyCloudClient {
  /** undefined: there is no such resource. */
  detail(id: string): Promise<WireResource | undefined>;
  /** One page of the private images of these cloud accounts (of all, when there are none), and how many there are. */
  page(scopes: readonly string[], offset: number): Promise<{ resources: WireResource[]; total: number }>;
  /** All private images of these cloud accounts. */
  list(scopes: readonly string[]): Promise<WireResource[]>;
  rename(id: string, name: string): Promise<void>;
  /** Puts the deletion into the job queue. false: there is no such resource. */
  delete(id: string): Promise<boolean>;
  /** Has the cloud make an image from an instance. Its answer says nothing of the image. */
  snapshot(instance: string, name: string): Promise<void>;
  notes(id: string): Promise<string[]>;
  addNote(id: string, text: string): Promise<void>;
  clouds(): Promise<WireCloud[]>;
}

/** A cloud account that DivvyCloud looks after. */
export interface WireCloud {
  id: number;
  name: string;
  resource_id: string;
  /** AWS, OPENSTACK, … */
  cloud_type_id: string;
}

/** The most that the vendor's own scripts ask for. */
export const pageLimit = 100;

export function createClient(http: Http): DivvyCloudClient {
  const resource = (id: string) => `/v2/public/resource/${encodeURIComponent(id)}`;
  const page = async (scopes: readonly string[], offset: number) => {
    const { body } = await http.send<{ counts?: { privateimage?: number }; resources: WireResource[] }>({
      method: "POST",
      path: "/v2/public/resource/query",
      json: {
        selected_resource_type: "privateimage",
        scopes,
        filters: [],
        offset,
        limit: pageLimit,
        order_by: "",
        tags: [],
        badges: [],
      },
      repeatable: true,
    });
    return { resources: body.resources, total: body.counts?.privateimage ?? body.resources.length };
  };
  return {
    async detail(id) {
      const answer = await http.send<{ details?: WireResource }>({
        method: "GET",
        path: `${resource(id)}/detail`,
        accept: [404],
      });
      return answer.status === 404 ? undefined : answer.body.details;
    },
    page,
    async list(scopes) {
      const found: WireResource[] = [];
      for (;;) {
        const { resources, total } = await page(scopes, found.length);
        found.push(...resources);
        if (resources.length === 0 || found.length >= total) return found;
      }
    },
    async rename(id, name) {
      const path = `/v2/prototype/resource/${encodeURIComponent(id)}/name/set`;
      await http.send({ method: "POST", path, json: { name }, repeatable: true });
    },
    async delete(id) {
      const answer = await http.send({
        method: "POST",
        path: "/v2/prototype/resources/delete",
        json: { resource_ids: [id] },
        accept: [404],
        repeatable: true,
      });
      return answer.status !== 404;
    },
    async snapshot(instance, name) {
      const path = `/v2/public/instance/${encodeURIComponent(instance)}/snapshot/create`;
      // A second one would be a second image.
      await http.send({ method: "POST", path, json: { name }, repeatable: false });
    },
    async notes(id) {
      const { body } = await http.send<{ notes?: { note_text?: string }[] }>({
        method: "POST",
        path: `${resource(id)}/notes/list`,
        json: {},
        repeatable: true,
      });
      return (body?.notes ?? []).map(({ note_text }) => note_text ?? "");
    },
    async addNote(id, text) {
      const path = `${resource(id)}/notes/create`;
      await http.send({ method: "POST", path, json: { note_text: text }, repeatable: true });
    },
    async clouds() {
      const { body } = await http.send<{ clouds: WireCloud[] }>({ method: "GET", path: "/v2/public/clouds/list" });
      return body.clouds;
    },
  };
}

/** The same client, which tells of its writes to images. @param wrote gets the image's id before each write and after it */
export function tellingClient(client: DivvyCloudClient, wrote: (id: string) => void): DivvyCloudClient {
  const told = tellingWrites(wrote);
  return { ...client, rename: told(client.rename), delete: told(client.delete) };
}
