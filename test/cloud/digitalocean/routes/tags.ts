import type { FastifyInstance, FastifyRequest } from "fastify";
import { badRequest, notFound, unprocessable } from "../errors.ts";
import { paged } from "../page.ts";
import { applyTag, ensureTag, type ResourceType, removeTag, type Tag } from "../state.ts";
import { base, caller, objectBody, param, route, type World } from "../world.ts";

const NAME = /^[a-zA-Z0-9_\-:]{1,255}$/;
const TYPES = ["droplet", "image", "volume", "volume_snapshot"];

/** GET, POST /v2/tags; GET, DELETE /v2/tags/{name}; POST, DELETE /v2/tags/{name}/resources */
export function tagRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;

  route(app, "GET", "/v2/tags", request => {
    const { uuid } = caller(world, request);
    const tags = state.tags.filter(it => it.owner === uuid);
    return paged(request, "tags", tags, tag => wireTag(request, tag));
  });

  route(app, "POST", "/v2/tags", (request, reply) => {
    const { uuid } = caller(world, request);
    const { name } = objectBody(request);
    if (typeof name !== "string" || !NAME.test(name)) {
      // Of all errors only this one has this document.
      const error = `Error validating resource tag: "${name} contains invalid characters"`;
      const causes = [`rpc error: code = InvalidArgument desc = ${error}`];
      return reply
        .status(400)
        .header("x-request-id", crypto.randomUUID())
        .send({ error, messages: null, root_causes: causes });
    }
    const tag = ensureTag(state, uuid, name);
    world.changed();
    return reply.status(201).send({ tag: wireTag(request, tag) });
  });

  route(app, "GET", "/v2/tags/:tag", request => ({ tag: wireTag(request, findTag(request)) }));

  route(app, "DELETE", "/v2/tags/:tag", (request, reply) => {
    state.tags.splice(state.tags.indexOf(findTag(request)), 1);
    world.changed();
    return reply.status(204).send();
  });

  for (const [method, change] of [
    ["POST", applyTag],
    ["DELETE", removeTag],
  ] as const) {
    route(app, method, "/v2/tags/:tag/resources", (request, reply) => {
      const tag = findTag(request);
      for (const { resource_type, resource_id } of findResources(request)) change(tag, resource_type, resource_id);
      world.changed();
      return reply.status(204).send();
    });
  }

  /** The tag of the path. Its capitalization counts. */
  function findTag(request: FastifyRequest): Tag {
    const { uuid } = caller(world, request);
    const name = param(request, "tag");
    const tag = state.tags.find(it => it.owner === uuid && it.name === name);
    if (!tag) throw notFound();
    return tag;
  }

  /** The body's resources, which must all be the caller's own. */
  function findResources(request: FastifyRequest): { resource_id: string; resource_type: ResourceType }[] {
    const { uuid } = caller(world, request);
    const { resources } = objectBody(request);
    if (!Array.isArray(resources)) throw badRequest("resources must be a list");
    return resources.map(({ resource_id, resource_type }: { resource_id?: unknown; resource_type?: unknown }) => {
      if (typeof resource_id !== "string") throw unprocessable("resource_id must be a text.");
      if (!TYPES.includes(resource_type as string))
        throw unprocessable(`resource_type must be one of ${TYPES.join(", ")}.`);
      const things = {
        image: state.images,
        droplet: state.droplets,
        volume_snapshot: state.volumeSnapshots,
        volume: [],
      };
      const type = resource_type as ResourceType;
      if (!things[type].some(it => String(it.id) === resource_id && it.owner === uuid)) throw notFound();
      return { resource_id, resource_type: type };
    });
  }
}

/**
 * A tag's name, checked.
 * @throws ApiError 422
 */
export function tagName(value: unknown): string {
  if (typeof value !== "string" || !NAME.test(value)) {
    throw unprocessable("Tags may contain letters, numbers, colons, dashes, and underscores, 255 at most.");
  }
  return value;
}

function wireTag(request: FastifyRequest, tag: Tag) {
  const paths: Record<ResourceType, string> = {
    droplet: "droplets",
    image: "images",
    volume: "volumes",
    volume_snapshot: "snapshots",
  };
  const statistics = (resources: Tag["resources"]) => {
    const last = resources.at(-1);
    const uri = last && `${base(request)}/v2/${paths[last.resource_type]}/${last.resource_id}`;
    return { count: resources.length, ...(uri && { last_tagged_uri: uri }) };
  };
  const of = (type: ResourceType) => statistics(tag.resources.filter(it => it.resource_type === type));
  return {
    name: tag.name,
    resources: {
      ...statistics(tag.resources),
      droplets: of("droplet"),
      images: of("image"),
      volumes: of("volume"),
      volume_snapshots: of("volume_snapshot"),
      databases: statistics([]),
    },
  };
}
