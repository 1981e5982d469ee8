import type { Command } from "commander";
import type { CopyJob } from "../../provider/services/lookups.ts";
import { type CommonOptions, openSession } from "../session.ts";
import { cell, note, pairs, print, printJson, table } from "../terminal.ts";
import { examples, withConnection } from "./common.ts";

/** `jobs`: copies of images to other tenants. */
export function addJobs(program: Command): void {
  withConnection(program.command("jobs"))
    .description("list the copy jobs, or show one (ecl)")
    .argument("[job]", "its id; default: all")
    .addHelpText("after", examples("pulumi-images jobs --service ecl"))
    .action(async (id: string | undefined, options: CommonOptions) => {
      const { functions, where } = await openSession(options);
      if (id !== undefined) {
        const job = await functions.getCopyJob({ ...where(), id });
        if (options.json === true) printJson(job);
        else print(pairs(Object.entries(job).map(([name, value]) => [name, cell(value)])));
        return;
      }
      const jobs = await functions.getCopyJobs(where());
      if (options.json === true) printJson(jobs);
      else if (jobs.length === 0) note("no copy jobs");
      else print(table(["id", "status", "progress", "image", "to tenant", "copy"], jobs.map(row)));
    });
}

function row(job: CopyJob): string[] {
  const { id, status, progress, imageName, imageId, destinationTenantId, destinationImageId } = job;
  return [id, status, `${progress} %`, imageName ?? imageId, cell(destinationTenantId), cell(destinationImageId)];
}

/** `cancel-job`: asks for the end of one of them. */
export function addCancelJob(program: Command): void {
  withConnection(program.command("cancel-job"))
    .description("cancel a copy job (ecl)")
    .argument("<job>", "its id")
    .addHelpText("after", examples("pulumi-images cancel-job 0b6d1c9e-6a0f-4b3f-8c11-2f6f0b7d9c55 --service ecl"))
    .action(async (id: string, options: CommonOptions) => {
      const { functions, where } = await openSession(options);
      await functions.cancelCopyJob({ ...where(), id });
      const job = await functions.getCopyJob({ ...where(), id });
      if (options.json === true) printJson(job);
      else print(`job ${id} is ${job.status}`);
    });
}
