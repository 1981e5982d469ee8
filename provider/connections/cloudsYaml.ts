import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { openStackFolders, thisMachine } from "../../shared/folders.ts";
import { ImagesError } from "../errors.ts";
import { type Layer, layerOf, merge, type Surroundings } from "./layer.ts";

/**
 * clouds.yaml, secure.yaml and clouds-public.yaml as OpenStack's own clients read them.
 * See https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
 *
 * The first file found wins: the one that OS_CLIENT_CONFIG_FILE names, then the working directory, the user's folder and the system's (see
 * openStackFolders). One in a usual place that can't be read is passed over, as openstacksdk does; one that is named has to be there. secure.yaml (OS_CLIENT_SECURE_FILE) is laid over clouds.yaml, a
 * profile of clouds-public.yaml (OS_CLIENT_VENDOR_FILE) under it. The profiles that are built into openstacksdk are not known here.
 */
export interface CloudsFiles {
  /** The names of the clouds, in the file's order. */
  names: string[];
  /** Where it was looked for, in order. */
  searched: string[];
  /** Those of them where something is that can't be read, with the reason. */
  passedOver: string[];
  /** The file that was found. */
  file: string | undefined;
  /** The settings of a cloud; warnings tell what its user should see to. */
  cloud(name: string): { layer: Layer; warnings: string[] } | undefined;
}

type Tree = Record<string, unknown>;
interface Found {
  file: string;
  clouds: Record<string, Tree>;
}

export function readClouds(surroundings: Surroundings): CloudsFiles {
  const { env } = surroundings;
  const places = candidates("clouds", env.OS_CLIENT_CONFIG_FILE, surroundings);
  const { found: clouds, unreadable } = first(places, "clouds");
  const { found: secure } = first(candidates("secure", env.OS_CLIENT_SECURE_FILE, surroundings), "clouds");
  return {
    names: Object.keys(clouds?.clouds ?? {}),
    searched: places.map(({ file }) => file),
    passedOver: [...unreadable].map(([file, reason]) => `${file} ${reason}`),
    file: clouds?.file,
    cloud(name) {
      const entry = clouds?.clouds[name];
      if (!clouds || !entry) return undefined;
      const secrets = secure?.clouds[name];
      const profileName = text(secrets?.profile) ?? text(entry.profile) ?? text(entry.cloud);
      const profile = profileName === undefined ? undefined : profileOf(profileName, surroundings);
      const layer = merge(
        secrets && secure ? layerOfCloud(secrets, secure.file, `clouds.${name}`) : new Map(),
        layerOfCloud(entry, clouds.file, `clouds.${name}`),
        profile?.layer ?? new Map(),
      );
      if (profileName !== undefined && !profile && !layer.has("authUrl")) {
        throw new ImagesError(
          "configuration",
          `The cloud "${name}" in ${clouds.file} uses the profile "${profileName}", which is in no clouds-public.yaml`,
          { hint: "The profiles built into openstacksdk aren't known here: write its auth.auth_url into clouds.yaml" },
        );
      }
      const warnings = [
        warnIfReadable(clouds.file, entry),
        ...(secrets && secure ? [warnIfReadable(secure.file, secrets)] : []),
      ].filter(warning => warning !== undefined);
      return { layer, warnings };
    },
  };
}

/** A place where a file may be. */
interface Candidate {
  file: string;
  /** Whether the user named just this one. */
  isNamed: boolean;
}

/** Where a file of this kind is looked for, in order. */
function candidates(kind: string, told: string | undefined, { env, cwd }: Surroundings): Candidate[] {
  const usual = [cwd, ...openStackFolders({ ...thisMachine, env })].flatMap(folder =>
    ["yaml", "yml", "json"].map(extension => ({ file: join(folder, `${kind}.${extension}`), isNamed: false })),
  );
  return told ? [{ file: resolve(cwd, told), isNamed: true }, ...usual] : usual;
}

const reasons: Record<string, string> = {
  EACCES: "may not be read",
  EPERM: "may not be read",
  EISDIR: "is a folder",
};

/** The first file that is there; and of those before it that couldn't be read, why. */
function first(
  places: readonly Candidate[],
  key: string,
): { found: Found | undefined; unreadable: Map<string, string> } {
  const unreadable = new Map<string, string>();
  for (const { file, isNamed } of places) {
    let content: string;
    try {
      content = readFileSync(file, "utf8");
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      const reason = reasons[code];
      if (isNamed || reason === undefined) {
        const problem = reason === undefined ? `can't be read: ${message}` : reason;
        throw new ImagesError("configuration", `${file} ${problem}`, { cause: error });
      }
      unreadable.set(file, reason);
      continue;
    }
    let tree: unknown;
    // Most programs have no such file, and would load the parser for nothing.
    const { load } = createRequire(import.meta.url)("js-yaml") as typeof import("js-yaml");
    try {
      tree = load(content, { filename: file });
    } catch (error) {
      // Without the parser's own excerpt of the file: it may hold a secret.
      const { reason, mark } = error as { reason?: string; mark?: { line: number } };
      throw new ImagesError(
        "configuration",
        `${file} isn't valid YAML: ${reason ?? "it can't be parsed"}${mark ? ` (line ${mark.line + 1})` : ""}`,
      );
    }
    return { found: { file, clouds: cloudsIn(tree, key) }, unreadable };
  }
  return { found: undefined, unreadable };
}

function cloudsIn(tree: unknown, key: string): Record<string, Tree> {
  const clouds = isTree(tree) ? tree[key] : undefined;
  if (!isTree(clouds)) return {};
  return Object.fromEntries(Object.entries(clouds).filter(([, cloud]) => isTree(cloud)) as [string, Tree][]);
}

function profileOf(name: string, surroundings: Surroundings): { layer: Layer } | undefined {
  const { found } = first(
    candidates("clouds-public", surroundings.env.OS_CLIENT_VENDOR_FILE, surroundings),
    "public-clouds",
  );
  const profile = found?.clouds[name];
  return found && profile ? { layer: layerOfCloud(profile, found.file, `public-clouds.${name}`) } : undefined;
}

const authNames: Record<string, string> = {
  auth_url: "authUrl",
  username: "username",
  user_name: "username",
  user_id: "userId",
  password: "password",
  user_domain_name: "userDomainName",
  user_domain_id: "userDomainId",
  project_name: "projectName",
  tenant_name: "projectName",
  project_id: "projectId",
  tenant_id: "projectId",
  project_domain_name: "projectDomainName",
  project_domain_id: "projectDomainId",
  domain_name: "domainName",
  domain_id: "domainId",
  default_domain: "defaultDomain",
  default_domain_id: "defaultDomain",
  application_credential_id: "applicationCredentialId",
  application_credential_name: "applicationCredentialName",
  application_credential_secret: "applicationCredentialSecret",
  token: "token",
};

const cloudNames: Record<string, string> = {
  auth_type: "authType",
  region_name: "region",
  region: "region",
  interface: "interface",
  endpoint_type: "interface",
  image_endpoint_override: "imageEndpoint",
  image_endpoint: "imageEndpoint",
  cacert: "caFile",
  insecure: "insecure",
};

function layerOfCloud(cloud: Tree, file: string, path: string): Layer {
  const auth = isTree(cloud.auth) ? cloud.auth : {};
  const layer = merge(
    layerOf(auth, authNames, name => `${file} (${path}.auth.${name})`),
    layerOf(cloud, cloudNames, name => `${file} (${path}.${name})`),
    // Old files have the settings of auth beside it.
    layerOf(cloud, authNames, name => `${file} (${path}.${name})`),
  );
  const regions = cloud.regions;
  if (!layer.has("region") && Array.isArray(regions) && regions.length > 0) {
    const region = isTree(regions[0]) ? regions[0].name : regions[0];
    layer.set("region", { value: region, origin: `${file} (${path}.regions, the first)` });
  }
  // verify may also be the path of a CA file.
  const verify = cloud.verify;
  if (verify === false || /^(false|no|off|0)$/i.test(String(verify))) {
    layer.set("insecure", { value: true, origin: `${file} (${path}.verify)` });
  } else if (typeof verify === "string" && !/^(true|yes|on|1)$/i.test(verify) && !layer.has("caFile")) {
    layer.set("caFile", { value: verify, origin: `${file} (${path}.verify)` });
  }
  return layer;
}

const secretKeys = ["password", "token", "application_credential_secret"];

function warnIfReadable(file: string, cloud: Tree): string | undefined {
  const auth = isTree(cloud.auth) ? cloud.auth : {};
  if (process.platform === "win32" || !secretKeys.some(key => auth[key] !== undefined || cloud[key] !== undefined))
    return undefined;
  return warningOfMode(file, statSync(file), isReadOnly(file), process.getuid?.());
}

/**
 * What to say of a file with a secret in it, by who may read it.
 * @param isFixed whether its file system is read-only
 */
export function warningOfMode(
  file: string,
  { mode, uid }: { mode: number; uid: number },
  isFixed: boolean,
  user: number | undefined,
): string | undefined {
  const isOurs = uid === user && !isFixed;
  // What is mounted into a container is root's, and for a group that its processes are in.
  const others = isOurs ? 0o044 : 0o004;
  if ((mode & others) === 0) return undefined;
  const remedy = isOurs
    ? `chmod 600 ${file}`
    : "its owner should give it mode 0440 (in Kubernetes: the volume's defaultMode)";
  return `${file} holds a secret and others can read it (mode ${(mode & 0o777).toString(8).padStart(4, "0")}): ${remedy}`;
}

function isReadOnly(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
