import type { Command } from "commander";
import type { Connection, KnownConnection } from "../../provider/connection.ts";
import { exitCodes } from "../exitCodes.ts";
import { type CommonOptions, openSession, type Session } from "../session.ts";
import { note, pairs, print, printJson, styled } from "../terminal.ts";
import { examples, withConfiguration } from "./common.ts";

interface ConnectionsOptions extends CommonOptions {
  offline?: boolean;
}

/** What is known of a connection, free of secrets. */
interface Report {
  name: string;
  service: string;
  settings: { name: string; value: string; from: string }[];
  /** Whether it signs in; undefined where that wasn't tried. */
  signsIn?: boolean;
  /** Why it can't be used. */
  problem?: string;
}

/** `connections`: what is configured, where from, and whether it works. */
export function addConnections(program: Command): void {
  withConfiguration(program.command("connections"))
    .description("show the connections, where each setting comes from, and whether they can sign in")
    .option("--offline", "don't sign in")
    .addHelpText("after", examples("pulumi-images connections", "pulumi-images connections --stack prod --offline"))
    .action(async (options: ConnectionsOptions) => {
      const session = await openSession(options);
      const reports = await Promise.all(
        session.connections.map(connection => report(session, connection, options.offline !== true)),
      );
      if (options.json === true) printJson(reports);
      else if (reports.length === 0) note("no connections: see the README, Connections");
      else print(reports.map(shown).join("\n\n"));
      if (reports.some(({ problem }) => problem !== undefined)) process.exitCode = exitCodes.refused;
    });
}

async function report(session: Session, { name, service }: KnownConnection, signIn: boolean): Promise<Report> {
  const known: Report = { name, service, settings: [] };
  try {
    const opened = session.services({ service, connection: name });
    known.settings = settingsOf(opened.connection);
    if (signIn) {
      await opened.signIn();
      known.signsIn = true;
    }
    return known;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...known, ...(known.settings.length > 0 ? { signsIn: false } : {}), problem };
  }
}

const secrets = ["password", "token", "applicationCredentialSecret", "apiKey"];

function settingsOf({ settings, origin }: Connection): Report["settings"] {
  return Object.entries(settings as Record<string, unknown>)
    .filter(([name, value]) => value !== undefined && (origin[name] !== undefined || value !== false))
    .map(([name, value]) => ({
      name,
      value: secrets.includes(name) ? "[secret]" : String(value),
      from: origin[name] ?? "default",
    }));
}

function shown({ name, service, settings, signsIn, problem }: Report): string {
  const state =
    problem !== undefined
      ? styled("red", signsIn === false ? "can't sign in" : "can't be used")
      : signsIn === true
        ? styled("green", "signs in")
        : "not tried";
  return [
    `${styled("bold", name)} (${service}): ${state}`,
    ...(problem === undefined ? [] : [`  ${problem}`]),
    ...(settings.length === 0
      ? []
      : [
          pairs(
            settings.map(({ name, value, from }) => [name, value, from]),
            "  ",
          ),
        ]),
  ].join("\n");
}
