import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type FailOn, failOnChoices } from "../drift/outcome.ts";
import type { Destinations } from "../drift/outputs.ts";
import { exitCodes } from "../exitCodes.ts";
import { note, print } from "../terminal.ts";
import { examples } from "./common.ts";

interface DriftOptions extends Destinations {
  cwd: string;
  stack?: string;
  failOn?: FailOn[];
}

/** `drift`: what isn't as the program left it, and what `up` would do. */
export function addDrift(program: Command): void {
  program
    .command("drift")
    .description("show what drifted from a stack's state, what it means, and what up would do; nothing is changed")
    .option("--cwd <folder>", "the Pulumi project's folder", ".")
    .option("--stack <name>", "the stack; default: the selected one")
    .option("--markdown <file>", 'write a comment for a pull request ("-": to standard output)')
    .option("--json <file>", "write everything, for machines")
    .option("--junit <file>", "write JUnit XML, a case for each resource")
    .option("--sarif <file>", "write SARIF 2.1.0, for code scanning")
    .option("--html <file>", "write a page with a matrix of images by connection")
    .addOption(new Option("--fail-on <what...>", "what the exit code tells of; default: any").choices(failOnChoices))
    .addHelpText(
      "after",
      `${examples(
        "pulumi-images drift --stack prod",
        "pulumi-images drift --stack prod --markdown comment.md --html drift.html",
        "pulumi-images drift --stack prod --fail-on security availability --sarif drift.sarif",
      )}

Exit codes: 0 nothing; 2 drift; 3 only changes of the program; 1 failed. With --fail-on, what it doesn't name counts as nothing.`,
    )
    .action(async ({ cwd, stack, failOn: wanted, ...destinations }: DriftOptions) => {
      const [
        { onStandardOutput, writeReports },
        { hideSecrets, lookAt },
        { openStack },
        { exitCodeOf },
        { projectAbove, readStackConfig },
      ] = await Promise.all([
        import("../drift/outputs.ts"),
        import("../drift/look.ts"),
        import("../drift/preview.ts"),
        import("../drift/outcome.ts"),
        import("../stackConfig.ts"),
      ]);
      const piped = onStandardOutput(destinations);
      const folder = projectAbove(cwd);
      if (folder === undefined) {
        const { ImagesError } = await import("../../provider/errors.ts");
        throw new ImagesError("configuration", `${resolve(cwd)} isn't in a Pulumi project`, {
          hint: "Name the project's folder by --cwd",
        });
      }
      const opened = await openStack(folder, stack);
      const secretsHidden = readStackConfig(folder, opened.stack).then(config => hideSecrets(config, folder));
      const interrupted = new AbortController();
      const stop = () => interrupted.abort();
      process.once("SIGINT", stop).once("SIGTERM", stop);
      const report = await lookAt(opened, secretsHidden, interrupted.signal);
      process.removeListener("SIGINT", stop).removeListener("SIGTERM", stop);
      if (interrupted.signal.aborted) {
        note("interrupted");
        process.exitCode = exitCodes.interrupted;
        return;
      }
      await writeReports(report, destinations, folder);
      const { tableText } = await import("../drift/formats/table.ts");
      if (piped === undefined) print(tableText(report));
      process.exitCode = exitCodeOf(report, wanted);
    });
}
