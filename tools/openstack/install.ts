import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../cache.ts";
import { runCommand } from "../command.ts";
import { step } from "../progress.ts";

/** OpenStack's Python packages, installed in the cache. */
export interface Installation {
  /** The interpreter that finds them. Their console scripts must not be used: they name the folder they were made in. */
  python: string;
  /** The WSGI pipeline that comes with Glance. */
  glancePasteFile: string;
  /** The folder with `postgres`, `initdb` and their like. */
  postgresBin: string;
  /** Changes whenever a package does. */
  id: string;
}

const PYTHON = "python3.11";
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");

/**
 * Installs Keystone, Glance and PostgreSQL from PyPI into a virtual environment in the cache, once a machine.
 * @throws Error that says what was tried and what helps
 */
export async function installOpenStack(): Promise<Installation> {
  const id = createHash("sha256")
    .update(await readFile(REQUIREMENTS))
    .digest("hex")
    .slice(0, 8);
  const folder = await cached(`openstack-keystone30.0.0-glance33.0.0-${id}`, install, message =>
    process.stderr.write(`OpenStack from PyPI: ${message}\n`),
  );
  return {
    python: join(folder, "bin", "python"),
    glancePasteFile: join(folder, "etc", "glance", "glance-api-paste.ini"),
    postgresBin: join(folder, "lib", PYTHON, "site-packages", "pgserver", "pginstall", "bin"),
    id,
  };
}

async function install(folder: string): Promise<void> {
  await step("OpenStack's Keystone 30 and Glance 33: installing them from PyPI (about a minute)", async report => {
    try {
      report("making a virtual environment");
      await runCommand(PYTHON, ["-m", "venv", folder]);
      const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", REQUIREMENTS];
      await runCommand(join(folder, "bin", "python"), pip, { onLine: report });
    } catch (error) {
      throw new Error(
        `The real OpenStack services could not be installed: ${error instanceof Error ? error.message : error}\n` +
          `They need ${PYTHON} on PATH, with its venv module, and access to PyPI.`,
      );
    }
  });
}
