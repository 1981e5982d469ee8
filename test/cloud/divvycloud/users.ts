import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServiceContext } from "../service.ts";
import type { Store } from "../store.ts";
import { SESSION_TIMEOUT_UNIT_MS, STATUS } from "./choices.ts";
import { ApiError } from "./errors.ts";
import type { DivvyCloudSettings } from "./index.ts";
import type { State, User } from "./state.ts";

/** Where a session begins: the only path that asks for no key. */
export const LOGIN = "/v2/public/user/login";

/** A user's resource id. */
export const userId = (user: User) => `divvyuser:${user.user_id}:`;

/**
 * Who asks: by Api-Key, or by a session that has not ended.
 * @throws ApiError 401
 */
export function caller(
  context: ServiceContext<DivvyCloudSettings>,
  store: Store<State>,
  request: FastifyRequest,
): User {
  const { users, sessions } = store.data;
  const key = request.headers["api-key"];
  let user = users.find(it => it.apiKey === key);
  const token = request.headers["x-auth-token"];
  if (!user && token !== undefined) {
    const now = context.clock().getTime();
    const session = sessions.find(it => it.id === token);
    if (session && now - session.used <= context.settings.sessionTimeout * SESSION_TIMEOUT_UNIT_MS) {
      session.used = now;
      user = users.find(it => it.user_id === session.user_id);
    }
  }
  if (!user) throw new ApiError(STATUS.badCredentials, "unauthorized", "The API key or the session is not valid.");
  return user;
}

/** POST login and logout, GET info, all under /v2/public/user */
export function userRoutes(app: FastifyInstance, context: ServiceContext<DivvyCloudSettings>, store: Store<State>) {
  const { users, sessions } = store.data;

  app.post(LOGIN, request => {
    const { username, password } = (request.body ?? {}) as Record<string, unknown>;
    const user = users.find(it => it.username === username && it.password === password);
    if (!user) throw new ApiError(STATUS.badCredentials, "unauthorized", "The user name or the password is wrong.");
    const session = { id: randomUUID().replaceAll("-", ""), user_id: user.user_id, used: context.clock().getTime() };
    sessions.push(session);
    store.changed();
    return {
      user_id: user.user_id,
      session_id: session.id,
      session_timeout: context.settings.sessionTimeout,
      customer_id: "92:BF:00:00:00:01",
      user_name: user.name,
      auth_plugin_exists: false,
      user_email: user.email_address,
      system_admin: user.admin,
    };
  });

  app.post("/v2/public/user/logout", request => {
    const index = sessions.findIndex(it => it.id === request.headers["x-auth-token"]);
    if (index >= 0) sessions.splice(index, 1);
    store.changed();
    return {};
  });

  app.get("/v2/public/user/info", request => {
    const user = caller(context, store, request);
    const { user_id, username, name, email_address, admin, organization } = user;
    return {
      user_id,
      username,
      name,
      resource_id: userId(user),
      organization_name: organization,
      domain_admin: admin,
      organization_admin: admin,
      email_address,
    };
  });
}
