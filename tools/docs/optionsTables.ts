import { commands, options, type Row } from "../../test/engine/options/rows.ts";

/** What each resource option of Pulumi's does here, and the test that tries it. */
export function optionsTable(): string {
  return table("option", options, "options.test.ts");
}

/** The same for the commands that change a state, and for flags. */
export function commandsTable(): string {
  return table("command or flag", commands, "commands.test.ts");
}

/** @param own the tests of the rows that name no other file */
function table(what: string, rows: Readonly<Record<string, Row>>, own: string): string {
  const lines = Object.entries(rows).map(([name, { does, test, file }]) =>
    row(`\`${name}\``, does, `[${test}](../${file ?? `test/engine/options/${own}`})`),
  );
  return `${[row(what, "what it does", "tried by the test"), row("---", "---", "---"), ...lines].join("\n")}\n`;
}

function row(...cells: string[]): string {
  return `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
