import type { Command } from "commander";
import { exitCodes } from "../exitCodes.ts";
import { type CommonOptions, openSession } from "../session.ts";
import { print, printJson, styled } from "../terminal.ts";
import { examples, withConfiguration } from "./common.ts";

/** `doctor`: whether all that this package needs is there and works. */
export function addDoctor(program: Command): void {
  withConfiguration(program.command("doctor"))
    .description("check Node.js, Pulumi, the connections, the clocks, and what each service can do")
    .addHelpText("after", examples("pulumi-images doctor", "pulumi-images doctor --json"))
    .action(async (options: CommonOptions) => {
      const session = await openSession(options);
      const { examine } = await import("../examination.ts");
      const findings = await examine(session);
      if (options.json === true) printJson(findings);
      else {
        for (const { state, subject, text } of findings) print(`${signs[state]()} ${styled("bold", subject)}: ${text}`);
      }
      if (findings.some(({ state }) => state === "problem")) process.exitCode = exitCodes.failed;
    });
}

const signs = {
  ok: () => styled("green", "✓"),
  warning: () => styled("yellow", "!"),
  problem: () => styled("red", "✗"),
};
