import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentIdentity, openContent, type Source } from "../../provider/content/index.ts";
import type { ImagesError } from "../../provider/errors.ts";

/** A folder for the tests of one `describe`, with a digest cache of its own. */
export function useFolder(): {
  path(name: string): string;
  write(name: string, data: Uint8Array | string): Promise<string>;
} {
  let folder = "";
  let before: string | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "content-test-"));
    before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(folder, "cache");
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    await rm(folder, { recursive: true, force: true });
  });
  const path = (name: string) => join(folder, name);
  return {
    path,
    async write(name, data) {
      await writeFile(path(name), data);
      return path(name);
    },
  };
}

/** Waits until a file is old enough for its digests to be remembered (see rememberDigests). */
export async function settled(file: string): Promise<void> {
  const { mtimeNs } = await stat(file, { bigint: true });
  const age = mtimeNs % 1_000_000_000n === 0n ? 2600n : 150n;
  while (BigInt(Date.now()) < mtimeNs / 1_000_000n + age) await new Promise(resolve => setTimeout(resolve, 20));
}

export interface Loopback {
  url: string;
  requests: { method: string; url: string; headers: IncomingMessage["headers"] }[];
  server: Server;
}

/** Real servers on 127.0.0.1, ended after each test. */
export function useServers(): (listener: RequestListener) => Promise<Loopback> {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  });
  return async listener => {
    const requests: Loopback["requests"] = [];
    const server = createServer((request, response) => {
      requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server };
  };
}

/** A server's answer with this data, to GET and HEAD. */
export function serve(data: Uint8Array, headers: Record<string, string> = {}): RequestListener {
  return (request, response) => {
    response.writeHead(200, { "content-length": data.length, etag: `"${hex("md5", data)}"`, ...headers });
    response.end(request.method === "HEAD" ? undefined : data);
  };
}

export function hex(algorithm: string, data: Uint8Array | string): string {
  return createHash(algorithm).update(data).digest("hex");
}

/** Random bytes, then zeros, then random ones again: like a disk image. */
export function imageData(size: number): Buffer {
  const data = Buffer.alloc(size);
  const third = Math.floor(size / 3);
  randomBytes(third).copy(data);
  randomBytes(third).copy(data, size - third);
  return data;
}

export interface Received {
  data: Buffer;
  error: ImagesError | undefined;
  finished: { size: number; digests: Record<string, string> } | undefined;
  announced: number | undefined;
}

/** Reads content as an upload would: what arrived, and how it ended. */
export async function receive(
  source: Source,
  options: Partial<Parameters<typeof openContent>[1]> & { expected?: ContentIdentity } = {},
): Promise<Received> {
  const content = await openContent(source, { algorithms: ["sha256"], ...options });
  const chunks: Buffer[] = [];
  let error: ImagesError | undefined;
  try {
    for await (const chunk of content.stream) chunks.push(chunk);
  } catch (caught) {
    error = caught as ImagesError;
  }
  const finished = await content.finished.catch(() => undefined);
  return { data: Buffer.concat(chunks), error, finished, announced: content.size };
}
