import { homedir, tmpdir } from "node:os";
import path from "node:path";

/** What the places of a user's files depend on; a parameter so that tests can be on another system. */
export interface Machine {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  /** @throws SystemError for a user without HOME and without an entry in the system's list of users */
  homedir(): string;
  tmpdir(): string;
  /** undefined on Windows. */
  uid: number | undefined;
}

export const thisMachine: Machine = {
  platform: process.platform,
  env: process.env,
  homedir,
  tmpdir,
  uid: process.getuid?.(),
};

/** How paths are written on a machine. */
export function pathsOf({ platform }: Machine): path.PlatformPath {
  return platform === "win32" ? path.win32 : path.posix;
}

/** The user's own folder; undefined for a user that has none, as containers run with a uid of their platform's choice. */
export function homeFolder(machine: Machine = thisMachine): string | undefined {
  const { platform, env } = machine;
  const said = platform === "win32" ? env.USERPROFILE : env.HOME;
  const home = said || systemHome(machine);
  return home !== undefined && pathsOf(machine).isAbsolute(home) ? home : undefined;
}

function systemHome(machine: Machine): string | undefined {
  try {
    return machine.homedir();
  } catch {
    return undefined;
  }
}

/**
 * Where this package keeps what it can make again: `$XDG_CACHE_HOME/pulumi-images`, else in the system's usual place for caches
 * (`~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`); undefined for a user without a folder.
 */
export function cacheFolder(machine: Machine = thisMachine): string | undefined {
  const caches = machine.env.XDG_CACHE_HOME || usualCaches(machine);
  return caches === undefined ? undefined : pathsOf(machine).join(caches, "pulumi-images");
}

function usualCaches(machine: Machine): string | undefined {
  const { platform, env } = machine;
  const { join } = pathsOf(machine);
  if (platform === "win32" && env.LOCALAPPDATA) return env.LOCALAPPDATA;
  const home = homeFolder(machine);
  if (home === undefined) return undefined;
  if (platform === "win32") return join(home, "AppData", "Local");
  return platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
}

/** This user's folder among the temporary files, where everybody can make folders: it may be another user's. */
export function temporaryFolder(machine: Machine = thisMachine): string {
  return pathsOf(machine).join(machine.tmpdir(), `pulumi-images${machine.uid === undefined ? "" : `-${machine.uid}`}`);
}

/**
 * The folders in which OpenStack's clients look for clouds.yaml, in their order, the working directory aside.
 * Source: openstack/config/loader.py of openstacksdk 4, and platformdirs, which it asks for the system's places.
 */
export function openStackFolders(machine: Machine = thisMachine): string[] {
  const { platform, env } = machine;
  const { join } = pathsOf(machine);
  const home = homeFolder(machine);
  const inHome = (...names: string[]) => (home === undefined ? [] : [join(home, ...names)]);
  const unix = inHome(".config", "openstack");
  if (platform === "win32") {
    const below = (folder: string) => join(folder, "OpenStack", "openstack");
    const own = env.LOCALAPPDATA ? [env.LOCALAPPDATA] : inHome("AppData", "Local");
    return [...own.map(below), ...unix, below(env.ProgramData || "C:\\ProgramData"), "\\etc\\openstack"];
  }
  if (platform === "darwin") {
    const support = ["Library", "Application Support", "openstack"];
    return [...inHome(...support), ...unix, join("/", ...support), "/etc/openstack"];
  }
  const configured = env.XDG_CONFIG_HOME ? [join(env.XDG_CONFIG_HOME, "openstack")] : [];
  return [...new Set([...configured, ...unix, "/etc/xdg/openstack", "/etc/openstack"])];
}

/** A path as a person writes it, from a folder: `~/ca.pem` (on Windows `~\ca.pem`, too) is in the user's own. */
export function resolvePath(text: string, folder: string, machine: Machine = thisMachine): string {
  const { join, resolve } = pathsOf(machine);
  const home = homeFolder(machine);
  const inHome = (machine.platform === "win32" ? /^~[\\/]/ : /^~\//).test(text);
  return inHome && home !== undefined ? join(home, text.slice(2)) : resolve(folder, text);
}
