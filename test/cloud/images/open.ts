import { readFile } from "node:fs/promises";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Identity } from "../keystone/identity.ts";
import type { ServiceContext } from "../service.ts";
import type { ImageApi } from "./api.ts";
import type { Dialect } from "./dialect.ts";
import { type AddResource, registerImageApi } from "./routes.ts";
import type { ImageSettings } from "./settings.ts";
import { type Caller, emptyState, ImageRepo } from "./state.ts";

/** One Image API endpoint of a service. */
export interface ImageEndpoint {
  url: string;
  api: ImageApi;
}

/**
 * Opens an Image API endpoint with a state of its own, in the service's folder under `name`.
 * @param endpointOf where the Image API of another region is
 * @param more adds routes that only this service has
 */
export async function openImageApi<Settings extends ImageSettings>(
  context: ServiceContext<Settings>,
  options: {
    name: string;
    dialect: Dialect;
    identity: Identity;
    authUrl: string;
    endpointOf?: (region: string) => string | undefined;
    more?: (resource: AddResource, api: ImageApi, app: FastifyInstance) => void;
  },
): Promise<ImageEndpoint> {
  const { name, dialect, identity, authUrl } = options;
  const stopping = new AbortController();
  const stores = dialect.stores.map(async store => [store, await context.blobs(`${name}-${store}`)] as const);
  const api: ImageApi = {
    dialect,
    settings: context.settings,
    repo: new ImageRepo(
      await context.store(name, emptyState),
      context.clock,
      dialect.sharing,
      () => context.settings.propertyProtections,
    ),
    stores: Object.fromEntries(await Promise.all(stores)),
    staging: await context.blobs(`${name}-staging`),
    endpointOf: options.endpointOf ?? (() => undefined),
    ca: context.caFile === undefined ? undefined : await readFile(context.caFile, "utf8"),
    log: line => context.log(`${name}: ${line}`),
    stagingUsed: false,
    running: new Set(),
    stopping: stopping.signal,
  };
  context.keeps({
    find: id => api.repo.state.images[id],
    changed: () => api.repo.changed(),
    loseData: id => Promise.all(Object.values(api.stores).map(store => store.remove(id))),
  });
  context.onStop(async () => {
    stopping.abort();
    await Promise.allSettled(api.running);
  });
  const url = await context.listen((app, ownUrl) => {
    const resource = registerImageApi(app, {
      api,
      url: ownUrl,
      authUrl,
      authenticate: token => caller(identity, token),
      signedIn: (request: FastifyRequest, userId) => context.signedIn(request, identity.user(userId)?.name ?? userId),
    });
    options.more?.(resource, api, app);
  }, name);
  return { url, api };
}

function caller(identity: Identity, text: string | undefined): Caller | undefined {
  const token = identity.validate(text);
  if (!token || text === undefined || token.projectId === undefined) return undefined;
  const { userId, projectId, roles } = token;
  return { userId, projectId, roles, isAdmin: roles.includes("admin"), token: text };
}
