import { styled, table } from "../../terminal.ts";
import type { DriftReport, ResourceReport } from "../report.ts";
import { oneLine, shortened } from "../values.ts";
import { headline, pathText, sideText, standing, telling, upWords, wholeText } from "../words.ts";

/** No name or value takes more of a line than this; a narrow terminal gives the values less. */
const widest = { name: 28, value: valueWidth(process.stdout.columns ?? 200) };

function valueWidth(columns: number): number {
  return Math.min(36, Math.max(12, Math.floor((columns - 120) / 2)));
}

/** What was found, a line for each field, as a person reads it on a terminal. */
export function tableText(report: DriftReport): string {
  const lines = telling(report).flatMap(rows);
  const drawn =
    lines.length === 0
      ? []
      : [table(["means", "connection", "kind", "name", "what", "state", "now", "up would"], lines), ""];
  const problems = report.problems.map(problem => styled("red", `error: ${problem}`));
  return [...drawn, ...problems, styled("bold", `${report.project}/${report.stack}: ${headline(report)}`)].join("\n");
}

function rows(resource: ResourceReport): string[][] {
  const { kind, up } = resource;
  const where = resource.target === undefined ? resource.connection : `${resource.connection} → ${resource.target}`;
  const names = [text(where, widest.name), kind, text(resource.name, widest.name)];
  const doing = upWords[up];
  const whole = wholeText(resource);
  const found = [
    ...(whole === undefined ? [] : [[coloured(standing(resource)), ...names, whole, "", "", doing]]),
    ...resource.drift.map(change => [
      coloured(change.classes),
      ...names,
      text(`${pathText(change.path)}${change.at === "source" ? " (source)" : ""}`, widest.name),
      sideText(change, "old", widest.value),
      sideText(change, "new", widest.value),
      doing,
    ]),
    ...resource.pending.map(change => [
      coloured(["pending"]),
      ...names,
      text(pathText(change.path), widest.name),
      sideText(change, "old", widest.value),
      sideText(change, "new", widest.value),
      doing,
    ]),
  ];
  if (found.length > 0) return found;
  return resource.notes.slice(0, 1).map(note => ["", ...names, note, "", "", doing]);
}

const colours = { security: "red", availability: "yellow", metadata: "cyan", pending: "blue", ok: "green" } as const;

function coloured(standings: readonly (keyof typeof colours)[]): string {
  return standings.map(each => styled(colours[each], each)).join(", ");
}

function text(value: string, length: number): string {
  return shortened(oneLine(value), length);
}
