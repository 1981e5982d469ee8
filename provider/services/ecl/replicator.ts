import type { Http } from "../../http.ts";

/** A copy of an image to another tenant. Source: sdpf.ntt.com, Image Storage, "Get image copy job details". */
export interface CopyJob {
  job_id: string;
  /** replicate_requested, replicating, replicated, cancel_requested, canceling, canceled, error; or a word that isn't documented. */
  status: string;
  /** Percent. */
  copy_progress: number;
  source_image_id: string;
  source_image_name?: string | null;
  source_tenant_id: string;
  source_region_id: string;
  /** Null as long as there is none. */
  destination_image_id: string | null;
  destination_tenant_id: string;
  destination_region_id: string;
}

/** The requests of ECL's image_replicator, one function each. Source: sdpf.ntt.com, Image Storage; eclsdk 1.11.1. */
export interface ReplicatorClient {
  /** @returns the job's id */
  start(imageId: string, tenant: string): Promise<string>;
  /** undefined: there is no such job (any more). */
  get(jobId: string): Promise<CopyJob | undefined>;
  list(): Promise<CopyJob[]>;
  /** false: there is no such job, or it is too late for it. */
  cancel(jobId: string): Promise<boolean>;
}

/** Where its jobs are. */
export const jobs = "/v2/extension/image_replicator/jobs";

export function createReplicatorClient(http: Http): ReplicatorClient {
  const path = (jobId: string) => `${jobs}/${encodeURIComponent(jobId)}`;
  return {
    async start(imageId, tenant) {
      const json = { image_id: imageId, tenant_id_dst: tenant };
      return (await http.send<{ job_id: string }>({ method: "POST", path: jobs, json })).body.job_id;
    },
    async get(jobId) {
      const answer = await http.send<CopyJob>({ method: "GET", path: path(jobId), accept: [404] });
      return answer.status === 404 ? undefined : answer.body;
    },
    async list() {
      return (await http.send<CopyJob[]>({ method: "GET", path: jobs })).body;
    },
    async cancel(jobId) {
      return (await http.send({ method: "DELETE", path: path(jobId), accept: [404, 409] })).status < 300;
    },
  };
}
