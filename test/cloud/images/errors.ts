import type { IncomingMessage } from "node:http";

/** What an error says when nothing more is known, by status. */
const EXPLANATIONS: Record<number, [title: string, explanation: string]> = {
  204: ["No Content", ""],
  400: [
    "Bad Request",
    "The server could not comply with the request since it is either malformed or otherwise incorrect.",
  ],
  401: [
    "Unauthorized",
    "This server could not verify that you are authorized to access the document you requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.",
  ],
  403: ["Forbidden", "Access was denied to this resource."],
  404: ["Not Found", "The resource could not be found."],
  405: ["Method Not Allowed", ""],
  409: ["Conflict", "There was a conflict when trying to complete your request."],
  410: ["Gone", "This resource is no longer available.  No forwarding address is given."],
  413: ["Request Entity Too Large", "The body of your request was too large for this server."],
  415: ["Unsupported Media Type", ""],
  416: ["Request Range Not Satisfiable", "The Range requested is not available."],
  500: ["Internal Server Error", "The server has either erred or is incapable of performing the requested operation."],
  501: ["Not Implemented", ""],
  503: ["Service Unavailable", "The server is currently unavailable. Please try again at a later time."],
};

/** What can be said about an error beyond its status. Glance fills one or the other, for no reason a client could rely on. */
export interface ErrorText {
  explanation?: string;
  detail?: string;
  headers?: Record<string, string>;
}

/** An answer that isn't a good one. */
export class HttpError extends Error {
  readonly code: number;
  readonly text: ErrorText;

  constructor(code: number, text: string | ErrorText = {}) {
    const given = typeof text === "string" ? { explanation: text } : text;
    super(given.explanation ?? given.detail ?? EXPLANATIONS[code]?.[1] ?? "");
    this.code = code;
    this.text = given;
  }
}

/** A save found the image in another state than it must be in. */
export class StateConflict extends Error {}

/** Where the best match of an Accept header lies: as in Glance, HTML is preferred to JSON, and nothing at all means plain text. */
function preferred(accept: string): "html" | "json" | "plain" {
  let best: { kind: "html" | "json"; quality: number } | undefined;
  for (const kind of ["html", "json"] as const) {
    const type = kind === "html" ? "text/html" : "application/json";
    let quality = 0;
    let specificity = -1;
    for (const range of accept.split(",")) {
      const [name = "", ...parameters] = range.split(";").map(part => part.trim());
      const rank = [`*/*`, `${type.split("/")[0]}/*`, type].indexOf(name.toLowerCase());
      if (rank <= specificity) continue;
      specificity = rank;
      const q = parameters.find(parameter => parameter.startsWith("q="));
      quality = q ? Number(q.slice(2)) : 1;
    }
    if (quality > 0 && (!best || quality > best.quality)) best = { kind, quality };
  }
  return best?.kind ?? "plain";
}

const escapeHtml = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#x27;");

/** The body of an error as Glance makes it, in the form that the request's Accept header asks for. */
export function renderError(error: HttpError, request: IncomingMessage): { type: string; body: string } {
  const { code, text } = error;
  const [title, explanation] = EXPLANATIONS[code] ?? ["Error", ""];
  const status = `${code} ${title}`;
  const kind = preferred(request.headers.accept ?? "");
  const safe = kind === "html" ? escapeHtml : (value: string) => value;
  const detail = safe(text.detail ?? "");
  let message = `${safe(text.explanation ?? explanation)}<br /><br />\n${detail}\n\n`;
  if (code === 415) {
    const sent = safe(request.headers["content-type"] ?? "");
    message = `The request media type ${sent} is not supported by this server.\n<br /><br />\n${detail}`;
  }
  if (code === 405) {
    message =
      text.explanation ?? `The method ${request.method} is not allowed for this resource. <br /><br />\n${detail}`;
  }
  if (kind === "html") {
    const body = `<html>\n <head>\n  <title>${status}</title>\n </head>\n <body>\n  <h1>${status}</h1>\n  ${message}\n </body>\n</html>`;
    return { type: "text/html; charset=UTF-8", body };
  }
  if (kind === "json") return { type: "application/json", body: JSON.stringify({ message, code: status, title }) };
  const plain = message
    .replaceAll("\n", " ")
    .replace(/<br.*?>/gis, "\n")
    .replace(/<.*?>/gs, "");
  return { type: "text/plain; charset=UTF-8", body: `${status}\n\n${plain}` };
}
