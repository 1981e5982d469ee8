import type { FastifyInstance } from "fastify";
import { paged } from "../page.ts";
import { REGIONS } from "../regions.ts";
import { route, type World } from "../world.ts";

/** GET /v2/regions */
export function regionRoutes(app: FastifyInstance, _world: World): void {
  route(app, "GET", "/v2/regions", request => paged(request, "regions", [...REGIONS.values()], it => it));
}
