import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { ImagesError } from "../errors.ts";
import type { HashAnswer, HashRequest } from "./hashWorker.ts";
import { giveBack, partSize, sharePart, takePart } from "./parts.ts";
import { startWorker } from "./worker.ts";

/** Hashes a stream as it goes by. */
export interface Hasher {
  /**
   * Takes a copy, or shares the part that the bytes lie in (content/parts.ts): such bytes stay as they are until they are given back. Wait for it before the next (it
   * may be undefined: nothing to wait for).
   */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Hex digests by algorithm. */
  digests(): Promise<Record<string, string>>;
  close(): void;
}

/** Below this many bytes a thread costs more than it saves. */
const worthThread = 8 * 1024 * 1024;
/** Parts that may wait for the slowest thread. */
const mostUnread = 16;

/**
 * @param algorithms names as in `crypto.createHash`
 * @param size bytes to come, if known
 */
export function createHasher(algorithms: readonly string[], size: number | undefined): Hasher {
  const distinct = [...new Set(algorithms)];
  if (distinct.length === 0 || (size !== undefined && size < worthThread) || availableParallelism() < 2)
    return inlineHasher(distinct);
  return threadHasher(distinct);
}

function inlineHasher(algorithms: readonly string[]): Hasher {
  const hashes = algorithms.map(algorithm => ({ algorithm, hash: createHash(algorithm) }));
  return {
    update(bytes) {
      for (const { hash } of hashes) hash.update(bytes);
      return undefined;
    },
    digests: async () => Object.fromEntries(hashes.map(({ algorithm, hash }) => [algorithm, hash.digest("hex")])),
    close() {},
  };
}

interface Job {
  answered(digest: string | undefined): void;
  failed(error: Error): void;
}

interface Thread {
  worker: Worker;
  jobs: Map<number, Job>;
}

const threads: Thread[] = [];
let lastJob = 0;

/** The least busy thread, or a new one while there are fewer than cores. A thread without work doesn't keep the process alive. */
function thread(): Thread {
  const idle = threads.reduce<Thread | undefined>(
    (best, next) => (best && best.jobs.size <= next.jobs.size ? best : next),
    undefined,
  );
  if (idle && (idle.jobs.size === 0 || threads.length >= Math.min(availableParallelism(), 4))) return idle;
  const created: Thread = { worker: startWorker("hashWorker"), jobs: new Map() };
  const ended = (error: Error) => {
    const at = threads.indexOf(created);
    if (at >= 0) threads.splice(at, 1);
    for (const job of created.jobs.values()) job.failed(error);
    created.jobs.clear();
  };
  created.worker.on("message", ({ job, digest }: HashAnswer) => created.jobs.get(job)?.answered(digest));
  created.worker.on("error", ended);
  created.worker.on("exit", code => ended(new Error(`the hashing thread ended with ${code}`)));
  created.worker.unref();
  threads.push(created);
  return created;
}

/** What a thread has yet to hash, or all of them have. */
interface Part {
  bytes: Uint8Array<SharedArrayBuffer>;
  /** Threads that still read it. */
  readers: number;
}

/** Has threads, one an algorithm, read the data where it lies. What doesn't lie in shared memory is copied there. */
function threadHasher(algorithms: readonly string[]): Hasher {
  const results: Record<string, string> = {};
  let unread = 0;
  /** What is copied, until it is a whole part. */
  let copied: Buffer<SharedArrayBuffer> | undefined;
  let filled = 0;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  let closed = false;

  const jobs = algorithms.map(algorithm => {
    const at = thread();
    const id = ++lastJob;
    const parts: Part[] = [];
    const finish = () => {
      at.jobs.delete(id);
      if (at.jobs.size === 0) at.worker.unref();
    };
    at.jobs.set(id, {
      answered(digest) {
        if (digest === undefined) read(parts.shift() as Part);
        else {
          results[algorithm] = digest;
          finish();
        }
        wake?.();
      },
      failed(error) {
        failure = error;
        wake?.();
      },
    });
    at.worker.ref();
    const send = (request: HashRequest) => at.worker.postMessage(request);
    send({ kind: "open", job: id, algorithm });
    return { id, parts, send, finish };
  });

  const read = (part: Part) => {
    part.readers -= 1;
    if (part.readers > 0) return;
    unread -= 1;
    giveBack(part.bytes);
  };
  const until = async (ready: () => boolean) => {
    while (!failure && !closed && !ready())
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    if (failure) throw hashingFailed(failure);
    if (closed) throw new ImagesError("interrupted", "hashing was ended");
  };
  const hash = (bytes: Uint8Array<SharedArrayBuffer>) => {
    const part: Part = { bytes, readers: jobs.length };
    unread += 1;
    for (const { id, parts, send } of jobs) {
      parts.push(part);
      send({ kind: "part", job: id, bytes });
    }
  };
  const flush = () => {
    if (copied === undefined) return;
    hash(copied.subarray(0, filled));
    copied = undefined;
    filled = 0;
  };
  const copy = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      copied ??= takePart();
      const length = Math.min(bytes.length - at, partSize - filled);
      copied.set(bytes.subarray(at, at + length), filled);
      at += length;
      filled += length;
      if (filled === partSize) flush();
    }
  };
  const isRoom = () => unread < mostUnread;

  return {
    update(bytes) {
      if (sharePart(bytes)) {
        flush();
        hash(bytes);
      } else copy(bytes);
      return failure || !isRoom() ? until(isRoom) : undefined;
    },
    async digests() {
      flush();
      for (const { id, send } of jobs) send({ kind: "end", job: id });
      await until(() => Object.keys(results).length === algorithms.length);
      return results;
    },
    close() {
      if (closed) return;
      closed = true;
      for (const { id, send, finish } of jobs) {
        send({ kind: "drop", job: id });
        finish();
      }
      wake?.();
    },
  };
}

function hashingFailed(cause: Error): ImagesError {
  const isLimited = (cause as NodeJS.ErrnoException).code === "ERR_WORKER_INIT_FAILED";
  const hint = "A limit is too low here: that of open files (ulimit -n), or of a container's processes";
  return new ImagesError("content", `hashing failed: ${cause.message}`, { cause, ...(isLimited ? { hint } : {}) });
}
