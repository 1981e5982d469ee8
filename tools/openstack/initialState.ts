import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../cache.ts";
import { step } from "../progress.ts";
import { makeAccounts, newPassword } from "./accounts.ts";
import { configureGlance, initGlance } from "./glance.ts";
import type { Installation } from "./install.ts";
import { configureKeystone, initKeystone, startKeystone } from "./keystone.ts";
import { initPostgres, startPostgres } from "./postgres.ts";

/** The regions that a cloud may have, and the databases that each one's Glance uses. */
export const REGIONS = [
  { name: "RegionOne", database: "glance_one" },
  { name: "RegionTwo", database: "glance_two" },
] as const;

/**
 * What a cloud begins with: databases in their final shape, keys, accounts. It takes half a minute to make and a blink
 * to copy, so it is made once and kept in the cache. Holds `pg/`, `keystone/` and `accounts.json`.
 * @returns its folder, to be copied
 */
export async function initialState(installation: Installation): Promise<string> {
  return cached(
    `openstack-state-${installation.id}-${await recipeId()}`,
    folder =>
      step("OpenStack: making its first state (half a minute, once)", async report => {
        await make(installation, folder, report);
      }),
    message => process.stderr.write(`OpenStack's first state: ${message}\n`),
  );
}

async function make(installation: Installation, folder: string, report: (detail: string) => void): Promise<void> {
  const scratch = join(folder, "scratch");
  await mkdir(scratch);
  const logFile = join(scratch, "log");
  report("databases");
  await initPostgres(installation, join(folder, "pg"));
  const postgres = await startPostgres(installation, join(folder, "pg"), logFile);
  try {
    await postgres.run("CREATE DATABASE keystone");
    await postgres.run(`CREATE DATABASE ${REGIONS[0].database}`);
    const place = { folder: join(folder, "keystone"), database: postgres.url("keystone"), logFile };
    await configureKeystone(place);
    const adminPassword = newPassword();
    const glanceFolder = join(scratch, "glance");
    report("tables");
    await Promise.all([
      initKeystone(installation, place, adminPassword),
      configureGlance(installation, {
        folder: glanceFolder,
        database: postgres.url(REGIONS[0].database),
        url: "http://127.0.0.1:1",
        region: REGIONS[0].name,
        authUrl: "http://127.0.0.1:1/v3",
        servicePassword: "",
        copyImagePolicy: "admin",
      }).then(() => initGlance(installation, glanceFolder)),
    ]);
    await postgres.run(`CREATE DATABASE ${REGIONS[1].database} TEMPLATE ${REGIONS[0].database}`);
    report("accounts");
    const keystone = await startKeystone(installation, place);
    try {
      await keystone.load();
      const accounts = await makeAccounts(
        `${keystone.url}/v3`,
        adminPassword,
        REGIONS.map(({ name }) => name),
      );
      await writeFile(join(folder, "accounts.json"), JSON.stringify(accounts, undefined, 2), { mode: 0o600 });
    } finally {
      await keystone.stop();
    }
  } finally {
    await postgres.stop();
  }
  await rm(scratch, { recursive: true });
}

/** What decides how the state looks: one made by an older recipe is not used. */
const RECIPE = ["initialState.ts", "postgres.ts", "keystone.ts", "glance.ts", "accounts.ts"];

async function recipeId(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of RECIPE) hash.update(await readFile(join(import.meta.dirname, name)));
  return hash.digest("hex").slice(0, 8);
}
