import { badRequest, KeystoneError, notAllowed, notFound, unauthorized } from "./errors.ts";
import { DOMAIN, type Identity, same, type Token, type User } from "./identity.ts";

interface Named {
  id?: string;
  name?: string;
}

/** The body of POST /v3/auth/tokens, as far as it is read. */
export interface AuthRequest {
  auth?: {
    identity?: {
      methods?: string[];
      password?: { user?: Named & { domain?: Named; password?: string } };
      token?: { id?: string };
      application_credential?: Named & { secret?: string; user?: Named & { domain?: Named } };
    };
    scope?: "unscoped" | { project?: Named & { domain?: Named }; domain?: Named; system?: { all?: boolean } };
  };
}

/**
 * Signs in by password, application credential or another token, and scopes the result to a project.
 * @see https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
 * @throws KeystoneError 400 for a body that isn't one, 401 for whoever can't be let in
 */
export function signIn(identity: Identity, body: AuthRequest | undefined, lifetime: number): [string, Token] {
  const auth = body?.auth;
  const methods = auth?.identity?.methods;
  if (!auth) throw incomplete("auth", "request body");
  if (!auth.identity || !Array.isArray(methods)) {
    throw badRequest("Invalid input for field 'auth': 'identity' is a required property");
  }
  const { user, parent, credentialId } = identify(identity, auth.identity, methods);
  const base = { userId: user.id, methods: [...new Set([...methods, ...(parent?.methods ?? [])])] };

  if (credentialId) {
    const credential = identity.state.credentials.find(({ id }) => id === credentialId);
    if (!credential) throw unauthorized();
    if (auth.scope) {
      throw new KeystoneError(
        401,
        "Unauthorized",
        "Error authenticating with application credential: Application credentials cannot request a scope.",
      );
    }
    const { projectId, roles } = credential;
    return identity.issue({ ...base, projectId, roles, applicationCredentialId: credentialId }, lifetime);
  }
  if (parent?.applicationCredentialId) {
    throw notAllowed("Using a delegated token to create another token is not allowed.");
  }
  // Without a word about the scope, it is the user's own project.
  const scope = auth.scope ?? { project: { id: Object.keys(user.roles)[0] ?? "" } };
  if (scope === "unscoped") return identity.issue({ ...base, roles: [] }, lifetime, parent);
  if (scope.system) {
    if (!Object.values(user.roles).some(roles => roles.includes("admin"))) throw unauthorized();
    return identity.issue({ ...base, system: true, roles: ["admin", "manager", "member", "reader"] }, lifetime, parent);
  }
  const projectId = scope.project && findProject(identity, scope.project);
  const roles = projectId === undefined ? undefined : user.roles[projectId];
  if (projectId === undefined || !roles) throw unauthorized();
  return identity.issue({ ...base, projectId, roles }, lifetime, parent);
}

const incomplete = (what: string, where: string) =>
  badRequest(
    `Expecting to find ${what} in ${where}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  );

type IdentityRequest = NonNullable<NonNullable<AuthRequest["auth"]>["identity"]>;

function identify(
  identity: Identity,
  request: IdentityRequest,
  methods: string[],
): { user: User; parent?: Token; credentialId?: string } {
  const found: { user: User; parent?: Token; credentialId?: string }[] = methods.map(method => {
    if (method === "password") return { user: byPassword(identity, request.password) };
    if (method === "token") return byToken(identity, request.token);
    if (method === "application_credential") return byCredential(identity, request.application_credential);
    throw incomplete(method, "identity");
  });
  const first = found[0];
  if (!first || found.some(({ user }) => user !== first.user)) throw unauthorized();
  return first;
}

function byPassword(identity: Identity, request: IdentityRequest["password"]): User {
  if (!request) throw incomplete("password", "identity");
  const wanted = request.user;
  if (!wanted || typeof wanted.password !== "string") {
    throw incomplete("user", "password");
  }
  const user = findUser(identity, wanted);
  if (!user || !same(user.password, wanted.password)) throw unauthorized();
  return user;
}

function byToken(identity: Identity, request: IdentityRequest["token"]) {
  const parent = identity.validate(request?.id);
  const user = parent && identity.user(parent.userId);
  if (!user) throw notFound("Could not recognize Fernet token");
  return { user, parent };
}

function byCredential(identity: Identity, request: IdentityRequest["application_credential"]) {
  const owner = request?.user && findUser(identity, request.user);
  const credential = identity.state.credentials.find(({ id, name, userId }) =>
    request?.id === undefined ? name === request?.name && userId === owner?.id : id === request.id,
  );
  if (!credential && request?.id !== undefined) throw notFound(`Could not find Application Credential: ${request.id}.`);
  if (!credential || typeof request?.secret !== "string" || !same(credential.secret, request.secret))
    throw unauthorized();
  if (credential.expiresAt && Date.parse(`${credential.expiresAt}Z`) <= identity.now()) throw unauthorized();
  const user = identity.user(credential.userId);
  if (!user) throw unauthorized();
  return { user, credentialId: credential.id };
}

function findUser(identity: Identity, wanted: Named & { domain?: Named }): User | undefined {
  if (wanted.id !== undefined) return identity.user(wanted.id);
  if (!wanted.domain) throw incomplete("domain", "user");
  if (!isDomain(wanted.domain)) return undefined;
  return identity.state.users.find(({ name }) => name === wanted.name);
}

function findProject(identity: Identity, wanted: Named & { domain?: Named }): string | undefined {
  if (wanted.id !== undefined) return identity.project(wanted.id)?.id;
  if (!wanted.domain) throw incomplete("domain", "project");
  if (!isDomain(wanted.domain)) return undefined;
  return identity.state.projects.find(({ name }) => name === wanted.name)?.id;
}

function isDomain(domain: Named | undefined): boolean {
  return domain !== undefined && (domain.id === DOMAIN.id || domain.name === DOMAIN.name);
}
