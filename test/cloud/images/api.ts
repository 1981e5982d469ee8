import type { Blobs } from "../blobs.ts";
import type { Dialect } from "./dialect.ts";
import { HttpError } from "./errors.ts";
import type { ImageSettings } from "./settings.ts";
import type { Caller, Image, ImageRepo } from "./state.ts";

/** What every operation of one Image API endpoint works with. */
export interface ImageApi {
  dialect: Dialect;
  settings: ImageSettings;
  repo: ImageRepo;
  /** The data by store, and what is staged. */
  stores: Record<string, Blobs>;
  staging: Blobs;
  /** Where the Image API of a region is, for glance-download; undefined when the catalogue has no such region. */
  endpointOf(region: string): string | undefined;
  /** The certificate to trust when asking another region, where the cloud serves https. */
  ca: string | undefined;
  log(line: string): void;
  /** Whether this process has worked with staged data, be it only to remove what there might be. */
  stagingUsed: boolean;
  /** The uploads and imports that are going: the cloud's stop waits for their end. */
  running: Set<Promise<unknown>>;
  /** Ends when the cloud stops. */
  stopping: AbortSignal;
}

/** Counts work among what is going, until it ends. */
export function running<T>(api: ImageApi, work: Promise<T>): Promise<T> {
  api.running.add(work);
  const done = () => void api.running.delete(work);
  work.then(done, done);
  return work;
}

/** Waits as long as the settings say that reading and writing lie apart. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms));
}

/** Glance's way to refuse what a policy doesn't allow. */
export const policyRefusal = (action: string) =>
  new HttpError(403, `You are not authorized to complete ${action} action.`);

/** @throws HttpError 403 unless the caller owns the image or is an admin */
export function mustOwn(image: Image, caller: Caller, action: string): void {
  if (caller.isAdmin) return;
  if (image.owner !== caller.projectId || !caller.roles.includes("member")) throw policyRefusal(action);
}

/** Seconds-precise ISO 8601 in UTC. */
export const isoTime = (ms: number) => `${new Date(Math.floor(ms)).toISOString().slice(0, 19)}Z`;

const MIB = 1024 * 1024;

/** What a project uses, in the units of its limits (counts, and MiB). */
export function usage(api: ImageApi, projectId: string) {
  const own = api.repo.all().filter(({ owner, status }) => owner === projectId && status !== "killed");
  const stored = own.reduce((sum, { size, locations }) => sum + (size ?? 0) * locations.length, 0);
  const staged = own
    .filter(
      ({ status, properties }) =>
        ["uploading", "importing"].includes(status) || properties.os_glance_importing_to_stores,
    )
    .reduce((sum, { size }) => sum + (size ?? 0), 0);
  const uploading = own.filter(
    ({ status, properties }) =>
      ["saving", "uploading", "importing"].includes(status) || properties.os_glance_importing_to_stores,
  );
  return {
    image_size_total: Math.floor(stored / MIB),
    image_stage_total: Math.floor(staged / MIB),
    image_count_total: own.length,
    image_count_uploading: uploading.length,
  };
}

export type Quota = keyof ReturnType<typeof usage>;

/** The limits by the names that Glance gives them. */
export function limits(api: ImageApi): Record<Quota, number | null> {
  const { settings } = api;
  return {
    image_size_total: settings.imageSizeLimit,
    image_stage_total: settings.stageSizeLimit,
    image_count_total: settings.imageCountLimit,
    image_count_uploading: settings.uploadingLimit,
  };
}

/** @throws HttpError 413 when a project would be over a limit with `delta` more */
export function enforce(api: ImageApi, quota: Quota, projectId: string, delta: number): void {
  const limit = limits(api)[quota];
  if (limit === null) return;
  const used = usage(api, projectId)[quota];
  if (used + delta <= limit) return;
  const numbers = `Resource ${quota} is over limit of ${limit} due to current usage ${used} and delta ${delta}`;
  throw new HttpError(413, `Project ${projectId} is over a limit for [${numbers}]`);
}
