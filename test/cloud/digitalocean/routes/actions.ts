import type { FastifyInstance } from "fastify";
import { notFound } from "../errors.ts";
import { paged } from "../page.ts";
import { REGIONS } from "../regions.ts";
import type { Action } from "../state.ts";
import { caller, idParam, route, type World } from "../world.ts";

/** GET /v2/actions, newest first (a client that wants the last one takes the first of the list); GET /v2/actions/{id} */
export function actionRoutes(app: FastifyInstance, world: World): void {
  route(app, "GET", "/v2/actions", request => {
    const { uuid } = caller(world, request);
    return paged(request, "actions", world.state.actions.filter(it => it.owner === uuid).reverse(), wireAction);
  });

  route(app, "GET", "/v2/actions/:action", request => {
    const { uuid } = caller(world, request);
    const id = idParam(request, "action");
    const action = world.state.actions.find(it => it.owner === uuid && it.id === id);
    if (!action) throw notFound();
    return { action: wireAction(action) };
  });
}

/** An action as it is served. */
export function wireAction(action: Action) {
  const { id, status, type, started_at, completed_at, resource_id, resource_type, region_slug } = action;
  const region = REGIONS.get(region_slug);
  return { id, status, type, started_at, completed_at, resource_id, resource_type, region, region_slug };
}
