import type { ServiceRequest } from "../http.ts";
import { firstPauseMs } from "./patience.ts";

/**
 * When a request is sent again.
 *
 * | what came back | repeatable request | other |
 * |---|---|---|
 * | no connection (refused, no address, unreachable, handshake cut) | again | again |
 * | 425, 429, 503; 408 | again | again: the service says that it didn't do the work |
 * | connection lost, cut, stalled; an answer that isn't what it says | again | error: it may have been served |
 * | 500, 502, 504 | again | error: it may have been served |
 *
 * Repeatable are GET, HEAD, DELETE and PUT, except with a streamed body; POST and PATCH are not; `repeatable` says otherwise.
 */
export function isRepeatable(request: ServiceRequest): boolean {
  return request.repeatable ?? (request.method !== "POST" && request.method !== "PATCH" && request.body === undefined);
}

/** How many times a request is sent when only our own pauses are between the tries. */
export const mostAttempts = 8;
/** A host that has never answered is most likely a wrong address: it isn't waited for longer than this. */
export const strangerMs = 6000;

const busy = new Set([408, 425, 429, 503]);
const broken = new Set([500, 502, 504]);

export function isRetryableStatus(status: number, repeatable: boolean): boolean {
  return busy.has(status) || (repeatable && broken.has(status));
}

/** Milliseconds before the next try: doubling from half a second to 20 s, of which a random part of up to half is taken off. */
export function pauseAfter(attempt: number): number {
  const full = Math.min(20_000, firstPauseMs() * 2 ** (attempt - 1));
  return full - Math.random() * (full / 2);
}

/** The milliseconds that a Retry-After header asks for (seconds, or an HTTP date), if there is one that can be understood. */
export function retryAfterMs(value: string | string[] | undefined, now = Date.now()): number | undefined {
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Node's words for a network failure, in ours. */
export function networkMessage(code: string | undefined, message: string): string {
  return (code !== undefined && networkWords[code]) || message || code || "the connection failed";
}

const networkWords: Record<string, string> = {
  ECONNREFUSED: "the connection was refused (ECONNREFUSED)",
  ENOTFOUND: "the host's name has no address (ENOTFOUND)",
  EAI_AGAIN: "the host's name couldn't be looked up (EAI_AGAIN)",
  EHOSTUNREACH: "the host can't be reached (EHOSTUNREACH)",
  ENETUNREACH: "the network can't be reached (ENETUNREACH)",
  ECONNRESET: "the connection was cut by the other side (ECONNRESET)",
  EPIPE: "the connection was closed by the other side while sending (EPIPE)",
  ETIMEDOUT: "connecting took too long (ETIMEDOUT)",
};

/** Codes of OpenSSL and Node for a certificate that isn't trusted: trying again can't help. */
export function isCertificateError(code: string | undefined): boolean {
  return (
    code !== undefined &&
    /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|ERR_SSL_)/.test(
      code,
    )
  );
}

/** Codes for a request that can't be written at all, such as a line break in a header. */
export function isOurMistake(code: string | undefined): boolean {
  return code !== undefined && /^ERR_(INVALID_|UNESCAPED_|HTTP_INVALID_)/.test(code);
}
