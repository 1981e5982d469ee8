import type { FastifyInstance, FastifyRequest } from "fastify";
import { MAX_LIMIT } from "./choices.ts";
import { badBody } from "./errors.ts";
import type { Instance, PrivateImage, State } from "./state.ts";
import { wireResource } from "./wire.ts";

/** The body of a query, as far as it is looked at. */
interface Query {
  selected_resource_type?: string;
  scopes: string[];
  filters: unknown[];
  offset: number;
  limit: number;
  order_by: string;
  tags?: unknown[];
  badges?: unknown[];
  cursor?: string;
}

const TYPES = ["instance", "privateimage"] as const;

/**
 * POST /v2/public/resource/query, and /v3/public/resource/etl-query with a cursor.
 * Scopes are ids of cloud accounts; filters, tags and badges are refused when there are any, as nothing says what they look like.
 */
export function queryRoutes(app: FastifyInstance, seenBy: (request: FastifyRequest) => State): void {
  app.post("/v2/public/resource/query", request => {
    const { page, ...rest } = run(seenBy(request), check(request.body, MAX_LIMIT.v2), 0);
    return { ...rest, resources: page };
  });

  app.post("/v3/public/resource/etl-query", request => {
    const body = check(request.body, MAX_LIMIT.v3);
    const { page, total, ...rest } = run(seenBy(request), body, body.cursor ? readCursor(body.cursor) : 0);
    const end = rest.offset + page.length;
    return { ...rest, resources: page, next_cursor: end < total ? writeCursor(end) : null };
  });
}

function run(state: State, query: Query, start: number) {
  const inScope = (resource: { organization_service_id: number }) =>
    query.scopes.length === 0 ||
    query.scopes.some(it => it.replace(/:$/, "") === `divvyorganizationservice:${resource.organization_service_id}`);
  const all = { instance: state.instances.filter(inScope), privateimage: state.images.filter(inScope) };
  const selected = TYPES.filter(
    type => query.selected_resource_type === undefined || type === query.selected_resource_type,
  );
  const found = selected.flatMap<Instance | PrivateImage>(type => all[type]);
  const key = query.order_by as keyof (Instance | PrivateImage);
  if (query.order_by !== "") found.sort((a, b) => String(a[key]).localeCompare(String(b[key])));
  const offset = query.offset + start;
  return {
    counts: { instance: all.instance.length, privateimage: all.privateimage.length },
    page: found.slice(offset, offset + query.limit).map(it => wireResource(state, it)),
    total: found.length,
    selected_resource_type: query.selected_resource_type ?? null,
    supported_types: TYPES,
    scopes: query.scopes,
    filters: query.filters,
    limit: query.limit,
    offset,
    order_by: query.order_by,
  };
}

function check(body: unknown, max: number): Query {
  const query = (body ?? {}) as Partial<Query>;
  for (const key of ["scopes", "filters"] as const)
    if (!Array.isArray(query[key])) throw badBody(`${key} must be a list.`);
  for (const key of ["filters", "tags", "badges"] as const) {
    if (query[key] !== undefined && (!Array.isArray(query[key]) || query[key].length > 0)) {
      throw badBody(`${key} are not supported.`);
    }
  }
  if (!Number.isInteger(query.offset) || (query.offset ?? -1) < 0) throw badBody("offset must be 0 or more.");
  const limit = query.limit ?? 0;
  if (!Number.isInteger(limit) || limit < 1 || limit > max) throw badBody(`limit must be 1 to ${max}.`);
  if (!["", "name", "region_name", "created", "modified", "resource_id"].includes(query.order_by ?? "?")) {
    throw badBody("order_by is missing, or unknown.");
  }
  const type = query.selected_resource_type;
  if (type !== undefined && !TYPES.some(it => it === type)) throw badBody("selected_resource_type is unknown.");
  return query as Query;
}

const writeCursor = (position: number) => Buffer.from(String(position)).toString("base64url");

function readCursor(text: string): number {
  const position = Number(Buffer.from(text, "base64url").toString());
  if (!Number.isInteger(position)) throw badBody("cursor is not one of ours.");
  return position;
}
