import type * as pulumi from "@pulumi/pulumi";
import { call, callOutput } from "./call.ts";
import type { Where, WhereInputs } from "./where.ts";

/** A place where an OpenStack cloud keeps image data. */
export interface StoreInfo {
  id: string;
  description?: string;
  /** Takes the data that names no store. */
  isDefault: boolean;
  readOnly: boolean;
}

/** The cloud's stores; none where it has just one, without a name. */
export function getStores(args: Where<"openstack">): Promise<StoreInfo[]> {
  return call("getStores", args);
}

/** {@link getStores} of inputs. */
export function getStoresOutput(args: WhereInputs<"openstack">): pulumi.Output<StoreInfo[]> {
  return callOutput(args, getStores);
}

/** How the cloud takes data besides an upload: `glance-direct`, `web-download`, `copy-image`, `glance-download`. */
export function getImportMethods(args: Where<"openstack">): Promise<string[]> {
  return call("getImportMethods", args);
}

/** {@link getImportMethods} of inputs. */
export function getImportMethodsOutput(args: WhereInputs<"openstack">): pulumi.Output<string[]> {
  return callOutput(args, getImportMethods);
}

export interface RegionInfo {
  slug: string;
  name: string;
  /** Takes new images. */
  available: boolean;
}

/** DigitalOcean's regions. */
export function getRegions(args: Where<"digitalocean">): Promise<RegionInfo[]> {
  return call("getRegions", args);
}

/** {@link getRegions} of inputs. */
export function getRegionsOutput(args: WhereInputs<"digitalocean">): pulumi.Output<RegionInfo[]> {
  return callOutput(args, getRegions);
}
