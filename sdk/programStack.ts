/**
 * What stack traces cost a program of many resources. The SDK notes the trace of each `new` in the state, takes four more for each of the
 * resource's outputs, and some for each call of the engine; these it shows for promises that never ended, and only where
 * PULUMI_DEBUG_PROMISE_LEAKS is set.
 */
const leaksWanted = process.env.PULUMI_DEBUG_PROMISE_LEAKS !== undefined;
/** The usual limit, while no traces are taken. */
let limit: number | undefined;

type Format = NonNullable<typeof Error.prepareStackTrace>;

let withoutPromises: Format | undefined;

/** Frames of the SDK's own, and of the resource's class, above the line of the program that says `new`. */
const framesOfSdk = 5;

/**
 * Cuts stack traces where the program ends, until the function that it returns is called. What is below the program (Node's loader, Pulumi's
 * runner) is the same for each resource, some 300 bytes every time, and each of its frames is looked up in source maps. Of the trace that the SDK has the engine note in the
 * state, just the line that says `new` is left, which is the resource's `sourcePosition`, too: each caller of it is 80 bytes in each resource.
 */
export function traceProgramOnly(): () => void {
  leavePromisesOut();
  const before = Error.prepareStackTrace;
  const format = before ?? ((error, frames) => [String(error), ...frames.map(frame => `    at ${frame}`)].join("\n"));
  Error.prepareStackTrace = (error, frames) => {
    if (frames[0]?.getFunctionName() === "callsites") return format(error, frames.slice(0, framesOfSdk + 1));
    const end = frames.findIndex(frame => frame.getFileName()?.startsWith("node:"));
    return format(error, end === -1 ? frames : frames.slice(0, end));
  };
  return () => {
    Error.prepareStackTrace = before;
    traceAgain();
  };
}

/**
 * The traces of the SDK's own promises aren't looked up in source maps any more, where Pulumi's runner has that done: it was a tenth of a
 * program's time. All others are shown as before.
 */
function leavePromisesOut(): void {
  const format = Error.prepareStackTrace;
  if (leaksWanted || format === undefined || format === withoutPromises) return;
  withoutPromises = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? "" : format(error, frames);
  Error.prepareStackTrace = withoutPromises;
}

/** Takes no traces until `traceAgain` is called: for where outputs are made, which took half of a program's time. */
export function traceNothing(): void {
  if (leaksWanted || limit !== undefined) return;
  limit = Error.stackTraceLimit;
  // With 0, V8 would still have an empty trace formatted each time.
  (Error as { stackTraceLimit: number | undefined }).stackTraceLimit = undefined;
}

export function traceAgain(): void {
  if (limit !== undefined) Error.stackTraceLimit = limit;
  limit = undefined;
}
