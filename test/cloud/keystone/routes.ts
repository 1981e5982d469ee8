import type { FastifyInstance, FastifyRequest } from "fastify";
import { badRequest, forbidden, KeystoneError, notAllowed, notFound, unauthorized } from "./errors.ts";
import {
  type ApplicationCredential,
  type CatalogService,
  DOMAIN,
  derivedId,
  type Identity,
  newId,
  type Project,
  type Token,
  type User,
} from "./identity.ts";
import { type AuthRequest, signIn } from "./signIn.ts";

/** What the routes need beside the accounts. */
export interface KeystoneOptions {
  identity: Identity;
  /** Seconds that a token lives. */
  tokenLifetime(): number;
  /** The services and endpoints that a token of this project sees. */
  catalog(projectId: string): CatalogService[];
  /** Is told who made a request. */
  signedIn(request: FastifyRequest, user: string): void;
}

const time = (ms: number) => new Date(ms).toISOString().replace(/(\.\d{3})Z$/, "$1000Z");

/** The Identity API v3, as far as image clients use it. @see https://docs.openstack.org/api-ref/identity/v3/ */
export function registerKeystone(app: FastifyInstance, url: string, options: KeystoneOptions): void {
  const { identity } = options;
  const base = `${url}/v3`;

  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const known =
      error instanceof KeystoneError
        ? error
        : (error.statusCode ?? 500) < 500
          ? badRequest(error.message)
          : new KeystoneError(500, "Internal Server Error", error.message);
    if (known.code === 401) reply.header("www-authenticate", `Keystone uri="${base}"`);
    reply.code(known.code).send({ error: { code: known.code, message: known.message, title: known.title } });
  });
  app.setNotFoundHandler(() => {
    throw notFound(
      "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.",
    );
  });
  app.addHook("onSend", async (_request, reply) => {
    reply.header("vary", "X-Auth-Token");
    if (String(reply.getHeader("content-type")).startsWith("application/json"))
      reply.header("content-type", "application/json");
    reply.header("x-openstack-request-id", `req-${crypto.randomUUID()}`);
  });

  const version = {
    id: "v3.14",
    status: "stable",
    updated: "2020-04-07T00:00:00Z",
    links: [{ rel: "self", href: `${base}/` }],
    "media-types": [{ base: "application/json", type: "application/vnd.openstack.identity-v3+json" }],
  };
  app.get("/", (_request, reply) => reply.code(300).send({ versions: { values: [version] } }));
  for (const path of ["/v3", "/v3/"]) app.get(path, () => ({ version }));

  /** The token that makes the request. @throws KeystoneError 401 */
  const caller = (request: FastifyRequest): Token => {
    const token = identity.validate(header(request, "x-auth-token"));
    if (!token) throw unauthorized();
    options.signedIn(request, identity.user(token.userId)?.name ?? token.userId);
    return token;
  };
  const isAdmin = (token: Token) => token.roles.includes("admin");
  const admin = (request: FastifyRequest, action: string) => {
    const token = caller(request);
    if (!isAdmin(token)) throw notAllowed(action);
    return token;
  };

  const describe = (token: Token, withCatalog: boolean) => {
    const user = identity.user(token.userId) as User;
    const project = identity.project(token.projectId);
    const credential = identity.state.credentials.find(({ id }) => id === token.applicationCredentialId);
    return {
      token: {
        methods: token.methods,
        user: { domain: DOMAIN, id: user.id, name: user.name, password_expires_at: null },
        audit_ids: token.auditIds,
        expires_at: time(token.expiresAt),
        issued_at: time(token.issuedAt),
        ...(project && {
          project: { domain: DOMAIN, id: project.id, name: project.name },
          is_domain: false,
          roles: roleList(identity, token.roles),
          ...(withCatalog && { catalog: options.catalog(project.id) }),
        }),
        ...(token.system && {
          system: { all: true },
          roles: roleList(identity, token.roles),
          ...(withCatalog && { catalog: options.catalog("") }),
        }),
        ...(credential && {
          application_credential: { id: credential.id, name: credential.name, restricted: !credential.unrestricted },
        }),
      },
    };
  };

  app.post<{ Body: AuthRequest; Querystring: { nocatalog?: string } }>("/v3/auth/tokens", (request, reply) => {
    const [text, token] = signIn(identity, request.body, options.tokenLifetime());
    options.signedIn(request, identity.user(token.userId)?.name ?? token.userId);
    return reply
      .code(201)
      .header("x-subject-token", text)
      .send(describe(token, request.query.nocatalog === undefined));
  });

  /** Another token that is asked about: the caller's own, or any for an admin. */
  const subject = (request: FastifyRequest, action: string): [string, Token] => {
    const token = caller(request);
    const text = header(request, "x-subject-token");
    if (text === undefined) throw notAllowed(action);
    const found = identity.validate(text);
    if (!found) throw notFound("Could not recognize Fernet token");
    if (found.userId !== token.userId && !isAdmin(token)) throw notAllowed(action);
    return [text, found];
  };
  app.route<{ Querystring: { nocatalog?: string } }>({
    method: ["GET", "HEAD"],
    url: "/v3/auth/tokens",
    handler(request, reply) {
      const [text, token] = subject(request, "identity:validate_token");
      return reply.header("x-subject-token", text).send(describe(token, request.query.nocatalog === undefined));
    },
  });
  app.delete("/v3/auth/tokens", (request, reply) => {
    const [text] = subject(request, "identity:revoke_token");
    identity.revoke(text);
    return reply.code(204).send();
  });

  app.get("/v3/auth/catalog", request => {
    const token = caller(request);
    if (token.projectId === undefined)
      throw forbidden("A project-scoped token is required to produce a service catalog.");
    return { catalog: options.catalog(token.projectId), links: { self: `${base}/auth/catalog` } };
  });

  const projectView = ({ id, name }: Project) => ({
    id,
    name,
    description: "",
    domain_id: DOMAIN.id,
    enabled: true,
    is_domain: false,
    parent_id: DOMAIN.id,
    tags: [],
    options: {},
    links: { self: `${base}/projects/${id}` },
  });
  const list = (request: FastifyRequest, key: string, values: unknown[]) => ({
    [key]: values,
    links: { next: null, self: `${url}${request.url}`, previous: null },
  });
  const projectsOf = (userId: string) => {
    const roles = identity.user(userId)?.roles ?? {};
    return identity.state.projects.filter(({ id }) => roles[id]);
  };

  app.get("/v3/auth/projects", request =>
    list(request, "projects", projectsOf(caller(request).userId).map(projectView)),
  );
  app.get("/v3/auth/domains", request => {
    caller(request);
    return list(request, "domains", []);
  });
  app.get<{ Querystring: { name?: string; domain_id?: string } }>("/v3/projects", request => {
    admin(request, "identity:list_projects");
    const { name, domain_id } = request.query;
    const matching = identity.state.projects.filter(
      project => (name === undefined || project.name === name) && (domain_id === undefined || domain_id === DOMAIN.id),
    );
    return list(request, "projects", matching.map(projectView));
  });
  app.get<{ Params: { id: string } }>("/v3/projects/:id", request => {
    const token = caller(request);
    const { id } = request.params;
    if (!isAdmin(token) && token.projectId !== id) throw notAllowed("identity:get_project");
    const project = identity.project(id);
    if (!project) throw notFound(`Could not find project: ${id}.`);
    return { project: projectView(project) };
  });

  const domainView = { ...DOMAIN, description: "The default domain", enabled: true, tags: [], options: {} };
  app.get<{ Querystring: { name?: string } }>("/v3/domains", request => {
    admin(request, "identity:list_domains");
    const { name } = request.query;
    return list(request, "domains", name === undefined || name === DOMAIN.name ? [domainView] : []);
  });
  app.get<{ Params: { id: string } }>("/v3/domains/:id", request => {
    admin(request, "identity:get_domain");
    if (request.params.id !== DOMAIN.id) throw notFound(`Could not find domain: ${request.params.id}.`);
    return { domain: domainView };
  });

  const userView = ({ id, name, roles }: User) => ({
    id,
    name,
    default_project_id: Object.keys(roles)[0],
    domain_id: DOMAIN.id,
    enabled: true,
    options: {},
    password_expires_at: null,
    links: { self: `${base}/users/${id}` },
  });
  app.get<{ Querystring: { name?: string } }>("/v3/users", request => {
    admin(request, "identity:list_users");
    const { name } = request.query;
    return list(
      request,
      "users",
      identity.state.users.filter(user => name === undefined || user.name === name).map(userView),
    );
  });
  /** A user that is asked about: oneself, or anybody for an admin. */
  const userOf = (request: FastifyRequest<{ Params: { user: string } }>, action: string): User => {
    const token = caller(request);
    const { user: id } = request.params;
    if (token.userId !== id && !isAdmin(token)) throw notAllowed(action);
    const user = identity.user(id);
    if (!user) throw notFound(`Could not find user: ${id}.`);
    return user;
  };
  app.get<{ Params: { user: string } }>("/v3/users/:user", request => ({
    user: userView(userOf(request, "identity:get_user")),
  }));
  app.get<{ Params: { user: string } }>("/v3/users/:user/projects", request => {
    const user = userOf(request, "identity:list_user_projects");
    return list(request, "projects", projectsOf(user.id).map(projectView));
  });

  app.get<{ Querystring: { name?: string } }>("/v3/roles", request => {
    admin(request, "identity:list_roles");
    const roles = roleList(identity, Object.keys(identity.state.roles));
    return list(
      request,
      "roles",
      roles.filter(({ name }) => request.query.name === undefined || name === request.query.name),
    );
  });

  registerServices(app, options, request => admin(request, "identity:list_services"), list);
  registerCredentials(app, identity, base, userOf, caller, list);
}

/** Services, endpoints and regions as rows of their own, for an admin. */
function registerServices(
  app: FastifyInstance,
  options: KeystoneOptions,
  admin: (request: FastifyRequest) => Token,
  list: (request: FastifyRequest, key: string, values: unknown[]) => unknown,
) {
  const all = (request: FastifyRequest) => options.catalog(admin(request).projectId ?? "");
  app.get("/v3/services", request =>
    list(
      request,
      "services",
      all(request).map(({ id, type, name }) => ({ id, type, name, enabled: true, description: "" })),
    ),
  );
  app.get("/v3/endpoints", request =>
    list(
      request,
      "endpoints",
      all(request).flatMap(({ id, endpoints }) =>
        endpoints.map(endpoint => ({ ...endpoint, service_id: id, enabled: true })),
      ),
    ),
  );
  app.get("/v3/regions", request => {
    const names = new Set(all(request).flatMap(({ endpoints }) => endpoints.map(({ region }) => region)));
    return list(
      request,
      "regions",
      [...names].map(id => ({ id, description: "", parent_region_id: null })),
    );
  });
}

function registerCredentials(
  app: FastifyInstance,
  identity: Identity,
  base: string,
  userOf: (request: FastifyRequest<{ Params: { user: string } }>, action: string) => User,
  caller: (request: FastifyRequest) => Token,
  list: (request: FastifyRequest, key: string, values: unknown[]) => unknown,
) {
  const path = "/v3/users/:user/application_credentials";
  const view = (credential: ApplicationCredential) => ({
    id: credential.id,
    name: credential.name,
    description: credential.description,
    user_id: credential.userId,
    project_id: credential.projectId,
    system: null,
    expires_at: credential.expiresAt,
    unrestricted: credential.unrestricted,
    roles: roleList(identity, credential.roles),
    links: { self: `${base}/users/${credential.userId}/application_credentials/${credential.id}` },
  });
  const find = (userId: string, id: string) => {
    const found = identity.state.credentials.find(credential => credential.userId === userId && credential.id === id);
    if (!found) throw notFound(`Could not find Application Credential: ${id}.`);
    return found;
  };

  app.get<{ Params: { user: string }; Querystring: { name?: string } }>(path, request => {
    const user = userOf(request, "identity:list_application_credentials");
    const { name } = request.query;
    const own = identity.state.credentials.filter(
      credential => credential.userId === user.id && (name === undefined || credential.name === name),
    );
    return list(request, "application_credentials", own.map(view));
  });
  app.get<{ Params: { user: string; id: string } }>(`${path}/:id`, request => ({
    application_credential: view(find(userOf(request, "identity:get_application_credential").id, request.params.id)),
  }));
  app.delete<{ Params: { user: string; id: string } }>(`${path}/:id`, (request, reply) => {
    const found = find(userOf(request, "identity:delete_application_credential").id, request.params.id);
    identity.state.credentials.splice(identity.state.credentials.indexOf(found), 1);
    for (const [text, token] of Object.entries(identity.state.tokens)) {
      if (token.applicationCredentialId === found.id) identity.revoke(text);
    }
    identity.changed();
    return reply.code(204).send();
  });
  app.post<{
    Params: { user: string };
    Body: {
      application_credential?: {
        name?: string;
        secret?: string;
        description?: string;
        expires_at?: string;
        unrestricted?: boolean;
        roles?: { id?: string; name?: string }[];
      };
    };
  }>(path, (request, reply) => {
    const user = userOf(request, "identity:create_application_credential");
    const token = caller(request);
    const wanted = request.body?.application_credential;
    if (typeof wanted?.name !== "string" || !wanted.name) {
      throw badRequest("Invalid input for field 'application_credential': 'name' is a required property");
    }
    if (token.userId !== user.id || token.projectId === undefined || token.applicationCredentialId !== undefined) {
      throw notAllowed("identity:create_application_credential");
    }
    if (identity.state.credentials.some(({ userId, name }) => userId === user.id && name === wanted.name)) {
      throw new KeystoneError(
        409,
        "Conflict",
        `Conflict occurred attempting to store application_credential - Duplicate entry found with name ${wanted.name}.`,
      );
    }
    const names = Object.entries(identity.state.roles);
    const roles = wanted.roles?.map(role => role.name ?? names.find(([, id]) => id === role.id)?.[0] ?? "");
    if (roles?.some(role => !token.roles.includes(role)))
      throw badRequest("Invalid application credential: role not assigned.");
    const credential: ApplicationCredential = {
      id: newId(),
      name: wanted.name,
      secret: wanted.secret ?? `${newId()}${newId()}`,
      userId: user.id,
      projectId: token.projectId,
      roles: roles ?? token.roles,
      description: wanted.description ?? null,
      expiresAt: wanted.expires_at ?? null,
      unrestricted: wanted.unrestricted ?? false,
    };
    identity.state.credentials.push(credential);
    identity.changed();
    // The secret is shown this once only.
    return reply.code(201).send({ application_credential: { ...view(credential), secret: credential.secret } });
  });
}

function roleList(identity: Identity, names: string[]) {
  return names.map(name => ({ id: identity.state.roles[name] ?? derivedId(name), name }));
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** A service of the catalogue with the three interfaces in each region, all at the same address. */
export function catalogService(type: string, name: string, regions: { name: string; url: string }[]): CatalogService {
  return {
    id: derivedId(`${type}/${name}`),
    type,
    name,
    endpoints: regions.flatMap(region =>
      (["public", "internal", "admin"] as const).map(interface_ => ({
        id: derivedId(`${type}/${region.name}/${interface_}`),
        interface: interface_,
        region: region.name,
        region_id: region.name,
        url: region.url,
      })),
    ),
  };
}
