import type { Command } from "commander";
import type { ImageFacts } from "../../provider/services/service.ts";
import { parseFilters } from "../filters.ts";
import { type CommonOptions, openSession } from "../session.ts";
import { bytesText, cell, note, print, printJson, table } from "../terminal.ts";
import { collect, examples, withConnection } from "./common.ts";

interface ListOptions extends CommonOptions {
  filter?: string[];
  sort?: string[];
  limit?: number;
  latest?: boolean;
}

/** `list`: the images that filters let through. */
export function addList(program: Command): void {
  withConnection(program.command("list"))
    .description("list images")
    .option(
      "--filter <name=value>",
      "only these: status=active, tags=a,b, properties.os_distro=ubuntu (repeatable)",
      collect,
    )
    .option("--sort <field[:asc|:desc]>", "in this order (repeatable)", collect)
    .option("--limit <count>", "the most images", Number)
    .option("--latest", "the newest of them, and no other")
    .addHelpText(
      "after",
      examples(
        "pulumi-images list",
        "pulumi-images list --connection lab --filter visibility=private --filter tags=golden --sort name",
        "pulumi-images list --service digitalocean --filter private=true --json",
      ),
    )
    .action(async (options: ListOptions) => {
      const images = await listed(options);
      if (options.json === true) printJson(images);
      else if (images.length === 0) note("no images");
      else print(imageTable(images));
    });
}

async function listed({ filter, sort, limit, latest, ...options }: ListOptions): Promise<ImageFacts[]> {
  const session = await openSession(options);
  const { lookupsOf } = await import("../../provider/functions/services.ts");
  return await session.functions.getImages({
    ...parseFilters(filter ?? [], lookupsOf(session.service()).filters()),
    ...(sort === undefined ? {} : { sort }),
    ...(limit === undefined ? {} : { limit }),
    ...(latest === true ? { latest } : {}),
    ...session.where(),
  });
}

/** What people look for first; of each only what the service reports of some image. */
const columns = [
  "id",
  "name",
  "status",
  "diskFormat",
  "visibility",
  "isPublic",
  "size",
  "regions",
  "region",
  "tags",
  "createdAt",
];

function imageTable(images: readonly ImageFacts[]): string {
  const shown = columns.filter(column => images.some(image => cell(image[column]) !== ""));
  const rows = images.map(image =>
    shown.map(column =>
      column === "size" && image.size !== undefined ? bytesText(Number(image.size)) : cell(image[column]),
    ),
  );
  return table(shown, rows);
}
