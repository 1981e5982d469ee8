import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServiceContext } from "../service.ts";
import type { Store } from "../store.ts";
import { AMAZON, DELETE_ANSWER, SNAPSHOT_PENDING, STATUS } from "./choices.ts";
import { ApiError, badBody, missing } from "./errors.ts";
import type { DivvyCloudSettings } from "./index.ts";
import type { Jobs } from "./jobs.ts";
import { type Instance, newImage, type PrivateImage, type State, timestamp } from "./state.ts";
import { caller, userId } from "./users.ts";
import { wireCloud, wireResource } from "./wire.ts";

/** What is done to one resource, or to a list of them. */
export function resourceRoutes(
  app: FastifyInstance,
  context: ServiceContext<DivvyCloudSettings>,
  store: Store<State>,
  jobs: Jobs,
) {
  const state = store.data;
  const { images, instances, groups, notes } = state;

  const find = (id: unknown): PrivateImage | Instance => {
    const found = [...images, ...instances].find(it => it.resource_id === id);
    if (!found) throw missing();
    return found;
  };
  const ofPath = (request: FastifyRequest) => find((request.params as { id: string }).id);
  const ids = (body: Record<string, unknown>, key: string): string[] => {
    const list = body[key];
    if (!Array.isArray(list) || list.length === 0) throw badBody(`${key} must be a list of ids.`);
    return list as string[];
  };
  /** The body of a change, which only those may ask for who may change things. */
  const change = (request: FastifyRequest): Record<string, unknown> => {
    const user = caller(context, store, request);
    if (!user.admin) throw new ApiError(STATUS.noPermission, "forbidden", "You may not change resources.");
    if (typeof request.body !== "object" || request.body === null) throw badBody("The body must be an object.");
    return request.body as Record<string, unknown>;
  };
  const name = (body: Record<string, unknown>): string => {
    if (typeof body.name !== "string" || body.name === "") throw badBody("name is missing.");
    return body.name;
  };

  app.get("/v2/public/resource/:id/detail", request => ({
    dependencies: {},
    details: wireResource(state, ofPath(request)),
  }));

  app.get("/v2/public/resource/:id/tags/list", request => ({
    resource_tags: Object.entries(ofPath(request).tags).map(([key, value]) => ({ key, value })),
  }));

  app.post("/v2/prototype/resources/delete", request => {
    const found = ids(change(request), "resource_ids").map(find);
    for (const it of found) {
      if (!("image_id" in it)) throw badBody("Only private images can be deleted.");
      it.deleting = true;
      jobs.remove(it);
    }
    store.changed();
    return DELETE_ANSWER;
  });

  app.post("/v2/prototype/resource/:id/name/set", request => {
    const body = change(request);
    Object.assign(ofPath(request), { name: name(body), modified: timestamp(context.clock()) });
    store.changed();
    return {};
  });

  app.post("/v2/public/instance/:id/snapshot/create", (request, reply) => {
    const body = change(request);
    const instance = instances.find(it => it === ofPath(request));
    const cloud = state.clouds.find(it => it.id === instance?.organization_service_id);
    if (!instance || !cloud) throw missing();
    if (cloud.cloud_type_id === AMAZON) {
      throw new ApiError(STATUS.notImplemented, "not_implemented", "Not implemented by Amazon.");
    }
    const given = {
      name: name(body),
      state: SNAPSHOT_PENDING,
      root_device_type: "snapshot",
      region_name: instance.region_name,
    } as const;
    jobs.complete(newImage(state, cloud, given, timestamp(context.clock())));
    store.changed();
    return reply.status(200).send();
  });

  app.post("/v2/public/resource/owner/set", request => {
    const body = change(request);
    const owner = state.users.map(userId).find(it => it === body.owner_resource_id);
    if (!owner) throw missing();
    for (const resource of ids(body, "resource_ids").map(find)) resource.owner = owner;
    store.changed();
    return {};
  });

  app.post("/v2/public/resource/:id/notes/create", request => {
    const { note_text } = change(request);
    if (typeof note_text !== "string") throw badBody("note_text is missing.");
    const { resource_id } = ofPath(request);
    const { user_id } = caller(context, store, request);
    notes.push({ resource_id, note_text, user_id, created: timestamp(context.clock()) });
    store.changed();
    return {};
  });

  app.post("/v2/public/resource/:id/notes/list", request => {
    const { resource_id } = ofPath(request);
    return { notes: notes.filter(it => it.resource_id === resource_id) };
  });

  app.post("/v2/public/resource/:id/associations/get", request => {
    const resource = ofPath(request);
    const of = groups.filter(it => it.members.includes(resource.resource_id));
    return {
      resource_groups: of.map(group => ({
        name: group.name,
        owner_type: "divvyuser",
        owner_resource_id: "divvyuser:1:",
        group_type: "curated",
        id: group.id,
      })),
    };
  });

  app.post("/v2/prototype/resourcegroups/resources/add", request => {
    const body = change(request);
    const resources = ids(body, "resource_ids").map(it => find(it).resource_id);
    for (const id of ids(body, "resource_group_ids")) {
      const group = groups.find(it => it.id === id);
      if (!group) throw missing();
      group.members = [...new Set([...group.members, ...resources])];
    }
    store.changed();
    return { resource_ids: resources };
  });

  // Some scripts of the vendor send POST.
  app.route({
    method: ["GET", "POST"],
    url: "/v2/public/clouds/list",
    handler: async () => ({ total_count: state.clouds.length, clouds: state.clouds.map(wireCloud) }),
  });

  app.post("/v2/public/resource/:id/settings/list", request => {
    ofPath(request);
    return { setting_list: [] };
  });
}
