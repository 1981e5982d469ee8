import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheFolder } from "../../tools/cache.ts";

const run = promisify(execFile);
/** The scripts that run clients. */
export const SCRIPTS = join(dirname(fileURLToPath(import.meta.url)), "python");

/** Packages from PyPI that go together into one virtual environment. What they bring along is not pinned, but where the clients need it. */
export const REQUIREMENTS = {
  current: [
    "doapi==0.2.0",
    "pyRFC3339==1.1",
    "pydo==0.44.0",
    "openstacksdk==4.22.0",
    "python-glanceclient==4.13.0",
    "python-openstackclient==10.5.0",
  ],
  // Brings openstacksdk 0.15, and pkg_resources must be there.
  ecl: ["eclsdk==1.11.1", "setuptools<81"],
} as const;

/** A virtual environment with vendors' clients in it. */
export interface Clients {
  /** Its Python. */
  python: string;
}

/**
 * Installs clients into a virtual environment in the user's cache ($XDG_CACHE_HOME/pulumi-images, ~/.cache by default), once: later runs,
 * and other clones, find it there. It is built beside its place and then renamed, so it is there as a whole or not at all.
 * @param log is told what is done
 * @throws Error when there is no Python 3, or a package can't be installed
 */
export async function installClients(name: keyof typeof REQUIREMENTS, log: (line: string) => void): Promise<Clients> {
  const requirements = REQUIREMENTS[name];
  const { stdout } = await run("python3", ["-c", "import sys; print(sys.version)"]);
  const hash = createHash("sha256")
    .update([stdout, ...requirements].join("\n"))
    .digest("hex")
    .slice(0, 16);
  const cache = cacheFolder();
  const place = join(cache, `clients-${hash}`);
  const python = join(place, "bin", "python");
  if (existsSync(python)) return { python };

  log(`installing ${requirements.join(", ")} into ${place}`);
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(join(cache, "building-"));
  try {
    await run("python3", ["-m", "venv", building]);
    const list = join(building, "requirements.txt");
    await writeFile(list, requirements.join("\n"));
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", list];
    await run(join(building, "bin", "python"), pip, { timeout: 600_000, maxBuffer: 64 * 2 ** 20 });
    await rename(building, place).catch(error => {
      // Somebody else was faster.
      if (!existsSync(python)) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return { python };
}

/** What became of an operation of a client: what it gave back, or the error that it raised. */
export interface Outcome {
  // biome-ignore lint/suspicious/noExplicitAny: clients give back many shapes
  result?: any;
  /** The exception's class. */
  error?: string;
  message?: string;
}

/**
 * Runs a script of the folder python/, which calls every image operation of a client in turn.
 * @param config is handed to the script
 * @returns what became of each operation, by its name
 * @throws Error when the script as a whole fails
 */
export async function runScript(clients: Clients, script: string, config: object): Promise<Record<string, Outcome>> {
  const { stdout } = await run(clients.python, [join(SCRIPTS, script), JSON.stringify(config)], {
    env: pythonEnvironment(),
    timeout: 120_000,
    maxBuffer: 64 * 2 ** 20,
  });
  return JSON.parse(stdout) as Record<string, Outcome>;
}

/** No settings of the user's own reach the clients, and sitecustomize.py is found. */
export function pythonEnvironment(): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  return {
    PATH,
    HOME,
    PYTHONPATH: SCRIPTS,
    PYTHONWARNINGS: "ignore",
    PYTHONDONTWRITEBYTECODE: "1",
    OS_CLIENT_CONFIG_FILE: "/dev/null",
    PYTHONIOENCODING: "utf-8",
  };
}
