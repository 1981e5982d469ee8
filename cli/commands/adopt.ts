import type { Command } from "commander";
import type { ImageFacts } from "../../provider/services/service.ts";
import { parseFilters } from "../filters.ts";
import { type CommonOptions, openSession, type Session } from "../session.ts";
import { note, printJson } from "../terminal.ts";
import { collect, examples, withConnection } from "./common.ts";

interface AdoptOptions extends CommonOptions {
  filter?: string[];
  retain?: boolean;
}

/** Images that are none, or not any more. */
const lost = ["killed", "deleted", "pending_delete"];

/** `adopt`: a program for images that are there already. */
export function addAdopt(program: Command): void {
  withConnection(program.command("adopt"))
    .description("write a TypeScript program that takes existing images under management, without an upload")
    .argument("[images...]", "their ids or names; default: all of the account's own")
    .option("--filter <name=value>", "only these, as with list (repeatable)", collect)
    .option("--retain", "write retainOnDelete, so that destroying the stack keeps the images")
    .addHelpText(
      "after",
      examples(
        "pulumi-images adopt --connection lab --filter tags=golden > golden.ts",
        "pulumi-images adopt ubuntu-24.04 debian-13 --retain >> index.ts",
      ),
    )
    .action(async (names: string[], options: AdoptOptions) => {
      const session = await openSession(options);
      const images = (await picked(session, names, options.filter ?? [])).filter(
        ({ status }) => !lost.includes(status),
      );
      const { tableOf } = await import("../../provider/runtime.ts");
      const { declarationOf } = await import("../adopt/declared.ts");
      const { programText } = await import("../adopt/source.ts");
      const { service, connection } = session.where();
      const where = { service, ...(connection === undefined || connection === service ? {} : { connection }) };
      const table = tableOf("Image", service);
      const written = images.map(image => {
        const { args, notes } = declarationOf(table, image, where);
        for (const text of notes) note(`note: ${image.id}: ${text}`);
        return {
          name: typeof image.name === "string" && image.name !== "" ? image.name : image.id,
          id: image.id,
          args,
        };
      });
      if (options.json === true) printJson(written.map(({ name, args }) => ({ name, args })));
      else process.stdout.write(programText(written, { retain: options.retain === true }));
      note(`${written.length} image${written.length === 1 ? "" : "s"}`);
    });
}

/** By name, so that the same images give the same program. */
async function picked(session: Session, names: readonly string[], filters: readonly string[]): Promise<ImageFacts[]> {
  const service = session.service();
  if (names.length > 0) {
    const { imageByIdOrName } = await import("../../provider/functions/images.ts");
    return await Promise.all(names.map(name => imageByIdOrName(service, name)));
  }
  const { lookupsOf } = await import("../../provider/functions/services.ts");
  const lookups = lookupsOf(service);
  const images = await session.functions.getImages({
    ...(await lookups.ownFilters()),
    ...parseFilters(filters, lookups.filters()),
    ...session.where(),
  });
  const key = ({ name, id }: ImageFacts) => `${String(name)} ${id}`;
  return images.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
}
