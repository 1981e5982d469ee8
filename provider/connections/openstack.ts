import { existsSync } from "node:fs";
import { resolvePath, thisMachine } from "../../shared/folders.ts";
import type { ConfigReader, Layer, SettingsReader, Surroundings } from "./layer.ts";
import { layerOf } from "./layer.ts";

/** Who we are for a Keystone, and which of its image services is meant. Used by openstack, ecl, istack and glance-v1. */
export interface OpenStackSettings {
  /** Keystone's address, with or without /v3. */
  authUrl: string;
  /** How to sign in; worked out from what is set when it isn't said. */
  authType: "password" | "applicationCredential" | "token";
  username?: string;
  userId?: string;
  password?: string;
  userDomainName?: string;
  userDomainId?: string;
  projectName?: string;
  projectId?: string;
  projectDomainName?: string;
  projectDomainId?: string;
  applicationCredentialId?: string;
  applicationCredentialName?: string;
  applicationCredentialSecret?: string;
  token?: string;
  /** Needed when the catalogue has the service in more than one region. Compared without case. */
  region?: string;
  interface: "public" | "internal" | "admin";
  /** PEM file of certificate authorities to trust besides the usual ones. */
  caFile?: string;
  /** Don't verify certificates. */
  insecure: boolean;
  /** The image service's address, instead of the catalogue's. */
  imageEndpoint?: string;
}

/** Settings of a connection entry, by our names and those of the official Pulumi provider, to our names. */
export const openStackNames: Record<string, string> = {
  authUrl: "authUrl",
  authType: "authType",
  username: "username",
  userName: "username",
  userId: "userId",
  password: "password",
  userDomainName: "userDomainName",
  userDomainId: "userDomainId",
  projectName: "projectName",
  tenantName: "projectName",
  projectId: "projectId",
  tenantId: "projectId",
  projectDomainName: "projectDomainName",
  projectDomainId: "projectDomainId",
  domainName: "domainName",
  domainId: "domainId",
  defaultDomain: "defaultDomain",
  applicationCredentialId: "applicationCredentialId",
  applicationCredentialName: "applicationCredentialName",
  applicationCredentialSecret: "applicationCredentialSecret",
  token: "token",
  region: "region",
  interface: "interface",
  endpointType: "interface",
  caFile: "caFile",
  cacertFile: "caFile",
  insecure: "insecure",
  imageEndpoint: "imageEndpoint",
};

/** Keys of the official provider's configuration (openstack:…), see https://www.pulumi.com/registry/packages/openstack/installation-configuration/ */
const officialKeys = [
  "authUrl",
  "userName",
  "userId",
  "password",
  "userDomainName",
  "userDomainId",
  "tenantName",
  "tenantId",
  "projectDomainName",
  "projectDomainId",
  "domainName",
  "domainId",
  "defaultDomain",
  "applicationCredentialId",
  "applicationCredentialName",
  "applicationCredentialSecret",
  "token",
  "region",
  "endpointType",
  "cacertFile",
  "insecure",
];

export function officialOpenStackLayer(config: ConfigReader): Layer {
  const values: Record<string, unknown> = Object.fromEntries(
    officialKeys.map(key => [key, config.get(`openstack:${key}`)]),
  );
  const layer = layerOf(values, openStackNames, key => `openstack:${key}`);
  const endpoint = imageOverride(config.get("openstack:endpointOverrides"));
  if (endpoint) layer.set("imageEndpoint", { value: endpoint, origin: "openstack:endpointOverrides (image)" });
  return layer;
}

function imageOverride(json: string | undefined): unknown {
  if (!json) return undefined;
  try {
    const overrides = JSON.parse(json) as Record<string, unknown> | null;
    return overrides?.image ?? overrides?.glance;
  } catch {
    return undefined;
  }
}

const environmentNames: Record<string, string> = {
  OS_AUTH_URL: "authUrl",
  OS_AUTH_TYPE: "authType",
  OS_USERNAME: "username",
  OS_USER_ID: "userId",
  OS_PASSWORD: "password",
  OS_USER_DOMAIN_NAME: "userDomainName",
  OS_USER_DOMAIN_ID: "userDomainId",
  OS_PROJECT_NAME: "projectName",
  OS_TENANT_NAME: "projectName",
  OS_PROJECT_ID: "projectId",
  OS_TENANT_ID: "projectId",
  OS_PROJECT_DOMAIN_NAME: "projectDomainName",
  OS_PROJECT_DOMAIN_ID: "projectDomainId",
  OS_DOMAIN_NAME: "domainName",
  OS_DOMAIN_ID: "domainId",
  OS_DEFAULT_DOMAIN: "defaultDomain",
  OS_APPLICATION_CREDENTIAL_ID: "applicationCredentialId",
  OS_APPLICATION_CREDENTIAL_NAME: "applicationCredentialName",
  OS_APPLICATION_CREDENTIAL_SECRET: "applicationCredentialSecret",
  OS_TOKEN: "token",
  OS_AUTH_TOKEN: "token",
  OS_REGION_NAME: "region",
  OS_INTERFACE: "interface",
  OS_ENDPOINT_TYPE: "interface",
  OS_CACERT: "caFile",
  OS_INSECURE: "insecure",
  OS_IMAGE_ENDPOINT_OVERRIDE: "imageEndpoint",
};

export function openStackEnvironmentLayer(env: NodeJS.ProcessEnv): Layer {
  return layerOf(env, environmentNames, name => name);
}

const authTypes: Record<string, OpenStackSettings["authType"]> = {
  password: "password",
  v3password: "password",
  applicationcredential: "applicationCredential",
  v3applicationcredential: "applicationCredential",
  token: "token",
  v3token: "token",
};

/** What is wrong with the settings of a connection. */
export interface Problem {
  /** The setting that is missing or wrong. */
  setting: string;
  message: string;
  secret?: boolean;
}

/** Makes settings of what was found; with problems when something is missing or contradictory. */
export function openStackSettings(
  reader: SettingsReader,
  { env, cwd }: Surroundings,
): { settings: OpenStackSettings; problems: Problem[]; warnings: string[] } {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const missing = (setting: string, message: string, secret = false) => problems.push({ setting, message, secret });
  const clash = (setting: string, message: string) => problems.push({ setting, message });

  const authUrl = reader.url("authUrl");
  if (authUrl === undefined) missing("authUrl", "authUrl is missing (the address of Keystone)");

  const password = reader.text("password");
  const token = reader.text("token");
  const secret = reader.text("applicationCredentialSecret");
  const applicationCredentialId = reader.text("applicationCredentialId");
  const applicationCredentialName = reader.text("applicationCredentialName");
  const username = reader.text("username");
  const userId = reader.text("userId");
  const domainName = reader.text("domainName");
  const domainId = reader.text("domainId");
  const defaultDomain = reader.text("defaultDomain") ?? "default";

  const said = reader.text("authType");
  let authType = said === undefined ? undefined : authTypes[said.toLowerCase().replaceAll("_", "")];
  if (said !== undefined && authType === undefined) {
    clash(
      "authType",
      `authType "${said}" (from ${reader.originOf("authType")}) isn't supported; these are: password, applicationCredential, token`,
    );
    authType = "password";
  }
  if (authType === undefined) {
    const given = (
      [
        ["applicationCredential", secret === undefined ? undefined : "applicationCredentialSecret"],
        ["token", token === undefined ? undefined : "token"],
        ["password", password === undefined ? undefined : "password"],
      ] as const
    ).filter(([, setting]) => setting !== undefined);
    if (given.length > 1) {
      const list = given.map(([, setting]) => `${setting} (from ${reader.originOf(setting as string)})`).join(" and ");
      clash(
        "authType",
        `${list} contradict each other: leave one, or set authType to ${given.map(([type]) => type).join(" or ")}`,
      );
    }
    const named = applicationCredentialId ?? applicationCredentialName;
    authType = given[0]?.[0] ?? (named === undefined ? "password" : "applicationCredential");
  }

  const settings: OpenStackSettings = {
    authUrl: authUrl ?? "",
    authType,
    interface:
      reader.oneOf("interface", ["public", "internal", "admin"], word => word.toLowerCase().replace(/url$/, "")) ??
      "public",
    insecure: reader.flag("insecure") ?? false,
  };
  const set = <K extends keyof OpenStackSettings>(key: K, value: OpenStackSettings[K] | undefined) => {
    if (value !== undefined) settings[key] = value as OpenStackSettings[K];
  };

  const needsUser =
    authType === "password" || (authType === "applicationCredential" && applicationCredentialId === undefined);
  if (needsUser) {
    set("userId", userId);
    if (userId === undefined) {
      set("username", username);
      // A name is only unique in a domain.
      set("userDomainId", reader.text("userDomainId"));
      set("userDomainName", settings.userDomainId === undefined ? reader.text("userDomainName") : undefined);
      if (settings.userDomainId === undefined && settings.userDomainName === undefined) {
        if (domainId !== undefined) set("userDomainId", domainId);
        else if (domainName !== undefined) set("userDomainName", domainName);
        else set("userDomainId", defaultDomain);
      }
    }
    if (username === undefined && userId === undefined) missing("username", "username (or userId) is missing");
  }
  if (authType === "password") {
    set("password", password);
    if (password === undefined) missing("password", "password is missing", true);
  } else if (authType === "token") {
    set("token", token);
    if (token === undefined) missing("token", "token is missing", true);
  } else {
    set("applicationCredentialId", applicationCredentialId);
    if (applicationCredentialId === undefined) set("applicationCredentialName", applicationCredentialName);
    set("applicationCredentialSecret", secret);
    if (secret === undefined) missing("applicationCredentialSecret", "applicationCredentialSecret is missing", true);
    if (applicationCredentialId === undefined && applicationCredentialName === undefined)
      missing("applicationCredentialId", "applicationCredentialId (or applicationCredentialName) is missing");
  }

  // An application credential belongs to a project; Keystone refuses another scope beside it.
  if (authType !== "applicationCredential") {
    const projectId = reader.text("projectId");
    const projectName = reader.text("projectName");
    set("projectId", projectId);
    if (projectId === undefined) {
      set("projectName", projectName);
      set("projectDomainId", reader.text("projectDomainId"));
      set("projectDomainName", settings.projectDomainId === undefined ? reader.text("projectDomainName") : undefined);
      if (settings.projectDomainId === undefined && settings.projectDomainName === undefined) {
        if (domainId !== undefined) set("projectDomainId", domainId);
        else if (domainName !== undefined) set("projectDomainName", domainName);
        // A user's projects are mostly in the user's own domain.
        else if (settings.userDomainName !== undefined) set("projectDomainName", settings.userDomainName);
        else set("projectDomainId", settings.userDomainId ?? defaultDomain);
      }
      if (projectName === undefined && authType === "password")
        missing("projectName", "projectName (or projectId) is missing");
    }
  }

  set("region", reader.text("region"));
  set("imageEndpoint", reader.url("imageEndpoint"));
  const caFile = reader.text("caFile");
  if (caFile !== undefined) {
    const path = resolvePath(caFile, cwd, { ...thisMachine, env });
    if (existsSync(path)) set("caFile", path);
    else clash("caFile", `caFile ${path} (from ${reader.originOf("caFile")}) isn't there`);
  }
  if (settings.insecure)
    warnings.push(
      `Certificates are not verified (insecure, from ${reader.originOf("insecure")}): anyone on the way can read and change what is sent`,
    );
  return { settings, problems, warnings };
}

/** Settings whose values are never printed. */
export const openStackSecrets = ["password", "token", "applicationCredentialSecret"] as const;
