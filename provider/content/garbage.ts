import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of new buffers after which those that nobody uses any more are collected. */
const collectEvery = 2 * 2 ** 20;

type Collect = (options: { type: "minor" | "major" }) => void;

let collect: Collect | undefined;
let allocated = 0;

/**
 * Counts new memory for data, and has what was left behind collected now and then. V8 sees little of its size, and would let hundreds of MiB of it
 * pile up while gigabytes pass through.
 * @param bytes of the buffer that is made now
 */
export function noteAllocated(bytes: number): void {
  allocated += bytes;
  if (allocated < collectEvery) return;
  allocated = 0;
  if (collect === undefined) {
    collect = collector();
    // What was needed to load the engine's SDK and this program makes room for the data, once.
    collect({ type: "major" });
  } else collect({ type: "minor" });
}

/** The collector is only there when it is asked for by a flag, in contexts that are made after that. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
