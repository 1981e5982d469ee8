import { access, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { OpenStackCloud, Restrictions } from "../../test/cloud/openStackCloud.ts";
import { runCommand } from "../command.ts";
import type { Accounts } from "./accounts.ts";
import { setCatalogue } from "./catalogue.ts";
import { type CopyImagePolicy, configureGlance, STORES, startGlance } from "./glance.ts";
import { signIn } from "./identity.ts";
import { initialState, REGIONS } from "./initialState.ts";
import { installOpenStack } from "./install.ts";
import { configureKeystone, startKeystone } from "./keystone.ts";
import { startPostgres } from "./postgres.ts";

/** How a real OpenStack is started. */
export interface StartOptions {
  /** Its state: made anew where there is none, else gone on with. */
  dir: string;
  /** RegionOne alone, or RegionTwo too, with a Glance of its own. Default: 1. */
  regions?: 1 | 2;
  /** What the catalogue names as the image service of each region, instead of the Glance itself: a proxy's address. */
  imageEndpoints?: string[];
  /** Default: "member". */
  copyImagePolicy?: CopyImagePolicy;
  /** What its image services forbid. Default: nothing. */
  restrictions?: Restrictions;
  /** Told what is being done, line by line. */
  log?: (line: string) => void;
}

/** A real OpenStack cloud: Keystone, and a Glance in each region, on loopback. */
export interface RealOpenStackCloud extends OpenStackCloud {
  kind: "real";
  /** The address of each region's own Glance, whatever the catalogue says. */
  imageServers: string[];
  /** Ends the first region's Glance at once, as a power cut would. */
  killGlance(): Promise<void>;
  /** Starts it again, at the same address. */
  restartGlance(): Promise<void>;
}

/**
 * Starts the real Keystone 30 and Glance 33 on loopback, at ports of their own, with PostgreSQL.
 *
 * Server-side imports may fetch from 127.0.0.1, at any port but 22; from every other host they are refused.
 * Everything that is started ends with this process, however that ends.
 * @throws Error with what the failing service wrote
 */
export async function startOpenStack(options: StartOptions): Promise<RealOpenStackCloud> {
  const log = options.log ?? (() => {});
  const regions = REGIONS.slice(0, options.regions ?? 1);
  const installation = await installOpenStack();
  const first = await initialState(installation);
  const logs = join(options.dir, "logs");
  await mkdir(logs, { recursive: true });

  log("starting PostgreSQL, Keystone and Glance");
  const keystoneFolder = join(options.dir, "keystone");
  const glanceFolder = (region: string): string => join(options.dir, region);
  const logFile = (name: string): string => join(logs, `${name}.log`);
  const startingPostgres = takeFirstState(first, options.dir).then(() =>
    startPostgres(installation, join(options.dir, "pg"), logFile("postgres")),
  );
  const startingKeystone = startKeystone(installation, { folder: keystoneFolder, logFile: logFile("keystone") });
  const startingGlances = regions.map(({ name }) => startGlance(installation, glanceFolder(name), logFile(name)));
  const stop = async (): Promise<void> => {
    await stopAll([startingKeystone, ...startingGlances]);
    // Last, as the others use it.
    await stopAll([startingPostgres]);
  };

  try {
    const [postgres, keystone, glances] = await Promise.all([
      startingPostgres,
      startingKeystone,
      Promise.all(startingGlances),
    ]);
    const { accounts, servicePassword } = await readAccounts(options.dir);
    const authUrl = `${keystone.url}/v3`;
    const places = regions.map((region, index) => {
      const server = glances[index]?.url ?? "";
      return { ...region, server, imageUrl: options.imageEndpoints?.[index] ?? server };
    });

    await configureKeystone({ folder: keystoneFolder, database: postgres.url("keystone") });
    const loadKeystone = async (): Promise<void> => {
      await keystone.load();
      const { username, password, projectName } = accounts.admin;
      const admin = await signIn(authUrl, { username, password, project: projectName });
      const entries = places.flatMap(({ name, imageUrl }) => [
        { service: "identity" as const, region: name, url: authUrl },
        { service: "image" as const, region: name, url: imageUrl },
      ]);
      await setCatalogue(admin, entries);
    };
    let restrictions = options.restrictions ?? {};
    const configure = ({ name, database, server }: (typeof places)[number]): Promise<void> =>
      configureGlance(installation, {
        folder: glanceFolder(name),
        database: postgres.url(database),
        url: server,
        region: name,
        authUrl,
        servicePassword,
        copyImagePolicy: options.copyImagePolicy ?? "member",
        restrictions,
      });
    const loadGlance = async (place: (typeof places)[number], index: number): Promise<void> => {
      await configure(place);
      await glances[index]?.load();
    };
    const restart = async ({ name, server }: (typeof places)[number], index: number): Promise<void> => {
      const port = Number(new URL(server).port);
      const again = startAgain(() => startGlance(installation, glanceFolder(name), logFile(name), port));
      startingGlances[index] = again;
      glances[index] = await again;
      await glances[index].load();
    };
    await Promise.all([loadKeystone(), ...places.map(loadGlance)]);
    log(`ready: Keystone at ${authUrl}`);

    return {
      kind: "real",
      authUrl,
      regions: places.map(({ name, imageUrl }) => ({ name, imageUrl })),
      imageServers: places.map(({ server }) => server),
      stores: [...STORES],
      accounts,
      dataDir: options.dir,
      async tamper(id, { locations, ...values }) {
        const [{ name, database }] = regions as [(typeof regions)[number]];
        const set = Object.entries(values).map(([column, value]) => `${column} = ${literal(value)}`);
        await postgres.run(`UPDATE images SET ${set.join(", ")} WHERE id = ${literal(id)}`, database);
        if (locations === undefined) return;
        await postgres.run(`DELETE FROM image_locations WHERE image_id = ${literal(id)}`, database);
        for (const store of STORES) await rm(join(glanceFolder(name), store, id), { force: true });
      },
      async killGlance() {
        await glances[0]?.kill();
      },
      async restartGlance() {
        const [place] = places as [(typeof places)[number]];
        await restart(place, 0);
      },
      async restrict(wanted) {
        restrictions = wanted;
        await Promise.all(
          places.map(async (place, index) => {
            await glances[index]?.kill();
            await configure(place);
            await restart(place, index);
          }),
        );
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How long a closed connection keeps its port, in ms, and some more. */
const PORT_MS = 90_000;

/** While a service is down, the system may give its port to some client's connection, which has to end first. */
async function startAgain<T>(start: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + PORT_MS; ; await pause(2000)) {
    try {
      return await start();
    } catch (error) {
      if (Date.now() > until || !String(error).includes("Address already in use")) throw error;
    }
  }
}

/** A value as SQL writes it. */
function literal(value: unknown): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** Stops those that did start. */
async function stopAll(starting: Promise<{ stop(): Promise<void> }>[]): Promise<void> {
  const results = await Promise.allSettled(starting);
  await Promise.all(results.map(result => (result.status === "fulfilled" ? result.value.stop() : undefined)));
}

async function readAccounts(dir: string): Promise<Accounts> {
  return JSON.parse(await readFile(join(dir, "accounts.json"), "utf8")) as Accounts;
}

/** Copies the first state, with its owners, into a folder that has none yet. */
async function takeFirstState(first: string, dir: string): Promise<void> {
  const there = await access(join(dir, "accounts.json")).then(
    () => true,
    () => false,
  );
  if (there) return;
  // accounts.json last: its presence says that the rest is whole.
  for (const name of ["pg", "keystone", "accounts.json"]) {
    await rm(join(dir, name), { recursive: true, force: true });
    await runCommand("cp", ["-a", join(first, name), dir]);
  }
}
