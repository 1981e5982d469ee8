import type * as pulumi from "@pulumi/pulumi";
import { call, callOutput } from "./call.ts";
import type { Inputs } from "./inputs.ts";
import type { Where, WhereInputs } from "./where.ts";

/** The types of license that ECL knows, as it writes them. */
export function getLicenses(args: Where<"ecl">): Promise<string[]> {
  return call("getLicenses", args);
}

/** {@link getLicenses} of inputs. */
export function getLicensesOutput(args: WhereInputs<"ecl">): pulumi.Output<string[]> {
  return callOutput(args, getLicenses);
}

/** A copy of an image to another tenant, as ECL's image replicator reports it. */
export interface CopyJobInfo {
  id: string;
  /** replicate_requested, replicating, replicated, cancel_requested, canceling, canceled, error */
  status: string;
  /** Percent. */
  progress: number;
  imageId: string;
  imageName?: string;
  /** Once there is one. */
  destinationImageId?: string;
  tenantId?: string;
  destinationTenantId?: string;
  region?: string;
  destinationRegion?: string;
}

/** The copies that ECL still knows of. */
export function getCopyJobs(args: Where<"ecl">): Promise<CopyJobInfo[]> {
  return call("getCopyJobs", args);
}

/** {@link getCopyJobs} of inputs. */
export function getCopyJobsOutput(args: WhereInputs<"ecl">): pulumi.Output<CopyJobInfo[]> {
  return callOutput(args, getCopyJobs);
}

/** @throws ImagesError (its `code`) "not-found" */
export function getCopyJob(args: Where<"ecl"> & { id: string }): Promise<CopyJobInfo> {
  return call("getCopyJob", args);
}

/** {@link getCopyJob} of inputs. */
export function getCopyJobOutput(args: WhereInputs<"ecl"> & Inputs<{ id: string }>): pulumi.Output<CopyJobInfo> {
  return callOutput(args, getCopyJob);
}
