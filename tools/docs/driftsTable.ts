import { type Drift, drifts, type Repair } from "../../provider/drifts.ts";
import { kinds } from "../../provider/fields/field.ts";
import { services } from "../../provider/services/registry.ts";

/** Which drifts can be seen on which service, and what `up` does about them: a table each kind of resource. */
export function driftsTable(): string {
  const names = Object.keys(services) as (keyof Drift["up"])[];
  return kinds
    .map(kind => {
      const own = drifts.filter(drift => drift.kind === kind);
      const columns = names.filter(name => own.some(({ up }) => up[name] !== undefined));
      const lines = [
        row(`${kind}: what happened`, "shows in", ...columns.map(name => `\`${name}\``)),
        row("---", "---", ...columns.map(() => "---")),
        ...own.map(drift =>
          row(
            `${drift.what}${drift.atCheck ? " ¹" : ""}`,
            drift.shows.map(field => `\`${field}\``).join(", ") || "its absence",
            ...columns.map(name => shown(drift.up[name])),
          ),
        ),
      ];
      return `${lines.join("\n")}\n`;
    })
    .join("\n");
}

function shown(repair: Repair | undefined): string {
  return repair ?? "–";
}

function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}
