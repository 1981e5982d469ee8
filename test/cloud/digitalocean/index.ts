import type { FastifyError } from "fastify";
import type { CloudService, ServiceDescription } from "../service.ts";
import { ApiError, badRequest, notFound, tooManyRequests } from "./errors.ts";
import { RateLimit } from "./rateLimit.ts";
import { recordExchange } from "./recordExchange.ts";
import { accountRoutes } from "./routes/account.ts";
import { accountTransferRoutes } from "./routes/accountTransfers.ts";
import { actionRoutes } from "./routes/actions.ts";
import { CONTROL, controlRoutes } from "./routes/control.ts";
import { dropletRoutes } from "./routes/droplets.ts";
import { imageActionRoutes } from "./routes/imageActions.ts";
import { imageRoutes } from "./routes/images.ts";
import { regionRoutes } from "./routes/regions.ts";
import { snapshotRoutes } from "./routes/snapshots.ts";
import { tagRoutes } from "./routes/tags.ts";
import { newState, type State } from "./state.ts";
import { startWork } from "./work.ts";
import { bearer, caller, type World } from "./world.ts";

/** What a test may tune; all of it can change while the service runs. */
export interface DigitalOceanSettings {
  /** Requests a token may make in a sliding hour. */
  requestsPerHour: number;
  /** Requests a token may make in a sliding minute. */
  requestsPerMinute: number;
  /** How long each asynchronous state lasts at least (NEW, pending, in-progress), in ms. */
  taskTime: number;
  /** Transfers to these regions end as errored. */
  failingRegions: string[];
  /** Limit for an unpacked custom image, in bytes. */
  maxImageBytes: number;
  /** Tokens may ask whose they are (the scope account:read). */
  accountScope: boolean;
  /** File to which every exchange is appended, as a line of JSON (schemas/exchange.ts); empty for none. */
  recordTo: string;
}

/** What a client needs: the address, and who it can be. */
export interface DigitalOceanDescription extends ServiceDescription {
  accounts: Record<"sender" | "recipient", DigitalOceanAccount>;
  /** Where tests make droplets, backups, and regions that appear by themselves: see routes/control.ts. */
  controlUrl: string;
}

export interface DigitalOceanAccount {
  token: string;
  email: string;
  uuid: string;
  /** A droplet that the account has from the start, and a backup of it. */
  dropletId: number;
  backupId: number;
}

/**
 * DigitalOcean's API v2, as far as it is about images: 30 operations on images, their actions and transfers, tags, snapshots,
 * droplets' snapshots and backups, actions, regions and the account. https://docs.digitalocean.com/reference/api/
 */
export const digitalocean: CloudService<DigitalOceanSettings, DigitalOceanDescription> = {
  name: "digitalocean",
  defaults: {
    requestsPerHour: 5000,
    requestsPerMinute: 250,
    taskTime: 200,
    failingRegions: [],
    maxImageBytes: 100e9,
    accountScope: true,
    recordTo: "",
  },
  async start(context) {
    const store = await context.store<State>("state", () => newState(context.clock()));
    const work = startWork(context, store);
    const world: World = {
      state: store.data,
      settings: context.settings,
      clock: () => context.clock(),
      changed: () => store.changed(),
      beginImport: work.beginImport,
      beginAction: work.beginAction,
    };
    context.keeps({
      find: id => world.state.images.find(image => String(image.id) === id),
      changed: () => store.changed(),
    });
    const limits = new RateLimit();

    const url = await context.listen(app => {
      app.removeContentTypeParser("application/json");
      app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
        // A DELETE may name a content type and have no body.
        if (body === "") return done(null, undefined);
        try {
          done(null, JSON.parse(body as string));
        } catch {
          done(badRequest("error parsing request body"));
        }
      });
      app.addHook("onRequest", async (request, reply) => {
        if (request.url.startsWith("/_")) return;
        const budget = limits.take(bearer(request) ?? "", context.clock().getTime(), context.settings);
        reply.headers(budget.headers);
        const account = caller(world, request);
        context.signedIn(request, account.name);
        if (!budget.allowed) throw tooManyRequests();
      });
      app.addHook("onSend", async (request, reply, payload) => {
        if (context.settings.recordTo && !request.url.startsWith("/_")) {
          recordExchange(context.settings.recordTo, request, reply, payload);
        }
        return payload;
      });
      app.setNotFoundHandler(() => {
        throw notFound();
      });
      app.setErrorHandler<FastifyError>((error, request, reply) => {
        const status = error instanceof ApiError ? error.status : (error.statusCode ?? 500);
        if (status >= 500) context.log(`${request.method} ${request.url}: ${error.stack}`);
        const id = error instanceof ApiError ? error.id : status >= 500 ? "server_error" : "bad_request";
        return reply.status(status).send({
          id,
          message: status >= 500 ? "Unexpected server-side error" : error.message,
          request_id: crypto.randomUUID(),
        });
      });
      const routes = [
        accountRoutes,
        imageRoutes,
        imageActionRoutes,
        accountTransferRoutes,
        tagRoutes,
        snapshotRoutes,
        dropletRoutes,
        actionRoutes,
        regionRoutes,
        controlRoutes,
      ];
      for (const add of routes) add(app, world);
    });

    const describe = (name: "sender" | "recipient"): DigitalOceanAccount => {
      const account = world.state.accounts.find(it => it.name === name);
      if (!account) throw new Error(`no account ${name} in the state`);
      const { token, email, uuid } = account;
      const first = world.state.droplets.find(it => it.owner === uuid)?.id ?? 0;
      const backup = world.state.images.find(it => it.dropletId === first)?.id ?? 0;
      return { token, email, uuid, dropletId: first, backupId: backup };
    };
    const accounts = { sender: describe("sender"), recipient: describe("recipient") };
    return {
      url,
      controlUrl: `${url}${CONTROL}`,
      accounts,
      environment: { DIGITALOCEAN_TOKEN: accounts.sender.token, DIGITALOCEAN_API_URL: url },
    };
  },
};
