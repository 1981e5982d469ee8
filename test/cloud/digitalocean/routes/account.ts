import type { FastifyInstance } from "fastify";
import { forbidden } from "../errors.ts";
import { caller, route, type World } from "../world.ts";

/** GET /v2/account: the user, and the team that owns what the token shows. */
export function accountRoutes(app: FastifyInstance, world: World): void {
  route(app, "GET", "/v2/account", request => {
    if (!world.settings.accountScope) throw forbidden();
    const { name, email, uuid } = caller(world, request);
    return {
      account: {
        droplet_limit: 25,
        floating_ip_limit: 5,
        email,
        name,
        // A user has a uuid of its own; images belong to the team.
        uuid: uuid.split("-").reverse().join("-"),
        email_verified: true,
        status: "active",
        status_message: "",
        team: { uuid, name },
      },
    };
  });
}
