import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { iniText } from "./ini.ts";
import type { Installation } from "./install.ts";
import { type Service, startService } from "./service.ts";

/** Where one Keystone keeps its things. */
export interface KeystonePlace {
  /** The folder with its keys and its configuration. */
  folder: string;
  /** SQLAlchemy's address of its database. */
  database: string;
  logFile: string;
}

/** Starts a Keystone up to the point where its port is known. */
export function startKeystone(installation: Installation, place: Omit<KeystonePlace, "database">): Promise<Service> {
  return startService(installation, {
    name: "Keystone",
    module: "keystone.wsgi.api",
    preload: "keystone.server.wsgi",
    threads: 10,
    env: { OS_KEYSTONE_CONFIG_FILES: configFile(place.folder) },
    logFile: place.logFile,
  });
}

/** Writes the configuration that a Keystone reads when it is loaded. */
export async function configureKeystone(place: Omit<KeystonePlace, "logFile">): Promise<void> {
  await mkdir(place.folder, { recursive: true });
  const config = iniText({
    DEFAULT: { use_stderr: true },
    database: { connection: place.database, max_pool_size: 10 },
    fernet_tokens: { key_repository: join(place.folder, "fernet") },
    fernet_receipts: { key_repository: join(place.folder, "receipts") },
    // The least that bcrypt allows: a token costs 60 ms instead of 250.
    identity: { password_hash_rounds: 4 },
    // As every cloud has it, there with memcached: a token costs a sixth without asking the database for each user, project and role.
    cache: { enabled: true, backend: "dogpile.cache.memory" },
    // Not tokens themselves: one that is taken back would go on being good for some requests.
    token: { caching: false },
    revoke: { caching: false },
    // Quiet: every request would be a deprecation warning otherwise.
    oslo_policy: { enforce_scope: true },
  });
  await writeFile(configFile(place.folder), config);
}

/** Fills an empty database and makes the keys; the first administrator gets the given password. */
export async function initKeystone(
  installation: Installation,
  place: KeystonePlace,
  adminPassword: string,
): Promise<void> {
  const manage = (...args: string[]) =>
    runCommand(installation.python, [
      "-c",
      "from keystone.cmd.manage import main; main()",
      "--config-file",
      configFile(place.folder),
      ...args,
    ]);
  await manage("db_sync");
  const user = ["--keystone-user", String(process.getuid?.()), "--keystone-group", String(process.getgid?.())];
  await manage("fernet_setup", ...user);
  await manage("bootstrap", "--bootstrap-password", adminPassword);
}

function configFile(folder: string): string {
  return join(folder, "keystone.conf");
}
