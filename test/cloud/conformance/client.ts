import { request } from "node:http";
import type { Readable } from "node:stream";
import type { Account, OpenStackCloud } from "../openStackCloud.ts";

/** An answer, or the lack of one. */
export interface Answer {
  /** 0 when the connection ended without an answer; then `text` is the error's code. */
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a service answers is what these tests are to find out.
  json: any;
}

export type Headers = Record<string, string | undefined>;

/** Sends one request on a connection of its own: no retries, no pool, no redirects, nothing added. */
export function send(
  method: string,
  url: string,
  headers: Headers,
  body?: Buffer | string | Readable,
): Promise<Answer> {
  return new Promise(resolve => {
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const outgoing = request(url, { method, headers: given as Record<string, string>, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on("data", chunk => chunks.push(chunk));
      const finish = () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
      };
      response.on("end", finish);
      response.on("error", finish);
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      resolve({ status: 0, headers: {}, text: error.code ?? error.message, json: undefined }),
    );
    if (body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body)) body.pipe(outgoing);
    else outgoing.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A body for POST /v3/auth/tokens. */
export function passwordAuth(account: Account) {
  return {
    auth: {
      identity: {
        methods: ["password"],
        password: {
          user: { name: account.username, domain: { name: account.userDomain }, password: account.password },
        },
      },
      scope: { project: { id: account.projectId } },
    },
  };
}

export type Who = keyof OpenStackCloud["accounts"];

export const PATCH_TYPE = "application/openstack-images-v2.1-json-patch";
export const DATA_TYPE = "application/octet-stream";
export const RAW = { disk_format: "raw", container_format: "bare" };

/** `imageServers` are the image services' own addresses, where the catalogue names recorders before them. */
type Cloud = OpenStackCloud & { imageServers?: string[] };

/** Asks a cloud's Image API, at its own address, as one of its accounts. */
export class ImageClient {
  readonly cloud: Cloud;
  readonly #tokens = new Map<Who, Promise<string>>();
  readonly who: Who;
  readonly region: number;

  constructor(cloud: Cloud, who: Who = "owner", region = 0) {
    this.cloud = cloud;
    this.who = who;
    this.region = region;
  }

  get url(): string {
    return this.cloud.imageServers?.[this.region] ?? this.cloud.regions[this.region]?.imageUrl ?? "";
  }

  async token(): Promise<string> {
    let token = this.#tokens.get(this.who);
    if (!token) {
      token = signIn(this.cloud, passwordAuth(this.cloud.accounts[this.who]));
      this.#tokens.set(this.who, token);
    }
    return token;
  }

  /** A body that is no text, buffer or stream is sent as JSON. Headers given as undefined aren't sent. */
  async send(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Answer> {
    const isData = typeof body === "string" || Buffer.isBuffer(body) || isStream(body);
    const data = body === undefined || isData ? body : JSON.stringify(body);
    return send(
      method,
      this.url + path,
      {
        accept: "application/json",
        "x-auth-token": await this.token(),
        ...(data !== undefined && { "content-type": "application/json" }),
        ...(typeof data === "string" && { "content-length": String(Buffer.byteLength(data)) }),
        ...(Buffer.isBuffer(data) && { "content-length": String(data.length) }),
        ...headers,
      },
      data as Buffer | string | Readable | undefined,
    );
  }

  /** Makes an image. @returns its id */
  async create(document: Record<string, unknown> = {}): Promise<string> {
    const { status, json, text } = await this.send("POST", "/v2/images", document);
    if (status !== 201) throw new Error(`POST /v2/images: ${status} ${text}`);
    return json.id;
  }

  get(id: string): Promise<Answer> {
    return this.send("GET", `/v2/images/${id}`);
  }

  patch(id: string, ...operations: { op: string; path: string; value?: unknown }[]): Promise<Answer> {
    return this.send("PATCH", `/v2/images/${id}`, operations, { "content-type": PATCH_TYPE });
  }

  upload(id: string, data: Buffer | Readable, headers: Headers = {}): Promise<Answer> {
    return this.send("PUT", `/v2/images/${id}/file`, data, { "content-type": DATA_TYPE, ...headers });
  }

  stage(id: string, data: Buffer): Promise<Answer> {
    return this.send("PUT", `/v2/images/${id}/stage`, data, { "content-type": DATA_TYPE });
  }

  import(id: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    return this.send("POST", `/v2/images/${id}/import`, body, headers);
  }

  /** Waits until no task of an image is going any more. */
  async settled(id: string) {
    return until(async () => {
      const tasks = await this.send("GET", `/v2/images/${id}/tasks`);
      const going = tasks.json.tasks.some(
        ({ status }: { status: string }) => status !== "success" && status !== "failure",
      );
      const { json } = await this.get(id);
      // A task is over a moment before its lock goes.
      const locked = json.os_glance_import_task !== undefined && tasks.json.tasks.at(-1)?.status === "success";
      return going || locked ? undefined : { image: json, tasks: tasks.json.tasks };
    });
  }

  /** Waits until an image is in a state. */
  async status(id: string, wanted: string) {
    return until(async () => {
      const { json } = await this.get(id);
      return json.status === wanted ? json : undefined;
    });
  }
}

/** An image's stores in a fixed order: the server has none. */
export const stores = (image: { stores: string }): string => image.stores.split(",").sort().join();

const isStream = (body: unknown): body is Readable => typeof (body as Readable | undefined)?.pipe === "function";

/** Asks again and again, until there is something. @throws Error after half a minute */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error("It didn't come to be within 30 seconds.");
}

/** @returns the token. @throws Error when the cloud doesn't let in */
export async function signIn(cloud: OpenStackCloud, body: unknown): Promise<string> {
  const answer = await authenticate(cloud, body);
  const token = answer.headers["x-subject-token"];
  if (typeof token !== "string") throw new Error(`POST /v3/auth/tokens: ${answer.status} ${answer.text}`);
  return token;
}

export function authenticate(cloud: OpenStackCloud, body: unknown): Promise<Answer> {
  const text = JSON.stringify(body);
  return send("POST", `${cloud.authUrl}/auth/tokens`, { "content-type": "application/json" }, text);
}
