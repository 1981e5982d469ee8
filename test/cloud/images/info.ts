import { type ImageApi, limits, policyRefusal, type Quota, usage } from "./api.ts";
import { storeNamed } from "./data.ts";
import { HttpError } from "./errors.ts";
import type { Caller } from "./state.ts";

export function importInfo(api: ImageApi) {
  const value = api.dialect.importMethods;
  return { "import-methods": { description: "Import methods available.", type: "array", value } };
}

/** @throws HttpError 404 where there is only one store */
export function storeInfo(api: ImageApi) {
  if (!api.dialect.multiStore) throw new HttpError(404, "Multi backend is not supported at this site.");
  return {
    stores: api.dialect.stores.map((id, index) => ({
      id,
      description: `The ${id} store`,
      // A string, as in Glance.
      ...(index === 0 && { default: "true" }),
    })),
  };
}

/** @throws HttpError 403 unless an admin asks */
export function storeDetail(api: ImageApi, caller: Caller) {
  if (!caller.isAdmin) throw policyRefusal("stores_info_detail");
  return {
    stores: storeInfo(api).stores.map(store => ({
      ...store,
      type: "file",
      properties: { data_dir: storeNamed(api, store.id).path(""), chunk_size: 65536, thin_provisioning: false },
      weight: 0,
    })),
  };
}

/** What a project uses of its limits; empty where there are none. */
export function usageInfo(api: ImageApi, caller: Caller) {
  const all = limits(api);
  const used = usage(api, caller.projectId);
  const limited = (Object.keys(all) as Quota[]).filter(quota => all[quota] !== null);
  return { usage: Object.fromEntries(limited.map(quota => [quota, { usage: used[quota], limit: all[quota] }])) };
}

/** The versions document, which GET / answers with status 300. */
export function versionsDocument(api: ImageApi, url: string) {
  const newest = Math.max(...api.dialect.versions.map(version => Number(version.split(".")[1])));
  return {
    versions: api.dialect.versions.map(version => ({
      id: `v${version}`,
      status: version === `2.${newest}` ? "CURRENT" : "SUPPORTED",
      links: [{ rel: "self", href: `${url}/v2/` }],
    })),
  };
}
