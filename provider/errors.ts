import { redact } from "./redaction.ts";
import type { ImageFacts } from "./services/service.ts";

/** What went wrong, as a word that a program can test. */
export type ErrorCode =
  | "invalid" // the program's own input
  | "configuration" // a connection's settings
  | "unauthorized" // the service doesn't know who we are
  | "forbidden"
  | "not-found"
  | "conflict"
  | "unsupported" // the service can't do it
  | "rejected" // the service refused the request (another 4xx)
  | "unavailable" // the service, or the way to it, failed
  | "timeout"
  | "content" // the image data isn't what it should be
  | "failed" // an asynchronous job of the service ended badly
  | "interrupted";

export interface ErrorDetails {
  /** The service that was asked. */
  service?: string;
  /** `METHOD /path?query`, without host, header or token. */
  request?: string;
  /** HTTP status of the answer. */
  status?: number;
  /** The service's own id of the request, for its operator (x-openstack-request-id and its like). */
  requestId?: string;
  /** What the user can do about it. */
  hint?: string;
  cause?: unknown;
}

/** Every error of this provider: what happened, in which request, and what to do. Its message is free of secrets. */
export class ImagesError extends Error {
  override name = "ImagesError";
  readonly code: ErrorCode;
  readonly service: string | undefined;
  readonly request: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(redact(describe(message, details)), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.service = details.service;
    this.request = details.request === undefined ? undefined : redact(details.request);
    this.status = details.status;
    this.requestId = details.requestId === undefined ? undefined : redact(details.requestId);
    this.hint = details.hint;
    // The engine's provider process prints a thrown error with its stack before the engine shows its message: the frames say nothing to a user.
    if (!showsStacks()) this.stack = this.code;
  }

  /** Short, for the same reason: the message follows. */
  override toString(): string {
    return this.name;
  }
}

/** Whether errors show where in the code they come from: for whoever develops this package, or reports a defect. */
export function showsStacks(): boolean {
  return process.env.PULUMI_IMAGES_DEBUG === "1";
}

function describe(message: string, { service, request, status, requestId, hint }: ErrorDetails): string {
  const answer = status === undefined ? "" : ` answered ${status}`;
  const where =
    request === undefined
      ? ""
      : ` [${service ?? "request"}: ${request}${answer}${requestId ? `, request id ${requestId}` : ""}]`;
  return `${message}${where}${hint ? `. ${hint}` : ""}`;
}

/** A create or update that ended before it was done, and left something that the state has to know of. */
export class UnfinishedError extends ImagesError {
  override name = "UnfinishedError";
  readonly facts: ImageFacts;

  constructor(cause: unknown, facts: ImageFacts) {
    const known = cause instanceof ImagesError;
    super(
      known ? cause.code : "failed",
      `${known ? cause.message : String(cause)}. What was made so far is kept; the next up goes on with it`,
      {
        cause,
      },
    );
    this.facts = facts;
  }
}
