import type { ClientRequest } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Got, RequestError, Response } from "got";
import { giveBack } from "./content/parts.ts";
import { ImagesError } from "./errors.ts";
import { type Agents, createAgents } from "./http/agents.ts";
import { codeOf, messageOfBody, requestIdOf, statusText } from "./http/answers.ts";
import type { Budget } from "./http/budget.ts";
import { parseJson } from "./http/json.ts";
import { doubter, type OwnAnswers, saysAbsent } from "./http/ownAnswers.ts";
import { answerSeconds, stallSeconds } from "./http/patience.ts";
import { Body, onEachHead } from "./http/receive.ts";
import {
  isCertificateError,
  isOurMistake,
  isRepeatable,
  isRetryableStatus,
  mostAttempts,
  networkMessage,
  pauseAfter,
  retryAfterMs,
  strangerMs,
} from "./http/retry.ts";
import { trace } from "./http/trace.ts";
import { redact } from "./redaction.ts";
import type { ServiceName } from "./services/names.ts";

export type Headers = Record<string, string | string[] | undefined>;

export interface ServiceRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the service's base URL, already encoded: `/v2/images/…`. */
  path: string;
  /** Query parameters; a list repeats its key, undefined is left out. */
  query?: Record<string, string | number | boolean | readonly string[] | undefined>;
  headers?: Record<string, string>;
  /** A body as JSON; `content-type` may be another one in `headers`. */
  json?: unknown;
  /** A body as a stream, opened again from its beginning for each try. With its size in bytes it goes out with Content-Length, else chunked. */
  body?: () => Promise<{ stream: Readable; size?: number | undefined }>;
  /** Statuses besides 2xx that the caller handles itself: answered, not thrown. */
  accept?: readonly number[];
  /** The service may not know this path at all: then a 404 of whatever answers in its place will do, as long as the service is there. */
  optional?: boolean;
  /** May be sent again after it may have been served. Default: GET, HEAD, DELETE, and PUT without a stream. */
  repeatable?: boolean;
  /** How often it is sent at the most. Default: see http/retry.ts. */
  attempts?: number;
  signal?: AbortSignal;
  /** Milliseconds since the epoch: no try, pause or wait goes past it. Default: 5 minutes from now; none for streams. */
  deadline?: number;
  /** A try is given up when for so many seconds no byte has moved, in either direction. Default: see http/patience.ts. */
  stallSeconds?: number;
  /** How many seconds the answer may take once a streamed body is out (the service hashes and stores it). Default: ten times the usual stall. */
  answerSeconds?: number;
}

export interface ServiceAnswer<T> {
  status: number;
  headers: Headers;
  body: T;
  /** How many times the request was sent. */
  attempts: number;
}

export interface Download {
  status: number;
  headers: Headers;
  stream: Readable;
}

export interface Http {
  /**
   * Sends a request and reads its whole answer. JSON is parsed (integers beyond 2^53 - 1 arrive as text, see http/json.ts), other text is a
   * string, an empty body undefined.
   *
   * Sent again, with growing pauses, by the rules in http/retry.ts; a 401 renews the credentials once. Throws ImagesError with the service's
   * own message, the request, its status and id, and what was tried. A 404, and a 403 that is accepted, is the service's own; one of somebody
   * else's (see `ownAnswers`) counts as no answer.
   */
  send<T = unknown>(request: ServiceRequest): Promise<ServiceAnswer<T>>;
  /** Sends a request and gives its answer's body as a stream, which fails with an ImagesError when it is cut or stalls. */
  download(request: ServiceRequest): Promise<Download>;
}

export interface HttpOptions {
  service: ServiceName;
  /** The URL that paths are below; asked at the first use. */
  baseUrl: () => Promise<string>;
  /** Headers that sign a request; `renew` asks for new credentials after a 401. */
  authorize: (renew: boolean) => Promise<Record<string, string>>;
  /** PEM file of certificate authorities to trust besides the usual ones. */
  caFile?: string | undefined;
  /** Don't verify certificates. */
  insecure?: boolean | undefined;
  /** The text of an error's body in the service's own form → its message. Default: see messageOfBody in http/answers.ts. */
  messageOf?: (body: string, contentType: string) => string | undefined;
  /** How the service's own answers are known, see http/ownAnswers.ts. Default: whatever answers is taken for it. */
  ownAnswers?: OwnAnswers | undefined;
  /** The service's rate limit, see http/budget.ts. */
  budget?: Budget | undefined;
  /** What a wrong host or certificate points to, as a sentence: "authUrl comes from OS_AUTH_URL." */
  addressHint?: string | undefined;
  /** How long a host that never answered is tried, in ms. Default 6000. */
  strangerMs?: number;
}

const userAgent = "pulumi-images/0.1.0";
const smallRequestMs = 5 * 60_000;
const connectMs = 15_000;

/** What one try came to. */
type Outcome =
  | { kind: "answer"; status: number; headers: Headers; text: string }
  /** No answer, or one that isn't what it says it is. */
  | {
      kind: "failure";
      message: string;
      cause: unknown;
      connected: boolean;
      code: string | undefined;
      expired?: boolean;
      hint?: string;
    };

export function createHttp(options: HttpOptions): Http {
  const { service } = options;
  /** Small requests share few connections; data has its own, so that uploads don't block them. */
  let agents: { small: Agents; data: Agents } | undefined;
  let base: Promise<string> | undefined;
  let hasAnswered = false;
  const doubt = options.ownAnswers && doubter(options.ownAnswers, sign => send(sign, true));

  function agentsFor(request: ServiceRequest, streaming: boolean): Agents {
    agents ??= { small: createAgents(options, 16), data: createAgents(options, Number.POSITIVE_INFINITY) };
    return streaming || request.body ? agents.data : agents.small;
  }

  async function urlOf(request: ServiceRequest): Promise<URL> {
    base ??= options.baseUrl();
    let root: string;
    try {
      root = await base;
    } catch (error) {
      base = undefined;
      throw error;
    }
    const address = `${root.replace(/\/+$/, "")}${request.path}`;
    if (!URL.canParse(address)) {
      throw new ImagesError("configuration", `The service's address "${root}" isn't a URL`, {
        service,
        request: nameOf(request),
      });
    }
    const url = new URL(address);
    const query = queryOf(request);
    if (query) url.search = query;
    return url;
  }

  /** Runs tries until one gives what the caller can use. */
  async function run<T extends { status: number; headers: Headers; body?: unknown }>(
    request: ServiceRequest,
    streaming: boolean,
    attemptOnce: (
      url: URL,
      headers: Record<string, string>,
      limits: Limits,
    ) => Promise<Outcome | { kind: "done"; value: T }>,
    isSign = false,
  ): Promise<{ value: T; attempts: number }> {
    const started = Date.now();
    const deadline =
      request.deadline ?? (streaming || request.body ? Number.POSITIVE_INFINITY : started + smallRequestMs);
    const repeatable = isRepeatable(request);
    const name = nameOf(request);
    let attempts = 0;
    let renewed = false;
    let signed: Record<string, string> | undefined;

    const tried = () => (attempts > 1 ? ` (${attempts} attempts in ${seconds(Date.now() - started)})` : "");

    for (;;) {
      checkSignal(request, service, name);
      if (Date.now() >= deadline) throw tooLate(service, name, `The time for this request is over${tried()}`);
      const url = await urlOf(request);
      signed ??= await options.authorize(false);
      await options.budget
        ?.take(until => {
          if (until > deadline)
            throw tooLate(
              service,
              name,
              `The service's rate limit leaves no request before ${new Date(until).toISOString()}`,
            );
        }, request.signal)
        .catch(error => {
          checkSignal(request, service, name);
          throw error;
        });
      attempts += 1;
      let outcome: Awaited<ReturnType<typeof attemptOnce>>;
      let seen: { status?: number; headers?: Headers } = {};
      try {
        outcome = await attemptOnce(
          url,
          { ...request.headers, ...signed },
          { deadline, attempt: attempts, see: answer => (seen = answer) },
        );
      } finally {
        options.budget?.done(seen.status, seen.headers);
      }
      outcome = await believed(outcome);
      if (outcome.kind === "done") {
        hasAnswered = true;
        return { value: outcome.value, attempts };
      }
      checkSignal(request, service, name);

      let error: ImagesError;
      let again: boolean;
      let wanted: number | undefined;
      let limit = deadline;
      if (outcome.kind === "answer") {
        hasAnswered = true;
        if (outcome.status === 401 && !renewed) {
          renewed = true;
          // Another request may have renewed the credentials meanwhile: then those are the ones to try. Credentials that can't be renewed stay
          // the same, and asking again with them is of no use.
          const current = await options.authorize(false);
          const next = same(current, signed) ? await options.authorize(true) : current;
          if (!same(next, signed)) {
            signed = next;
            continue;
          }
        }
        error = answerError(outcome, tried());
        again = isRetryableStatus(outcome.status, repeatable);
        wanted = retryAfterMs(outcome.headers["retry-after"]);
      } else {
        error = failureError(outcome, url, tried());
        again = !isCertificateError(outcome.code) && !isOurMistake(outcome.code) && (repeatable || !outcome.connected);
        // A page of somebody else's counts as no answer, too.
        if (!hasAnswered) limit = Math.min(limit, started + (options.strangerMs ?? strangerMs));
      }
      if (!again) throw error;
      const wait = Math.max(wanted ?? 0, pauseAfter(attempts));
      const isLast = attempts >= (request.attempts ?? (wanted === undefined ? mostAttempts : Number.POSITIVE_INFINITY));
      if (isLast || Date.now() + wait > limit) throw error;
      await pause(wait, undefined, request.signal ? { signal: request.signal } : {}).catch(() =>
        checkSignal(request, service, name),
      );
    }

    /** Somebody else's word that there is none counts as no answer. */
    async function believed<O extends Outcome | { kind: "done"; value: T }>(outcome: O): Promise<O | Outcome> {
      if (doubt === undefined || isSign || outcome.kind === "failure") return outcome;
      const { status, headers } = outcome.kind === "done" ? outcome.value : outcome;
      if (!saysAbsent(status, request)) return outcome;
      const body = outcome.kind === "done" ? outcome.value.body : parsedOrUndefined(outcome.text);
      const reason = await doubt({ headers, body }, request);
      if (reason === undefined) return outcome;
      const message = `its ${statusText(status)} doesn't come from the service itself: ${reason}`;
      const hint =
        "Nothing counts as gone by such an answer. Check the connection's address and the proxies on the way to it";
      return { kind: "failure", message, cause: undefined, connected: true, code: undefined, hint };
    }

    function answerError(answer: Outcome & { kind: "answer" }, after: string): ImagesError {
      const contentType = first(answer.headers["content-type"]) ?? "";
      const words = (options.messageOf ?? messageOfBody)(answer.text, contentType);
      const wanted = first(answer.headers["retry-after"]);
      const location = first(answer.headers.location);
      return new ImagesError(codeOf(answer.status), `${words ?? statusText(answer.status)}${after}`, {
        service,
        request: name,
        status: answer.status,
        ...optional("requestId", requestIdOf(answer.headers, parsedOrUndefined(answer.text))),
        ...optional("hint", hintFor(answer.status, wanted, location)),
      });
    }

    function failureError(failure: Outcome & { kind: "failure" }, url: URL, after: string): ImagesError {
      const certificate = isCertificateError(failure.code);
      const message = certificate
        ? `The certificate of ${url.host} isn't accepted: ${failure.message}`
        : `No usable answer from ${url.host}: ${failure.message}${after}`;
      const hints = [
        certificate ? "Set caFile to the file of the authority that signed it" : undefined,
        !failure.connected ? options.addressHint : undefined,
        failure.connected && !repeatable && !certificate ? "It may have been served all the same" : undefined,
        failure.hint,
      ].filter(hint => hint !== undefined);
      return new ImagesError(certificate ? "configuration" : failure.expired ? "timeout" : "unavailable", message, {
        service,
        request: name,
        ...optional("hint", hints.join(". ") || undefined),
        cause: failure.cause,
      });
    }
  }

  async function sendOnce(
    request: ServiceRequest,
    url: URL,
    headers: Record<string, string>,
    limits: Limits,
  ): Promise<Outcome | { kind: "done"; value: ServiceAnswer<unknown> }> {
    const agent = agentsFor(request, false);
    const client = await got();
    const stall = request.stallSeconds ?? stallSeconds();
    const answerMs = (request.answerSeconds ?? answerSeconds(stall)) * 1000;
    const opened = request.body ? await request.body() : undefined;
    const watch = new Watch(request, limits, stall * 1000);
    const note = traced(service, request, limits.attempt);
    let sourceError: unknown;
    let taken = 0;
    let ended = opened === undefined;
    const complete = () => {
      ended = true;
      watch.patience(answerMs);
    };

    const all: Record<string, string> = { accept: "application/json", "user-agent": userAgent, ...lower(headers) };
    const json = request.json === undefined ? undefined : JSON.stringify(request.json);
    if (json !== undefined) all["content-type"] ??= "application/json";
    if (opened) {
      all["content-type"] ??= "application/octet-stream";
      if (opened.size !== undefined) all["content-length"] = String(opened.size);
      opened.stream.once("error", error => {
        if (!watch.lost) sourceError ??= error;
      });
    }
    try {
      const promise = client(url, {
        method: request.method,
        headers: all,
        agent,
        ...(opened ? { body: opened.stream } : json === undefined ? {} : { body: json }),
        signal: watch.signal,
      });
      promise.on("request", (sent: ClientRequest) => {
        watch.follow(sent);
        if (!opened || watch.following > 1) return;
        givingBack(sent);
        // Counts beside got's own pipe, which is in place by now.
        opened.stream.on("data", (chunk: Buffer) => {
          taken += chunk.length;
          if (opened.size !== undefined && taken > opened.size) {
            sourceError ??= new ImagesError(
              "content",
              `The source gave more than the ${opened.size} bytes that it has`,
            );
            watch.abort();
          }
          // With the size announced, the service may answer as soon as it has that many bytes, before the source says that it has no more.
          if (taken === opened.size) complete();
        });
        opened.stream.once("end", () => {
          if (opened.size !== undefined && taken < opened.size) {
            sourceError ??= new ImagesError(
              "content",
              `The source gave ${taken} bytes of the ${opened.size} that it has`,
            );
            watch.abort();
          } else complete();
        });
      });
      const response: Response<string> = await promise;
      const status = response.statusCode;
      const text = response.body;
      const answerHeaders = response.headers as Headers;
      limits.see({ status, headers: answerHeaders });
      note({ status, sent: json === undefined ? taken : Buffer.byteLength(json), received: Buffer.byteLength(text) });
      const fine = status >= 200 && status < 300;
      if (!fine && !request.accept?.includes(status)) return { kind: "answer", status, headers: answerHeaders, text };
      if (fine && !ended) {
        return broken(`it answered ${statusText(status)} before it had the whole body`);
      }
      const contentType = first(answerHeaders["content-type"]) ?? "";
      let body: unknown;
      try {
        body = bodyOf(text, contentType, all.accept as string);
      } catch (error) {
        if (!fine) body = text;
        else return broken((error as Error).message);
      }
      return { kind: "done", value: { status, headers: answerHeaders, body, attempts: limits.attempt } };
    } catch (error) {
      if (sourceError !== undefined) {
        note({ error: "source", sent: taken });
        throw sourceFailure(sourceError, service, request);
      }
      const failure = watch.failure(error as RequestError);
      note({ error: failure.code ?? failure.message, sent: taken });
      return failure;
    } finally {
      watch.end();
      opened?.stream.on("error", ignore);
      opened?.stream.destroy();
    }

    function broken(message: string): Outcome {
      return { kind: "failure", message, cause: undefined, connected: true, code: undefined };
    }
  }

  async function downloadOnce(
    request: ServiceRequest,
    url: URL,
    headers: Record<string, string>,
    limits: Limits,
  ): Promise<Outcome | { kind: "done"; value: Download }> {
    const agent = agentsFor(request, true);
    const client = await got();
    const watch = new Watch(request, limits, (request.stallSeconds ?? stallSeconds()) * 1000);
    const note = traced(service, request, limits.attempt);
    const stream = client.stream(url, {
      method: request.method,
      headers: { accept: "*/*", "user-agent": userAgent, ...lower(headers) },
      agent,
      decompress: false,
      signal: watch.signal,
    });
    let body: Body | undefined;
    const isWanted = (status: number) => (status >= 200 && status < 300) || request.accept?.includes(status) === true;
    stream.on("request", (sent: ClientRequest) => watch.follow(sent));
    onEachHead(stream, head => {
      const status = head.statusCode as number;
      if (isWanted(status)) body = new Body(head, error => brokenOff(error, status));
    });
    try {
      const response = await new Promise<Response>((resolve, reject) => {
        stream.once("response", resolve);
        stream.once("error", reject);
      });
      stream.on("error", ignore);
      const status = response.statusCode;
      const answerHeaders = response.headers as Headers;
      limits.see({ status, headers: answerHeaders });
      if (body === undefined) {
        const text = await textOf(stream);
        watch.end();
        note({ status, received: Buffer.byteLength(text) });
        return { kind: "answer", status, headers: answerHeaders, text };
      }
      const data = body;
      data.once("end", () => note({ status, received: data.received }));
      data.once("close", () => {
        watch.end();
        stream.destroy();
      });
      return { kind: "done", value: { status, headers: answerHeaders, stream: data } };
    } catch (error) {
      stream.on("error", ignore);
      stream.destroy();
      body?.destroy();
      watch.end();
      const failure = watch.failure(error as RequestError);
      note({ error: failure.code ?? failure.message });
      return failure;
    }

    function brokenOff(error: Error, status: number): Error {
      const received = body?.received ?? 0;
      const failure = watch.failure(error as RequestError);
      note({ status, error: failure.code ?? failure.message, received });
      if (request.signal?.aborted) return givenUp(service, nameOf(request));
      return new ImagesError(
        "unavailable",
        `The data from ${url.host} ended after ${received} bytes: ${failure.message}`,
        { service, request: nameOf(request), cause: error },
      );
    }
  }

  /** @param isSign of life: what it answers isn't doubted */
  async function send<T>(request: ServiceRequest, isSign = false): Promise<ServiceAnswer<T>> {
    const once = (url: URL, headers: Record<string, string>, limits: Limits) => sendOnce(request, url, headers, limits);
    return (await run(request, false, once, isSign)).value as ServiceAnswer<T>;
  }

  return {
    send: request => send(request),
    async download(request) {
      const { value } = await run(request, true, (url, headers, limits) => downloadOnce(request, url, headers, limits));
      return value;
    },
  };
}

interface Limits {
  deadline: number;
  attempt: number;
  /** Tells the rate limit's budget what was answered. */
  see: (answer: { status: number; headers: Headers }) => void;
}

/** Follows the connection of one try: whether it came about, whether it stalls, and when its time is over. */
class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #abort = () => this.#controller.abort();
  #request: ClientRequest | undefined;
  #quietMs: number;
  #expired = false;
  #stalled: string | undefined;
  #connected = false;
  /** The network failed: what a source says after that is only an echo. */
  lost = false;
  /** Requests that were followed: more than one after a redirect. */
  following = 0;

  constructor(request: ServiceRequest, { deadline }: Limits, stallMs: number) {
    this.#quietMs = stallMs;
    this.#outer = request.signal;
    if (this.#outer?.aborted) this.#abort();
    else this.#outer?.addEventListener("abort", this.#abort, { once: true });
    const left = deadline - Date.now();
    if (left < 2 ** 31) {
      this.#timer = setTimeout(() => {
        this.#expired = true;
        this.#abort();
      }, left);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(): void {
    this.#abort();
  }

  follow(request: ClientRequest): void {
    this.following += 1;
    this.#request = request;
    request.once("socket", socket => {
      if (!socket.connecting) this.#connected = true;
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", () => (this.#connected = true));
    });
    request.once("error", () => (this.lost = true));
    this.patience(this.#quietMs);
    request.on("timeout", () => {
      this.#stalled = `no byte moved for ${seconds(this.#quietMs)}`;
      request.destroy(new Error(this.#stalled));
    });
  }

  /** From now on no byte may move for so long. */
  patience(ms: number): void {
    this.#quietMs = ms;
    this.#request?.setTimeout(ms);
  }

  failure(error: RequestError): Outcome & { kind: "failure" } {
    const cause: NodeJS.ErrnoException = error.cause instanceof Error ? error.cause : error;
    const code = error.code ?? cause.code;
    const message = this.#expired
      ? "the time for this request is over"
      : (this.#stalled ?? networkMessage(code, cause.message || error.message));
    return {
      kind: "failure",
      message,
      cause: bare(cause, code),
      connected: this.#connected,
      code,
      expired: this.#expired,
    };
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#abort);
  }
}

/** The network's error without what got and Node hang on it: options with headers, packets. */
function bare({ message }: Error, code: string | undefined): Error {
  return Object.assign(new Error(redact(message)), code === undefined ? {} : { code });
}

/** What has left for the socket is memory for what comes next. */
function givingBack(sent: ClientRequest): void {
  const write = sent.write.bind(sent) as (part: Uint8Array, encoding: BufferEncoding, done: Written) => boolean;
  sent.write = ((part: Uint8Array, encoding: BufferEncoding, done: Written) =>
    write(part, encoding, error => {
      if (!error) giveBack(part);
      done(error);
    })) as ClientRequest["write"];
}

type Written = (error?: Error | null) => void;

let client: Promise<Got> | undefined;

/** The one got instance, imported at the first request: it takes longer to load than everything else of the provider. */
function got(): Promise<Got> {
  client ??= import("got").then(({ default: plain }) =>
    plain.extend({
      // Ours know what was sent; see http/retry.ts.
      retry: { limit: 0 },
      throwHttpErrors: false,
      responseType: "text",
      // Glance v1 puts all of an image's metadata into headers, which may take more than Node's 16 KiB.
      maxHeaderSize: 256 * 1024,
      timeout: { lookup: connectMs, connect: connectMs, secureConnect: connectMs },
      followRedirect: response => ["GET", "HEAD"].includes(response.request.options.method),
      maxRedirects: 5,
      hooks: {
        beforeRedirect: [
          (next, response) => {
            const from = new URL(response.url);
            const to = next.url as URL;
            if (from.protocol === "https:" && to.protocol !== "https:") {
              throw new Error(`a redirect from https to ${to.protocol}//${to.host} is refused`);
            }
            if (from.host !== to.host) {
              for (const name of Object.keys(next.headers)) if (!harmless.has(name)) delete next.headers[name];
            }
          },
        ],
      },
    }),
  );
  return client;
}

/** Headers that another host may see; any other may hold a credential. */
const harmless = new Set(["accept", "accept-encoding", "user-agent", "range"]);

function bodyOf(text: string, contentType: string, accept: string): unknown {
  if (text === "") return undefined;
  if (/json/i.test(contentType) || (!/^\w+\//.test(contentType) && /^\s*[[{]/.test(text))) {
    try {
      return parseJson(text);
    } catch {
      throw new Error(`its JSON can't be read, it may be cut short after ${text.length} characters`);
    }
  }
  if (/html/i.test(contentType) && /json/i.test(accept)) {
    throw new Error("it answered an HTML page where JSON was asked for, which may come from a proxy or a sign-in page");
  }
  return text;
}

function sourceFailure(error: unknown, service: string, request: ServiceRequest): Error {
  if (error instanceof ImagesError) return error;
  return new ImagesError("content", `The data to send couldn't be read: ${(error as Error).message}`, {
    service,
    request: nameOf(request),
    cause: error,
  });
}

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function hintFor(status: number, retryAfter: string | undefined, location: string | undefined): string | undefined {
  if (status === 401) return "Check the connection's credentials";
  if (location !== undefined && status >= 300 && status < 400)
    return `It points to ${location}: is the address of the service right`;
  if (retryAfter !== undefined) return `The service asks to wait: retry-after ${retryAfter}`;
  return undefined;
}

function nameOf(request: ServiceRequest): string {
  const query = queryOf(request);
  return `${request.method} ${request.path}${query ? `?${query}` : ""}`;
}

function queryOf({ query }: ServiceRequest): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(key, String(one));
  }
  return parameters.toString();
}

function traced(service: string, { method, ...request }: ServiceRequest, attempt: number) {
  const started = Date.now();
  const path = nameOf({ method, ...request }).slice(method.length + 1);
  return (end: { status?: number; error?: string; sent?: number; received?: number }) =>
    trace({ service, method, path, attempt, ms: Date.now() - started, sent: 0, received: 0, ...end });
}

function checkSignal({ signal }: ServiceRequest, service: string, request: string): void {
  if (signal?.aborted) throw givenUp(service, request);
}

function givenUp(service: string, request: string): ImagesError {
  return new ImagesError("interrupted", "The request was given up", { service, request });
}

function tooLate(service: string, request: string, message: string): ImagesError {
  return new ImagesError("timeout", message, { service, request });
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function lower(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function same(a: Record<string, string>, b: Record<string, string>): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 1000)} s`;
}

function ignore(): void {}
