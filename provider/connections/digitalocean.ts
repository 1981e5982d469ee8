import { type ConfigReader, type Layer, layerOf, type SettingsReader } from "./layer.ts";
import type { Problem } from "./openstack.ts";

export interface DigitalOceanSettings {
  /** A personal access token (dop_v1_…) with the scopes image and tag. */
  token: string;
  /** The API's address, without /v2. Default https://api.digitalocean.com. */
  endpoint: string;
}

export const digitalOceanNames: Record<string, string> = {
  token: "token",
  endpoint: "endpoint",
  apiEndpoint: "endpoint",
};

/** The official provider's configuration, see https://www.pulumi.com/registry/packages/digitalocean/installation-configuration/ */
export function officialDigitalOceanLayer(config: ConfigReader): Layer {
  const values = { token: config.get("digitalocean:token"), apiEndpoint: config.get("digitalocean:apiEndpoint") };
  return layerOf(values, digitalOceanNames, key => `digitalocean:${key}`);
}

export function digitalOceanEnvironmentLayer(env: NodeJS.ProcessEnv): Layer {
  const names = { DIGITALOCEAN_TOKEN: "token", DIGITALOCEAN_ACCESS_TOKEN: "token", DIGITALOCEAN_API_URL: "endpoint" };
  return layerOf(env, names, name => name);
}

export function digitalOceanSettings(reader: SettingsReader): {
  settings: DigitalOceanSettings;
  problems: Problem[];
  warnings: string[];
} {
  const token = reader.text("token");
  // The vendor's own tools write the address with /v2 or without.
  const endpoint = (reader.url("endpoint") ?? "https://api.digitalocean.com").replace(/\/v2$/, "");
  const problems = token === undefined ? [{ setting: "token", message: "token is missing", secret: true }] : [];
  const warnings = openly(endpoint) ? [`The token goes to ${endpoint} without encryption`] : [];
  return { settings: { token: token ?? "", endpoint }, problems, warnings };
}

function openly(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  return protocol === "http:" && !/^(localhost|127\.|\[::1\])/.test(hostname);
}
