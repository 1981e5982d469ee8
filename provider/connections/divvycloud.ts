import { existsSync } from "node:fs";
import { resolvePath, thisMachine } from "../../shared/folders.ts";
import { type Layer, layerOf, type SettingsReader, type Surroundings } from "./layer.ts";
import type { Problem } from "./openstack.ts";

export interface DivvyCloudSettings {
  /** The address of the installation, without /v2. */
  url: string;
  /** A user's API key; or username and password. */
  apiKey?: string;
  username?: string;
  password?: string;
  caFile?: string;
  insecure: boolean;
}

export const divvyCloudNames: Record<string, string> = {
  url: "url",
  apiKey: "apiKey",
  username: "username",
  password: "password",
  caFile: "caFile",
  insecure: "insecure",
};

/** The vendor has no names of its own for these: they are this provider's. */
export function divvyCloudEnvironmentLayer(env: NodeJS.ProcessEnv): Layer {
  const names = {
    DIVVYCLOUD_URL: "url",
    DIVVYCLOUD_API_KEY: "apiKey",
    DIVVYCLOUD_USERNAME: "username",
    DIVVYCLOUD_PASSWORD: "password",
    DIVVYCLOUD_CACERT: "caFile",
    DIVVYCLOUD_INSECURE: "insecure",
  };
  return layerOf(env, names, name => name);
}

export function divvyCloudSettings(
  reader: SettingsReader,
  { cwd, env }: Surroundings,
): { settings: DivvyCloudSettings; problems: Problem[]; warnings: string[] } {
  const problems: Problem[] = [];
  const url = reader.url("url");
  if (url === undefined) problems.push({ setting: "url", message: "url is missing (the address of the installation)" });
  const settings: DivvyCloudSettings = {
    url: (url ?? "").replace(/\/v2$/, ""),
    insecure: reader.flag("insecure") ?? false,
  };
  const apiKey = reader.text("apiKey");
  const username = reader.text("username");
  const password = reader.text("password");
  if (apiKey !== undefined) settings.apiKey = apiKey;
  if (username !== undefined) settings.username = username;
  if (password !== undefined) settings.password = password;
  if (apiKey !== undefined && password !== undefined) {
    problems.push({
      setting: "apiKey",
      message: `apiKey (from ${reader.originOf("apiKey")}) and password (from ${reader.originOf("password")}) contradict each other: leave one`,
    });
  } else if (apiKey === undefined && (username === undefined || password === undefined)) {
    const lacking =
      username === undefined && password === undefined ? "apiKey" : username === undefined ? "username" : "password";
    const message = lacking === "apiKey" ? "apiKey (or username and password) is missing" : `${lacking} is missing`;
    problems.push({ setting: lacking, message, secret: lacking !== "username" });
  }
  const caFile = reader.text("caFile");
  if (caFile !== undefined) {
    const path = resolvePath(caFile, cwd, { ...thisMachine, env });
    if (existsSync(path)) settings.caFile = path;
    else
      problems.push({ setting: "caFile", message: `caFile ${path} (from ${reader.originOf("caFile")}) isn't there` });
  }
  const warnings = settings.insecure
    ? [`Certificates are not verified (insecure, from ${reader.originOf("insecure")})`]
    : [];
  return { settings, problems, warnings };
}

export const divvyCloudSecrets = ["apiKey", "password"] as const;
