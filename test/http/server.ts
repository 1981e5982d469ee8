import { mkdtempSync, rmSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createHttp, type Http, type HttpOptions } from "../../provider/http.ts";
import { certificate } from "../cloud/certificate.ts";

export interface Seen {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
}

export interface TestServer {
  url: string;
  port: number;
  /** Every request that arrived, in order. */
  seen: Seen[];
  /** The file of the authority of an https server. */
  caFile: string;
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A real server on loopback; `count` is the number of the request, from 1. */
export async function serve(handler: Handler, { tls = false, port = 0 } = {}): Promise<TestServer> {
  const seen: Seen[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    seen.push({ method: request.method as string, path: request.url as string, headers: request.headers });
    request.on("error", () => undefined);
    handler(request, response, seen.length);
  };
  const dir = tls ? mkdtempSync(join(tmpdir(), "images-tls-")) : undefined;
  const made = dir ? await certificate(dir) : undefined;
  const server = made ? https.createServer({ key: made.key, cert: made.cert }, listener) : http.createServer(listener);
  server.on("connection", (socket: Socket) => {
    const port = socket.remotePort as number;
    raw.set(port, socket);
    socket.on("close", () => raw.delete(port));
  });
  await new Promise<void>(resolve => server.listen(port, "127.0.0.1", resolve));
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${bound}`,
    port: bound,
    seen,
    caFile: made?.caFile ?? "",
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      if (dir) rmSync(dir, { recursive: true });
    },
  };
}

/** The TCP connections of all servers, by the client's port: what an encrypted connection goes through. */
const raw = new Map<number, Socket>();

/** Cuts a request's connection with a TCP reset. */
export function reset(request: IncomingMessage): void {
  raw.get(request.socket.remotePort as number)?.resetAndDestroy();
}

export function clientOf(url: string, options: Partial<HttpOptions> = {}): Http {
  return createHttp({ service: "openstack", baseUrl: async () => url, authorize: async () => ({}), ...options });
}

export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** A stream of so many bytes that tells what became of it. */
export class Source extends Readable {
  static opened: Source[] = [];
  given = 0;
  readonly #size: number;

  constructor(size: number) {
    super({ highWaterMark: 256 * 1024 });
    this.#size = size;
    Source.opened.push(this);
  }

  override _read(wanted: number): void {
    const left = this.#size - this.given;
    if (left === 0) {
      this.push(null);
      return;
    }
    const chunk = Buffer.alloc(Math.min(wanted, left), (this.given / 7) % 251);
    this.given += chunk.length;
    this.push(chunk);
  }
}

/** Reads a request's body to its end; undefined when it was cut. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch {
    return undefined;
  }
  return request.complete ? Buffer.concat(parts) : undefined;
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
