import { type Field, type FieldTable, kinds } from "../../provider/fields/field.ts";
import { services } from "../../provider/services/registry.ts";
import { type DeclaredField, declaredFields, typesReferredTo } from "./sdkTypes.ts";

/** docs/fields.md: each field of each resource on each service, from the sdk's types and the provider's tables. */
export function fieldsPage(): string {
  const lines = [
    "# Fields",
    "",
    "<!-- Written by npm run docs from sdk/args and provider/services. -->",
    "",
    "What a program may declare, service by service. *A change* says what `pulumi up` does when the program's value changes:",
    "",
    ...Object.values(meanings).map(({ word, meaning }) => `- **${word}**: ${meaning}`),
    "",
    "Every resource also has `service`, which is needed; another service is a new resource.",
    "",
  ];
  const types = new Set<string>();
  for (const kind of kinds) {
    lines.push(`## ${kind}`, "");
    for (const [service, { title, tables, missing }] of Object.entries(services)) {
      lines.push(`### ${kind} on \`${service}\``, "");
      const table = tables[kind]?.();
      if (table === undefined) {
        lines.push(`${title} has none: ${missing[kind] ?? "it isn't offered"}.`, "");
        continue;
      }
      lines.push("| field | type | meaning | a change |", "| --- | --- | --- | --- |");
      for (const field of declaredFields(kind, service)) {
        lines.push(fieldRow(field, changeOf(table, field.name)));
        types.add(field.type);
      }
      lines.push("");
    }
  }
  lines.push("## Types", "");
  for (const { name, meaning, fields, text } of typesReferredTo(types)) {
    lines.push(`### ${name}`, "");
    if (meaning !== "") lines.push(meaning, "");
    if (text !== undefined) lines.push("```ts", text, "```", "");
    if (fields.length === 0) continue;
    lines.push("| field | type | meaning |", "| --- | --- | --- |", ...fields.map(field => fieldRow(field)), "");
  }
  return lines.join("\n");
}

const meanings: Record<Field["change"], { word: string; meaning: string }> = {
  update: { word: "in place", meaning: "it is written to what is there." },
  replace: { word: "replaces", meaning: "a new one is made, then the old one is deleted." },
  note: { word: "noted", meaning: "nothing is written; the state keeps it for later." },
  none: { word: "–", meaning: "no change by itself." },
};

/** Fields that the tables say little about, as their change shows in another field or in where they lead. */
const elsewhere: Record<string, Partial<Record<Field["change"], string>>> = {
  connection: { none: "replaces, unless it leads to the same thing" },
  source: { none: "replaces, if the data is other data" },
  adopt: { none: "another id is refused; no change by itself" },
  to: { none: "in place", replace: "another place replaces; all else in place" },
};

function changeOf(table: FieldTable, name: string): string {
  const field = table.fields[name];
  if (field === undefined) throw new Error(`The sdk offers ${name} on ${table.service}, which its table doesn't know.`);
  if (field.expected) return "an error: expected only";
  return elsewhere[name]?.[field.change] ?? meanings[field.change].word;
}

function fieldRow({ name, type, meaning, optional }: DeclaredField, change?: string): string {
  const cells = [
    `\`${name}\`${optional ? "" : " (needed)"}`,
    `\`${type}\``,
    meaning,
    ...(change === undefined ? [] : [change]),
  ];
  return `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
