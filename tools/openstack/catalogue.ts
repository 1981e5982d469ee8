import type { Identity } from "./identity.ts";

/** One row of the service catalogue, the same address for all three interfaces. */
export interface CatalogueEntry {
  service: "identity" | "image";
  region: string;
  url: string;
}

/** Makes the catalogue hold just these entries: ports are new at every start. */
export async function setCatalogue(admin: Identity, entries: CatalogueEntry[]): Promise<void> {
  const { endpoints } = await admin.request<{ endpoints: { id: string }[] }>("GET", "/endpoints");
  await Promise.all(endpoints.map(old => admin.request("DELETE", `/endpoints/${old.id}`)));
  const { services } = await admin.request<{ services: { id: string; type: string }[] }>("GET", "/services");
  const wanted = entries.flatMap(({ service, region, url }) =>
    ["public", "internal", "admin"].map(shownTo => ({
      service_id: services.find(known => known.type === service)?.id,
      region_id: region,
      interface: shownTo,
      url,
    })),
  );
  await Promise.all(wanted.map(endpoint => admin.request("POST", "/endpoints", { endpoint })));
}
