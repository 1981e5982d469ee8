import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import fastify, { type FastifyInstance } from "fastify";
import type { Certificate } from "./certificate.ts";
import type { Fault, FaultJson, Faults } from "./faults.ts";

/** One request as the cloud saw it. */
export interface RecordedRequest {
  service: string;
  method: string;
  /** Path with its query, as it was sent. */
  path: string;
  /** 0 as long as nothing was answered, and for ever where the connection was cut before. */
  status: number;
  /** Who made it, once the service found out. */
  user?: string;
}

/** What an endpoint is opened with. */
export interface EndpointOptions {
  service: string;
  /** The port that is tried first; 0 for any. A port in use is replaced by any free one. */
  port: number;
  certificate?: Certificate;
  faults: Faults;
  /** Opens the control route: `Authorization: Bearer <key>`. */
  controlKey: string;
  /** Awaited before each answer: saves what the request changed. */
  saved?(): Promise<void>;
  /** Is told of each request when it begins; the record is filled in as the request goes on. */
  record(request: IncomingMessage, recorded: RecordedRequest): void;
}

/** One open port of the cloud. */
export interface Endpoint {
  url: string;
  port: number;
  app: FastifyInstance;
  close(): Promise<void>;
}

/** The largest request head that the real front end takes (64,000 bytes passed, 70,000 were cut off). */
const MAX_HEAD = 65_536;

/** Opens a port on loopback, and hands every request to a fastify app, after the faults. */
export async function openEndpoint(
  options: EndpointOptions,
  register: (app: FastifyInstance, url: string) => void | Promise<void>,
): Promise<Endpoint> {
  let open = () => {};
  const ready = new Promise<void>(resolve => {
    open = resolve;
  });
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const { certificate } = options;
  const serverOptions = { maxHeaderSize: MAX_HEAD, requestTimeout: 0, keepAliveTimeout: 60_000 };
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const fault = isControl(request) ? undefined : begin(request, response, options);
    await ready;
    if (fault && !(await misbehave(fault, request, response))) return;
    handle(request, response);
  };
  const server: Server = certificate
    ? createTlsServer({ ...serverOptions, key: certificate.key, cert: certificate.cert }, onRequest)
    : createServer(serverOptions, onRequest);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    void onRequest(request, response);
  });
  const port = await listen(server, options.port);
  const url = `${certificate ? "https" : "http"}://127.0.0.1:${port}`;

  const app = fastify({
    forceCloseConnections: true,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    routerOptions: { maxParamLength: 10_000 },
    exposeHeadRoutes: false,
    // A request head too large, or one that isn't HTTP: the connection is closed without a word, as by the real front end.
    clientErrorHandler: (_error, socket) => void socket.destroy(),
    serverFactory(handler) {
      handle = handler;
      return server;
    },
  });
  controlRoute(app, options);
  app.addHook("onSend", async () => await options.saved?.());
  await register(app, url);
  await app.ready();
  open();
  return {
    url,
    port,
    app,
    async close() {
      // app.close() waits for a server that fastify itself made to listen; this one listens already.
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await app.close();
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  const attempt = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await attempt(port);
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    await attempt(0);
  }
  return (server.address() as AddressInfo).port;
}

/** Asks a waiting client for its body (100) only once somebody wants it: a refusal comes before. */
function continueWhenRead(request: IncomingMessage, response: ServerResponse) {
  const read = request._read;
  request._read = size => {
    request._read = read;
    if (!response.headersSent) response.writeContinue();
    read.call(request, size);
  };
}

/** Records the request, and finds the fault that it meets. */
function begin(request: IncomingMessage, response: ServerResponse, options: EndpointOptions): Fault | undefined {
  const method = request.method ?? "";
  const path = request.url ?? "";
  const recorded: RecordedRequest = { service: options.service, method, path, status: 0 };
  options.record(request, recorded);
  // The status counts from the moment when the head goes out: a client that has its answer finds it in the recording.
  const writeHead = response.writeHead;
  response.writeHead = ((...args: Parameters<ServerResponse["writeHead"]>) => {
    recorded.status = args[0];
    return writeHead.apply(response, args);
  }) as ServerResponse["writeHead"];
  return options.faults.take(method, path);
}

/** Does what the fault says. @returns whether the request still goes to the service */
async function misbehave(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const cut = () => request.socket.destroy();
  if (fault.delay) await wait(fault.delay);
  if (request.destroyed) return false;
  if (fault.status !== undefined) {
    const echoed = fault.echo ? echo(request) : { body: "", headers: {} };
    response.writeHead(fault.status, { "content-type": "text/plain", ...echoed.headers, ...fault.headers });
    response.end(fault.body ?? echoed.body);
    return false;
  }
  if (fault.stall) return false;
  if (fault.drop === "before") {
    cut();
    return false;
  }
  if (fault.drop === "request") countDown(request, "push", fault.afterBytes ?? 0, cut);
  if (fault.drop === "response") countDown(response, "write", fault.afterBytes ?? 0, cut);
  if (fault.drop === "after") {
    response.writeHead = () => {
      cut();
      return response;
    };
  }
  return true;
}

/** A service that tells too much of what went wrong. */
function echo({ method, url, rawHeaders }: IncomingMessage): { body: string; headers: Record<string, string> } {
  const text = `${method} ${url} ${rawHeaders.join(" ")}`;
  const message = `${text} ${Buffer.from(text).toString("base64")} ${encodeURIComponent(text)}`;
  const body = JSON.stringify({ message, headers: rawHeaders, error: { message }, error_message: message });
  return { body, headers: { "content-type": "application/json", "x-openstack-request-id": rawHeaders.join(" ") } };
}

/** Calls `cut` when more than `bytes` went through a method that takes a chunk first. */
function countDown(target: IncomingMessage | ServerResponse, method: "push" | "write", bytes: number, cut: () => void) {
  const holder = target as unknown as Record<string, (chunk: unknown, ...rest: unknown[]) => unknown>;
  const original = holder[method] as (chunk: unknown, ...rest: unknown[]) => unknown;
  let left = bytes;
  holder[method] = (chunk, ...rest) => {
    if (Buffer.isBuffer(chunk) || typeof chunk === "string") left -= chunk.length;
    if (left < 0) {
      cut();
      return false;
    }
    return original.call(target, chunk, ...rest);
  };
}

const CONTROL = "/_faults";

function isControl(request: IncomingMessage): boolean {
  return request.url === CONTROL;
}

/** POST adds a fault (FaultJson), GET tells how many are left, DELETE forgets them. */
function controlRoute(app: FastifyInstance, { faults, controlKey }: EndpointOptions) {
  app.register(async control => {
    // The service may read bodies in its own way.
    control.removeAllContentTypeParsers();
    control.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
      try {
        done(null, body.length ? JSON.parse(String(body)) : undefined);
      } catch (error) {
        done(error as Error);
      }
    });
    control.addHook("onRequest", async (request, reply) => {
      if (request.headers.authorization !== `Bearer ${controlKey}`) {
        await reply.code(403).send({ message: "Only with the cloud's control key." });
      }
    });
    control.get(CONTROL, () => ({ left: faults.left }));
    control.post<{ Body: FaultJson }>(CONTROL, (request, reply) => {
      try {
        faults.addJson(request.body);
      } catch (error) {
        return reply.code(400).send({ message: (error as Error).message });
      }
      return reply.code(204).send();
    });
    control.delete(CONTROL, (_request, reply) => {
      faults.clear();
      reply.code(204).send();
    });
  });
}
