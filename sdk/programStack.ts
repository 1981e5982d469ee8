/**
 * What stack traces cost a program of many resources. The SDK notes the trace of each `new` in the state, and takes four more for each of the
 * resource's outputs, which it shows for promises that never ended, and only where PULUMI_DEBUG_PROMISE_LEAKS is set.
 */
const leaksWanted = process.env.PULUMI_DEBUG_PROMISE_LEAKS !== undefined;
/** The usual limit, while no traces are taken. */
let limit: number | undefined;

/**
 * Cuts stack traces where the program ends, until the function that it returns is called. What is below the program (Node's loader, Pulumi's
 * runner) is the same for each resource, some 300 bytes every time, and each of its frames is looked up in source maps.
 */
export function traceProgramOnly(): () => void {
  const before = Error.prepareStackTrace;
  const format = before ?? ((error, frames) => [String(error), ...frames.map(frame => `    at ${frame}`)].join("\n"));
  Error.prepareStackTrace = (error, frames) => {
    if (!leaksWanted && frames[0]?.getFunctionName() === "debuggablePromise") return "";
    const end = frames.findIndex(frame => frame.getFileName()?.startsWith("node:"));
    return format(error, end === -1 ? frames : frames.slice(0, end));
  };
  return () => {
    Error.prepareStackTrace = before;
    traceAgain();
  };
}

/** Takes no traces until `traceAgain` is called: for where outputs are made, which took half of a program's time. */
export function traceNothing(): void {
  if (leaksWanted || limit !== undefined) return;
  limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
}

export function traceAgain(): void {
  if (limit !== undefined) Error.stackTraceLimit = limit;
  limit = undefined;
}
