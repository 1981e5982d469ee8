import { flushCompileCache, getCompileCacheDir } from "node:module";
import { setFlagsFromString } from "node:v8";
import { type ConfigReader, resolveConnection } from "./connection.ts";
import { warn } from "./engine.ts";
import { ImagesError } from "./errors.ts";
import type { FieldTable, Kind } from "./fields/field.ts";
import { shown } from "./fields/values.ts";
import type { ServiceName } from "./services/names.ts";
import { type ServiceEntry, services } from "./services/registry.ts";
import type { ImageService } from "./services/service.ts";
import { endWithEngine } from "./shutdown.ts";

let config: ConfigReader = { get: () => undefined };
const provided = openServices({ get: key => config.get(key) }, process.env, warn);
const tables = new Map<string, FieldTable>();

/**
 * Takes the stack's configuration. Credentials are read from it when a connection is first used, live in this process only,
 * and are never an input or an output. It does its work before it returns: the engine's next call doesn't wait for a promise.
 */
export function configure(reader: ConfigReader): void {
  config = reader;
  // V8 would let young garbage grow to 48 MiB; at this size collecting it takes as long, and the process stays a quarter smaller.
  setFlagsFromString("--semi-space-growth-factor=1");
  // Little of it is alive, so one thread has it collected sooner than several that are woken first: on a busy machine an upload waited for
  // these.
  setFlagsFromString("--no-parallel-scavenge");
  // A crash report, for whoever has Node write them, would list all variables of the environment, tokens and passwords too.
  if (process.report !== undefined) process.report.excludeEnv = true;
  endWithEngine(process.argv[2]);
  keepCompiled();
}

/** The modules that are loaded only for the first request are loaded by then. */
const loadedMs = 1000;

/** Node writes what NODE_COMPILE_CACHE asks for when it exits, which this process never does: the engine kills it. */
function keepCompiled(): void {
  if (getCompileCacheDir() === undefined) return;
  flushCompileCache();
  setTimeout(flushCompileCache, loadedMs).unref();
}

/** Everything known of a service by its name. @throws ImagesError "invalid" for a name that is none */
function entryOf(service: unknown): ServiceEntry {
  const entry = typeof service === "string" && Object.hasOwn(services, service) && services[service as ServiceName];
  if (entry) return entry;
  const known = Object.keys(services).join(", ");
  throw new ImagesError("invalid", `service must be one of ${known}; not ${shown(service)}`);
}

/** What a service allows for a kind of resource. @throws ImagesError "unsupported" where it has no such thing, with what to use instead */
export function tableOf(kind: Kind, service: unknown): FieldTable {
  const entry = entryOf(service);
  const table = tables.get(`${kind}/${String(service)}`) ?? entry.tables[kind]?.();
  if (table === undefined)
    throw new ImagesError("unsupported", `${String(service)} has no ${kind}: ${entry.missing[kind]}`);
  tables.set(`${kind}/${String(service)}`, table);
  return table;
}

/** The service that a resource's inputs name, as the account they name; the same object for all resources of one connection. */
export function serviceOf(inputs: Record<string, unknown>): ImageService {
  return provided(inputs);
}

/** Finds the service that inputs name. @throws ImagesError "invalid", "configuration" */
export type Services = (inputs: Record<string, unknown>) => ImageService;

/**
 * All services as one configuration gives them; each connection is opened once.
 * @param note gets what the user should know of a connection, free of secrets
 */
export function openServices(
  config: ConfigReader,
  env: NodeJS.ProcessEnv,
  note: (warning: string) => void,
  cwd?: string,
): Services {
  const opened = new Map<string, ImageService>();
  const services: Services = inputs => {
    const entry = entryOf(inputs.service);
    const name = inputs.connection as string | undefined;
    const key = `${String(inputs.service)}/${name ?? ""}`;
    let service = opened.get(key);
    if (service === undefined) {
      const connection = resolveConnection(inputs.service as ServiceName, name, config, env, cwd);
      for (const warning of connection.warnings) note(warning);
      service = entry.open(connection, other => services({ service: inputs.service, ...other }));
      opened.set(key, service);
    }
    return service;
  };
  return services;
}
