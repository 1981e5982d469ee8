import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Fault, strikesAfter } from "./faults.ts";
import { type OnPiece, pump } from "./pump.ts";
import type { RecordedRequest } from "./recorder.ts";

/** One request on its way through. */
export interface Passage {
  request: IncomingMessage;
  response: ServerResponse;
  recorded: RecordedRequest;
  fault: Fault | undefined;
  agent: Agent;
  target: string;
}

/** Connections to a service whose end already ends the client's. */
const bound = new WeakSet<Socket>();

/** Passes one request on to the target and its answer back, with whatever a fault does to them. */
export function forward(passage: Passage): void {
  pass(passage).catch((error: unknown) => {
    // A hook of the test's failed: say so where its author sees it.
    process.stderr.write(`recorder: ${error instanceof Error ? error.stack : String(error)}\n`);
    cut(passage);
  });
}

async function pass(passage: Passage): Promise<void> {
  const { fault } = passage;
  if (fault !== undefined && !strikesAfter(fault) && (await strike(passage, fault))) return;
  // A client that went away while a fault held its request: the service never hears of it.
  if (passage.request.socket.destroyed) return;
  const upstream = ask(passage);
  const answer = await answerOf(upstream);
  if (answer === undefined) {
    // The service broke the connection: so does the recorder.
    cut(passage);
    return;
  }
  if (fault !== undefined && strikesAfter(fault)) {
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    if (fault.drop === "after") {
      await strike(passage, fault);
      cut(passage);
      return;
    }
    if (await strike(passage, fault)) return;
    const body = Buffer.concat(pieces);
    passage.recorded.responseBytes = body.length;
    if (fault.alter !== undefined) {
      giveAltered(passage, fault.alter({ status: answer.statusCode ?? 0, headers: headersOf(answer), body }));
      return;
    }
    giveHead(passage, answer);
    passage.response.end(body);
    return;
  }
  giveBack(passage, answer);
}

/** Lets a fault strike; true when the request ends with it. */
async function strike(passage: Passage, fault: Fault): Promise<boolean> {
  await fault.hook?.(passage.recorded);
  if (fault.delayMs !== undefined) await sleep(fault.delayMs);
  if (fault.drop === "before") {
    cut(passage);
    return true;
  }
  if (fault.status === undefined) return false;
  const body = fault.body ?? "";
  passage.recorded.status = fault.status;
  passage.recorded.responseBytes = Buffer.byteLength(body);
  // The rest of an upload that is refused here is read and thrown away.
  passage.request.resume();
  passage.response.writeHead(fault.status, fault.headers).end(body);
  return true;
}

/** Sends the request on, its body as it comes. */
function ask(passage: Passage): ClientRequest {
  const { request, recorded, target, agent } = passage;
  const { hostname, port } = new URL(target);
  const upstream = sendRequest({
    hostname,
    port,
    agent,
    method: recorded.method,
    path: recorded.path,
    setHost: false,
  });
  // With the host that the client asked for, so that links in answers lead through the recorder again.
  for (const [name, value] of passedOn(request.rawHeaders)) upstream.appendHeader(name, value);
  if (!hasBody(request)) upstream.useChunkedEncodingByDefault = false;
  upstream.once("socket", socket => {
    if (bound.has(socket)) return;
    bound.add(socket);
    // The service's end of an idle connection is the client's too.
    socket.once("close", () => request.socket.destroySoon());
  });
  upstream.on("continue", () => passage.response.writeContinue());
  request.once("close", () => {
    if (!request.complete) upstream.destroy();
  });
  passage.response.once("close", () => {
    if (!passage.response.writableFinished) upstream.destroy();
  });
  // Node flushes headers as UTF-8, though it takes them as one character a byte: those with other letters go with the first piece instead.
  if (request.rawHeaders.every(text => /^[\x20-\x7e\t]*$/.test(text))) upstream.flushHeaders();
  const json: Buffer[] = [];
  const isJson = /json/.test(request.headers["content-type"] ?? "");
  const disturb = disturbance(passage, hasBody(request));
  pump(request, upstream, piece => {
    recorded.requestBytes += piece.length;
    if (isJson) json.push(piece);
    return disturb(piece);
  });
  request.once("end", () => {
    if (isJson) recorded.json = Buffer.concat(json).toString();
  });
  return upstream;
}

/** The service's answer; undefined when the connection breaks before there is one. */
function answerOf(upstream: ClientRequest): Promise<IncomingMessage | undefined> {
  return new Promise(resolve => {
    upstream.once("response", resolve);
    // Stays on: a service that refuses an upload early also breaks the rest of it, after its answer.
    upstream.on("error", () => resolve(undefined));
    upstream.once("close", () => resolve(undefined));
  });
}

function giveBack(passage: Passage, answer: IncomingMessage): void {
  const { recorded, request, response } = passage;
  giveHead(passage, answer);
  const disturb = disturbance(passage, !hasBody(request));
  pump(answer, response, piece => {
    recorded.responseBytes += piece.length;
    return disturb(piece);
  });
  answer.once("close", () => {
    if (!answer.complete) cut(passage);
  });
}

function giveHead({ recorded, response }: Passage, answer: IncomingMessage): void {
  recorded.status = answer.statusCode ?? 0;
  response.writeHead(recorded.status, answer.statusMessage, passedOn(answer.rawHeaders).flat());
}

/** Writes an answer as it is told to, whether it makes sense or not, and closes the connection after it. */
function giveAltered({ recorded, request }: Passage, { status, headers, body }: Answer): void {
  recorded.status = status;
  const lines = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
  request.socket.write(`HTTP/1.1 ${status} Altered\r\n${lines.join("")}\r\n`, "latin1");
  request.socket.end(body);
}

/** Without what says how the body is parted: it is whole here. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers = Object.fromEntries(passedOn(rawHeaders).map(([name, value]) => [name.toLowerCase(), value]));
  const { "transfer-encoding": _, ...rest } = headers;
  return rest;
}

/** What a fault does in the middle of a body: of the request's or the answer's, as `concerned` says. */
function disturbance(passage: Passage, concerned: boolean): OnPiece {
  const { fault } = passage;
  let first = true;
  return () => {
    if (!first || !concerned || fault === undefined) return;
    first = false;
    if (fault.drop === "during-body") cut(passage);
    if (fault.stallMs !== undefined) return sleep(fault.stallMs);
  };
}

function cut({ request }: Passage): void {
  request.socket.resetAndDestroy();
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}

/** Header fields without those that are about one connection only. `close` stays: the other side must know. */
function passedOn(raw: string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const [name = "", value = ""] = raw.slice(index, index + 2);
    const lower = name.toLowerCase();
    const ofOneConnection = lower === "keep-alive" || (lower === "connection" && value.toLowerCase() !== "close");
    if (!ofOneConnection) fields.push([name, value]);
  }
  return fields;
}
