import { Argument, type Command } from "commander";
import { schemaNames } from "../../provider/services/lookups.ts";
import { type CommonOptions, openSession } from "../session.ts";
import { cell, print, printJson, table } from "../terminal.ts";
import { examples, withConnection } from "./common.ts";

/** `schema`: what a service's operator allows in an image, a member, a metadata definition. */
export function addSchema(program: Command): void {
  withConnection(program.command("schema"))
    .description("show a JSON schema of the service (openstack, ecl, istack)")
    .addArgument(new Argument("<name>", "what of").choices(schemaNames))
    .addHelpText("after", examples("pulumi-images schema image", "pulumi-images schema metadefs/namespace --json"))
    .action(async (schema: string, options: CommonOptions) => {
      const session = await openSession(options);
      const found = await session.functions.getSchema({ ...session.where(), schema });
      if (options.json === true) printJson(found);
      else print(table(["property", "type", "may be", "description"], rows(found)));
    });
}

interface Property {
  type?: string | string[];
  enum?: unknown[];
  description?: string;
  readOnly?: boolean;
}

const widest = 60;

function rows(schema: Record<string, unknown>): string[][] {
  return Object.entries((schema.properties ?? {}) as Record<string, Property>).map(([name, property]) => [
    name,
    [property.type ?? ""].flat().join(" or "),
    property.readOnly === true ? "set by the service" : shortened(cell(property.enum?.filter(value => value !== null))),
    shortened((property.description ?? "").split("\n")[0] ?? ""),
  ]);
}

function shortened(text: string): string {
  return text.length <= widest ? text : `${text.slice(0, widest - 1)}…`;
}
