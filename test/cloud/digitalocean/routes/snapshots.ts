import type { FastifyInstance, FastifyRequest } from "fastify";
import { badRequest, notFound, unprocessable } from "../errors.ts";
import { paged } from "../page.ts";
import { type Image, removeImage, tagsOf, untagEverywhere, type VolumeSnapshot } from "../state.ts";
import { caller, param, query, route, type World } from "../world.ts";

/** GET /v2/snapshots; GET, DELETE /v2/snapshots/{id}. A droplet's snapshot is an image: its id here is the image's id as text. */
export function snapshotRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;

  route(app, "GET", "/v2/snapshots", request => {
    const { uuid } = caller(world, request);
    const type = query(request).resource_type;
    if (type !== undefined && type !== "droplet" && type !== "volume")
      throw unprocessable("resource_type must be droplet or volume.");
    const ofDroplets = state.images
      .filter(it => it.owner === uuid && isDropletSnapshot(it))
      .map(it => wireDropletSnapshot(it));
    const ofVolumes = state.volumeSnapshots.filter(it => it.owner === uuid).map(wireVolumeSnapshot);
    const all = [...(type === "volume" ? [] : ofDroplets), ...(type === "droplet" ? [] : ofVolumes)];
    return paged(request, "snapshots", all, it => it);
  });

  route(app, "GET", "/v2/snapshots/:snapshot", request => {
    const found = find(request);
    return { snapshot: "volumeId" in found ? wireVolumeSnapshot(found) : wireDropletSnapshot(found) };
  });

  route(app, "DELETE", "/v2/snapshots/:snapshot", (request, reply) => {
    const found = find(request);
    if ("volumeId" in found) {
      state.volumeSnapshots.splice(state.volumeSnapshots.indexOf(found), 1);
      untagEverywhere(state, "volume_snapshot", found.id);
    } else {
      removeImage(state, found);
    }
    world.changed();
    return reply.status(204).send();
  });

  function find(request: FastifyRequest): Image | VolumeSnapshot {
    const { uuid } = caller(world, request);
    const id = param(request, "snapshot");
    const volume = state.volumeSnapshots.find(it => it.owner === uuid && it.id === id);
    if (volume) return volume;
    const image = state.images.find(it => it.owner === uuid && String(it.id) === id);
    if (!image) throw notFound();
    if (!isDropletSnapshot(image)) throw badRequest("the resource is not a snapshot");
    return image;
  }

  function wireDropletSnapshot(image: Image) {
    const { name, created_at, regions, min_disk_size, size_gigabytes } = image;
    const id = String(image.id);
    const tags = tagsOf(state, "image", id);
    const resource_id = String(image.dropletId ?? "");
    return {
      id,
      name,
      created_at,
      regions,
      resource_id,
      resource_type: "droplet",
      min_disk_size,
      size_gigabytes,
      tags,
    };
  }

  function wireVolumeSnapshot(snapshot: VolumeSnapshot) {
    const { id, name, created_at, regions, min_disk_size, size_gigabytes, volumeId } = snapshot;
    const tags = tagsOf(state, "volume_snapshot", id);
    return {
      id,
      name,
      created_at,
      regions,
      resource_id: volumeId,
      resource_type: "volume",
      min_disk_size,
      size_gigabytes,
      tags,
    };
  }
}

const isDropletSnapshot = (image: Image) => image.type === "snapshot" && image.status === "available";
