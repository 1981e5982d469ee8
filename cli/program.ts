import tab from "@bomb.sh/tab/commander";
import { Command, CommanderError } from "commander";
import { addAdopt } from "./commands/adopt.ts";
import { addComment } from "./commands/comment.ts";
import { addConnections } from "./commands/connections.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDownload } from "./commands/download.ts";
import { addDrift } from "./commands/drift.ts";
import { addCancelJob, addJobs } from "./commands/jobs.ts";
import { addLicenses } from "./commands/licenses.ts";
import { addList } from "./commands/list.ts";
import { addSchema } from "./commands/schema.ts";
import { addShow } from "./commands/show.ts";
import { exitCodeOf, exitCodes } from "./exitCodes.ts";
import { note } from "./terminal.ts";
import { version } from "./version.ts";

/**
 * Runs the command with its arguments, and prints what comes of it.
 * @returns the exit code, see exitCodes.ts
 */
export async function run(args: readonly string[]): Promise<number> {
  const program = commandLine();
  try {
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    const code = await explain(error, args.includes("--json") && args[0] !== "drift");
    // Of drift, 2 and 3 tell what was found.
    return args[0] === "drift" && code !== exitCodes.ok && code !== exitCodes.interrupted ? exitCodes.failed : code;
  }
}

function commandLine(): Command {
  const program = new Command("pulumi-images");
  program
    .description(
      "Looks up, downloads and adopts machine images, on the connections of a Pulumi stack, clouds.yaml or the environment, and shows drift.",
    )
    .version(version())
    .showHelpAfterError("(--help shows what there is)")
    .addHelpText(
      "after",
      `
Examples:
  $ pulumi-images connections
  $ pulumi-images list --connection lab --filter status=active --sort createdAt:desc
  $ pulumi-images adopt --connection lab --filter tags=golden > golden.ts
  $ pulumi-images drift --stack prod --html drift.html

Exit codes: 0 done; 1 the service or the network failed; 2 wrong usage or configuration; 3 not found; 4 not allowed;
5 something else was there than expected; 130 interrupted. drift has its own.`,
    );
  for (const add of [
    ...[addConnections, addList, addShow, addDownload, addAdopt, addSchema],
    ...[addLicenses, addJobs, addCancelJob, addDoctor, addDrift, addComment],
  ]) {
    add(program);
  }
  for (const command of [program, ...program.commands]) command.exitOverride();
  tab(program);
  return program;
}

/** Says what went wrong on standard error, for a person or as JSON, and gives the exit code. */
async function explain(thrown: unknown, json: boolean): Promise<number> {
  // Commander has said it already; --help and --version come this way, too.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const { ImagesError } = await import("../provider/errors.ts");
  const error = isWithoutFolder(thrown)
    ? new ImagesError("configuration", "the working directory isn't there any more", { hint: "Go to one that is" })
    : thrown;
  if (!(error instanceof ImagesError)) {
    note(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return exitCodes.failed;
  }
  if (json) note(JSON.stringify({ error: { code: error.code, message: error.message } }, undefined, 2));
  else note(`error: ${error.message}`);
  return exitCodeOf(error.code);
}

function isWithoutFolder(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.syscall === "uv_cwd";
}
