import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of buffers that may lie about before they are collected. */
const collectEvery = 8 * 2 ** 20;

type Collect = (options: { type: "minor" | "major" }) => void;

let collect: Collect | undefined;

/**
 * Counts the buffers that a stream leaves behind, and has them collected now and then. V8 sees little of their size, and would let
 * hundreds of MiB of them pile up while gigabytes pass through.
 */
export function garbageCounter(): (bytes: number) => void {
  let left = 0;
  return bytes => {
    left += bytes;
    if (left < collectEvery) return;
    left = 0;
    if (collect === undefined) {
      collect = collector();
      // What was needed to load the engine's SDK and this program makes room for the data, once.
      collect({ type: "major" });
    } else collect({ type: "minor" });
  };
}

/** The collector is only there when it is asked for by a flag, in contexts that are made after that. */
function collector(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}
