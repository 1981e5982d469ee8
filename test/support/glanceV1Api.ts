import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Account } from "../cloud/openStackCloud.ts";
import { signIn } from "../openstack/signIn.ts";

/** An image as the Image API v1 lists it. */
export interface V1Image {
  id: string;
  name: string | null;
  status: string;
  disk_format: string | null;
  container_format: string | null;
  size: number;
  checksum: string | null;
  is_public: boolean;
  protected: boolean;
  min_disk: number;
  min_ram: number;
  owner: string;
  created_at: string;
  properties: Record<string, string | null>;
}

/** Someone with an account on a Glance v1 who doesn't use Pulumi: plain requests, nothing of the provider's code. */
export class GlanceV1Api {
  readonly #token: string;
  readonly #url: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  static async signIn(authUrl: string, account: Account, imageUrl: string): Promise<GlanceV1Api> {
    return new GlanceV1Api(imageUrl, await signIn(authUrl, account));
  }

  /** Sends a request; a status of 400 and more is an error. @param headers their values are UTF-8 */
  async send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Uint8Array<ArrayBuffer> | string,
  ): Promise<Response> {
    const encoded = Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]);
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: { "x-auth-token": this.#token, ...Object.fromEntries(encoded) },
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status >= 400) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  /** By the listings, which are JSON: so nothing of it comes by the way that the provider reads. */
  async list(query = ""): Promise<V1Image[]> {
    const answer = await this.send("GET", `/v1/images/detail?limit=1000&is_public=None&${query}`);
    return ((await answer.json()) as { images: V1Image[] }).images;
  }

  async find(id: string): Promise<V1Image | undefined> {
    return (await this.list()).find(image => image.id === id);
  }

  async image(id: string): Promise<V1Image> {
    const found = await this.find(id);
    if (found === undefined) throw new Error(`there is no image ${id}`);
    return found;
  }

  async data(id: string): Promise<Buffer> {
    // fetch takes 16 KiB of headers, and an image's metadata may be more.
    const options = { headers: { "x-auth-token": this.#token }, maxHeaderSize: 2 ** 18 };
    const [answer] = (await once(get(`${this.#url}/v1/images/${id}`, options), "response")) as [IncomingMessage];
    if (answer.statusCode !== 200) throw new Error(`the data of image ${id} answered ${answer.statusCode}`);
    return await buffer(answer);
  }

  /** An image of somebody else's making. */
  async create(meta: Record<string, string>, data?: Uint8Array<ArrayBuffer>): Promise<V1Image> {
    const headers = { "content-type": "application/octet-stream", ...metaHeaders(meta) };
    const answer = await this.send("POST", "/v1/images", headers, data);
    return ((await answer.json()) as { image: V1Image }).image;
  }

  /** Changes just these. @param meta names as `min_disk` and `property-os_distro` */
  async set(id: string, meta: Record<string, string>): Promise<void> {
    await this.send("PUT", `/v1/images/${id}`, { "x-glance-registry-purge-props": "false", ...metaHeaders(meta) });
  }

  /** Changes the properties, and takes away all that aren't named. */
  async setProperties(id: string, properties: Record<string, string>): Promise<void> {
    const meta = Object.fromEntries(Object.entries(properties).map(([name, value]) => [`property-${name}`, value]));
    await this.send("PUT", `/v1/images/${id}`, metaHeaders(meta));
  }

  async delete(id: string): Promise<void> {
    await this.send("DELETE", `/v1/images/${id}`);
  }

  async members(id: string): Promise<{ member_id: string; can_share: boolean }[]> {
    const answer = await this.send("GET", `/v1/images/${id}/members`);
    return ((await answer.json()) as { members: { member_id: string; can_share: boolean }[] }).members;
  }

  async putMember(id: string, member: string, canShare: boolean): Promise<void> {
    const body = JSON.stringify({ member: { can_share: canShare } });
    await this.send("PUT", `/v1/images/${id}/members/${member}`, { "content-type": "application/json" }, body);
  }

  async removeMember(id: string, member: string): Promise<void> {
    await this.send("DELETE", `/v1/images/${id}/members/${member}`);
  }
}

function metaHeaders(meta: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(meta).map(([name, value]) => [`x-image-meta-${name}`, value]));
}
