/** The thread that hashes: the parts of its streams come through shared memory, and each is answered once it may be overwritten. */
import { createHash, type Hash } from "node:crypto";
import { parentPort } from "node:worker_threads";

export type HashRequest =
  | { kind: "open"; job: number; algorithm: string; memory: SharedArrayBuffer }
  | { kind: "part"; job: number; offset: number; length: number }
  | { kind: "end"; job: number }
  | { kind: "drop"; job: number };
export type HashAnswer = { job: number; digest?: string };

const jobs = new Map<number, { hash: Hash; memory: SharedArrayBuffer }>();
const port = parentPort;

port?.on("message", (request: HashRequest) => {
  const job = jobs.get(request.job);
  if (request.kind === "open") jobs.set(request.job, { hash: createHash(request.algorithm), memory: request.memory });
  else if (request.kind === "part" && job) {
    job.hash.update(new Uint8Array(job.memory, request.offset, request.length));
    port.postMessage({ job: request.job } satisfies HashAnswer);
  } else if (request.kind === "end" && job) {
    jobs.delete(request.job);
    port.postMessage({ job: request.job, digest: job.hash.digest("hex") } satisfies HashAnswer);
  } else jobs.delete(request.job);
});
