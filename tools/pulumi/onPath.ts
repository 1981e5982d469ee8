import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { executableName } from "../command.ts";

/** The file that a shell would start for a command, with its symbolic links followed; undefined where there is none. */
export async function findOnPath(command: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const file = join(folder, executableName(command));
    if (await isExecutable(file)) return realpath(file);
  }
  return undefined;
}

/** Whether a folder holds the CLI together with the language host for Node.js programs, as the official one does. */
export async function isWholeInstallation(folder: string): Promise<boolean> {
  const programs = ["pulumi", "pulumi-language-nodejs"].map(program => join(folder, executableName(program)));
  return (await Promise.all(programs.map(isExecutable))).every(Boolean);
}

/** The folder of a whole installation that PATH leads to. */
export async function installationOnPath(): Promise<string | undefined> {
  const command = await findOnPath("pulumi");
  if (command === undefined) return undefined;
  const folder = dirname(command);
  return (await isWholeInstallation(folder)) ? folder : undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
