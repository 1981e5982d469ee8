import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { act } from "./actions.ts";
import { type ImageApi, running } from "./api.ts";
import { hasBody, mediaType, readJson, rejectBody } from "./body.ts";
import { createImage } from "./create.ts";
import { download, stage, upload } from "./data.ts";
import { HttpError, renderError, StateConflict } from "./errors.ts";
import { startImport } from "./importing.ts";
import { importInfo, storeDetail, storeInfo, usageInfo, versionsDocument } from "./info.ts";
import { listImages } from "./list.ts";
import { listLocations, postLocation } from "./locations.ts";
import { addMember, getMember, listMembers, memberView, removeMember, updateMember } from "./members.ts";
import { PATCH_TYPES, parseChanges, patchImage } from "./patch.ts";
import { deleteFromStore, deleteImage } from "./remove.ts";
import { schemaDocument } from "./schemas.ts";
import type { Caller } from "./state.ts";
import { addTag, removeTag } from "./tags.ts";
import { getTask, imageTaskView, listTasks, refuseTask, refuseTaskDelete, tasksOfImage } from "./tasks.ts";
import { imageView } from "./view.ts";

/** Beyond this, the real front end loses the whole query without a word, and the answer is an unfiltered list. */
const LONGEST_QUERY = 32_700;

/** Stores of Glance's own, which it lists to clients once it has used them. */
const RESERVED_STORES = ["os_glance_staging_store", "os_glance_tasks_store"];

/** What the routes need beside the operations. */
export interface ImageRoutesOptions {
  api: ImageApi;
  url: string;
  /** Where a client that isn't signed in is sent. */
  authUrl: string;
  /** Who holds a token, for a project. */
  authenticate(token: string | undefined): Caller | undefined;
  signedIn(request: FastifyRequest, user: string): void;
}

interface Call {
  caller: Caller;
  params: Record<string, string>;
  request: FastifyRequest;
  reply: FastifyReply;
  query: URLSearchParams;
}

type Handler = (call: Call) => unknown;
type Handlers = Partial<Record<"GET" | "POST" | "PUT" | "PATCH" | "DELETE", Handler>>;

/** What routes that only some services have hang themselves on. */
export type AddResource = (path: string, handlers: Handlers) => void;

/** The Image API v2. @see https://docs.openstack.org/api-ref/image/v2/ */
export function registerImageApi(app: FastifyInstance, options: ImageRoutesOptions): AddResource {
  const { api, url, authUrl } = options;
  const { dialect } = api;
  // Bodies are read where they are needed: data streams, and errors are Glance's own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const known = asHttpError(api, error);
    const { type, body } = renderError(known, request.raw);
    reply.code(known.code).headers(known.text.headers ?? {});
    closeAfterEarlyRefusal(request, reply);
    if (request.method === "HEAD") reply.type("text/html; charset=UTF-8");
    if (known.code === 204 || request.method === "HEAD") return reply.send();
    return reply.type(type).send(body);
  });
  const versions = (_request: FastifyRequest, reply: FastifyReply) => reply.code(300).send(versionsDocument(api, url));
  app.setNotFoundHandler((request, reply) => {
    // Whatever isn't an API is answered with those that are.
    if (!request.url.startsWith("/v2/")) return versions(request, reply);
    throw new HttpError(404);
  });
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-openstack-request-id", `req-${randomUUID()}`);
    const { pathname } = new URL(request.url, url);
    if (!pathname.startsWith("/v2/")) return;
    const token = request.headers["x-auth-token"]?.toString();
    const caller = options.authenticate(token);
    if (!caller) {
      throw new HttpError(401, { headers: { "www-authenticate": `Keystone uri="${authUrl}"` } });
    }
    callers.set(request, caller);
    options.signedIn(request, caller.userId);
  });

  app.addHook("onSend", async (_request, reply, payload) => {
    // Glance names no character set for JSON, and a type even where there is no content.
    if (!payload && (reply.statusCode === 204 || reply.statusCode === 202))
      reply.header("content-type", "text/html; charset=UTF-8");
    else if (String(reply.getHeader("content-type")).startsWith("application/json"))
      reply.header("content-type", "application/json");
  });

  app.get("/v2", (_request, reply) => reply.redirect(`${url}/v2/`, 302));
  app.get("/versions", (_request, reply) => reply.send(versionsDocument(api, url)));

  const resource: AddResource = (path, handlers) => {
    app.all(path, async (request, reply) => {
      if (request.method === "OPTIONS") return reply.send();
      const handler = handlers[request.method as keyof Handlers];
      if (!handler) throw new HttpError(405, { headers: { allow: Object.keys(handlers).join(", ") } });
      const caller = callers.get(request);
      if (!caller) throw new HttpError(401);
      const text = request.url.split("?")[1] ?? "";
      const query = new URLSearchParams(text.length > LONGEST_QUERY ? "" : text);
      const params = request.params as Record<string, string>;
      const takesBody =
        request.method === "POST" || request.method === "PUT" || request.method === "PATCH" || path === "/v2/images";
      if (!takesBody) rejectBody(request.raw);
      const result = await handler({ caller, params, request, reply, query });
      if (reply.sent || reply.raw.headersSent) return reply;
      if (result === undefined) return reply.code(reply.statusCode === 200 ? 204 : reply.statusCode).send();
      return reply.send(result);
    });
  };
  const id = ({ params }: Call) => params.id ?? "";
  const json = ({ request }: Call) => readJson(request.raw);

  resource("/v2/images", {
    GET: ({ caller, query }) => {
      const { images, first, next } = listImages(api, caller, query);
      return {
        images: images.map(image => imageView(api, caller, image)),
        first,
        schema: "/v2/schemas/images",
        ...(next && { next }),
      };
    },
    POST: async call => {
      const image = await createImage(api, call.caller, await json(call));
      call.reply.code(201).header("location", `${url}/v2/images/${image.id}`);
      if (dialect.importMethods.length)
        call.reply.header("OpenStack-image-import-methods", dialect.importMethods.join());
      if (dialect.multiStore) {
        const stores = api.stagingUsed ? [...dialect.stores, ...RESERVED_STORES] : dialect.stores;
        call.reply.header("OpenStack-image-store-ids", stores.join());
      }
      return imageView(api, call.caller, image);
    },
  });
  resource("/v2/images/:id", {
    GET: call => imageView(api, call.caller, api.repo.get(id(call), call.caller)),
    PATCH: async call => {
      const draft = PATCH_TYPES[mediaType(call.request.raw)];
      if (!draft) {
        const types = Object.keys(PATCH_TYPES).join(", ");
        throw new HttpError(415, {
          detail: `Image PATCH expects Content-Type one of: ${types}`,
          headers: { "accept-patch": types },
        });
      }
      const changes = parseChanges(api, draft, await json(call));
      return imageView(api, call.caller, await patchImage(api, call.caller, id(call), changes));
    },
    DELETE: call => deleteImage(api, call.caller, id(call)),
  });
  resource("/v2/images/:id/file", {
    GET: async call => {
      call.reply.hijack();
      try {
        await download(api, call.caller, id(call), call.request.raw, call.reply.raw);
      } catch (error) {
        sendRaw(api, call, error);
      }
    },
    PUT: call => running(api, upload(api, call.caller, id(call), call.request.raw)),
  });

  if (dialect.importMethods.length) {
    resource("/v2/images/:id/stage", {
      PUT: call => running(api, stage(api, call.caller, id(call), call.request.raw)),
    });
    resource("/v2/images/:id/import", {
      POST: async call => {
        startImport(api, call.caller, id(call), await json(call), {
          store: call.request.headers["x-image-meta-store"]?.toString(),
          requestId: String(call.reply.getHeader("x-openstack-request-id")),
        });
        call.reply.code(202);
      },
    });
    resource("/v2/images/:id/tasks", {
      GET: call => ({ tasks: tasksOfImage(api, call.caller, id(call)).map(imageTaskView) }),
    });
    resource("/v2/tasks", {
      GET: ({ caller, query }) => listTasks(api, caller, query),
      POST: ({ caller }) => refuseTask(caller),
    });
    resource("/v2/tasks/:id", {
      GET: call => getTask(api, call.caller, id(call)),
      DELETE: call => refuseTaskDelete(call.caller),
    });
    resource("/v2/info/import", { GET: () => importInfo(api) });
    resource("/v2/info/usage", { GET: ({ caller }) => usageInfo(api, caller) });
  }
  if (dialect.multiStore) {
    resource("/v2/info/stores", { GET: () => storeInfo(api) });
    resource("/v2/info/stores/detail", { GET: ({ caller }) => storeDetail(api, caller) });
    resource("/v2/stores/:store/:id", {
      DELETE: call => deleteFromStore(api, call.caller, call.params.store ?? "", id(call)),
    });
    resource("/v2/images/:id/locations", {
      GET: call => listLocations(api, call.caller, id(call)),
      POST: async call => postLocation(api, call.caller, id(call), await json(call)),
    });
  }
  if (dialect.actions) {
    for (const action of ["deactivate", "reactivate"] as const) {
      resource(`/v2/images/:id/actions/${action}`, {
        POST: call => {
          rejectBody(call.request.raw);
          return act(api, call.caller, id(call), action);
        },
      });
    }
  }
  if (dialect.tags) {
    // A slash makes another path of it, even an encoded one. And the bytes of a path are taken for Latin-1, so that what
    // isn't ASCII is kept, and shown, as another text than the client sent.
    const tag = ({ params, request }: Call) => {
      if (/%2f/i.test(request.url) || !params.tag) throw new HttpError(404);
      return Buffer.from(params.tag).toString("latin1");
    };
    resource("/v2/images/:id/tags/:tag", {
      PUT: call => {
        rejectBody(call.request.raw);
        return addTag(api, call.caller, id(call), tag(call));
      },
      DELETE: call => removeTag(api, call.caller, id(call), tag(call)),
    });
  }
  if (dialect.sharing.length > 0) {
    const member = ({ params }: Call) => params.member ?? "";
    resource("/v2/images/:id/members", {
      GET: call => ({
        members: listMembers(api, call.caller, id(call)).map(memberView),
        schema: "/v2/schemas/members",
      }),
      POST: async call => memberView(addMember(api, call.caller, id(call), await json(call))),
    });
    resource("/v2/images/:id/members/:member", {
      GET: call => memberView(getMember(api, call.caller, id(call), member(call))),
      PUT: async call => memberView(updateMember(api, call.caller, id(call), member(call), await json(call))),
      DELETE: call => removeMember(api, call.caller, id(call), member(call)),
    });
  }
  resource("/v2/images/", {
    GET: () => {
      throw new HttpError(404);
    },
  });
  resource("/v2/schemas/*", {
    GET: ({ params }) => {
      const document = schemaDocument(dialect, params["*"] ?? "");
      if (!document) throw new HttpError(404);
      return document;
    },
  });
  return resource;
}

/** Fastify's own errors, and what only shows when work was half done, as answers. */
function asHttpError(api: ImageApi, error: Error & { statusCode?: number }): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof StateConflict) return new HttpError(409, error.message);
  if (error.statusCode && error.statusCode < 500) return new HttpError(error.statusCode, error.message);
  api.log(error.stack ?? error.message);
  return new HttpError(500);
}

/**
 * A refusal that comes before the body is in closes the connection with the rest unread. The client's own writing then
 * fails, often before it sees the answer: that is what the real front end does to it.
 */
function closeAfterEarlyRefusal(request: FastifyRequest, reply: FastifyReply): void {
  if (request.raw.complete || !hasBody(request.raw)) return;
  reply.header("connection", "close");
  reply.raw.once("finish", () => request.raw.socket.destroy());
}

/** The answer to a download that can't be, after fastify was told to leave the response alone. */
function sendRaw(api: ImageApi, call: Call, error: unknown): void {
  const known = asHttpError(api, error as Error);
  const { type, body } = renderError(known, call.request.raw);
  const { raw } = call.reply;
  if (raw.headersSent) {
    raw.destroy();
    return;
  }
  const headers = { "x-openstack-request-id": String(call.reply.getHeader("x-openstack-request-id")) };
  if (known.code === 204) raw.writeHead(204, headers).end();
  else
    raw
      .writeHead(known.code, { ...headers, "content-type": type, "content-length": Buffer.byteLength(body) })
      .end(body);
}
