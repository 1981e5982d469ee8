import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of new buffers after which the young ones that nobody uses any more are collected, and after which all are. */
const [youngEvery, allEvery] = [2 * 2 ** 20, 32 * 2 ** 20];
/** The same for the young ones of another thread's. */
const sharedEvery = 16 * 2 ** 20;

type Collect = (options: { type: "minor" | "major" }) => void;

let collect: Collect | undefined;
let young = 0;
let all = 0;

/**
 * Counts new memory for data, and has what was left behind collected now and then. V8 sees nothing of its size, as it is shared between threads, and would
 * let hundreds of MiB of it pile up while gigabytes pass through.
 * @param bytes of the buffer that is made now
 */
export function noteAllocated(bytes: number): void {
  all += bytes;
  // The first time, what was needed to load the engine's SDK and this program makes room for the data.
  if (all < (collect === undefined ? youngEvery : allEvery)) {
    noteYoung(bytes, youngEvery);
    return;
  }
  all = 0;
  young = 0;
  collect ??= collector();
  collect({ type: "major" });
}

/** The same for memory that another thread has made, and that is used here for a moment only. */
export function noteShared(bytes: number): void {
  noteYoung(bytes, sharedEvery);
}

function noteYoung(bytes: number, every: number): void {
  young += bytes;
  if (young < every) return;
  young = 0;
  collect ??= collector();
  collect({ type: "minor" });
}

/** The collector is only there when it is asked for by a flag, in contexts that are made after that. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
