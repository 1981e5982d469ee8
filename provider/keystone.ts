import type { Connection, OpenStackSettings } from "./connection.ts";
import { ImagesError } from "./errors.ts";
import { createHttp, type Http, type ServiceAnswer } from "./http.ts";
import { registerSecret } from "./redaction.ts";

/**
 * A signed-in user of a Keystone (Identity API v3, https://docs.openstack.org/api-ref/identity/v3/). All callers share one sign-in, which
 * happens at the first use, and again shortly before the token expires.
 */
export interface Session {
  /** A token for X-Auth-Token; `renew` after a service has refused the last one. */
  token(renew?: boolean): Promise<string>;
  /** A service's address from the catalogue (or imageEndpoint), without a version and without a slash at the end. */
  endpoint(serviceType: string): Promise<string>;
  /** The region of that address in the catalogue; undefined where imageEndpoint is set, or the catalogue names none. */
  region(serviceType: string): Promise<string | undefined>;
  /** The project that the token is for. */
  projectId(): Promise<string>;
  userId(): Promise<string>;
  /**
   * The id of the project with this name.
   * @throws ImagesError "not-found", "conflict" when several have it, "forbidden" when this user may not look it up
   */
  findProject(name: string): Promise<string>;
}

/** What a sign-in gave. */
interface Grant {
  token: string;
  /** Milliseconds since the epoch, by our clock. */
  renewAt: number;
  userId: string;
  projectId: string | undefined;
  catalog: CatalogEntry[];
}

interface CatalogEndpoint {
  interface: string;
  region?: string | null;
  region_id?: string | null;
  url: string;
}

interface CatalogEntry {
  type: string;
  name?: string;
  endpoints: CatalogEndpoint[];
}

interface TokenBody {
  token?: {
    expires_at?: string | null;
    issued_at?: string;
    user?: { id: string; name?: string };
    project?: { id: string; name?: string; domain?: { id: string; name?: string } };
    catalog?: CatalogEntry[];
  };
}

interface Project {
  id: string;
  name: string;
}

const signInMs = 30_000;
const strangerMs = 4000;
/** A failed sign-in isn't repeated for each resource of a program that asks at nearly the same time. */
const failureMs = 2000;

export function openSession(connection: Connection<OpenStackSettings>): Session {
  const { settings, service, origin } = connection;
  const from = (setting: string) => (origin[setting] ? ` (from ${origin[setting]})` : "");
  const address = withoutKeystoneVersion(settings.authUrl);
  const host = new URL(address).host;
  const keystone = keystoneHttp();
  const signed = keystoneHttp(async () => (await grant()).token);

  let current: Promise<Grant> | undefined;
  let renewing = false;
  let refused: ImagesError | undefined;

  /** Keystone's requests. With a token they are signed by it, otherwise they carry no credentials in headers. */
  function keystoneHttp(token?: () => Promise<string>): Http {
    return createHttp({
      service,
      baseUrl: async () => address,
      authorize: async () => (token ? { "X-Auth-Token": await token() } : ({} as Record<string, string>)),
      caFile: settings.caFile,
      insecure: settings.insecure,
      addressHint: `authUrl is ${settings.authUrl}${from("authUrl")}`,
      strangerMs,
    });
  }

  async function grant(renew = false): Promise<Grant> {
    if (refused) throw refused;
    if (current) {
      if (renewing) return current;
      const known = await current;
      if (!renew && Date.now() < known.renewAt) return known;
      // Somebody else may have begun meanwhile.
      if (renewing) return current;
    }
    renewing = true;
    const signedIn = signIn().finally(() => {
      renewing = false;
    });
    current = signedIn;
    signedIn.catch(error => {
      // Wrong credentials stay wrong, and each further try counts towards a lock of the account.
      if (error instanceof ImagesError && ["unauthorized", "forbidden"].includes(error.code)) refused = error;
      const forget = () => {
        if (current === signedIn) current = undefined;
      };
      setTimeout(forget, failureMs).unref();
    });
    return signedIn;
  }

  async function signIn(): Promise<Grant> {
    if (settings.authType === "token") return useToken(settings.token as string);
    const answer = await post(identity(), scope());
    if (answer.status === 201 || answer.status === 200) return granted(answer);
    const projects = answer.status === 401 ? await projectsWithoutScope() : undefined;
    if (projects?.some(({ id, name }) => id === settings.projectId || name === settings.projectName)) {
      // Everything is as it should be: the refusal was a passing one.
      const again = await post(identity(), scope());
      if (again.status === 201 || again.status === 200) return granted(again);
    }
    throw refusal(answer.status, messageOf(answer.body), projects);
  }

  function post(identityPart: object, scopePart: object | undefined, accept = [400, 401, 403, 404, 405]) {
    return keystone.send<TokenBody>({
      method: "POST",
      path: "/v3/auth/tokens",
      json: { auth: { identity: identityPart, ...(scopePart ? { scope: scopePart } : {}) } },
      accept,
      // A second token does no harm.
      repeatable: true,
      deadline: Date.now() + signInMs,
    });
  }

  function identity(): object {
    if (settings.authType === "applicationCredential") {
      const {
        applicationCredentialId: id,
        applicationCredentialName: name,
        applicationCredentialSecret: secret,
      } = settings;
      return {
        methods: ["application_credential"],
        application_credential: id === undefined ? { name, user: user(), secret } : { id, secret },
      };
    }
    return { methods: ["password"], password: { user: { ...user(), password: settings.password } } };
  }

  function user(): object {
    if (settings.userId !== undefined) return { id: settings.userId };
    return { name: settings.username, domain: domain(settings.userDomainId, settings.userDomainName) };
  }

  function scope(): object | undefined {
    if (settings.projectId !== undefined) return { project: { id: settings.projectId } };
    if (settings.projectName === undefined) return undefined;
    return {
      project: { name: settings.projectName, domain: domain(settings.projectDomainId, settings.projectDomainName) },
    };
  }

  /** A given token is used as it is when it is for the right project; otherwise it is exchanged for one that is. */
  async function useToken(token: string): Promise<Grant> {
    const shown = await keystone.send<TokenBody>({
      method: "GET",
      path: "/v3/auth/tokens",
      headers: { "X-Auth-Token": token, "X-Subject-Token": token },
      accept: [400, 401, 403, 404, 405],
      deadline: Date.now() + signInMs,
    });
    if (shown.status !== 200) throw refusal(shown.status, messageOf(shown.body));
    const project = shown.body?.token?.project;
    const fits =
      settings.projectId !== undefined
        ? project?.id === settings.projectId
        : settings.projectName === undefined || project?.name === settings.projectName;
    if (fits) return granted(shown, token);
    const answer = await post({ methods: ["token"], token: { id: token } }, scope());
    if (answer.status === 201) return granted(answer);
    throw refusal(answer.status, messageOf(answer.body));
  }

  function granted(answer: ServiceAnswer<TokenBody>, given?: string): Grant {
    const header = answer.headers["x-subject-token"];
    const token = given ?? (Array.isArray(header) ? header[0] : header);
    const details = answer.body?.token;
    if (!token || !details?.user) {
      throw noKeystone(`its answer ${answer.status} has no token`);
    }
    registerSecret(token);
    // By the server's two times, so that its clock may differ from ours.
    const until = details.expires_at ? Date.parse(details.expires_at) : Number.NaN;
    const since = details.issued_at && given === undefined ? Date.parse(details.issued_at) : Date.now();
    const lifetime = Number.isNaN(until) ? Number.POSITIVE_INFINITY : Math.max(0, until - since);
    return {
      token,
      renewAt: Date.now() + lifetime - Math.min(120_000, lifetime / 4),
      userId: details.user.id,
      projectId: details.project?.id,
      catalog: details.catalog ?? [],
    };
  }

  /** @param projects those that the user may use, if it can sign in at all */
  function refusal(status: number, words: string | undefined, projects?: Project[]): ImagesError {
    const details = { service, request: "POST /v3/auth/tokens", status };
    if (status === 404 || status === 405) return noKeystone(`it answered ${status}${words ? ` ${words}` : ""}`);
    if (status === 400) {
      return new ImagesError(
        "configuration",
        `Keystone at ${host} doesn't understand the sign-in: ${words ?? "400 Bad Request"}`,
        details,
      );
    }
    if (status === 403)
      return new ImagesError(
        "forbidden",
        `Keystone at ${host} refuses the sign-in: ${words ?? "403 Forbidden"}`,
        details,
      );
    if (settings.authType === "token") {
      return new ImagesError(
        "unauthorized",
        `The cloud answered 401 to the token${from("token")}: it has expired, or is for another cloud`,
        {
          ...details,
          hint: "Get a new one by `openstack token issue`, or use a password or an application credential, which are renewed by themselves",
        },
      );
    }
    if (settings.authType === "applicationCredential") {
      const what = settings.applicationCredentialId ?? settings.applicationCredentialName;
      return new ImagesError(
        "unauthorized",
        `The cloud answered 401 to the application credential ${what}: check its id${from("applicationCredentialId")} and secret${from("applicationCredentialSecret")}; it may also have expired`,
        details,
      );
    }
    const who = settings.username === undefined ? `user ${settings.userId}` : `user "${settings.username}"`;
    const wanted = settings.projectName ?? settings.projectId;
    if (projects) {
      return new ImagesError(
        "unauthorized",
        `The ${who} has signed in, but there is no project "${wanted}"${from(settings.projectId === undefined ? "projectName" : "projectId")} that it may use`,
        {
          ...details,
          hint:
            projects.length > 0
              ? `It may use ${projects.map(({ id, name }) => `${name} (${id})`).join(", ")}`
              : "It has no project at all",
        },
      );
    }
    const where = settings.userDomainName ?? settings.userDomainId;
    return new ImagesError(
      "unauthorized",
      `The cloud answered 401 to ${who}: check the password${from("password")}, the user's name${from("username") || from("userId")}${where ? ` and its domain "${where}"` : ""}`,
      details,
    );
  }

  /** Tells a wrong project from a wrong password: the projects of this user, or undefined when it can't sign in by its password at all. */
  async function projectsWithoutScope(): Promise<Project[] | undefined> {
    if (settings.authType !== "password") return undefined;
    try {
      const answer = await post(identity(), undefined);
      const header = answer.headers["x-subject-token"];
      if (answer.status !== 201 || typeof header !== "string") return undefined;
      registerSecret(header);
      const listed = await keystone.send<{ projects: Project[] }>({
        method: "GET",
        path: "/v3/auth/projects",
        headers: { "X-Auth-Token": header },
        deadline: Date.now() + signInMs,
      });
      return listed.body.projects;
    } catch {
      return undefined;
    }
  }

  function noKeystone(what: string): ImagesError {
    return new ImagesError("configuration", `${settings.authUrl}${from("authUrl")} isn't a Keystone v3: ${what}`, {
      service,
      hint: "authUrl is the Identity service's address, such as https://cloud.example.org:5000/v3",
    });
  }

  /** The address that is set, in place of the catalogue's. */
  function fixedEndpoint(serviceType: string): string | undefined {
    return serviceType === "image" ? settings.imageEndpoint : undefined;
  }

  async function endpoint(serviceType: string): Promise<string> {
    return withoutVersion(fixedEndpoint(serviceType) ?? (await offer(serviceType)).url);
  }

  async function region(serviceType: string): Promise<string | undefined> {
    return fixedEndpoint(serviceType) === undefined ? regionOf(await offer(serviceType)) || undefined : undefined;
  }

  /** The catalogue's entry for a service, by the connection's region and interface. */
  async function offer(serviceType: string): Promise<CatalogEndpoint> {
    const { catalog, projectId } = await grant();
    const entries = catalog.filter(
      ({ type, name }) => type === serviceType || (serviceType === "image" && name === "glance"),
    );
    if (entries.length === 0) {
      const types = [...new Set(catalog.map(({ type }) => type))].sort();
      throw new ImagesError("configuration", `The catalogue of ${host} has no service of type ${serviceType}`, {
        service,
        hint:
          projectId === undefined
            ? "The token isn't for a project: set projectName or projectId"
            : `It has ${types.join(", ") || "no services"}; set imageEndpoint to use an address that isn't in it`,
      });
    }
    const offered = entries.flatMap(({ endpoints }) => endpoints);
    const ofInterface = offered.filter(one => one.interface.toLowerCase().replace(/url$/, "") === settings.interface);
    if (ofInterface.length === 0) {
      const interfaces = [...new Set(offered.map(one => one.interface))].join(", ");
      throw new ImagesError(
        "configuration",
        `The catalogue of ${host} has no ${settings.interface} endpoint of the ${serviceType} service${from("interface")}`,
        {
          service,
          hint: `Set interface to one of ${interfaces}`,
        },
      );
    }
    const wanted = settings.region?.toLowerCase();
    const regions = [...new Set(ofInterface.map(regionOf))];
    const inRegion =
      wanted === undefined ? ofInterface : ofInterface.filter(one => regionOf(one).toLowerCase() === wanted);
    if (inRegion.length === 0) {
      throw new ImagesError(
        "configuration",
        `The ${serviceType} service isn't offered in the region "${settings.region}"${from("region")}`,
        {
          service,
          hint: `Its regions are ${regions.join(", ")}`,
        },
      );
    }
    if (wanted === undefined && regions.length > 1) {
      throw new ImagesError(
        "configuration",
        `The ${serviceType} service of ${host} has ${regions.length} regions, and the connection "${connection.name}" says none`,
        {
          service,
          hint: `Set region to one of ${regions.join(", ")}`,
        },
      );
    }
    return inRegion[0] as CatalogEndpoint;
  }

  async function findProject(name: string): Promise<string> {
    const own = await signed.send<{ projects: Project[] }>({
      method: "GET",
      path: "/v3/auth/projects",
      accept: [403, 404],
    });
    let found = own.status === 200 ? own.body.projects.filter(project => project.name === name) : [];
    let mayLook = true;
    if (found.length === 0) {
      const all = await signed.send<{ projects: Project[] }>({
        method: "GET",
        path: "/v3/projects",
        query: { name },
        accept: [403, 404],
      });
      mayLook = all.status === 200;
      if (mayLook) found = all.body.projects.filter(project => project.name === name);
    }
    const [project] = found;
    if (project && found.length === 1) return project.id;
    const details = { service, request: "GET /v3/projects" };
    if (found.length > 1) {
      throw new ImagesError("conflict", `${found.length} projects are called "${name}"`, {
        ...details,
        hint: `Give the id of the one that is meant: ${found.map(({ id }) => id).join(", ")}`,
      });
    }
    if (!mayLook) {
      throw new ImagesError(
        "forbidden",
        `The project "${name}" isn't one of this user's own, and the cloud doesn't let this user look up others`,
        {
          ...details,
          hint: "Give the project's id instead of its name",
        },
      );
    }
    throw new ImagesError("not-found", `There is no project "${name}"`, details);
  }

  return {
    token: async renew => (await grant(renew)).token,
    endpoint,
    region,
    projectId: async () => {
      const { projectId } = await grant();
      if (projectId === undefined) {
        throw new ImagesError("configuration", `The token of the connection "${connection.name}" isn't for a project`, {
          service,
          hint: "Set projectName or projectId",
        });
      }
      return projectId;
    },
    userId: async () => (await grant()).userId,
    findProject,
  };
}

function domain(id: string | undefined, name: string | undefined): object {
  return id === undefined ? { name } : { id };
}

/** Without a version and without a slash at its end, whether it was written with them or not. */
function withoutKeystoneVersion(authUrl: string): string {
  return authUrl.replace(/\/+$/, "").replace(/\/(v2\.0|v3)(\/auth\/tokens)?$/, "");
}

/** A catalogue may give the address with the API's version: paths bring their own. */
function withoutVersion(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/v\d+(\.\d+)?$/, "");
}

function regionOf({ region, region_id }: CatalogEndpoint): string {
  return region_id ?? region ?? "";
}

function messageOf(body: unknown): string | undefined {
  const error = (body as { error?: { message?: unknown } } | undefined)?.error;
  return typeof error?.message === "string" ? error.message : undefined;
}
