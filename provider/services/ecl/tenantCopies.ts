import { ImagesError, UnfinishedError } from "../../errors.ts";
import { hasUnknown, type Problem } from "../../fields/field.ts";
import { waitFor } from "../../wait.ts";
import { isCopied } from "../copyAcross.ts";
import { Reads } from "../reads.ts";
import type { OpenOther } from "../registry.ts";
import type { Facts, ImageFacts, ImageService, Job, PartService, Values } from "../service.ts";
import { digestOf } from "../storedData.ts";
import { tellingWrites } from "../tellingWrites.ts";
import type { CopyJob, ReplicatorClient } from "./replicator.ts";

/** Where a copy goes, as a program declares it. */
interface Target {
  tenant: string;
  /** A connection of that tenant, by which the copy is watched and deleted. */
  connection?: string;
}

/** Statuses in which a job ends. A word that isn't documented is waited for. */
const failures: readonly string[] = ["error", "canceled"];
/** Statuses in which a job won't come to a copy any more. */
const givenUp: readonly string[] = ["cancel_requested", "canceling", ...failures];
/** A run of thousands of copies takes longer; what it has to know then is listed anew. */
const maxAgeMs = 60_000;
/** How long a job's cancellation may take when nobody waits any more. */
const cancelMs = 30_000;

/**
 * Copies of an image in another tenant, made by ECL's own jobs. A job copies in the background and says how far it is; the copy belongs to
 * the other tenant, so that it can only be seen and deleted by a connection of that tenant.
 * @param other opens the connection that `to` names
 */
export function tenantCopies(source: ImageService, replicator: ReplicatorClient, other: OpenOther): PartService {
  const destinationOf = (values: Values): ImageService | undefined => {
    const connection = (values.to as Target | undefined)?.connection;
    return connection === undefined ? undefined : other({ connection });
  };

  /** Jobs of many copies come from one listing. */
  const jobs = new Reads<CopyJob>({
    maxAgeMs,
    idOf: ({ job_id }) => job_id,
    one: jobId => replicator.get(jobId),
    listings: () => [{ name: "jobs", pages: listed }],
    atRest: ({ status }) => status === "replicated" || failures.includes(status),
  });

  async function* listed(): AsyncGenerator<CopyJob[]> {
    yield await replicator.list();
  }

  /**
   * What is known of a copy whose job is this one; undefined when the copy is gone.
   * @param earlierWillDo as with an image's read
   */
  async function look(job: CopyJob, values: Values, earlierWillDo = false): Promise<Facts | undefined> {
    if (job.status !== "replicated") return facts(job);
    const destination = destinationOf(values);
    if (destination === undefined || job.destination_image_id === null) return facts(job);
    const copy = await destination.readImage(job.destination_image_id, [], earlierWillDo);
    return copy === undefined ? undefined : facts(job, copy);
  }

  /** The jobs for the same image and tenant that came, or may come, to a copy. */
  async function jobsFor(imageId: string, tenant: string): Promise<CopyJob[]> {
    const wanted = { image: imageId.toLowerCase(), tenant };
    return (await replicator.list()).filter(
      ({ source_image_id, destination_tenant_id, status }) =>
        source_image_id === wanted.image && destination_tenant_id === wanted.tenant && !givenUp.includes(status),
    );
  }

  /** What a read by id alone finds: a job at work, else one whose copy is there. */
  async function anyOf(imageId: string, values: Values): Promise<Facts | undefined> {
    const jobs = await jobsFor(imageId, targetOf(values).tenant);
    const atWork = jobs.find(job => job.status !== "replicated");
    if (atWork !== undefined) return facts(atWork);
    // Jobs don't say when they were, and the order of their list isn't documented: the last one is taken for the latest.
    for (const job of jobs.toReversed()) {
      const found = await look(job, values);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Jobs that warnings have told of in this run. */
  const told = new Set<string>();

  /**
   * A job carries no owner tag: it can be another stack's, another program's, or one of an interrupted run of this one. So none is shared or
   * taken over.
   * @returns warnings of those that haven't been told of yet
   */
  async function others(jobs: readonly CopyJob[], values: Values): Promise<string[]> {
    const found: string[] = [];
    for (const job of jobs) {
      if (told.has(job.job_id)) continue;
      told.add(job.job_id);
      if ((await look(job, values)) !== undefined) found.push(warningOf(job));
    }
    return found;
  }

  /** Starts a job. One whose answer was lost is the one that is listed since. */
  async function start(imageId: string, tenant: string, before: readonly CopyJob[]): Promise<string> {
    try {
      return await replicator.start(imageId, tenant);
    } catch (error) {
      if (!(error instanceof ImagesError) || error.code !== "unavailable") throw explained(error, imageId, tenant);
      const now = await jobsFor(imageId, tenant).catch(() => []);
      const since = now.filter(({ job_id }) => !before.some(job => job.job_id === job_id));
      const [begun] = since;
      if (begun !== undefined && since.length === 1) return begun.job_id;
      throw explained(error, imageId, tenant);
    }
  }

  /** Makes a copy of this resource's own. */
  async function copy(imageId: string, values: Values, job: Job): Promise<Facts> {
    const { tenant } = targetOf(values);
    const before = await jobsFor(imageId, tenant);
    for (const warning of await others(before, values)) job.warn(warning);
    return await follow(imageId, await start(imageId, tenant, before), values, job);
  }

  /** The job that this resource's state names, if it can still come to a copy. */
  async function ownJob(jobId: unknown, values: Values): Promise<string | undefined> {
    if (jobId === undefined) return undefined;
    const job = await replicator.get(String(jobId));
    if (job === undefined || givenUp.includes(job.status)) return undefined;
    return (await look(job, values)) === undefined ? undefined : job.job_id;
  }

  /** Waits for a job to end; one that has to stop half way is canceled. @throws UnfinishedError with the job's last state */
  async function follow(imageId: string, jobId: string, values: Values, job: Job): Promise<Facts> {
    const { tenant } = targetOf(values);
    let last: CopyJob | undefined;
    try {
      const done = await waitFor(
        async () => {
          last = await replicator.get(jobId);
          if (last === undefined) throw new ImagesError("failed", `copy job ${jobId} is gone`);
          job.report(progressOf(last));
          if (failures.includes(last.status)) throw failed(last);
          return last.status === "replicated" ? last : undefined;
        },
        () => `the copy to tenant ${tenant} (job ${jobId}: ${last === undefined ? "not seen yet" : progressOf(last)})`,
        job,
      );
      const found = await look(done, values);
      if (found !== undefined) return found;
      throw new ImagesError(
        "not-found",
        `job ${jobId} is done, but its image ${done.destination_image_id} isn't there`,
      );
    } catch (error) {
      const ended = job.signal.aborted && (await stop(jobId)) ? canceled(imageId, tenant, jobId, error) : error;
      const id = idOf(imageId, tenant);
      const state: Facts = last === undefined ? { id, imageId, jobId } : facts(last);
      throw new UnfinishedError(ended, { ...state, status: "unfinished" });
    }
  }

  /** Has a job canceled, without waiting for it. false: that isn't possible any more, or can't be told. */
  const stop = (jobId: string): Promise<boolean> => cancel(jobId).catch(() => false);

  const cancel = tellingWrites(jobId => jobs.wrote(jobId))(jobId => replicator.cancel(jobId));

  return {
    async check(values, before) {
      const problems: Problem[] = [];
      if (hasUnknown(values.to)) return { problems };
      const { tenant, connection } = targetOf(values);
      const own = projectOf(await source.place?.());
      if (own === tenant) {
        problems.push({
          property: "to.tenant",
          reason: "the copy is to be in the tenant that the image is in already",
        });
      }
      const destination = destinationOf(values);
      if (destination !== undefined) {
        await destination.signIn();
        const project = projectOf(await destination.place?.());
        if (project !== undefined && project !== tenant) {
          const reason = `the connection ${connection} is one of tenant ${project}, not of ${tenant}`;
          problems.push({ property: "to.connection", reason });
        }
      }
      if (!hasUnknown(values.imageId) && !isCopied(values, before)) {
        const image = await source.readImage(String(values.imageId));
        if (image === undefined) {
          const reason = `there is no image ${String(values.imageId)} on the connection ${source.connection.name}`;
          problems.push({ property: "imageId", reason });
        } else if (image.status !== "active") {
          const reason = `image ${image.id} can't be copied: it is ${image.status}, and has to be active`;
          problems.push({ property: "imageId", reason, untilReady: true });
        }
      }
      const inputs = connection === undefined ? {} : { destination: connection };
      if (problems.length > 0 || hasUnknown(values.imageId) || isSameCopy(values, before)) return { problems, inputs };
      const jobs = await jobsFor(String(values.imageId), tenant);
      return { problems, inputs, warnings: await others(jobs, values) };
    },

    holder: destinationOf,

    async keysOf({ imageId, to }) {
      const entry = (to as Target).tenant;
      return [{ kind: "tenant", cloud: await source.address(), imageId: String(imageId).toLowerCase(), entry }];
    },

    async ownImage(_id, values) {
      const destination = destinationOf(values);
      if (destination === undefined || values.copyId === undefined) return undefined;
      return { kind: "image", cloud: await destination.address(), imageId: String(values.copyId).toLowerCase() };
    },

    create: (values, job) => copy(String(values.imageId).toLowerCase(), values, job),

    async read(id, values) {
      const { imageId, tenant } = parse(id);
      if (values.status === "unfinished") return { ...(values as Facts), id };
      const target: Values = { to: { ...(values.to as object | undefined), tenant } };
      if (values.jobId === undefined) return await anyOf(imageId, target);
      const job = await jobs.read(String(values.jobId), true);
      // A job that isn't listed any more says nothing about its copy, which is then known from the state.
      return await look(job ?? noted(imageId, tenant, values), target, true);
    },

    // Its target can't change in place, so this goes on with a copy that isn't done: a job at work, or a new one.
    async update(id, values, _changed, job, before) {
      const { imageId } = parse(id);
      const own = await ownJob(before.jobId, values);
      if (before.jobId !== undefined) told.add(String(before.jobId));
      return own === undefined ? await copy(imageId, values, job) : await follow(imageId, own, values, job);
    },

    async delete(id, values, job) {
      const { imageId, tenant } = parse(id);
      const jobId = values.jobId === undefined ? undefined : String(values.jobId);
      if (jobId === undefined) return;
      let last = (await replicator.get(jobId)) ?? noted(imageId, tenant, values);
      if (last.status !== "replicated" && !failures.includes(last.status)) {
        await cancel(jobId);
        last = await waitFor(
          async () => {
            const now = await replicator.get(jobId);
            if (now === undefined) return last;
            job.report(progressOf(now));
            return now.status === "replicated" || failures.includes(now.status) ? now : undefined;
          },
          () => `copy job ${jobId} to be canceled`,
          { ...job, deadline: Math.max(job.deadline, Date.now() + cancelMs) },
        );
      }
      if (last.status !== "replicated" || last.destination_image_id === null) return;
      const destination = destinationOf(values);
      if (destination === undefined) {
        job.warn(
          `image ${last.destination_image_id} stays in tenant ${tenant}: deleting it needs a connection of that tenant, to: { tenant, connection }`,
        );
        return;
      }
      // Whatever owner tag it has is that of the image it was copied from.
      await destination.deleteImage(last.destination_image_id, { force: values.forceDelete === true }, job);
    },
  };
}

/** Whether there is a copy of this image in this tenant already, by the state. @param before its inputs */
function isSameCopy(values: Values, before: Values | undefined): boolean {
  return isCopied(values, before) && targetOf(before ?? {})?.tenant === targetOf(values).tenant;
}

function warningOf(job: CopyJob): string {
  const { job_id, status, source_image_id, destination_tenant_id, destination_image_id } = job;
  const done = status === "replicated";
  const what = done ? `has copied` : `is copying`;
  const copy = destination_image_id === null ? "its copy has no id yet" : `its copy is image ${destination_image_id}`;
  const undo = done
    ? "If nobody needs that copy, delete it by a connection of the tenant"
    : `If nobody needs it, cancel it with \`pulumi-images cancel-job ${job_id}\``;
  return `job ${job_id} ${what} image ${source_image_id} to tenant ${destination_tenant_id} (${progressOf(job)}; ${copy}), and can be another stack's or another program's: it stays as it is, and this resource makes a copy of its own. ${undo}; if this resource was renamed, give it its old name in the option aliases`;
}

function targetOf(values: Values): Target {
  return values.to as Target;
}

function idOf(imageId: string, tenant: string): string {
  return `${imageId}/${tenant}`;
}

function parse(id: string): { imageId: string; tenant: string } {
  const [imageId, tenant, ...rest] = id.split("/");
  if (imageId && tenant && rest.length === 0) return { imageId, tenant };
  throw new ImagesError("invalid", `the id of a copy to a tenant is <image id>/<tenant id>, not ${JSON.stringify(id)}`);
}

function facts(job: CopyJob, copy?: ImageFacts): Facts {
  return {
    id: idOf(job.source_image_id, job.destination_tenant_id),
    imageId: job.source_image_id,
    jobId: job.job_id,
    status: job.status,
    progress: job.copy_progress,
    ...(job.destination_image_id === null ? {} : { copyId: job.destination_image_id }),
    ...(copy?.size === undefined ? {} : { size: copy.size, digest: digestOf(copy) }),
  };
}

/** A finished job as the state remembers it. */
function noted(imageId: string, tenant: string, values: Values): CopyJob {
  return {
    job_id: String(values.jobId),
    status: String(values.status),
    copy_progress: Number(values.progress ?? 0),
    source_image_id: imageId,
    source_tenant_id: "",
    source_region_id: "",
    destination_image_id: values.copyId === undefined ? null : String(values.copyId),
    destination_tenant_id: tenant,
    destination_region_id: "",
  };
}

function progressOf({ status, copy_progress }: CopyJob): string {
  return `${status} ${copy_progress} %`;
}

/** The project in what a service calls its place: its address, and the project. */
function projectOf(place: string | undefined): string | undefined {
  return place?.split(" ").at(-1);
}

function failed(job: CopyJob): ImagesError {
  return new ImagesError(
    "failed",
    `the copy of image ${job.source_image_id} to tenant ${job.destination_tenant_id} ended as ${job.status} at ${job.copy_progress} % (job ${job.job_id})`,
    { hint: "The service doesn't say why; the next up starts another job" },
  );
}

function canceled(imageId: string, tenant: string, jobId: string, cause: unknown): ImagesError {
  const message = `the copy of image ${imageId} to tenant ${tenant} was interrupted, so its job ${jobId} is being canceled`;
  return new ImagesError("interrupted", message, { cause });
}

/** What a refused copy means; the service says the same of several causes. Source: sdpf.ntt.com, Image Storage, "Copy image". */
function explained(error: unknown, imageId: string, tenant: string): unknown {
  if (!(error instanceof ImagesError)) return error;
  const hints: Record<number, string> = {
    401: `ECL answers 401 to a tenant id that isn't one, too: check to.tenant ${tenant}`,
    404: `Check that there is a tenant ${tenant}; official templates and images with a licence can't be copied to every tenant`,
    409: "Its destination may be out of service, or not take such an image; and the image has to be active",
  };
  const hint = error.status === undefined ? undefined : hints[error.status];
  if (hint === undefined) return error;
  return new ImagesError(error.code, `image ${imageId} can't be copied to tenant ${tenant}: ${error.message}`, {
    hint,
    cause: error,
  });
}
