import { type Command, Option } from "commander";
import { serviceNames } from "../../provider/services/names.ts";

/** The options that every command has which asks a service. */
export function withConnection(command: Command): Command {
  return withConfiguration(command)
    .addOption(new Option("--service <service>", "the image service").choices(serviceNames))
    .option("--connection <name>", "the connection; default: the service's default one, or the only one");
}

/** Where the configuration comes from, and how results are printed. */
export function withConfiguration(command: Command): Command {
  return command
    .option("--cwd <folder>", "the Pulumi project's folder, and where clouds.yaml is looked for", ".")
    .option("--stack <name>", "the stack whose configuration has the connections; default: the selected one")
    .option("--json", "print JSON, for machines");
}

/** For options that can be given several times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ ${line}`).join("\n")}`;
}
