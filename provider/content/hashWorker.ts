/** The thread that hashes: the parts of its streams lie in shared memory, and each is answered once it may be overwritten. */
import { createHash, type Hash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { noteShared } from "./garbage.ts";

export type HashRequest =
  | { kind: "open"; job: number; algorithm: string }
  | { kind: "part"; job: number; bytes: Uint8Array<SharedArrayBuffer> }
  | { kind: "end"; job: number }
  | { kind: "drop"; job: number };
export type HashAnswer = { job: number; digest?: string };

const jobs = new Map<number, Hash>();
const port = parentPort;

port?.on("message", (request: HashRequest) => {
  const hash = jobs.get(request.job);
  if (request.kind === "open") jobs.set(request.job, createHash(request.algorithm));
  else if (request.kind === "part" && hash) {
    hash.update(request.bytes);
    // What came with the message keeps its memory, even after everybody else has left it, until it is collected here.
    noteShared(request.bytes.length);
    port.postMessage({ job: request.job } satisfies HashAnswer);
  } else if (request.kind === "end" && hash) {
    jobs.delete(request.job);
    port.postMessage({ job: request.job, digest: hash.digest("hex") } satisfies HashAnswer);
  } else jobs.delete(request.job);
});
