/**
 * Cuts stack traces where the program ends, until the function that it returns is called. The SDK notes the trace of each `new` in the state;
 * what is below the program (Node's loader, Pulumi's runner) is the same for each resource, some 300 bytes every time, and each of its
 * frames is looked up in source maps. And each output of a resource takes four more traces, which the SDK shows for promises that never ended,
 * and only where PULUMI_DEBUG_PROMISE_LEAKS is set: without it they are left empty, as they would take more time than everything else.
 */
export function traceProgramOnly(): () => void {
  const before = Error.prepareStackTrace;
  const wanted = process.env.PULUMI_DEBUG_PROMISE_LEAKS !== undefined;
  const format = before ?? ((error, frames) => [String(error), ...frames.map(frame => `    at ${frame}`)].join("\n"));
  Error.prepareStackTrace = (error, frames) => {
    if (!wanted && frames[0]?.getFunctionName() === "debuggablePromise") return "";
    const end = frames.findIndex(frame => frame.getFileName()?.startsWith("node:"));
    return format(error, end === -1 ? frames : frames.slice(0, end));
  };
  return () => {
    Error.prepareStackTrace = before;
  };
}
