import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { ImagesError } from "../errors.ts";
import type { HashAnswer, HashRequest } from "./hashWorker.ts";
import { startWorker } from "./worker.ts";

/** Hashes a stream as it goes by. */
export interface Hasher {
  /** Takes a copy; wait for it before the next (it may be undefined: nothing to wait for). */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Hex digests by algorithm. */
  digests(): Promise<Record<string, string>>;
  close(): void;
}

/** Below this many bytes a thread costs more than it saves. */
const worthThread = 8 * 1024 * 1024;
const partSize = 256 * 1024;
const parts = 4;

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

/** Copies into a small ring of shared memory that the threads, one an algorithm, work through. */
function threadHasher(algorithms: readonly string[]): Hasher {
  const memory = new SharedArrayBuffer(partSize * parts);
  const ring = new Uint8Array(memory);
  const results: Record<string, string> = {};
  /** By part: how many threads have yet to read it. */
  const pending = new Array<number>(parts).fill(0);
  let current = 0;
  let filled = 0;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  let closed = false;

  const jobs = algorithms.map(algorithm => {
    const at = thread();
    const id = ++lastJob;
    let next = 0;
    const finish = () => {
      at.jobs.delete(id);
      if (at.jobs.size === 0) at.worker.unref();
    };
    at.jobs.set(id, {
      answered(digest) {
        if (digest === undefined) {
          pending[next] = (pending[next] as number) - 1;
          next = (next + 1) % parts;
        } else {
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
    send({ kind: "open", job: id, algorithm, memory });
    return { id, send, finish };
  });

  const until = async (ready: () => boolean) => {
    while (!failure && !closed && !ready())
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    if (failure) throw new ImagesError("content", `hashing failed: ${failure.message}`, { cause: failure });
    if (closed) throw new ImagesError("interrupted", "hashing was ended");
  };
  const flush = () => {
    if (filled === 0) return;
    pending[current] = jobs.length;
    for (const { id, send } of jobs) send({ kind: "part", job: id, offset: current * partSize, length: filled });
    current = (current + 1) % parts;
    filled = 0;
  };
  /** Copies what fits; answers where it stopped. */
  const copy = (bytes: Uint8Array, from: number): number => {
    let at = from;
    while (at < bytes.length && pending[current] === 0) {
      const length = Math.min(bytes.length - at, partSize - filled);
      ring.set(length === bytes.length ? bytes : bytes.subarray(at, at + length), current * partSize + filled);
      at += length;
      filled += length;
      if (filled === partSize) flush();
    }
    return at;
  };
  const copyAll = async (bytes: Uint8Array, from: number) => {
    for (let at = from; at < bytes.length; at = copy(bytes, at)) await until(() => pending[current] === 0);
  };

  return {
    update(bytes) {
      const at = copy(bytes, 0);
      return at < bytes.length || failure ? copyAll(bytes, at) : undefined;
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
