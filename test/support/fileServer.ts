import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What a path answers. */
export interface Served {
  body: Uint8Array;
  headers?: Record<string, string>;
  /** Request headers without which it is 401. */
  needs?: Record<string, string>;
  /** The second half of the body comes when this is there. */
  until?: Promise<unknown>;
}

/** A publisher's web server on loopback. */
export interface FileServer {
  url: string;
  files: Map<string, Served>;
  requests: IncomingMessage[];
  stop(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, Served>();
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    const served = files.get((request.url ?? "").split("?")[0] as string);
    if (served === undefined) {
      response.writeHead(404).end("not here");
      return;
    }
    for (const [name, value] of Object.entries(served.needs ?? {})) {
      if (request.headers[name.toLowerCase()] === value) continue;
      response.writeHead(401).end("who are you?");
      return;
    }
    response.writeHead(200, { "content-length": served.body.length, ...served.headers });
    if (served.until === undefined || request.method === "HEAD") {
      response.end(request.method === "HEAD" ? undefined : served.body);
      return;
    }
    const half = Math.floor(served.body.length / 2);
    response.write(served.body.subarray(0, half));
    void served.until.then(() => response.end(served.body.subarray(half)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
