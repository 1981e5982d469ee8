import { type FieldTable, type Kind, kinds, problemsOf } from "../../provider/fields/field.ts";
import type { ServiceEntry } from "../../provider/services/registry.ts";
import { services } from "../../provider/services/registry.ts";
import { allowedByTypes, declaredFields } from "./sdkTypes.ts";

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
        ...parts.map(kind => lacking(entry, kind) ?? (kind === "ImageCopy" ? targets(service).join(", ") : "yes")),
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Why a service hasn't a kind of resource; undefined when it has. */
function lacking({ tables, missing }: ServiceEntry, kind: Kind): string | undefined {
  return tables[kind] === undefined ? `– (${missing[kind] ?? "not offered"})` : undefined;
}

/** Where a copy may go, and how a program says so. */
const places: Record<string, object> = {
  "to stores": { stores: ["slow"] },
  "to a tenant": { tenant: "7b6f2c0d9e1a4f5b8c3d2e1f0a9b8c7d" },
  "to regions": { regions: ["ams3"] },
  "to another cloud, region or project": { connection: "there" },
};

function targets(service: string): string[] {
  const typed = allowedByTypes(
    "ImageCopy",
    service,
    Object.values(places).map(to => ({ to })),
  );
  return Object.keys(places).filter((_, index) => typed[index]);
}

/** Ways in which an image may come to be, and the inputs that ask for it. */
const ways: Record<string, Record<string, unknown>> = {
  file: { source: { file: "disk.raw" } },
  url: { source: { url: "https://example.org/disk.raw", mode: "stream" } },
  "url (fetched by the service)": { source: { url: "https://example.org/disk.raw", mode: "import" } },
  "url (stays there)": { location: "https://example.org/disk.raw" },
  "snapshot of a droplet": { dropletId: "1" },
  "a droplet's backup": { backupId: "1" },
  "snapshot of an instance": { instance: "instance:10:us-east-1:i-6a8f369b:" },
  "an existing image": { adopt: { name: "disk" } },
};

/** The ways that neither the sdk's types nor the service's own rules have anything against. */
function origins(table: FieldTable): string[] {
  const asked = new Set(Object.values(ways).flatMap(Object.keys));
  const typed = allowedByTypes("Image", table.service, Object.values(ways));
  return Object.entries(ways)
    .filter(([, inputs], index) => {
      const problems = problemsOf(table, { service: table.service, ...inputs });
      return typed[index] && problems.every(({ property }) => !asked.has(property.split(".")[0] as string));
    })
    .map(([way]) => way);
}

function changedInPlace(service: string, table: FieldTable): string[] {
  return declaredFields("Image", service)
    .map(({ name }) => name)
    .filter(name => table.fields[name]?.change === "update" && !table.fields[name]?.expected);
}
