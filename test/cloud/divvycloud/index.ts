import type { FastifyError, FastifyInstance } from "fastify";
import type { CloudService, ServiceDescription } from "../service.ts";
import { errorBody, STATUS } from "./choices.ts";
import { CONTROL, controlRoutes } from "./control.ts";
import { ApiError, badBody, missing } from "./errors.ts";
import { startJobs } from "./jobs.ts";
import { queryRoutes } from "./query.ts";
import { resourceRoutes } from "./resources.ts";
import { addNewUsers, newState, ORGANIZATION, type State } from "./state.ts";
import { caller, LOGIN, userId, userRoutes } from "./users.ts";
import { wireCloud } from "./wire.ts";

/** What a test may tune. */
export interface DivvyCloudSettings {
  /** How long a job waits in the queue, and a snapshot is pending, in ms. */
  taskTime: number;
  /** What a login answers as session_timeout. */
  sessionTimeout: number;
}

/** What a client needs. */
export interface DivvyCloudDescription extends ServiceDescription {
  /** May do everything. */
  admin: DivvyCloudUser;
  /** May only read. */
  viewer: DivvyCloudUser;
  /** May do everything in another organization, which has nothing. */
  outsider: DivvyCloudUser;
  /** Resource ids of an instance and of the images, by the type of their cloud (AWS, OPENSTACK, GCE). */
  clouds: Record<string, { resourceId: string; instance: string; images: string[] }>;
  /** Where tests make and change images, and end sessions. */
  controlUrl: string;
}

export interface DivvyCloudUser {
  username: string;
  password: string;
  apiKey: string;
  resourceId: string;
}

/** DivvyCloud (Rapid7 InsightCloudSec), as far as it is about private images. What its documents leave open is in choices.ts. */
export const divvycloud: CloudService<DivvyCloudSettings, DivvyCloudDescription> = {
  name: "divvycloud",
  defaults: { taskTime: 200, sessionTimeout: 20 },
  async start(context) {
    const store = await context.store<State>("state", () => newState(context.clock()));
    addNewUsers(store.data);
    const { users, clouds, instances, images } = store.data;
    const jobs = startJobs(context, store);

    const url = await context.listen(app => {
      acceptJson(app);
      app.addHook("onRequest", async request => {
        if (request.url.startsWith("/_")) return;
        if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
          throw new ApiError(STATUS.noContentType, "bad_request", "Content-Type must be application/json.");
        }
        if (request.url === LOGIN) return;
        const user = caller(context, store, request);
        context.signedIn(request, user.username);
        if (user.organization !== ORGANIZATION && !isForEverybody(request.url)) throw missing();
      });
      app.setNotFoundHandler(() => {
        throw missing();
      });
      app.setErrorHandler<FastifyError>((error, request, reply) => {
        if (error instanceof ApiError) return reply.status(error.status).send(errorBody(error.type, error.message));
        const status = error.statusCode ?? 500;
        if (status >= 500) context.log(`${request.method} ${request.url}: ${error.stack}`);
        return reply.status(status).send(errorBody("error", status >= 500 ? "Internal error." : error.message));
      });
      userRoutes(app, context, store);
      queryRoutes(app, request =>
        caller(context, store, request).organization === ORGANIZATION
          ? store.data
          : { ...store.data, images: [], instances: [] },
      );
      resourceRoutes(app, context, store, jobs);
      controlRoutes(app, context, store);
    });

    const describe = (username: string): DivvyCloudUser => {
      const user = users.find(it => it.username === username);
      if (!user) throw new Error(`no user ${username} in the state`);
      return { username, password: user.password, apiKey: user.apiKey, resourceId: userId(user) };
    };
    const admin = describe("admin");
    return {
      url,
      controlUrl: `${url}${CONTROL}`,
      admin,
      viewer: describe("viewer"),
      outsider: describe("outsider"),
      clouds: Object.fromEntries(
        clouds.map(cloud => {
          const on = (it: { organization_service_id: number }) => it.organization_service_id === cloud.id;
          const instance = instances.find(on)?.resource_id ?? "";
          const ids = images.filter(on).map(it => it.resource_id);
          return [cloud.cloud_type_id, { resourceId: wireCloud(cloud).resource_id, instance, images: ids }];
        }),
      ),
      environment: { DIVVYCLOUD_URL: url, DIVVYCLOUD_API_KEY: admin.apiKey },
    };
  },
};

/** About oneself, or a query: what isn't about a resource of an organization's. */
function isForEverybody(url: string): boolean {
  return /^\/v2\/public\/user\/|query$/.test(url);
}

/** JSON bodies, of which an empty one is none. */
function acceptJson(app: FastifyInstance) {
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(badBody("The body is not JSON."));
    }
  });
}
