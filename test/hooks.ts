import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopClouds } from "./openstack/clouds.ts";

/** A folder for all that the run makes, so that nothing of it stays, whatever ends how. */
export async function mochaGlobalSetup(): Promise<void> {
  process.env.TMPDIR = await mkdtemp(join(tmpdir(), "images-"));
}

export async function mochaGlobalTeardown(): Promise<void> {
  // What still ends may still be writing.
  await rm(tmpdir(), { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
}

/** Around all test files, or around each one where mocha runs them in parallel: there the clouds stay for the process's next file, and end with the process. */
export const mochaHooks = {
  async afterAll() {
    if (process.env.MOCHA_WORKER_ID === undefined) await stopClouds();
  },
};
