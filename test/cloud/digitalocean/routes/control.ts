import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { notFound, unprocessable } from "../errors.ts";
import { REGIONS } from "../regions.ts";
import { type Account, type Image, newDroplet, newDropletImage, newToken, timestamp } from "../state.ts";
import { idParam, objectBody, param, route, type World } from "../world.ts";
import { wireImage } from "./images.ts";

/** Where the local cloud's own routes begin. They are not DigitalOcean's: no token, and not counted against any limit. */
export const CONTROL = "/_control";

/**
 * What happens to an account without the Image API: droplets come and go, backups are made, DigitalOcean copies an image elsewhere.
 *
 * - POST /_control/{account}/droplets `{name?, region?, distribution?, disk?}` → 201 the droplet
 * - DELETE /_control/droplets/{id} → 204
 * - POST /_control/droplets/{id}/backups `{name?}` → 201 the image
 * - POST /_control/images/{id}/regions `{region}`: the image appears in one more region → 200 the image
 * - DELETE /_control/images/{id}/regions/{region}: the image is lost in that region → 200 the image
 * - PATCH /_control/images/{id} any of `{status, error_message, name, description, distribution}` → 200 the image
 * - DELETE /_control/images/{id}/transfers: what the control panel does with a pending offer → 204
 * - POST /_control/{account}/volume_snapshots `{name, region?}` → 201 the snapshot
 * - POST /_control/{account}/member_of `{account}`: it may accept transfers there, so that they need no acceptance → 204
 * - POST /_control/{account}/tokens: one more token of the account, with limits of its own → 201 `{token}`
 *
 * `{account}` is sender or recipient.
 */
export function controlRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;

  route(app, "POST", `${CONTROL}/:account/droplets`, (request, reply) => {
    const droplet = newDroplet(state, account(param(request, "account")), objectBody(request));
    world.changed();
    return reply.status(201).send(droplet);
  });

  route(app, "DELETE", `${CONTROL}/droplets/:droplet`, (request, reply) => {
    const droplet = state.droplets.find(it => it.id === idParam(request, "droplet"));
    if (!droplet) throw notFound();
    state.droplets.splice(state.droplets.indexOf(droplet), 1);
    world.changed();
    return reply.status(204).send();
  });

  route(app, "POST", `${CONTROL}/droplets/:droplet/backups`, (request, reply) => {
    const droplet = state.droplets.find(it => it.id === idParam(request, "droplet"));
    if (!droplet) throw notFound();
    const created_at = timestamp(world.clock());
    const { name } = objectBody(request);
    const image = newDropletImage(state, droplet, {
      type: "backup",
      name: typeof name === "string" ? name : `${droplet.name} ${created_at.slice(0, 10)}`,
      created_at,
    });
    world.changed();
    return reply.status(201).send(wireImage(world, image));
  });

  route(app, "POST", `${CONTROL}/images/:image/regions`, request => {
    const image = findImage(request);
    const { region } = objectBody(request);
    if (typeof region !== "string" || !REGIONS.has(region)) throw unprocessable("Region is not valid.");
    if (!image.regions.includes(region)) image.regions.push(region);
    world.changed();
    return wireImage(world, image);
  });

  route(app, "DELETE", `${CONTROL}/images/:image/regions/:region`, request => {
    const image = findImage(request);
    image.regions = image.regions.filter(region => region !== param(request, "region"));
    world.changed();
    return wireImage(world, image);
  });

  route(app, "DELETE", `${CONTROL}/images/:image/transfers`, (request, reply) => {
    const { id } = findImage(request);
    for (const transfer of state.transfers)
      if (transfer.imageId === id && transfer.status === "pending") transfer.status = "canceled";
    world.changed();
    return reply.status(204).send();
  });

  route(app, "PATCH", `${CONTROL}/images/:image`, request => {
    const image = findImage(request);
    const { status, error_message, name, description, distribution } = objectBody(request) as Partial<Image>;
    for (const [key, value] of Object.entries({ status, error_message, name, description, distribution })) {
      if (value !== undefined) Object.assign(image, { [key]: value });
    }
    world.changed();
    return wireImage(world, image);
  });

  route(app, "POST", `${CONTROL}/:account/volume_snapshots`, (request, reply) => {
    const { name, region } = objectBody(request) as { name?: string; region?: string };
    const snapshot = {
      id: randomUUID(),
      owner: account(param(request, "account")).uuid,
      name: name ?? "volume-snapshot",
      created_at: timestamp(world.clock()),
      regions: [region ?? "nyc3"],
      min_disk_size: 2,
      size_gigabytes: 0.1,
      volumeId: randomUUID(),
    };
    state.volumeSnapshots.push(snapshot);
    world.changed();
    return reply.status(201).send(snapshot);
  });

  route(app, "POST", `${CONTROL}/:account/member_of`, (request, reply) => {
    account(param(request, "account")).memberOf.push(account(String(objectBody(request).account)).uuid);
    world.changed();
    return reply.status(204).send();
  });

  route(app, "POST", `${CONTROL}/:account/tokens`, (request, reply) => {
    const owner = account(param(request, "account"));
    const token = newToken();
    owner.moreTokens = [...(owner.moreTokens ?? []), token];
    world.changed();
    return reply.status(201).send({ token });
  });

  function account(name: string): Account {
    const found = state.accounts.find(it => it.name === name);
    if (!found) throw notFound();
    return found;
  }

  function findImage(request: FastifyRequest): Image {
    const id = idParam(request, "image");
    const image = state.images.find(it => it.id === id);
    if (!image) throw notFound();
    return image;
  }
}
