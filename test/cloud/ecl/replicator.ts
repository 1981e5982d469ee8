import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { ImageApi } from "../images/api.ts";
import { readJson } from "../images/body.ts";
import { storeData } from "../images/data.ts";
import { HttpError } from "../images/errors.ts";
import type { AddResource } from "../images/routes.ts";
import type { Caller, Image } from "../images/state.ts";
import type { Store } from "../store.ts";
import type { EclSettings } from "./index.ts";

type JobStatus =
  | "replicate_requested"
  | "replicating"
  | "replicated"
  | "cancel_requested"
  | "canceling"
  | "canceled"
  | "error";

/** A copy of an image to another tenant, as a client sees it. */
export interface CopyJob {
  job_id: string;
  status: JobStatus;
  /** Percent. */
  copy_progress: number;
  source_image_id: string;
  source_image_name: string | null;
  source_tenant_id: string;
  source_region_id: string;
  destination_image_id: string | null;
  destination_tenant_id: string;
  destination_region_id: string;
}

interface ReplicatorOptions {
  jobs: Store<CopyJob[]>;
  settings: EclSettings;
  /** The region that a tenant lives in; undefined for one that doesn't exist. */
  regionOf(tenant: string): string | undefined;
  apiOf(region: string): ImageApi;
  log(line: string): void;
}

/** Percentages that a client sees on the way. */
const STEPS = [0, 25, 50, 75];
/** How often a job that stands still looks whether it may go on. */
const HOLD_MS = 10;

class Canceled extends Error {}

/**
 * The service image_replicator. What its documents leave open: the destination image is there (`queued`) as soon as the job is `replicating`,
 * goes when the job is canceled or fails, and gets the source's name, formats, minima and properties, but neither tags nor protection.
 */
export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  get #jobs(): CopyJob[] {
    return this.#options.jobs.data;
  }

  /** Starts again what a stop of the cloud broke off. */
  resume(): void {
    for (const job of this.#jobs) {
      if (["replicated", "canceled", "error"].includes(job.status)) continue;
      this.#run(job);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  /** @throws HttpError 400, 401, 404, 409 */
  start(caller: Caller, body: unknown): CopyJob {
    const { image_id, tenant_id_dst } = body as { image_id?: unknown; tenant_id_dst?: unknown };
    if (typeof image_id !== "string" || typeof tenant_id_dst !== "string") {
      throw new HttpError(400, "image_id and tenant_id_dst are required.");
    }
    // A tenant's id that can't be one is answered like a bad token.
    if (!/^[0-9a-f]{32}$/.test(tenant_id_dst)) throw new HttpError(401, "Authentication required.");
    const { regionOf, apiOf } = this.#options;
    const here = regionOf(caller.projectId) ?? "jp1";
    const there = regionOf(tenant_id_dst);
    const image = apiOf(here).repo.get(image_id, caller);
    if (there === undefined) throw new HttpError(404, `Tenant ${tenant_id_dst} not found.`);
    if (image.status !== "active") throw new HttpError(409, `Image ${image_id} is not active.`);
    const job: CopyJob = {
      job_id: randomUUID(),
      status: "replicate_requested",
      copy_progress: 0,
      source_image_id: image_id,
      source_image_name: image.name,
      source_tenant_id: caller.projectId,
      source_region_id: here,
      destination_image_id: null,
      destination_tenant_id: tenant_id_dst,
      destination_region_id: there,
    };
    this.#jobs.push(job);
    this.#changed();
    this.#run(job);
    return job;
  }

  list(caller: Caller): CopyJob[] {
    return this.#jobs.filter(job => job.source_tenant_id === caller.projectId);
  }

  /** @throws HttpError 404 */
  get(caller: Caller, id: string): CopyJob {
    const job = this.list(caller).find(({ job_id }) => job_id === id);
    if (job === undefined) throw new HttpError(404, `Job ${id} not found.`);
    return job;
  }

  /** @throws HttpError 404, and 409 when it is too late */
  cancel(caller: Caller, id: string): void {
    const job = this.get(caller, id);
    if (job.status !== "replicate_requested" && job.status !== "replicating") {
      throw new HttpError(409, `Job ${id} can not be canceled: its status is ${job.status}.`);
    }
    job.status = "cancel_requested";
    this.#changed();
  }

  #changed(): void {
    this.#options.jobs.changed();
  }

  #run(job: CopyJob): void {
    const done = this.#copy(job)
      .catch(async error => {
        if (this.#stopping.signal.aborted) return;
        if (!(error instanceof Canceled)) {
          this.#options.log(`copy job ${job.job_id}: ${String(error)}`);
          await this.#removeCopy(job);
          job.status = "error";
        } else {
          job.status = "canceling";
          await this.#removeCopy(job);
          await this.#pause(this.#options.settings.copyStep);
          job.status = "canceled";
        }
        this.#changed();
      })
      .catch(() => undefined)
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async #copy(job: CopyJob): Promise<void> {
    const { settings, apiOf } = this.#options;
    await this.#removeCopy(job);
    await this.#step(job);
    const from = apiOf(job.source_region_id);
    const to = apiOf(job.destination_region_id);
    const source = from.repo.state.images[job.source_image_id];
    if (source === undefined) throw new Error("the source is gone");
    const copy = this.#addCopy(to, source, job);
    job.status = "replicating";
    for (const percent of STEPS) {
      job.copy_progress = percent;
      this.#changed();
      if (percent > 0) await this.#step(job);
      if (percent === 50 && settings.copyEnd === "error") throw new Error("it was told to fail");
    }
    copy.status = "saving";
    to.repo.save(copy);
    const [store = ""] = from.dialect.stores;
    const data = from.stores[store]?.read(source.id);
    if (data === undefined) throw new Error("the source has no data");
    await storeData(to, copy, store, data, source.size ?? undefined);
    copy.status = "active";
    to.repo.save(copy);
    job.copy_progress = 100;
    job.status = "replicated";
    this.#changed();
  }

  #addCopy(to: ImageApi, source: Image, job: CopyJob): Image {
    const now = to.repo.now();
    const copy: Image = {
      ...structuredClone(source),
      id: randomUUID(),
      owner: job.destination_tenant_id,
      status: "queued",
      visibility: "private",
      protected: false,
      tags: [],
      size: null,
      virtual_size: null,
      checksum: null,
      locations: [],
      created_at: now,
      updated_at: now,
    };
    to.repo.add(copy);
    job.destination_image_id = copy.id;
    return structuredClone(copy);
  }

  async #removeCopy(job: CopyJob): Promise<void> {
    if (job.destination_image_id === null) return;
    const to = this.#options.apiOf(job.destination_region_id);
    if (to.repo.state.images[job.destination_image_id] !== undefined) to.repo.remove(job.destination_image_id);
    for (const blobs of Object.values(to.stores)) await blobs.remove(job.destination_image_id);
    job.destination_image_id = null;
  }

  /** One step's time; a job that is held stays where it is. @throws Canceled */
  async #step(job: CopyJob): Promise<void> {
    const { settings } = this.#options;
    await this.#pause(settings.copyStep);
    while (settings.copyHold !== null && job.copy_progress >= settings.copyHold && job.status !== "cancel_requested") {
      await this.#pause(HOLD_MS);
    }
    if (job.status === "cancel_requested") throw new Canceled();
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stopping.signal });
  }
}

/** @see https://sdpf.ntt.com, Image Storage: Copy image, Get image copy job details, List image copy jobs, Cancel during copy image */
export function replicatorRoutes(resource: AddResource, replicator: Replicator): void {
  const path = "/v2/extension/image_replicator/jobs";
  resource(path, {
    GET: ({ caller }) => replicator.list(caller),
    POST: async ({ caller, request, reply }) => {
      const job = replicator.start(caller, await readJson(request.raw));
      reply.code(202);
      return { job_id: job.job_id };
    },
  });
  resource(`${path}/:job`, {
    GET: ({ caller, params }) => replicator.get(caller, params.job ?? ""),
    DELETE: ({ caller, params }) => replicator.cancel(caller, params.job ?? ""),
  });
}
