import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { print, printJson } from "../terminal.ts";
import { examples } from "./common.ts";

interface CommentOptions {
  onlyUpdate?: boolean;
  caFile?: string;
  json?: boolean;
}

/** `comment`: puts what `drift --markdown` wrote into the pull request, in the place of what it put there before. */
export function addComment(program: Command): void {
  program
    .command("comment")
    .description("comment on the pull or merge request that a CI job runs for; the next time, update that comment")
    .argument("<file>", "what pulumi-images drift --markdown wrote")
    .option("--only-update", "write no new comment, only update one that is there")
    .option("--ca-file <file>", "PEM file of authorities to trust besides the usual ones")
    .option("--json", "print JSON, for machines")
    .addHelpText("after", examples("pulumi-images comment drift.md", "pulumi-images comment drift.md --only-update"))
    .action(async (file: string, options: CommentOptions) => {
      const [{ forgeOf }, { put }] = await Promise.all([import("../comment/forge.ts"), import("../comment/put.ts")]);
      const done = await put(
        forgeOf(process.env, options.caFile),
        await readFile(file, "utf8"),
        options.onlyUpdate === true,
      );
      if (options.json === true) printJson(done);
      else print(done.url === undefined ? done.outcome : `${done.outcome}: ${done.url}`);
    });
}
