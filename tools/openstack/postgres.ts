import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, runCommand } from "../command.ts";
import type { Installation } from "./install.ts";

/** A PostgreSQL server of our own, on a Unix socket only. */
export interface Postgres {
  /** SQLAlchemy's address of one of its databases. */
  url(database: string): string;
  /** Runs one SQL statement. @param database default: the server's own */
  run(statement: string, database?: string): Promise<void>;
  /** Ends the server in order. */
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root, so root runs it as this user ("nobody" everywhere). */
const UNPRIVILEGED = 65534;

/** Data is made anew whenever it is lost, so nothing waits for the disk. */
const SETTINGS = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "listen_addresses=",
  "max_connections=200",
];

/**
 * Keeps the server (its command is in the arguments behind the socket's folder) until standard input ends, which it
 * does whichever way the parent ends; then stops it and removes the socket's folder.
 */
const SUPERVISOR = `
exec 3<&0
sockets=$1; shift
"$@" </dev/null 3<&- & server=$!
{ read -r _ <&3; kill -INT $server; } &
wait $server; status=$?
rm -rf "$sockets"
exit $status
`;

/** Makes an empty database cluster in a folder that isn't there yet. */
export async function initPostgres(installation: Installation, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  if (isRoot()) await chown(folder, UNPRIVILEGED, UNPRIVILEGED);
  const initdb = join(installation.postgresBin, "initdb");
  const options = ["--username=postgres", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync"];
  const [command = "", ...args] = unprivileged([initdb, "-D", folder, "--wal-segsize=1", ...options]);
  await runCommand(command, args, { cwd: "/" });
}

/**
 * Starts the server on the cluster in a folder, and returns when it answers.
 * @param logFile what the server writes goes to its end
 */
export async function startPostgres(installation: Installation, folder: string, logFile: string): Promise<Postgres> {
  // A socket's path has at most 107 bytes, which a folder of the caller's may exceed.
  const sockets = await mkdtemp(join(tmpdir(), "pulumi-images-pg-"));
  if (isRoot()) await chown(sockets, UNPRIVILEGED, UNPRIVILEGED);
  const server = unprivileged([
    join(installation.postgresBin, "postgres"),
    "-D",
    folder,
    "-k",
    sockets,
    ...SETTINGS.flatMap(setting => ["-c", setting]),
  ]);
  const log = await open(logFile, "a");
  const supervisor = spawn("sh", ["-c", SUPERVISOR, "sh", sockets, ...server], {
    cwd: "/",
    stdio: ["pipe", log.fd, log.fd],
    detached: true,
  });
  await log.close();
  const exited = once(supervisor, "exit");
  const stop = async (): Promise<void> => {
    supervisor.stdin?.end();
    await exited;
  };
  try {
    await untilReady(installation, sockets, supervisor);
  } catch (error) {
    await stop();
    await rm(sockets, { recursive: true, force: true });
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`PostgreSQL did not start: ${message}\n${(await readFile(logFile, "utf8")).slice(-2000)}`);
  }
  return {
    url: database => `postgresql+psycopg2://postgres@/${database}?host=${sockets}`,
    async run(statement, database = "postgres") {
      const psql = join(installation.postgresBin, "psql");
      await runCommand(psql, [
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        sockets,
        "-U",
        "postgres",
        "-d",
        database,
        "-c",
        statement,
      ]);
    },
    stop,
  };
}

const START_LIMIT_MS = 60_000;

async function untilReady(installation: Installation, sockets: string, supervisor: ChildProcess): Promise<void> {
  const isReady = [join(installation.postgresBin, "pg_isready"), "-q", "-h", sockets, "-U", "postgres"] as const;
  const limit = Date.now() + START_LIMIT_MS;
  for (;;) {
    if (supervisor.exitCode !== null) throw new Error(`it ended with exit code ${supervisor.exitCode}`);
    const [command, ...args] = isReady;
    const ready = await runCommand(command, args).then(
      () => true,
      error => {
        if (error instanceof CommandError && error.exitCode !== null) return false;
        throw error;
      },
    );
    if (ready) return;
    if (Date.now() > limit) throw new Error(`no answer within ${START_LIMIT_MS / 1000} s`);
    await sleep(20);
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The command as root must give it: as another user, who may still pass through root's folders to reach the files. */
function unprivileged(command: string[]): string[] {
  if (!isRoot()) return command;
  return [
    "setpriv",
    `--reuid=${UNPRIVILEGED}`,
    `--regid=${UNPRIVILEGED}`,
    "--clear-groups",
    // Without it access(2), by which PostgreSQL looks for its own files, would not count the capability.
    "--securebits=+no_setuid_fixup",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    ...command,
  ];
}
