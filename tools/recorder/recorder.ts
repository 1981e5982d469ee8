/**
 * A reverse proxy on loopback that tests put in front of any service, to see what is asked of it and to break it at
 * will. It knows nothing of the service, so that the same test runs on a real cloud and on the local one.
 */
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Faults } from "./faults.ts";
import { forward } from "./forward.ts";

/** One request that came to a recorder, in the order of arrival. */
export interface RecordedRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** The body's text, as far as it is JSON; undefined for data. */
  json?: string;
  /** Of the answer that the client got; undefined while there is none, and when the connection broke before one. */
  status?: number;
  /** Bytes of the request's body that came in. */
  requestBytes: number;
  /** Bytes of the answer's body that went out. */
  responseBytes: number;
  /** Milliseconds since 1970. */
  started: number;
  /** Set when the last byte is out, or the connection is broken. */
  ended?: number;
}

/** A running recorder. */
export interface Recorder {
  /** Its address, without a trailing slash. */
  url: string;
  /** The origin that requests go to, e.g. "http://127.0.0.1:9292". May be set, and changed, at any time. */
  target: string | undefined;
  requests: RecordedRequest[];
  /** Forgets the requests that have come so far. */
  clear(): void;
  /** May be another recorder's: then the faults count the requests of both. */
  faults: Faults;
  /**
   * Refuses connections for so many milliseconds; those that are in use stay. For a recorder with a port of its own only: the
   * system may have given another process the port that it gave this one, meanwhile.
   */
  refuse(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** How a recorder is started. */
export interface RecorderOptions {
  target?: string;
  /** Default: any free one. */
  port?: number;
}

/**
 * Starts a recorder. Data is streamed both ways in constant memory; a connection of a client's has a connection to the
 * service of its own, and each is closed with the other, so that neither side can tell the recorder from the other.
 */
export async function startRecorder(options: RecorderOptions = {}): Promise<Recorder> {
  const agents = new WeakMap<Socket, Agent>();
  const recorder: Recorder = {
    url: "",
    target: options.target,
    requests: [],
    clear() {
      recorder.requests = [];
    },
    faults: new Faults(),
    async refuse(ms) {
      // Idle connections are closed with it.
      server.close();
      while (server.listening) await sleep(1);
      reopening = sleep(ms).then(() => listen(port));
    },
    async stop() {
      await reopening;
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };

  let reopening: Promise<void> | undefined;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const recorded = record(request, response);
    recorder.requests.push(recorded);
    const agent = agents.get(request.socket);
    if (recorder.target === undefined || agent === undefined) {
      response.writeHead(502).end("This recorder has no target yet.");
      return;
    }
    const fault = recorder.faults.take(recorded.method, recorded.path);
    forward({ request, response, recorded, fault, agent, target: recorder.target });
  };
  // The service decides on all time limits, and on when an idle connection ends.
  const server: Server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, handle);
  server.on("checkContinue", handle);
  server.on("connection", (socket: Socket) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.set(socket, agent);
    socket.once("close", () => agent.destroy());
  });
  const listen = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  recorder.url = `http://127.0.0.1:${port}`;
  return recorder;
}

function record(request: IncomingMessage, response: ServerResponse): RecordedRequest {
  const recorded: RecordedRequest = {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    requestBytes: 0,
    responseBytes: 0,
    started: Date.now(),
  };
  response.once("close", () => {
    recorded.ended = Date.now();
  });
  return recorded;
}
