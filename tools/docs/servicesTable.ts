import { type FieldTable, type Kind, kinds, problemsOf } from "../../provider/fields/field.ts";
import type { ServiceEntry } from "../../provider/services/registry.ts";
import { services } from "../../provider/services/registry.ts";
import { declaredFields } from "./sdkTypes.ts";

/** Which service has which resource, where an image's data may come from, and what of it can be changed in place: a line each service. */
export function servicesTable(): string {
  const parts = kinds.filter(kind => kind !== "Image");
  const lines = [
    row("`service`", "Image data from", "changed in place", ...parts),
    row("---", "---", "---", ...parts.map(() => "---")),
  ];
  for (const [service, entry] of Object.entries(services)) {
    const image = entry.tables.Image?.();
    lines.push(
      row(
        `\`${service}\`<br>${entry.title}`,
        image === undefined ? "–" : origins(image).join(", "),
        image === undefined ? "–" : changedInPlace(service, image).join(", "),
        ...parts.map(kind => offered(entry, kind)),
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function offered({ tables, missing }: ServiceEntry, kind: Kind): string {
  return tables[kind] === undefined ? `– (${missing[kind] ?? "not offered"})` : "yes";
}

/** Ways in which an image may come to be, and the inputs that ask for it. */
const ways: Record<string, Record<string, unknown>> = {
  file: { source: { file: "disk.raw" } },
  url: { source: { url: "https://example.org/disk.raw", mode: "stream" } },
  "url (fetched by the service)": { source: { url: "https://example.org/disk.raw", mode: "import" } },
  "url (stays there)": { location: "https://example.org/disk.raw" },
  "snapshot of a droplet": { dropletId: "1" },
  "a droplet's backup": { backupId: "1" },
  "snapshot of an instance": { instanceId: "1" },
  "an existing image": { adopt: { name: "disk" } },
};

/** The ways that a service's own rules have nothing against. */
function origins(table: FieldTable): string[] {
  const asked = new Set(Object.values(ways).flatMap(Object.keys));
  return Object.entries(ways)
    .filter(([, inputs]) => {
      const problems = problemsOf(table, { service: table.service, ...inputs });
      return problems.every(({ property }) => !asked.has(property.split(".")[0] as string));
    })
    .map(([way]) => way);
}

function changedInPlace(service: string, table: FieldTable): string[] {
  return declaredFields("Image", service)
    .map(({ name }) => name)
    .filter(name => table.fields[name]?.change === "update");
}
