import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { NormalizedOptions, Request, Response } from "got";
import { ImagesError } from "../errors.ts";
import { type Agents, createAgents } from "../http/agents.ts";
import { stallSeconds as usualStall } from "../http/patience.ts";
import { Body, onEachHead } from "../http/receive.ts";
import { pauseAfter } from "../http/retry.ts";
import { registerSecret } from "../redaction.ts";
import { shownUrl, type UrlSource } from "./source.ts";

/** What a server tells of a url before its data comes. */
export interface RemoteFacts {
  /** Bytes of the source itself. */
  size: number | undefined;
  /** `etag:…`: changes when the data does, as far as the server can tell. undefined: it gives neither ETag nor Last-Modified. */
  version: string | undefined;
}

export interface RemoteStream extends RemoteFacts {
  read(): AsyncGenerator<Uint8Array>;
  close(): void;
}

type Address = Pick<UrlSource, "url" | "headers">;

const connectTimeout = 30_000;
const maxChecksums = 4 * 1024 * 1024;

/** Kept open between the requests of one process; HTTP_PROXY and its like are obeyed. */
let agents: Agents | undefined;

/** got is loaded when the first url is read: a provider without urls starts without it. */
async function client({ url, headers = {} }: Address) {
  for (const value of Object.values(headers)) registerSecret(value);
  const { username, password } = new URL(url);
  for (const secret of [password, decodeSafe(password), username && !password ? username : ""])
    if (secret) registerSecret(secret);

  const { default: got } = await import("got");
  const secretNames = Object.keys(headers);
  agents ??= createAgents({}, Number.POSITIVE_INFINITY);
  return got.extend({
    agent: agents,
    headers: {
      "user-agent": "pulumi-images",
      accept: "*/*",
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      // The bytes as they lie there: an image.gz stays one, and its length and ETag are those of the file.
      "accept-encoding": "identity",
    },
    decompress: false,
    throwHttpErrors: false,
    maxRedirects: 10,
    methodRewriting: false,
    timeout: {
      lookup: connectTimeout,
      connect: connectTimeout,
      secureConnect: connectTimeout,
      response: usualStall() * 1000,
    },
    hooks: {
      beforeRedirect: [
        (options: NormalizedOptions, response) => {
          const from = new URL(response.url);
          const to = new URL(options.url as URL);
          if (to.protocol !== "https:" && (from.protocol === "https:" || to.protocol !== "http:"))
            throw new ImagesError("content", `${shownUrl(url)} redirects from https to ${to.protocol}//${to.host}`, {
              hint: "That isn't followed, as the data could be changed on the way. Give the address that it leads to if you trust it",
            });
          if (to.origin === from.origin) return;
          for (const name of [...secretNames, "authorization", "cookie"])
            options.headers[name.toLowerCase()] = undefined;
          options.username = "";
          options.password = "";
        },
      ],
    },
  });
}

/** Asks for a url's length and version without reading its data. Tries again by itself when the server is busy. */
export function remoteFacts(address: Address, signal: AbortSignal): Promise<RemoteFacts> {
  return again(signal, async () => {
    const head = await begin("HEAD", address, signal).catch(error => {
      // Some servers break off at a HEAD: the GET below tells whether it is that.
      if (signal.aborted || error.code !== "unavailable") throw error;
      return undefined;
    });
    head?.request.destroy();
    if (head?.response.statusCode === 200) {
      const facts = factsOf(head.response.headers);
      if (facts.size !== 0) return facts;
    }
    // Signed urls are often good for GET only, and some servers know no HEAD.
    const { request, response } = await begin("GET", address, signal, { range: "bytes=0-0" });
    request.destroy();
    if (response.statusCode === 416) return { ...factsOf(response.headers), size: 0 };
    checkStatus(response.statusCode, "GET", address.url);
    if (response.statusCode !== 206) return factsOf(response.headers);
    const total = /\/(\d+)$/.exec(response.headers["content-range"] ?? "")?.[1];
    const size = total === undefined ? undefined : Number(total);
    return { size, version: versionOf(response.headers, size) };
  });
}

/** A small text, such as a checksums file (4 MiB at most). Tries again by itself when the server is busy. */
export function remoteText(address: Address, signal: AbortSignal): Promise<string> {
  return again(signal, async () => {
    const remote = await openRemote(address, { signal, stallSeconds: usualStall() / 2 });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of remote.read()) {
      size += chunk.length;
      if (size > maxChecksums)
        throw new ImagesError("content", `${shownUrl(address.url)} is too large for a checksums file (4 MiB)`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  });
}

/** Up to three tries of what is cheap to begin again. */
async function again<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (const attempt of [1, 3]) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !(error instanceof ImagesError) || error.code !== "unavailable") throw error;
      await pause(pauseAfter(attempt), undefined, { signal });
    }
  }
  return work();
}

/**
 * Sends one request and answers with its head; the body is still to come.
 * @param begun is told of each answer at its head
 */
async function begin(
  method: "GET" | "HEAD",
  address: Address,
  signal: AbortSignal,
  headers: Record<string, string> = {},
  begun?: (response: IncomingMessage) => void,
): Promise<{ request: Request; response: Response }> {
  const got = await client(address);
  const request = got.stream(address.url, { method, headers, retry: { limit: 0 }, signal });
  if (begun) onEachHead(request, begun);
  try {
    const response = await new Promise<Response>((resolve, reject) => {
      request.once("response", resolve);
      // Stays for good: a request destroyed later must not raise an unhandled error.
      request.on("error", reject);
    });
    return { request, response };
  } catch (error) {
    request.destroy();
    throw requestError(error, method, address.url, signal);
  }
}

/**
 * Begins a download and answers once the server did. One try only: who sends the data on must begin again too.
 * @param stallSeconds without a byte for so long, while we wait for one, the download fails
 */
export async function openRemote(
  address: Address,
  { signal, stallSeconds }: { signal: AbortSignal; stallSeconds: number },
): Promise<RemoteStream> {
  const where = shownUrl(address.url);
  let body: Body | undefined;
  const { request, response } = await begin("GET", address, signal, {}, answer => {
    if (answer.statusCode === 200) body = new Body(answer, error => error);
  });
  const close = () => {
    body?.destroy();
    request.destroy();
  };
  try {
    checkStatus(response.statusCode, "GET", address.url);
    if (body === undefined)
      throw new ImagesError("content", `${where} has no whole file to give`, {
        request: `GET ${where}`,
        status: response.statusCode,
      });
    const facts = factsOf(response.headers);
    const data = body;
    return {
      ...facts,
      close,
      async *read() {
        let received = 0;
        let waitingSince = 0;
        const watch = setInterval(
          () => {
            if (waitingSince > 0 && Date.now() - waitingSince > stallSeconds * 1000)
              data.destroy(
                new ImagesError("unavailable", `${where} sent nothing for ${stallSeconds} s, after ${received} bytes`, {
                  request: `GET ${where}`,
                }),
              );
          },
          Math.min(stallSeconds * 250, 5000),
        );
        const iterator = (data as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
        try {
          for (;;) {
            waitingSince = Date.now();
            const { done, value } = await iterator.next();
            waitingSince = 0;
            if (done) break;
            received += value.length;
            yield value;
          }
        } catch (error) {
          const of = facts.size === undefined ? "" : ` of ${facts.size}`;
          throw error instanceof ImagesError || signal.aborted
            ? requestError(error, "GET", address.url, signal)
            : new ImagesError(
                "unavailable",
                `the download of ${where} broke off after ${received}${of} bytes: ${(error as Error).message}`,
                { request: `GET ${where}`, cause: error },
              );
        } finally {
          clearInterval(watch);
          close();
        }
        if (facts.size !== undefined && received !== facts.size)
          throw new ImagesError(
            "unavailable",
            `${where} gave ${received} bytes instead of the ${facts.size} it announced`,
            { request: `GET ${where}` },
          );
      },
    };
  } catch (error) {
    close();
    throw requestError(error, "GET", address.url, signal);
  }
}

function factsOf(headers: IncomingHttpHeaders): RemoteFacts {
  const length = headers["content-length"];
  const size = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
  return { size, version: versionOf(headers, size) };
}

/** The ETag as it is, or where there is none the time of the last change; with the length. */
function versionOf(headers: IncomingHttpHeaders, size: number | undefined): string | undefined {
  const validator = headers.etag || (headers["last-modified"] ? `modified ${headers["last-modified"]}` : undefined);
  return validator && `etag:${validator}${size === undefined ? "" : ` length ${size}`}`;
}

function checkStatus(status: number, method: string, url: string): void {
  if (status >= 200 && status < 300) return;
  const details = { request: `${method} ${shownUrl(url)}`, status };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    throw new ImagesError("unavailable", "the source's server can't answer now", details);
  if (status === 401 || status === 403 || status === 407)
    throw new ImagesError("content", "the source may not be read", {
      ...details,
      hint: "Check the source's headers, or whether a signed url has expired",
    });
  if (status === 404 || status === 410)
    throw new ImagesError("content", "the source isn't there", { ...details, hint: "Check its url" });
  throw new ImagesError("content", "the source can't be read", details);
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function requestError(error: unknown, method: string, url: string, signal: AbortSignal): Error {
  const own = [error, (error as Error).cause].find(each => each instanceof ImagesError);
  if (own) return own as ImagesError;
  if (signal?.aborted) return interrupted(signal);
  const request = `${method} ${shownUrl(url)}`;
  const { message } = error as Error;
  if (errorCode(error) === "ERR_TOO_MANY_REDIRECTS")
    return new ImagesError("content", "the source redirects without end", { request, cause: error });
  return new ImagesError("unavailable", `the source can't be reached: ${message}`, { request, cause: error });
}

/** The error for a signal that says stop. */
export function interrupted(signal: AbortSignal): ImagesError {
  return signal.reason instanceof ImagesError
    ? signal.reason
    : new ImagesError("interrupted", "reading the source was ended", { cause: signal.reason });
}

function decodeSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
