import {
  type ConfigReader,
  type KnownConnection,
  knownConnections,
  resolveConnection,
} from "../provider/connection.ts";
import { ImagesError } from "../provider/errors.ts";
import type { ServiceName } from "../provider/services/names.ts";

/** The services whose default connection can come from the environment alone. Of those behind a Keystone, OS_* stands for the first. */
const withDefault: readonly ServiceName[] = ["openstack", "digitalocean", "divvycloud"];

/** Every connection that can be named, and the default ones that nobody named: of the official providers' configuration, or the environment. */
export function allConnections(config: ConfigReader, env: NodeJS.ProcessEnv, cwd: string): KnownConnection[] {
  const known = knownConnections(config, env, cwd);
  const unnamed: KnownConnection[] = [];
  for (const service of withDefault) {
    if (known.some(connection => connection.service === service && connection.name === service)) continue;
    try {
      const found = resolveConnection(service, undefined, config, env, cwd);
      const [origin = ""] = Object.values(found.origin);
      // The only cloud of clouds.yaml, or the only entry of a service, is the default one too, under its own name.
      if (!known.some(({ name, origin: place }) => name === found.name || origin.startsWith(place))) {
        unnamed.push({
          name: found.name,
          service,
          origin: origin === "" ? "the environment" : "configuration and environment",
        });
      }
    } catch {
      // There is none; or an incomplete one, of which a command that needs it will say what is missing.
    }
  }
  return [...known, ...unnamed];
}

/**
 * The service and the connection that the options mean: a service's own default, a connection by its name, the only one that there is, or the
 * default one where all are of one service (OS_CLOUD says which, for example).
 * @param hasDefault whether a service's default connection is known
 * @throws ImagesError "configuration" where that isn't just one
 */
export function chosen(
  { service, connection }: { service?: ServiceName; connection?: string },
  known: readonly KnownConnection[],
  hasDefault: (service: ServiceName) => boolean,
): { service: ServiceName; connection?: string } {
  if (service !== undefined) return { service, ...(connection === undefined ? {} : { connection }) };
  const names = known.map(({ name }) => name).join(", ");
  if (connection !== undefined) {
    const found = known.find(({ name }) => name === connection);
    if (found !== undefined) return { service: found.service, connection };
    throw new ImagesError("configuration", `there is no connection "${connection}"`, {
      hint: known.length === 0 ? "There are none at all; see the README, Connections" : `There are: ${names}`,
    });
  }
  const [only, ...others] = known;
  if (only !== undefined && others.length === 0) return { service: only.service, connection: only.name };
  if (only !== undefined && others.every(other => other.service === only.service) && hasDefault(only.service)) {
    return { service: only.service };
  }
  throw new ImagesError(
    "configuration",
    only === undefined ? "there is no connection" : `there are ${known.length} connections: ${names}`,
    {
      hint:
        only === undefined
          ? "Configure one (see the README, Connections), or name a service by --service to hear what it needs"
          : "Say which one by --connection, or --service for a service's default one",
    },
  );
}

/** Whether a service's connection is clear without a name. */
export function hasDefaultConnection(
  service: ServiceName,
  config: ConfigReader,
  env: NodeJS.ProcessEnv,
  cwd: string,
): boolean {
  try {
    resolveConnection(service, undefined, config, env, cwd);
    return true;
  } catch {
    return false;
  }
}
