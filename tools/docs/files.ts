import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { driftsTable } from "./driftsTable.ts";
import { fieldsPage } from "./fieldsPage.ts";
import { functionsPage } from "./functionsPage.ts";
import { commandsTable, optionsTable } from "./optionsTables.ts";
import { servicesTable } from "./servicesTable.ts";

const root = join(import.meta.dirname, "..", "..");

/** Every file that is written from the code, or holds a part that is, with the text that it has to have. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const readme = join(root, "README.md");
  const drift = join(root, "docs", "drift.md");
  const pulumi = join(root, "docs", "pulumi.md");
  return new Map([
    [readme, await withParts(readme, { services: servicesTable() })],
    [drift, await withParts(drift, { drifts: driftsTable() })],
    [pulumi, await withParts(pulumi, { options: optionsTable(), commands: commandsTable() })],
    [join(root, "docs", "fields.md"), fieldsPage()],
    [join(root, "docs", "functions.md"), functionsPage()],
  ]);
}

/** A page with each part between the marks of its name as it has to be. */
async function withParts(file: string, parts: Record<string, string>): Promise<string> {
  let page = await readFile(file, "utf8");
  for (const [name, part] of Object.entries(parts)) {
    const [begin, end] = [`<!-- ${name}: written by npm run docs -->`, `<!-- /${name} -->`];
    const from = page.indexOf(begin);
    const to = page.indexOf(end);
    if (from < 0 || to < from) throw new Error(`${basename(file)} has lost its lines ${begin} and ${end}.`);
    page = `${page.slice(0, from)}${begin}\n\n${part}\n${page.slice(to)}`;
  }
  return page;
}
