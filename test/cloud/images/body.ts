import type { IncomingMessage } from "node:http";
import { HttpError } from "./errors.ts";

/** The largest JSON body that is read, in bytes. */
const MAX_JSON = 4 * 1024 * 1024;

/** Whether a request announces a body. */
export function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && Number(length) > 0);
}

/** @throws HttpError 400 where no body belongs and there is one */
export function rejectBody(request: IncomingMessage): void {
  if (hasBody(request)) throw new HttpError(400, "A body is not expected with this request.");
}

/** @throws HttpError 400 when the body is missing or isn't JSON, 413 when it is too large */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!hasBody(request)) throw new HttpError(400, "Body expected in request.");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_JSON) throw new HttpError(413, "Request is too large.");
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new HttpError(400, "Malformed JSON in request body.");
  }
  if (typeof value !== "object" || value === null) {
    throw new HttpError(400, "Unexpected body type. Expected list/dict.");
  }
  return value;
}

/** The media type of the body, without its parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** @throws HttpError 415 unless the body is announced as plain data */
export function mustBeData(request: IncomingMessage): void {
  const type = mediaType(request);
  if (type !== "application/octet-stream") {
    throw new HttpError(415, { detail: `Invalid content type ${request.headers["content-type"] ?? ""}` });
  }
}
