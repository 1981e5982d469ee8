import type { FastifyInstance, FastifyRequest } from "fastify";
import { notFound, unprocessable } from "../errors.ts";
import { paged } from "../page.ts";
import type { Droplet, Image } from "../state.ts";
import { caller, idParam, objectBody, route, type World } from "../world.ts";
import { wireAction } from "./actions.ts";

/** Of these only snapshot, rename and the power actions change anything: the others just run their course. */
const TYPES = [
  "enable_backups",
  "disable_backups",
  "change_backup_policy",
  "reboot",
  "power_cycle",
  "shutdown",
  "power_off",
  "power_on",
  "restore",
  "password_reset",
  "resize",
  "rebuild",
  "rename",
  "change_kernel",
  "enable_ipv6",
  "snapshot",
];

/** GET, POST /v2/droplets/{id}/actions; GET /v2/droplets/{id}/actions/{action_id}, /snapshots and /backups */
export function dropletRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;
  const ofDroplet = (droplet: Droplet) =>
    state.actions.filter(
      it => it.owner === droplet.owner && it.resource_type === "droplet" && it.resource_id === droplet.id,
    );

  route(app, "POST", "/v2/droplets/:droplet/actions", (request, reply) => {
    const droplet = ownDroplet(request);
    const { type, name } = objectBody(request);
    if (typeof type !== "string" || !TYPES.includes(type)) throw unprocessable("type is not an action of droplets.");
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw unprocessable("name must be a text that is not empty.");
    if (type === "rename" && name === undefined) throw unprocessable("name is missing.");
    if (ofDroplet(droplet).some(it => it.status === "in-progress")) {
      throw unprocessable("Droplet already has a pending event.");
    }
    const action = world.beginAction({
      owner: droplet.owner,
      type,
      resource_id: droplet.id,
      resource_type: "droplet",
      region_slug: droplet.region,
      ...(typeof name === "string" && { name }),
    });
    return reply.status(201).send({ action: wireAction(action) });
  });

  route(app, "GET", "/v2/droplets/:droplet/actions", request =>
    paged(request, "actions", ofDroplet(ownDroplet(request)).reverse(), wireAction),
  );

  route(app, "GET", "/v2/droplets/:droplet/actions/:action", request => {
    const id = idParam(request, "action");
    const action = ofDroplet(ownDroplet(request)).find(it => it.id === id);
    if (!action) throw notFound();
    return { action: wireAction(action) };
  });

  for (const type of ["snapshot", "backup"] as const) {
    route(app, "GET", `/v2/droplets/:droplet/${type}s`, request => {
      const droplet = ownDroplet(request);
      const images = state.images.filter(
        it => it.dropletId === droplet.id && it.type === type && it.owner === droplet.owner,
      );
      return paged(request, `${type}s`, images, wireDropletImage);
    });
  }

  function ownDroplet(request: FastifyRequest): Droplet {
    const { uuid } = caller(world, request);
    const id = idParam(request, "droplet");
    const droplet = state.droplets.find(it => it.id === id && it.owner === uuid);
    if (!droplet) throw notFound();
    return droplet;
  }
}

/** A backup is served with more of the image than a snapshot is. */
function wireDropletImage(image: Image) {
  const { id, name, regions, created_at, min_disk_size, size_gigabytes, type, distribution, slug } = image;
  const backup = type === "backup" ? { distribution, slug, public: false } : {};
  return { id, name, ...backup, regions, created_at, min_disk_size, size_gigabytes, type };
}
