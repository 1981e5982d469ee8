import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { ConfigReader } from "../provider/connection.ts";
import { ImagesError } from "../provider/errors.ts";

const run = promisify(execFile);

/** A stack's configuration, decrypted, and what hindered it from being read. */
export interface StackConfig {
  reader: ConfigReader;
  /** The folder of the Pulumi project; undefined where there is none. */
  project: string | undefined;
  problem: string | undefined;
  /** Values that it keeps secret. */
  secrets: string[];
}

/**
 * Reads the configuration of a stack by `pulumi config`, so that secrets are decrypted by whatever the stack uses for it. Outside a project, and
 * without a stack, there is none: clouds.yaml and the environment are left.
 * @param stack the one that must be there; without it the selected one is taken, if there is one
 * @throws ImagesError "configuration" where the named stack's can't be read
 */
export async function readStackConfig(cwd: string, stack: string | undefined): Promise<StackConfig> {
  const project = projectAbove(cwd);
  const none = { reader: { get: () => undefined }, project, problem: undefined, secrets: [] };
  if (project === undefined) {
    if (stack === undefined) return none;
    throw new ImagesError("configuration", `${resolve(cwd)} isn't in a Pulumi project, so there is no stack ${stack}`, {
      hint: "Name the project's folder by --cwd",
    });
  }
  const args = ["config", "--show-secrets", "--json", "--non-interactive", "--cwd", project];
  try {
    const { stdout } = await run("pulumi", stack === undefined ? args : [...args, "--stack", stack], {
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      maxBuffer: 64 * 2 ** 20,
    });
    const values = JSON.parse(stdout) as Record<string, ConfigValue>;
    return { ...none, reader: { get: key => values[key]?.value }, secrets: Object.values(values).flatMap(secretsIn) };
  } catch (error) {
    const problem = problemOf(error);
    if (stack === undefined) return { ...none, problem };
    throw new ImagesError("configuration", `the configuration of the stack ${stack} can't be read: ${problem}`, {
      cause: error,
    });
  }
}

/** A value as `pulumi config --json` has it; an object's value is its JSON, and it is secret where anything in it is. */
interface ConfigValue {
  value?: string;
  objectValue?: unknown;
  secret?: boolean;
}

/** Of an object, which of its values the secret ones are isn't said: those are meant whose names say so. */
function secretsIn({ value, objectValue, secret }: ConfigValue): string[] {
  if (secret !== true || value === undefined) return [];
  return objectValue === undefined ? [value] : tellingValues("", objectValue);
}

function tellingValues(name: string, value: unknown): string[] {
  if (typeof value === "string") return /pass|secret|token|key|credential/i.test(name) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => tellingValues(Array.isArray(value) ? name : key, inner));
}

/** The folder of the Pulumi project that a folder is in. */
export function projectAbove(folder: string): string | undefined {
  const here = resolve(folder);
  if (["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].some(name => existsSync(join(here, name)))) return here;
  return dirname(here) === here ? undefined : projectAbove(dirname(here));
}

function problemOf(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === "ENOENT") return "pulumi isn't on PATH";
  const said = (stderr ?? "").split("\n").find(line => line.startsWith("error:"));
  return said?.replace(/^error:\s*/, "") ?? message;
}
