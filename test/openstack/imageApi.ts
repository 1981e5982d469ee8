import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Account } from "../cloud/openStackCloud.ts";
import { signIn } from "./signIn.ts";

/** An image as the Image API writes it. */
export type ApiImage = Record<string, unknown> & { id: string; status: string; name: string; tags: string[] };

const patchType = "application/openstack-images-v2.1-json-patch";

/** Someone with an account on a cloud who doesn't use Pulumi: plain requests, no retries, nothing of the provider's code. */
export class ImageApi {
  readonly #token: string;
  readonly #url: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  static async signIn(authUrl: string, account: Account, imageUrl: string): Promise<ImageApi> {
    return new ImageApi(imageUrl, await signIn(authUrl, account));
  }

  /** Sends a request; a status of 400 and more is an error, unless it is expected. */
  async send(
    method: string,
    path: string,
    options: { body?: unknown; type?: string; expect?: number } = {},
  ): Promise<Response> {
    const { body, type = "application/json", expect } = options;
    const data = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: { "x-auth-token": this.#token, ...(data === undefined ? {} : { "content-type": type }) },
      ...(data === undefined ? {} : { body: data as string | Uint8Array<ArrayBuffer> }),
    });
    if (expect === undefined ? answer.status >= 400 : answer.status !== expect) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    }
    return answer;
  }

  async image(id: string): Promise<ApiImage> {
    return (await (await this.send("GET", `/v2/images/${id}`)).json()) as ApiImage;
  }

  async exists(id: string): Promise<boolean> {
    try {
      await this.image(id);
      return true;
    } catch {
      return false;
    }
  }

  /** All images that a listing with this query shows, hidden ones not included. */
  async list(query = ""): Promise<ApiImage[]> {
    const answer = await this.send("GET", `/v2/images?limit=1000&${query}`);
    return ((await answer.json()) as { images: ApiImage[] }).images;
  }

  async create(body: Record<string, unknown>, data?: Uint8Array): Promise<ApiImage> {
    const image = (await (await this.send("POST", "/v2/images", { body })).json()) as ApiImage;
    if (data === undefined) return image;
    await this.upload(image.id, data);
    return await this.image(image.id);
  }

  async upload(id: string, data: Uint8Array): Promise<void> {
    await this.send("PUT", `/v2/images/${id}/file`, { body: data, type: "application/octet-stream" });
  }

  /** Sends the first half of an image's data, and the rest when it is told to. */
  async beginUpload(id: string, data: Uint8Array): Promise<{ finish(): Promise<void> }> {
    const half = Math.floor(data.length / 2);
    const sending = request(`${this.#url}/v2/images/${id}/file`, {
      method: "PUT",
      headers: {
        "x-auth-token": this.#token,
        "content-type": "application/octet-stream",
        "content-length": data.length,
      },
    });
    const answered = once(sending, "response") as Promise<[IncomingMessage]>;
    // Whoever waits for it gets the error; an upload that nobody finishes has none to tell.
    answered.catch(() => {});
    await new Promise<void>((resolve, reject) => {
      sending.once("error", reject);
      sending.write(data.subarray(0, half), () => resolve());
    });
    const early = answered.then(([{ statusCode }]) => {
      throw new Error(`the upload was answered ${statusCode} before it was whole`);
    });
    const isSaving = new AbortController();
    // One that fails never comes to be saving.
    await Promise.race([this.#saving(id, isSaving.signal), early]).finally(() => isSaving.abort());
    // The real service's front end hangs up on a client that is silent for ten seconds.
    let at = half;
    const trickle = setInterval(() => {
      if (at < data.length - 1) sending.write(data.subarray(at, ++at));
    }, 1000);
    answered.finally(() => clearInterval(trickle)).catch(() => {});
    return {
      async finish() {
        clearInterval(trickle);
        sending.end(data.subarray(at));
        const [answer] = await answered;
        answer.resume();
        if (answer.statusCode !== 204) throw new Error(`the upload answered ${answer.statusCode}`);
      },
    };
  }

  async #saving(id: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.image(id)).status !== "saving") await pause(20);
  }

  async patch(id: string, ...operations: { op: string; path: string; value?: unknown }[]): Promise<void> {
    await this.send("PATCH", `/v2/images/${id}`, { body: operations, type: patchType });
  }

  /** Changes base attributes. */
  async set(id: string, values: Record<string, unknown>): Promise<void> {
    await this.patch(id, ...Object.entries(values).map(([key, value]) => ({ op: "replace", path: `/${key}`, value })));
  }

  async data(id: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.send("GET", `/v2/images/${id}/file`)).arrayBuffer());
  }

  async delete(id: string): Promise<void> {
    await this.send("DELETE", `/v2/images/${id}`);
  }

  async deactivate(id: string): Promise<void> {
    await this.send("POST", `/v2/images/${id}/actions/deactivate`);
  }
}
