import type { FastifyInstance } from "fastify";
import { forbidden, notFound, unprocessable } from "../errors.ts";
import { paged } from "../page.ts";
import { caller, idParam, objectBody, route, visibleImage, type World } from "../world.ts";
import { wireAction } from "./actions.ts";
import { availableRegion, ownImage } from "./images.ts";

/** GET, POST /v2/images/{id}/actions; GET /v2/images/{id}/actions/{action_id} */
export function imageActionRoutes(app: FastifyInstance, world: World): void {
  const ofImage = (owner: string, id: number) =>
    world.state.actions.filter(it => it.owner === owner && it.resource_type === "image" && it.resource_id === id);

  route(app, "POST", "/v2/images/:image/actions", (request, reply) => {
    const account = caller(world, request);
    const image = visibleImage(world, account, idParam(request, "image"));
    const body = objectBody(request);
    if (body.type !== "convert" && body.type !== "transfer") throw unprocessable("type must be convert or transfer.");
    const common = { owner: account.uuid, type: body.type, resource_id: image.id, resource_type: "image" as const };

    if (body.type === "convert") {
      if (image.owner === null || image.type === "base") throw unprocessable("This image cannot be converted.");
      const action = world.beginAction({ ...common, region_slug: image.regions[0] ?? "nyc3" });
      return reply.status(201).send({ action: wireAction(action) });
    }
    if (image.owner === null) throw forbidden();
    const region = availableRegion(body.region);
    if (image.status !== "available") throw unprocessable("The image is not available yet.");
    if (image.regions.includes(region)) throw unprocessable("The image is already available in this region.");
    const same = ofImage(account.uuid, image.id).some(
      it => it.status === "in-progress" && it.region_slug === region && it.type === "transfer",
    );
    if (same) throw unprocessable("A transfer to this region is already in progress.");
    return reply.status(201).send({ action: wireAction(world.beginAction({ ...common, region_slug: region })) });
  });

  route(app, "GET", "/v2/images/:image/actions", request => {
    const image = ownImage(world, request);
    return paged(request, "actions", ofImage(image.owner ?? "", image.id).reverse(), wireAction);
  });

  route(app, "GET", "/v2/images/:image/actions/:action", request => {
    const image = ownImage(world, request);
    const id = idParam(request, "action");
    const action = ofImage(image.owner ?? "", image.id).find(it => it.id === id);
    if (!action) throw notFound();
    return { action: wireAction(action) };
  });
}
