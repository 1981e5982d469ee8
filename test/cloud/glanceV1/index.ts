import type { FastifyError, FastifyInstance } from "fastify";
import { Identity, seedIdentity } from "../keystone/identity.ts";
import { catalogService, registerKeystone } from "../keystone/routes.ts";
import type { OpenStackCloud } from "../openStackCloud.ts";
import { passwordEnvironment } from "../openstack/index.ts";
import type { CloudService, ServiceDescription } from "../service.ts";
import { copyLater } from "./data.ts";
import { HttpError } from "./errors.ts";
import { imageRoutes } from "./images.ts";
import { memberRoutes } from "./members.ts";
import type { State } from "./state.ts";
import { versionRoutes } from "./versions.ts";
import { caller, type World } from "./world.ts";

/** What a test may tune. */
export interface GlanceV1Settings {
  /** Seconds that a token lives. */
  tokenLifetime: number;
  /** Who may make an image public (the policy publicize_image). */
  publicImages: "anyone" | "admin";
  /** Properties that only an administrator may write, as regular expressions; everybody reads them. Default: none. */
  adminProperties: readonly string[];
}

export interface GlanceV1Description extends ServiceDescription {
  /** Keystone v3, no trailing slash. */
  authUrl: string;
  /** The Image API's root, as in the catalogue: paths begin with /v1. */
  imageUrl: string;
  region: string;
  accounts: OpenStackCloud["accounts"];
}

const REGION = "RegionOne";

/** Glance's Images API v1 as Glance 11 (Liberty) has it, with a Keystone v3 of its own. */
export const glanceV1: CloudService<GlanceV1Settings, GlanceV1Description> = {
  name: "glance-v1",
  defaults: { tokenLifetime: 3600, publicImages: "anyone", adminProperties: [] },
  async start(context) {
    const accounts = {
      owner: { username: "owner", project: "owner", roles: ["member"] },
      consumer: { username: "consumer", project: "consumer", roles: ["member"] },
      admin: { username: "admin", project: "admin", roles: ["admin"] },
    };
    const identity = new Identity(await context.store("keystone", () => seedIdentity(accounts)), context.clock);
    const images: { name: string; url: string }[] = [];
    const url = await context.listen((app, ownUrl) => {
      registerKeystone(app, ownUrl, {
        identity,
        tokenLifetime: () => context.settings.tokenLifetime,
        catalog: () => [
          catalogService("identity", "keystone", [{ name: REGION, url: `${ownUrl}/v3` }]),
          catalogService("image", "glance", images),
        ],
        signedIn: context.signedIn,
      });
    }, "keystone");

    const store = await context.store<State>("images", () => ({ images: [] }));
    const stop = new AbortController();
    const running = new Set<Promise<void>>();
    const world: World = {
      state: store.data,
      blobs: await context.blobs("data"),
      identity,
      settings: context.settings,
      keystoneUrl: url,
      clock: () => context.clock(),
      changed: () => store.changed(),
      log: line => context.log(line),
      stopped: stop.signal,
      later(work) {
        const done = work().finally(() => running.delete(done));
        running.add(done);
      },
    };
    context.keeps({
      find: id => store.data.images.find(image => image.id === id),
      changed: () => store.changed(),
      loseData: id => world.blobs.remove(id),
    });
    context.onStop(async () => {
      stop.abort();
      await Promise.all(running);
    });
    const imageUrl = await context.listen(app => {
      app.addHook("onRequest", async request => {
        if (request.url.startsWith("/v1/")) context.signedIn(request, caller(world, request).name);
      });
      registerImages(app, world);
    }, "glance");
    images.push({ name: REGION, url: imageUrl });
    for (const image of world.state.images) if (image.copyFrom !== undefined) copyLater(world, image);

    const authUrl = `${url}/v3`;
    const owner = identity.account("owner");
    return {
      url,
      authUrl,
      imageUrl,
      region: REGION,
      accounts: { owner, consumer: identity.account("consumer"), admin: identity.account("admin") },
      environment: passwordEnvironment(authUrl, owner, REGION),
    };
  },
};

function registerImages(app: FastifyInstance, world: World) {
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(new HttpError(400, "Malformed JSON in request body.", { html: true }));
    }
  });
  // Data goes through as a stream, whatever it is called.
  app.addContentTypeParser("*", (_request, body, done) => done(null, body));
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-openstack-request-id", `req-${crypto.randomUUID()}`);
  });
  app.setErrorHandler<FastifyError | HttpError>((error, request, reply) => {
    const known =
      error instanceof HttpError
        ? error
        : new HttpError((error as FastifyError).statusCode ?? 500, error.message, { html: true });
    if (known.status >= 500) world.log(`${request.method} ${request.url}: ${error.stack}`);
    return reply.status(known.status).headers(known.headers).type(known.contentType).send(known.body);
  });
  app.setNotFoundHandler(request => {
    const { pathname } = new URL(request.url, "http://host");
    const [, allow] = ALLOWED.find(([path]) => path.test(pathname)) ?? [];
    if (allow === undefined) throw new HttpError(404, "The resource could not be found.", { html: true });
    const message = `The method ${request.method} is not allowed for this resource.`;
    throw new HttpError(405, message, { html: true, headers: { allow } });
  });
  versionRoutes(app);
  imageRoutes(app, world);
  memberRoutes(app, world);
}

/** The verbs that a path knows, for who comes with another one. The first that fits counts. */
const ALLOWED: [RegExp, string][] = [
  [/^\/v1\/images$/, "GET, POST"],
  [/^\/v1\/images\/detail$/, "GET"],
  [/^\/v1\/images\/[^/]+$/, "HEAD, GET, PUT, DELETE"],
  [/^\/v1\/images\/[^/]+\/members$/, "GET, PUT"],
  [/^\/v1\/images\/[^/]+\/members\/[^/]+$/, "PUT, DELETE"],
  [/^\/v1\/shared-images\/[^/]+$/, "GET"],
];
