import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServiceContext } from "../service.ts";
import type { Store } from "../store.ts";
import { missing } from "./errors.ts";
import type { DivvyCloudSettings } from "./index.ts";
import { type Cloud, newImage, type PrivateImage, type State, timestamp } from "./state.ts";
import { wireResource } from "./wire.ts";

/** The local cloud's own routes, which are not DivvyCloud's and ask for no key. */
export const CONTROL = "/_control";

/**
 * What happens behind DivvyCloud's back:
 * - POST /_control/images `{cloud: "AWS", …attributes}` → 201 `{resource_id}`
 * - PATCH /_control/images/{resource_id} attributes, and `tags`
 * - DELETE /_control/images/{resource_id}
 * - DELETE /_control/sessions: every session ends
 */
export function controlRoutes(app: FastifyInstance, context: ServiceContext<DivvyCloudSettings>, store: Store<State>) {
  const state = store.data;
  const find = (request: FastifyRequest) => {
    const { id } = request.params as { id: string };
    const image = state.images.find(it => it.resource_id === id);
    if (!image) throw missing();
    return image;
  };

  app.post(`${CONTROL}/images`, (request, reply) => {
    const { cloud: type, ...given } = request.body as { cloud?: string } & Partial<PrivateImage>;
    const cloud = state.clouds.find((it: Cloud) => it.cloud_type_id === (type ?? "AWS"));
    if (!cloud) throw missing();
    const { resource_id } = newImage(state, cloud, given, timestamp(context.clock()));
    store.changed();
    return reply.status(201).send({ resource_id });
  });
  app.patch(`${CONTROL}/images/:id`, request => {
    const image = Object.assign(find(request), request.body, { modified: timestamp(context.clock()) });
    store.changed();
    return wireResource(state, image);
  });
  app.delete(`${CONTROL}/images/:id`, (request, reply) => {
    state.images.splice(state.images.indexOf(find(request)), 1);
    store.changed();
    return reply.status(204).send();
  });
  app.delete(`${CONTROL}/sessions`, (_request, reply) => {
    state.sessions.length = 0;
    store.changed();
    return reply.status(204).send();
  });
}
