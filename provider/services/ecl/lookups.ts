import { ImagesError } from "../../errors.ts";
import type { Http } from "../../http.ts";
import type { CopyJob, Lookups } from "../lookups.ts";
import type { ReplicatorClient, CopyJob as WireJob } from "./replicator.ts";

type EclLookups = Required<Pick<Lookups, "licenses" | "copyJobs" | "copyJob" | "cancelCopyJob" | "about">>;

/** What only ECL lets one look up. Sources: eclsdk 1.11.1; sdpf.ntt.com, Image Storage. */
export function eclLookups(http: Http, replicator: ReplicatorClient): EclLookups {
  return {
    async licenses() {
      const path = "/v2/extension/license_switch/types";
      return (await http.send<{ license_switch_types: string[] }>({ method: "GET", path })).body.license_switch_types;
    },
    copyJobs: async () => (await replicator.list()).map(jobOf),
    async copyJob(id) {
      const job = await replicator.get(id);
      return job === undefined ? undefined : jobOf(job);
    },
    async cancelCopyJob(id) {
      if (await replicator.cancel(id)) return true;
      const job = await replicator.get(id);
      if (job === undefined) return false;
      throw new ImagesError("conflict", `copy job ${id} can't be cancelled: it is ${job.status}`, {
        hint: "Only one that is replicate_requested or replicating can be",
      });
    },
    // Its image endpoint has no document of versions.
    about: async () => ({ versions: [] }),
  };
}

function jobOf(job: WireJob): CopyJob {
  return {
    id: job.job_id,
    status: job.status,
    progress: job.copy_progress,
    imageId: job.source_image_id,
    ...(job.source_image_name ? { imageName: job.source_image_name } : {}),
    ...(job.destination_image_id === null ? {} : { destinationImageId: job.destination_image_id }),
    tenantId: job.source_tenant_id,
    destinationTenantId: job.destination_tenant_id,
    region: job.source_region_id,
    destinationRegion: job.destination_region_id,
  };
}
