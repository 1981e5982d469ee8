import { type CloudsFiles, readClouds } from "./connections/cloudsYaml.ts";
import {
  type DigitalOceanSettings,
  digitalOceanEnvironmentLayer,
  digitalOceanNames,
  digitalOceanSettings,
  officialDigitalOceanLayer,
} from "./connections/digitalocean.ts";
import {
  type DivvyCloudSettings,
  divvyCloudEnvironmentLayer,
  divvyCloudNames,
  divvyCloudSettings,
} from "./connections/divvycloud.ts";
import {
  type ConfigReader,
  type Layer,
  layerOf,
  merge,
  SettingsReader,
  type Surroundings,
} from "./connections/layer.ts";
import { nearest } from "./connections/nearest.ts";
import {
  type OpenStackSettings,
  officialOpenStackLayer,
  openStackEnvironmentLayer,
  openStackNames,
  openStackSettings,
  type Problem,
} from "./connections/openstack.ts";
import { ImagesError } from "./errors.ts";
import { registerSecret } from "./redaction.ts";
import { type ServiceName, serviceNames } from "./services/names.ts";

export type { ConfigReader, DigitalOceanSettings, DivvyCloudSettings, OpenStackSettings };

export interface SettingsOf {
  openstack: OpenStackSettings;
  ecl: OpenStackSettings;
  istack: OpenStackSettings;
  "glance-v1": OpenStackSettings;
  digitalocean: DigitalOceanSettings;
  divvycloud: DivvyCloudSettings;
}

/** Which account of which service, and everything needed to use it. Lives in the process only. */
export interface Connection<S = unknown> {
  /** The name of the entry or cloud; the service's name for its default connection. */
  name: string;
  service: ServiceName;
  settings: S;
  /** Where each setting was found. */
  origin: Record<string, string>;
  /** What the user should know: insecure, a secret in a file that others can read. Free of secrets. */
  warnings: string[];
}

/**
 * The connection that a program means.
 *
 * By name: an entry of the stack's `images:connections`, else (OpenStack's kind) a cloud of clouds.yaml. Without a name, the service's own
 * default: the entry called as the service, else the only entry of that service; else the official Pulumi provider's configuration
 * (`openstack:*`, `digitalocean:*`), completed by its environment variables; else clouds.yaml's cloud OS_CLOUD; else OS_*, DIGITALOCEAN_* or
 * DIVVYCLOUD_*; else the only cloud of clouds.yaml.
 *
 * An entry may name a cloud of clouds.yaml, `{ service: "openstack", cloud: "lab" }`, and override settings of it. Entries take our names of
 * settings and the official provider's (userName, tenantName, cacertFile, endpointType …).
 *
 * Reads files and registers every secret for redaction; nothing is sent.
 *
 * @throws ImagesError "configuration": which setting is missing or contradictory, where it was looked for, and what to write.
 */
export function resolveConnection<S extends ServiceName>(
  service: S,
  name: string | undefined,
  config: ConfigReader,
  env: NodeJS.ProcessEnv,
  cwd = process.cwd(),
): Connection<SettingsOf[S]> {
  const surroundings: Surroundings = { config, env, cwd };
  const entries = connectionEntries(config);
  const source =
    name === undefined || (name === service && !entries.has(name))
      ? defaultSource(service, entries, surroundings)
      : namedSource(service, name, entries, surroundings);
  return settle(service, source, surroundings);
}

/** A connection that can be named, for lists. */
export interface KnownConnection {
  name: string;
  service: ServiceName;
  /** Where it stands. */
  origin: string;
}

/** Every connection that has a name: the entries of `images:connections`, and the clouds of clouds.yaml. */
export function knownConnections(config: ConfigReader, env: NodeJS.ProcessEnv, cwd = process.cwd()): KnownConnection[] {
  const entries = connectionEntries(config);
  const clouds = readClouds({ config, env, cwd });
  return [
    ...[...entries].map(([name, { service }]) => ({ name, service, origin: entryOrigin(name) })),
    ...clouds.names
      .filter(name => !entries.has(name))
      .map(name => ({ name, service: "openstack" as const, origin: clouds.file as string })),
  ];
}

/** Where a connection's settings come from, before they are checked. */
interface Source {
  name: string;
  layer: Layer;
  warnings: string[];
  /** Every place that was looked at. */
  places: string[];
  /** The entry's name that a `pulumi config set` should write to. */
  writeTo: string;
}

interface Entry {
  service: ServiceName;
  values: Record<string, unknown>;
}

/** The services that speak Keystone, and so may be described by clouds.yaml and OS_*. */
const keystoneServices: readonly ServiceName[] = ["openstack", "ecl", "istack", "glance-v1"];

function namesFor(service: ServiceName): Record<string, string> {
  if (service === "digitalocean") return digitalOceanNames;
  if (service === "divvycloud") return divvyCloudNames;
  return openStackNames;
}

function connectionEntries(config: ConfigReader): Map<string, Entry> {
  const text = config.get("images:connections");
  if (text === undefined || text.trim() === "") return new Map();
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch {
    throw new ImagesError("configuration", "The stack config images:connections isn't an object", {
      hint: `Write it by pulumi config set --path images:connections.NAME.service SERVICE`,
    });
  }
  if (!isObject(table))
    throw new ImagesError(
      "configuration",
      "The stack config images:connections must be an object of connections by name",
    );
  return new Map(
    Object.entries(table).map(([name, values]) => [name, withOwnKeys(config, name, checkedEntry(name, values))]),
  );
}

/**
 * A setting may also be a config value of its own, called just as its place in the object: `images:connections.lab.password`, set without
 * --path. That is the better place for a secret: of an object with a secret in it, the engine writes the whole text into its logs at -v 9.
 */
function withOwnKeys(config: ConfigReader, name: string, entry: Entry): Entry {
  const values = { ...entry.values };
  for (const key of Object.keys(namesFor(entry.service))) {
    const value = config.get(`images:connections.${name}.${key}`);
    if (value !== undefined) values[key] = value;
  }
  return { ...entry, values };
}

function checkedEntry(name: string, values: unknown): Entry {
  const where = entryOrigin(name);
  if (!isObject(values))
    throw new ImagesError(
      "configuration",
      `The connection "${name}" (${where}) must be an object with service and its settings`,
    );
  const service = values.service;
  const found = serviceNames.find(known => known === service);
  if (found === undefined) {
    const meant = typeof service === "string" ? nearest(service, serviceNames) : undefined;
    throw new ImagesError(
      "configuration",
      service === undefined
        ? `The connection "${name}" (${where}) doesn't say its service`
        : `The connection "${name}" (${where}) has the unknown service ${JSON.stringify(service)}`,
      { hint: `Write ${setCommand(name, "service", meant ?? "openstack")}; services are ${serviceNames.join(", ")}` },
    );
  }
  const allowed = ["service", ...(keystoneServices.includes(found) ? ["cloud"] : []), ...Object.keys(namesFor(found))];
  for (const key of Object.keys(values)) {
    if (allowed.includes(key)) continue;
    const meant = nearest(key, allowed);
    throw new ImagesError("configuration", `The connection "${name}" (${where}) has the unknown setting ${key}`, {
      hint: `${meant ? `Is ${meant} meant? ` : ""}A connection of ${found} takes ${allowed.join(", ")}`,
    });
  }
  return { service: found, values };
}

function namedSource(
  service: ServiceName,
  name: string,
  entries: Map<string, Entry>,
  surroundings: Surroundings,
): Source {
  const entry = entries.get(name);
  if (entry) {
    if (entry.service !== service) {
      const others = [...entries].filter(([, other]) => other.service === service).map(([other]) => `"${other}"`);
      throw new ImagesError(
        "configuration",
        `The connection "${name}" (${entryOrigin(name)}) is for the service ${entry.service}, not ${service}`,
        {
          hint:
            others.length > 0
              ? `Connections of ${service}: ${others.join(", ")}`
              : `There is no connection of ${service} yet`,
        },
      );
    }
    return entrySource(name, entry, surroundings);
  }
  const places = [`stack config images:connections.${name}`];
  const known = [...entries.keys()];
  if (keystoneServices.includes(service)) {
    const clouds = readClouds(surroundings);
    const cloud = clouds.cloud(name);
    if (cloud) return { name, ...cloud, places: [`${clouds.file} (clouds.${name})`], writeTo: name };
    places.push(placeOf(clouds));
    known.push(...clouds.names.filter(other => !entries.has(other)));
  }
  const meant = nearest(name, known);
  throw new ImagesError(
    "configuration",
    `There is no connection "${name}" for ${service}; looked in: ${places.join("; ")}`,
    {
      hint: `${meant ? `Is "${meant}" meant? ` : ""}${
        known.length > 0 ? `Known are: ${known.map(other => `"${other}"`).join(", ")}. ` : ""
      }A new one begins with ${setCommand(name, "service", service)}`,
    },
  );
}

function defaultSource(service: ServiceName, entries: Map<string, Entry>, surroundings: Surroundings): Source {
  const { config, env } = surroundings;
  const own = [...entries].filter(([, entry]) => entry.service === service);
  const called = own.find(([name]) => name === service) ?? (own.length === 1 ? own[0] : undefined);
  if (called) return entrySource(...called, surroundings);

  const places = [
    own.length === 0
      ? `stack config images:connections (none of ${service})`
      : `stack config images:connections (${own.map(([name]) => `"${name}"`).join(", ")}: none is called "${service}")`,
  ];
  const found = (layer: Layer, where: string, warnings: string[] = []): Source => ({
    name: service,
    layer,
    warnings,
    places: [where],
    writeTo: service,
  });

  if (service === "digitalocean") {
    const layer = merge(officialDigitalOceanLayer(config), digitalOceanEnvironmentLayer(env));
    if (layer.has("token")) return found(layer, "digitalocean:token, DIGITALOCEAN_TOKEN");
    places.push("stack config digitalocean:token", "DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN");
  } else if (service === "divvycloud") {
    const layer = divvyCloudEnvironmentLayer(env);
    if (layer.has("url")) return found(layer, "DIVVYCLOUD_*");
    places.push("DIVVYCLOUD_URL");
  } else {
    const official = officialOpenStackLayer(config);
    const environment = openStackEnvironmentLayer(env);
    const clouds = readClouds(surroundings);
    const saidCloud = config.get("openstack:cloud");
    const cloudName = saidCloud || env.OS_CLOUD;
    if (cloudName) {
      const origin = saidCloud ? "openstack:cloud" : "OS_CLOUD";
      const cloud = clouds.cloud(cloudName);
      if (!cloud) throw noCloud(cloudName, origin, clouds);
      return found(
        merge(official, cloud.layer, regionOnly(environment)),
        `${clouds.file} (clouds.${cloudName})`,
        cloud.warnings,
      );
    }
    if (official.has("authUrl") || (official.size > 0 && environment.has("authUrl")))
      return found(merge(official, completing(official, environment)), "stack config openstack:*, OS_*");
    places.push("stack config openstack:authUrl and openstack:cloud");
    if (environment.has("authUrl")) return found(environment, "OS_*");
    places.push("OS_CLOUD and OS_AUTH_URL");
    const only = clouds.names.length === 1 ? clouds.names[0] : undefined;
    const cloud = only === undefined ? undefined : clouds.cloud(only);
    if (cloud)
      return found(
        merge(cloud.layer, regionOnly(environment)),
        `${clouds.file} (clouds.${only}, the only one)`,
        cloud.warnings,
      );
    places.push(placeOf(clouds));
  }
  throw new ImagesError("configuration", `There is no connection for ${service}; looked in: ${places.join("; ")}`, {
    hint:
      own.length > 1
        ? `Say which one is meant by connection: ${own.map(([name]) => `"${name}"`).join(" or ")}`
        : service === "digitalocean"
          ? "Set the token by `pulumi config set --secret digitalocean:token`"
          : `Begin with ${setCommand(service, "service", service)}`,
  });
}

function entrySource(name: string, { values }: Entry, surroundings: Surroundings): Source {
  const { service, cloud: cloudName } = values;
  const layer = layerOf(values, namesFor(service as ServiceName), key => `${entryOrigin(name)}.${key}`);
  const places = [entryOrigin(name)];
  if (cloudName === undefined) return { name, layer, warnings: [], places, writeTo: name };
  const clouds = readClouds(surroundings);
  const cloud = clouds.cloud(String(cloudName));
  if (!cloud) throw noCloud(String(cloudName), `${entryOrigin(name)}.cloud`, clouds);
  return {
    name,
    layer: merge(layer, cloud.layer),
    warnings: cloud.warnings,
    places: [...places, `${clouds.file} (clouds.${cloudName})`],
    writeTo: name,
  };
}

/** What the environment adds to the official provider's configuration: no second way to sign in beside the one that is configured. */
function completing(official: Layer, environment: Layer): Layer {
  const signIn = [
    "password",
    "token",
    "applicationCredentialId",
    "applicationCredentialName",
    "applicationCredentialSecret",
  ];
  const secrets = ["password", "token", "applicationCredentialSecret"];
  if (!secrets.some(name => official.has(name))) return environment;
  return new Map([...environment].filter(([name]) => !signIn.includes(name)));
}

/** OS_REGION_NAME picks the region of a cloud that doesn't say its own. */
function regionOnly(environment: Layer): Layer {
  const region = environment.get("region");
  return new Map(region ? [["region", region]] : []);
}

function settle<S extends ServiceName>(
  service: S,
  source: Source,
  surroundings: Surroundings,
): Connection<SettingsOf[S]> {
  for (const secret of ["password", "token", "applicationCredentialSecret", "apiKey"]) {
    const value = source.layer.get(secret)?.value;
    if (value !== undefined) registerSecret(String(value));
  }
  const reader = new SettingsReader(source.layer);
  const { settings, problems, warnings } =
    service === "digitalocean"
      ? digitalOceanSettings(reader)
      : service === "divvycloud"
        ? divvyCloudSettings(reader, surroundings)
        : openStackSettings(reader, surroundings);
  if (problems.length > 0) throw incomplete(service, source, problems);
  return {
    name: source.name,
    service,
    settings: settings as SettingsOf[S],
    origin: reader.origin,
    warnings: [...source.warnings, ...warnings],
  };
}

function incomplete(service: ServiceName, source: Source, problems: Problem[]): ImagesError {
  const commands = problems
    .filter(({ message }) => message.includes("is missing"))
    .map(({ setting, secret }) => setCommand(source.writeTo, setting, undefined, secret));
  return new ImagesError(
    "configuration",
    `The connection "${source.name}" (${service}) can't be used: ${problems.map(({ message }) => message).join("; ")}; looked in: ${source.places.join("; ")}`,
    commands.length > 0 ? { hint: `Set it by ${commands.join(" and ")}` } : {},
  );
}

function noCloud(name: string, origin: string, clouds: CloudsFiles): ImagesError {
  const meant = nearest(name, clouds.names);
  return new ImagesError(
    "configuration",
    `The cloud "${name}" (from ${origin}) isn't known; looked in: ${placeOf(clouds)}`,
    {
      hint: meant
        ? `Is "${meant}" meant?`
        : clouds.file
          ? `Add it to ${clouds.file}`
          : "Write a clouds.yaml, or name its place in OS_CLIENT_CONFIG_FILE",
    },
  );
}

function placeOf({ file, names, searched, passedOver }: CloudsFiles): string {
  const beside = passedOver.map(place => `; ${place}`).join("");
  if (file === undefined)
    return `clouds.yaml (not found as ${searched.filter(path => path.endsWith(".yaml")).join(", ")}${beside})`;
  return `${file} (which has ${names.length > 0 ? names.map(name => `"${name}"`).join(", ") : "no clouds"}${beside})`;
}

function setCommand(name: string, setting: string, value: string | undefined, secret = false): string {
  const path = /^[A-Za-z_]\w*$/.test(name)
    ? `images:connections.${name}.${setting}`
    : `'images:connections["${name}"].${setting}'`;
  if (secret) return `\`pulumi config set --secret 'images:connections.${name}.${setting}'\``;
  return `\`pulumi config set --path ${path} ${value ?? "VALUE"}\``;
}

function entryOrigin(name: string): string {
  return `stack config images:connections.${name}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
