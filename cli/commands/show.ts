import type { Command } from "commander";
import { type CommonOptions, openSession } from "../session.ts";
import { bytesText, cell, pairs, print, printJson } from "../terminal.ts";
import { examples, withConnection } from "./common.ts";

/** `show`: everything that the service says of one image. */
export function addShow(program: Command): void {
  withConnection(program.command("show"))
    .description("show everything that is known of an image")
    .argument("<image>", "its id or its name")
    .addHelpText(
      "after",
      examples("pulumi-images show ubuntu-24.04", "pulumi-images show 3fb0e6a4-7a54-4d5e-9a8e-2f1f0d6c1b2a --json"),
    )
    .action(async (image: string, options: CommonOptions) => {
      const session = await openSession(options);
      const { imageByIdOrName } = await import("../../provider/functions/images.ts");
      const facts = await imageByIdOrName(session.service(), image);
      if (options.json === true) printJson(facts);
      else print(pairs(Object.entries(facts).flatMap(([name, value]) => lines(name, value))));
    });
}

/** A map has a line for each of its entries. */
function lines(name: string, value: unknown): string[][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([key, inner]) => [`${name}.${key}`, cell(inner)]);
  }
  const isBytes = name === "size" || name === "virtualSize";
  return [[name, isBytes ? `${cell(value)} (${bytesText(Number(value))})` : cell(value)]];
}
