import type { Job } from "../../provider/services/service.ts";

/** A piece of work that tells nobody anything, and has a minute. */
export const quietJob = (): Job => ({
  report() {},
  warn() {},
  stays: () => false,
  signal: new AbortController().signal,
  deadline: Date.now() + 60_000,
  label: "",
});
