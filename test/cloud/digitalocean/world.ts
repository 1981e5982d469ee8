import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { notFound, unauthorized, unprocessable } from "./errors.ts";
import type { DigitalOceanSettings } from "./index.ts";
import type { Account, Action, Image, State } from "./state.ts";

/** What all routes share. */
export interface World {
  state: State;
  settings: DigitalOceanSettings;
  clock(): Date;
  /** Has the state saved. */
  changed(): void;
  /** Starts what an image in NEW or pending waits for. */
  beginImport(image: Image): void;
  /** Starts an action: it ends after settings.taskTime. */
  beginAction(action: Omit<Action, "id" | "status" | "started_at" | "completed_at">): Action;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Adds a route that answers with and without a slash at the end, as some clients send one. */
export function route(
  app: FastifyInstance,
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  url: string,
  handler: Handler,
) {
  for (const path of [url, `${url}/`])
    app.route({ method, url: path, handler: async (request, reply) => handler(request, reply) });
}

/** The token in the Authorization header. */
export function bearer(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

/**
 * Whose token it is.
 * @throws ApiError 401
 */
export function caller(world: World, request: FastifyRequest): Account {
  const token = bearer(request);
  const account = world.state.accounts.find(it => it.token === token || it.moreTokens?.includes(token ?? ""));
  if (!account) throw unauthorized();
  return account;
}

/** A path parameter. */
export function param(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? "";
}

/**
 * A path parameter that is a number.
 * @throws ApiError 404 when it is none
 */
export function idParam(request: FastifyRequest, name: string): number {
  const text = param(request, name);
  if (!/^\d{1,15}$/.test(text)) throw notFound();
  return Number(text);
}

/** The query's parameters; of one that is given twice, the last. */
export function query(request: FastifyRequest): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.query as Record<string, string | string[]>)) {
    out[name] = Array.isArray(value) ? (value.at(-1) ?? "") : value;
  }
  return out;
}

/**
 * The body, which must be a JSON object.
 * @throws ApiError 422
 */
export function objectBody(request: FastifyRequest): Record<string, unknown> {
  const body = request.body;
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw unprocessable("The body must be an object.");
  return body as Record<string, unknown>;
}

/** Where the client found us: its Host header, so that links lead back through the same address. */
export function base(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

/** The image, if the account may see it: its own, or a public one. */
export function visibleImage(world: World, account: Account, id: number): Image {
  const image = world.state.images.find(it => it.id === id && (it.owner === account.uuid || it.owner === null));
  if (!image) throw notFound();
  return image;
}
