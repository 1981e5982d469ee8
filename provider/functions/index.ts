import type { ConfigReader } from "../connection.ts";
import { openServices, type Services } from "../runtime.ts";
import type { CopyJob, Region, Store } from "../services/lookups.ts";
import type { Facts, ImageFacts, Values } from "../services/service.ts";
import { type Downloaded, type DownloadOptions, downloadImage } from "./download.ts";
import { getImage, getImages } from "./images.ts";
import {
  cancelCopyJob,
  getCopyJob,
  getCopyJobs,
  getImportMethods,
  getLicenses,
  getMembers,
  getRegions,
  getSchema,
  getStores,
} from "./offers.ts";

export type { Downloaded, DownloadOptions };

/** The functions of the sdk and of the command, on the connections of one configuration. Arguments are looked at here, so they may be anything. */
export interface Functions {
  getImage(args: Values): Promise<ImageFacts | undefined>;
  getImages(args: Values): Promise<ImageFacts[]>;
  getMembers(args: Values): Promise<Facts[]>;
  getSchema(args: Values): Promise<Record<string, unknown>>;
  getStores(args: Values): Promise<Store[]>;
  getImportMethods(args: Values): Promise<string[]>;
  getRegions(args: Values): Promise<Region[]>;
  getLicenses(args: Values): Promise<string[]>;
  getCopyJobs(args: Values): Promise<CopyJob[]>;
  getCopyJob(args: Values): Promise<CopyJob>;
  cancelCopyJob(args: Values): Promise<void>;
  downloadImage(args: Values, options?: DownloadOptions): Promise<Downloaded>;
}

/** @param note gets what the user should know of a connection, free of secrets */
export function openFunctions(
  config: ConfigReader,
  env: NodeJS.ProcessEnv,
  note: (warning: string) => void,
): Functions {
  return functionsOf(openServices(config, env, note));
}

/** The functions on services that are open already. */
export function functionsOf(services: Services): Functions {
  return {
    getImage: args => getImage(services, args),
    getImages: args => getImages(services, args),
    getMembers: args => getMembers(services, args),
    getSchema: args => getSchema(services, args),
    getStores: args => getStores(services, args),
    getImportMethods: args => getImportMethods(services, args),
    getRegions: args => getRegions(services, args),
    getLicenses: args => getLicenses(services, args),
    getCopyJobs: args => getCopyJobs(services, args),
    getCopyJob: args => getCopyJob(services, args),
    cancelCopyJob: args => cancelCopyJob(services, args),
    downloadImage: (args, options) => downloadImage(services, args, options),
  };
}
