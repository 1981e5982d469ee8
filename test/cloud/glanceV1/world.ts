import type { FastifyRequest } from "fastify";
import type { Blobs } from "../blobs.ts";
import type { Identity } from "../keystone/identity.ts";
import { forbidden, HttpError, noImage } from "./errors.ts";
import type { GlanceV1Settings } from "./index.ts";
import type { Image, State } from "./state.ts";

/** What all routes share. */
export interface World {
  state: State;
  blobs: Blobs;
  identity: Identity;
  settings: GlanceV1Settings;
  /** Keystone's address, for who comes without a token. */
  keystoneUrl: string;
  clock(): Date;
  changed(): void;
  log(line: string): void;
  /** Ends when the cloud stops. */
  stopped: AbortSignal;
  /** Runs work that goes on after an answer, and is waited for when the cloud stops. */
  later(work: () => Promise<void>): void;
}

/** Who asks. */
export interface Caller {
  name: string;
  projectId: string;
  admin: boolean;
}

/**
 * Who asks, by the token.
 * @throws HttpError 401 without a good token of a project
 */
export function caller(world: World, request: FastifyRequest): Caller {
  const header = request.headers["x-auth-token"];
  const token = world.identity.validate(Array.isArray(header) ? header[0] : header);
  if (!token?.projectId) {
    const headers = { "www-authenticate": `Keystone uri="${world.keystoneUrl}"` };
    throw new HttpError(401, "Authentication required", { headers });
  }
  const name = world.identity.user(token.userId)?.name ?? token.userId;
  return { name, projectId: token.projectId, admin: token.roles.includes("admin") };
}

/** Whether somebody may see an image: it is public, theirs, or shared with them. */
export function visible(image: Image, who: Caller): boolean {
  return who.admin || image.is_public || image.owner === who.projectId || isMember(image, who);
}

const isMember = (image: Image, who: Caller) => image.members.some(it => it.member_id === who.projectId);

/**
 * The image of the path's id.
 * @throws HttpError 404 when it isn't there, is deleted, or isn't the caller's to see
 */
export function findImage(world: World, request: FastifyRequest, who: Caller): Image {
  const { id } = request.params as { id: string };
  const image = world.state.images.find(it => it.id === id && !it.deleted && visible(it, who));
  if (!image) throw noImage(id);
  return image;
}

/**
 * The same, of an image that the caller may change.
 * @throws HttpError 404; 403 for an image of somebody else
 */
export function ownImage(world: World, request: FastifyRequest, who: Caller): Image {
  const image = findImage(world, request, who);
  if (!who.admin && image.owner !== who.projectId) throw forbidden("You do not own this image");
  return image;
}
