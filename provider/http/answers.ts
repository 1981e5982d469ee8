import { STATUS_CODES } from "node:http";
import type { ErrorCode } from "../errors.ts";
import { redact } from "../redaction.ts";

/** `404 Not Found` */
export function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
}

/** The word for a status that the caller didn't expect. */
export function codeOf(status: number): ErrorCode {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
    case 410:
      return "not-found";
    case 408:
      return "timeout";
    case 409:
      return "conflict";
    case 429:
      return "unavailable";
    case 501:
      return "unsupported";
  }
  if (status >= 500) return "unavailable";
  if (status >= 400) return "rejected";
  return "configuration"; // a redirect that can't be followed, or versions instead of an answer: the address is wrong
}

/**
 * A service's own words in an error's body, as plain text of at most 500 characters: JSON in the forms of Glance, Keystone, DigitalOcean, ECL
 * and Divvy, WebOb's HTML page, or plain text.
 */
export function messageOfBody(body: string, contentType: string): string | undefined {
  const text = body.trim();
  if (text === "") return undefined;
  if (/json/i.test(contentType) || /^[[{]/.test(text)) {
    try {
      return short(messageIn(JSON.parse(text)));
    } catch {
      // Cut short, or not JSON after all: shown as text.
    }
  }
  return short(/html/i.test(contentType) || /^<(!doctype|html)/i.test(text) ? messageInHtml(text) : plain(text));
}

/** The service's own id of a request, for its operator. */
export function requestIdOf(headers: Record<string, string | string[] | undefined>, body: unknown): string | undefined {
  const header = headers["x-openstack-request-id"] ?? headers["x-compute-request-id"] ?? headers["x-request-id"];
  const id = (Array.isArray(header) ? header[0] : header) ?? member(body, "request_id");
  return typeof id === "string" && id !== "" ? id : undefined;
}

function messageIn(value: unknown): string | undefined {
  if (typeof value === "string") return plain(value);
  if (typeof value !== "object" || value === null) return undefined;
  for (const key of ["message", "errorMessage", "error_message", "faultstring", "detail", "error_description"]) {
    const found = member(value, key);
    if (typeof found === "string" && found.trim() !== "") return plain(found);
  }
  for (const key of ["error", "fault", "errors"]) {
    const found = messageIn(member(value, key));
    if (found !== undefined) return found;
  }
  // {"badRequest": {"message": …}} and lists of messages.
  for (const inner of Object.values(value)) {
    if (typeof inner !== "object") continue;
    const found = messageIn(inner);
    if (found !== undefined) return found;
  }
  const title = member(value, "title");
  return typeof title === "string" ? plain(title) : undefined;
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function messageInHtml(page: string): string | undefined {
  const body = /<body[^>]*>([\s\S]*?)(?:<\/body>|$)/i.exec(page)?.[1] ?? "";
  // WebOb writes the status as a heading, which the error says anyway.
  const words = plain(body.replace(/<h1[^>]*>[\s\S]*?<\/h1>/gi, " ").replace(/<(script|style)[\s\S]*?<\/\1>/gi, " "));
  return words || plain(/<title[^>]*>([\s\S]*?)<\/title>/i.exec(page)?.[1] ?? "");
}

function plain(text: string): string {
  return decoded(text.replace(/<\/?[a-z][^<>]*>/gi, " "))
    .replace(/\s+/g, " ")
    .trim();
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

function decoded(text: string): string {
  return text.replace(/&(#x[\da-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return entities[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function short(text: string | undefined): string | undefined {
  if (!text) return undefined;
  // Half of a secret isn't known again: what is cut has to be free of them before.
  const safe = redact(text);
  return safe.length > 500 ? `${safe.slice(0, 499)}…` : safe;
}
