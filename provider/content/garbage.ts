import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Bytes of buffers that may lie about before they are collected. From about six MiB on V8 collects all of its memory, not just what is new, which
 * takes twenty times as long.
 */
const collectEvery = 2 * 2 ** 20;

type Collect = (options: { type: "minor" | "major" }) => void;

let collect: Collect | undefined;
let left = 0;

/**
 * Counts the buffers that streams leave behind, and has them collected now and then. V8 sees little of their size, and would let
 * hundreds of MiB of them pile up while gigabytes pass through.
 */
export function leaveBehind(bytes: number): void {
  left += bytes;
  if (left < collectEvery) return;
  left = 0;
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
