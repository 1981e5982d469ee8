import { Worker } from "node:worker_threads";

/**
 * Starts a worker from a file beside this one: `.ts` when run from sources, `.js` when compiled. It gets no environment and no flags of ours.
 * Its folder is named, as this module can be part of the provider's one file (`npm run bundle`), a folder further.
 */
export function startWorker(name: "hashWorker" | "decoderWorker", workerData?: unknown): Worker {
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(`../content/${name}${extension}`, import.meta.url), {
    env: {},
    execArgv: [],
    // What passes through are buffers outside the heap: a small one keeps the process small.
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32, stackSizeMb: 1 },
    workerData,
    name: `images ${name}`,
  });
}
