import { resolve } from "node:path";
import type { KnownConnection } from "../provider/connection.ts";
import type { Functions } from "../provider/functions/index.ts";
import type { Services } from "../provider/runtime.ts";
import type { ServiceName } from "../provider/services/names.ts";
import type { ImageService } from "../provider/services/service.ts";
import { readStackConfig, type StackConfig } from "./stackConfig.ts";
import { note } from "./terminal.ts";

/** What every command takes. */
export interface CommonOptions {
  service?: ServiceName;
  connection?: string;
  cwd?: string;
  stack?: string;
  json?: boolean;
}

/** One run of the command: the configuration it found, and the services on it. */
export interface Session {
  cwd: string;
  config: StackConfig;
  services: Services;
  functions: Functions;
  /** The connections that a person could name, and the default ones that the environment makes. */
  connections: KnownConnection[];
  /** The service and the connection that the options mean. @throws ImagesError "configuration" where they don't say */
  where(): { service: ServiceName; connection?: string };
  service(): ImageService;
}

/** What works is loaded here and not at the start, so that `--help` is there at once. */
export async function openSession(options: CommonOptions): Promise<Session> {
  const [{ openServices }, { functionsOf }, { allConnections, chosen, hasDefaultConnection }] = await Promise.all([
    import("../provider/runtime.ts"),
    import("../provider/functions/index.ts"),
    import("./chosen.ts"),
  ]);
  const cwd = resolve(options.cwd ?? ".");
  const config = await readStackConfig(cwd, options.stack);
  if (config.problem !== undefined) note(`note: the stack's configuration isn't used: ${config.problem}`);
  const services = openServices(config.reader, process.env, warning => note(`warning: ${warning}`), cwd);
  const connections = allConnections(config.reader, process.env, cwd);
  const where = () =>
    chosen(options, connections, service => hasDefaultConnection(service, config.reader, process.env, cwd));
  return {
    cwd,
    config,
    services,
    functions: functionsOf(services),
    connections,
    where,
    service: () => services(where()),
  };
}
