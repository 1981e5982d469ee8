import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { relative } from "node:path";
import { promisify } from "node:util";
import type { KnownConnection } from "../provider/connection.ts";
import { canUseProxies } from "../provider/http/agents.ts";
import type { Lookups } from "../provider/services/lookups.ts";
import type { ImageService } from "../provider/services/service.ts";
import type { Session } from "./session.ts";

const run = promisify(execFile);

/** One thing that was looked at. */
export interface Finding {
  state: "ok" | "warning" | "problem";
  subject: string;
  text: string;
}

/** A token is taken to be valid for as long as it says by this machine's clock. */
const clockToleranceMs = 60_000;

/** Looks at all that this package needs, and at every connection. */
export async function examine(session: Session): Promise<Finding[]> {
  const connections = await Promise.all(session.connections.map(connection => connectionFindings(session, connection)));
  return [
    nodeFinding(),
    ...proxyFindings(process.env),
    await pulumiFinding(),
    stackFinding(session),
    ...noneFinding(session),
    ...connections.flat(),
  ];
}

function nodeFinding(): Finding {
  const { engines } = createRequire(import.meta.url)("pulumi-images/package.json") as { engines: { node: string } };
  const [wanted = 0, wantedMinor = 0] = numbers(engines.node);
  const [major = 0, minor = 0] = numbers(process.versions.node);
  const isEnough = major > wanted || (major === wanted && minor >= wantedMinor);
  return {
    state: isEnough ? "ok" : "problem",
    subject: "Node.js",
    text: isEnough ? process.versions.node : `${process.versions.node} is too old: ${engines.node} is needed`,
  };
}

/** A proxy that Node can't use is no error anywhere: requests just go without it. */
export function proxyFindings(env: NodeJS.ProcessEnv, version: string = process.versions.node): Finding[] {
  const set = ["HTTP_PROXY", "HTTPS_PROXY"].filter(name => env[name] || env[name.toLowerCase()]);
  if (set.length === 0) return [];
  const subject = "Proxy";
  const names = set.join(" and ");
  if (canUseProxies(version)) return [{ state: "ok", subject, text: `obeyed, as ${names} says` }];
  const text = `${names} is set, but Node.js ${version} can't use a proxy: that takes 22.21, 24.5 or later`;
  return [{ state: "warning", subject, text }];
}

function numbers(version: string): number[] {
  return [...version.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

async function pulumiFinding(): Promise<Finding> {
  const subject = "Pulumi";
  try {
    const { stdout } = await run("pulumi", ["version"], { env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } });
    return { state: "ok", subject, text: stdout.trim().replace(/^v/, "") };
  } catch (error) {
    const missing = (error as { code?: unknown }).code === "ENOENT";
    const text = missing ? "pulumi isn't on PATH: see https://www.pulumi.com/docs/install/" : (error as Error).message;
    return { state: "problem", subject, text };
  }
}

function stackFinding({ config, cwd }: Session): Finding {
  const subject = "Stack configuration";
  if (config.problem !== undefined) return { state: "warning", subject, text: `isn't used: ${config.problem}` };
  if (config.project === undefined) {
    return { state: "ok", subject, text: "none, as this folder isn't in a Pulumi project" };
  }
  return { state: "ok", subject, text: `read in ${relative(cwd, config.project) || "this folder"}` };
}

function noneFinding({ connections }: Session): Finding[] {
  if (connections.length > 0) return [];
  return [{ state: "warning", subject: "Connections", text: "there are none: see the README, Connections" }];
}

async function connectionFindings(session: Session, { name, service }: KnownConnection): Promise<Finding[]> {
  const subject = `${name} (${service})`;
  try {
    const opened = session.services({ service, connection: name });
    await opened.signIn();
    return [
      { state: "ok", subject, text: "signs in" },
      ...opened.connection.warnings.map(text => ({ state: "warning", subject, text }) as const),
      ...(await serviceFindings(subject, opened)),
    ];
  } catch (error) {
    return [{ state: "problem", subject, text: messageOf(error) }];
  }
}

async function serviceFindings(subject: string, { lookups }: ImageService): Promise<Finding[]> {
  if (lookups === undefined) return [];
  const before = Date.now();
  const { versions, clock } = await lookups.about();
  const findings: Finding[] = [];
  if (versions.length > 0) findings.push({ state: "ok", subject, text: `speaks ${range(versions)}` });
  if (clock !== undefined) findings.push(clockFinding(subject, clock.getTime(), before));
  findings.push({ state: "ok", subject, text: `can ${(await abilities(lookups)).join("; ")}` });
  return findings;
}

/** Versions, newest first: all of a few, the ends of many. */
function range(versions: readonly string[]): string {
  return versions.length <= 3 ? versions.join(", ") : `${versions[0]} … ${versions.at(-1)}`;
}

/** The header Date is cut to the second, and the answer was under way for a while. */
function clockFinding(subject: string, theirs: number, before: number): Finding {
  const now = Date.now();
  const off = theirs < before - 1000 ? before - 1000 - theirs : Math.max(0, theirs - now);
  const isWrong = off > clockToleranceMs;
  return {
    state: isWrong ? "warning" : "ok",
    subject,
    text: isWrong
      ? `its clock and this machine's are ${Math.round(off / 1000)} s apart: tokens may seem to live longer than they do`
      : "its clock agrees with this machine's",
  };
}

async function abilities(lookups: Lookups): Promise<string[]> {
  const [methods, stores, regions] = await Promise.all([
    lookups.importMethods?.(),
    lookups.stores?.(),
    lookups.regions?.().catch(() => []),
  ]);
  return [
    "list images",
    ...(lookups.openData === undefined ? [] : ["download"]),
    ...(lookups.listMembers === undefined ? [] : ["share with members"]),
    ...(methods === undefined || methods.length === 0 ? [] : [`import by ${methods.join(", ")}`]),
    ...(stores === undefined || stores.length === 0
      ? []
      : [
          `keep data in the stores ${stores.map(({ id, isDefault }) => (isDefault ? `${id} (default)` : id)).join(", ")}`,
        ]),
    ...(lookups.copyJobs === undefined ? [] : ["copy to other tenants by jobs"]),
    ...(regions === undefined || regions.length === 0
      ? []
      : [`keep images in ${regions.filter(({ available }) => available).length} regions`]),
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
