/**
 * `npm run cloud`: the local image cloud, for a person to try things on, or for another program's tests. Ctrl-C stops
 * it; the same folder goes on where it was, at the same ports where they are free.
 */
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { cloudsYaml } from "../../tools/openstack/cloudsYaml.ts";
import { type LocalCloud, type ServiceName, startCloud } from "./cloud.ts";
import { services } from "./services.ts";

interface Options {
  dir: string;
  services?: ServiceName[];
  regions: 1 | 2;
  port?: number;
  tls?: boolean;
  json?: boolean;
  verbose?: boolean;
}

const command = new Command("npm run cloud --")
  .description(
    "Starts local stand-ins of all image services on loopback, until Ctrl-C. They are for tests and trials: anybody on this machine who reads the output can sign in.",
  )
  .option("--dir <folder>", "where state and data are kept; made where there is none", ".cloud")
  .option(
    "--services <names>",
    `which services run, with commas between (default: all of ${Object.keys(services).join(", ")})`,
    serviceNames,
  )
  .option("--regions <count>", "1 or 2 regions of OpenStack", text => (text === "1" ? 1 : 2), 2)
  .option(
    "--port <number>",
    "the first port; the others follow it (default: the ports of the last time, or any)",
    portNumber,
  )
  .option("--tls", "serve https, under a certificate of its own")
  .option("--json", "print one line of JSON with addresses and credentials once it is ready")
  .option("--verbose", "print what goes wrong inside")
  .action(run);

function serviceNames(text: string): ServiceName[] {
  return text.split(",").map(part => {
    const name = part.trim();
    if (!Object.hasOwn(services, name)) throw new InvalidArgumentError(`There is no service ${name}.`);
    return name as ServiceName;
  });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_500)
    throw new InvalidArgumentError("A port is between 1 and 65500.");
  return port;
}

async function run(options: Options): Promise<void> {
  // npm runs scripts in the package's folder; the path is meant from where the person is.
  const dir = resolve(process.env.INIT_CWD ?? process.cwd(), options.dir);
  const cloud = await startCloud({
    dir,
    regions: options.regions,
    ...(options.services && { services: options.services }),
    ...(options.port && { port: options.port }),
    ...(options.tls && { tls: true }),
    ...(options.verbose && { log: line => process.stderr.write(`${line}\n`) }),
  });
  const file = join(dir, "clouds.yaml");
  const withOpenstack = cloud.services.openstack !== undefined;
  if (withOpenstack) await writeFile(file, cloudsYaml(cloud.openstack), { mode: 0o600 });
  if (options.json) {
    const { controlKey, caFile } = cloud;
    process.stdout.write(`${JSON.stringify({ dir, controlKey, caFile, services: cloud.services })}\n`);
  } else {
    process.stdout.write(summary(cloud, dir, withOpenstack ? file : undefined));
  }
  const stop = () => {
    // A second signal ends it at once.
    for (const signal of SIGNALS) process.removeListener(signal, stop);
    if (!options.json) process.stderr.write("\nstopping; the state is kept\n");
    cloud.stop().then(() => process.exit(0), fail);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function summary(cloud: LocalCloud, dir: string, cloudsFile: string | undefined): string {
  const lines = [
    `# The local image cloud, in ${dir}`,
    "# It listens on 127.0.0.1 only, with made-up accounts: for tests and trials, not for the world.",
  ];
  if (cloud.caFile)
    lines.push(`# It serves https under the authority ${cloud.caFile}`, `export SSL_CERT_FILE=${quoted(cloud.caFile)}`);
  for (const [name, description] of Object.entries(cloud.services)) {
    lines.push("", `# ${name}: ${description.url}`);
    if (name === "openstack" && cloudsFile) {
      lines.push(
        `export OS_CLIENT_CONFIG_FILE=${quoted(cloudsFile)}`,
        "export OS_CLOUD=owner   # or consumer, admin, owner-app, consumer-app, admin-app",
      );
      continue;
    }
    for (const [key, value] of Object.entries(description.environment)) lines.push(`export ${key}=${quoted(value)}`);
  }
  lines.push(
    "",
    "# To make it misbehave (test/cloud/faults.ts has all fields):",
    `#   curl -H 'Authorization: Bearer ${cloud.controlKey}' -H 'Content-Type: application/json' ADDRESS/_faults -d '{"path": "^/v2/images", "status": 503, "count": 2}'`,
    "# Ctrl-C stops it; the state stays in the folder.",
    "",
  );
  return lines.join("\n");
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

command.parseAsync().catch(fail);
