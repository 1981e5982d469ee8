import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Account } from "../openStackCloud.ts";
import type { Store } from "../store.ts";

/** The one domain of the local clouds, as `keystone-manage bootstrap` names it. */
export const DOMAIN = { id: "default", name: "Default" };

export interface Project {
  id: string;
  name: string;
}

export interface User {
  id: string;
  name: string;
  password: string;
  /** The user's roles by project id. */
  roles: Record<string, string[]>;
}

export interface ApplicationCredential {
  id: string;
  name: string;
  secret: string;
  userId: string;
  projectId: string;
  roles: string[];
  description: string | null;
  expiresAt: string | null;
  unrestricted: boolean;
}

/** One sign-in. A token without a project is an unscoped one: good for asking who one is, and for another token. */
export interface Token {
  userId: string;
  projectId?: string;
  system?: boolean;
  roles: string[];
  methods: string[];
  auditIds: string[];
  /** Milliseconds since 1970. */
  issuedAt: number;
  expiresAt: number;
  applicationCredentialId?: string;
}

/** All that a Keystone keeps. */
export interface IdentityState {
  users: User[];
  projects: Project[];
  credentials: ApplicationCredential[];
  roles: Record<string, string>;
  tokens: Record<string, Token>;
}

/** A service in the catalogue. */
export interface CatalogService {
  id: string;
  type: string;
  name: string;
  endpoints: {
    id: string;
    interface: "public" | "internal" | "admin";
    region: string;
    region_id: string;
    url: string;
  }[];
}

/** One account to begin with. The roles count in its own project. */
export interface AccountSeed {
  username: string;
  password?: string;
  project: string;
  roles: string[];
}

/** Keystone's ids: 32 hexadecimal digits. */
export const newId = () => randomBytes(16).toString("hex");

/** Letters and digits only, so that it needs no quoting in a shell. */
const secret = () => randomBytes(16).toString("hex");

/** The id that a name always has within a state: regions, services and endpoints need no rows of their own. */
export const derivedId = (name: string) => createHash("md5").update(name).digest("hex");

/** Admin brings the lesser roles along, as in a bootstrapped Keystone. */
const IMPLIED: Record<string, string[]> = {
  admin: ["manager", "member", "reader"],
  manager: ["member", "reader"],
  member: ["reader"],
};

/** The roles with those that they imply. */
export function withImplied(roles: string[]): string[] {
  return [...new Set(roles.flatMap(role => [role, ...(IMPLIED[role] ?? [])]))];
}

/** A state with the given accounts, each with a project, a user and an application credential. */
export function seedIdentity(accounts: Record<string, AccountSeed>): IdentityState {
  const state: IdentityState = { users: [], projects: [], credentials: [], roles: {}, tokens: {} };
  for (const { username, password, project: projectName, roles } of Object.values(accounts)) {
    const project = { id: newId(), name: projectName };
    const all = withImplied(roles);
    const user: User = { id: newId(), name: username, password: password ?? secret(), roles: { [project.id]: all } };
    state.projects.push(project);
    state.users.push(user);
    state.credentials.push({
      id: newId(),
      name: `${username}-credential`,
      secret: secret(),
      userId: user.id,
      projectId: project.id,
      roles: all,
      description: null,
      expiresAt: null,
      unrestricted: false,
    });
    for (const role of all) state.roles[role] ??= newId();
  }
  return state;
}

/** Users, projects and tokens of one cloud. */
export class Identity {
  readonly #store: Store<IdentityState>;
  readonly #clock: () => Date;

  constructor(store: Store<IdentityState>, clock: () => Date) {
    this.#store = store;
    this.#clock = clock;
    store.changed();
  }

  get state(): IdentityState {
    return this.#store.data;
  }

  changed(): void {
    this.#store.changed();
  }

  now(): number {
    return this.#clock().getTime();
  }

  /** The account of a user, as a client needs it. @throws Error when there is no such user */
  account(username: string): Account {
    const user = this.state.users.find(({ name }) => name === username);
    const projectId = Object.keys(user?.roles ?? {})[0];
    const project = this.state.projects.find(({ id }) => id === projectId);
    const credential = this.state.credentials.find(({ userId }) => userId === user?.id);
    if (!user || !project || !credential) throw new Error(`There is no account ${username}.`);
    return {
      username,
      password: user.password,
      userDomain: DOMAIN.name,
      projectId: project.id,
      projectName: project.name,
      projectDomain: DOMAIN.name,
      applicationCredential: { id: credential.id, secret: credential.secret },
    };
  }

  /** Who holds a token, as long as it is good. */
  validate(token: string | undefined): Token | undefined {
    const found = token === undefined ? undefined : this.state.tokens[token];
    return found && found.expiresAt > this.now() ? found : undefined;
  }

  /** Makes a token of `lifetime` seconds. A token made from another one dies with it. */
  issue(fields: Omit<Token, "issuedAt" | "expiresAt" | "auditIds">, lifetime: number, parent?: Token): [string, Token] {
    const now = this.now();
    const auditIds = [randomBytes(16).toString("base64url"), ...(parent ? parent.auditIds.slice(-1) : [])];
    const token = { ...fields, auditIds, issuedAt: now, expiresAt: parent?.expiresAt ?? now + lifetime * 1000 };
    // As long as a Fernet token, so that whoever keeps tokens too short finds out here.
    const text = `gAAAAA${randomBytes(133).toString("base64url").slice(0, 177)}`;
    for (const [old, { expiresAt }] of Object.entries(this.state.tokens)) {
      if (expiresAt <= now) delete this.state.tokens[old];
    }
    this.state.tokens[text] = token;
    this.changed();
    return [text, token];
  }

  revoke(token: string): void {
    delete this.state.tokens[token];
    this.changed();
  }

  user(id: string): User | undefined {
    return this.state.users.find(user => user.id === id);
  }

  project(id: string | undefined): Project | undefined {
    return this.state.projects.find(project => project.id === id);
  }
}

/** Compares secrets without telling by time where they differ. */
export function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
