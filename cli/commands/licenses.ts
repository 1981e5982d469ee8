import type { Command } from "commander";
import { type CommonOptions, openSession } from "../session.ts";
import { print, printJson } from "../terminal.ts";
import { examples, withConnection } from "./common.ts";

/** `licenses`: the types of license that ECL knows. */
export function addLicenses(program: Command): void {
  withConnection(program.command("licenses"))
    .description("list the types of license (ecl)")
    .addHelpText("after", examples("pulumi-images licenses --service ecl"))
    .action(async (options: CommonOptions) => {
      const session = await openSession(options);
      const licenses = await session.functions.getLicenses(session.where());
      if (options.json === true) printJson(licenses);
      else for (const license of licenses) print(license);
    });
}
