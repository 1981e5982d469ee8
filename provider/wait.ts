import { setTimeout as pause } from "node:timers/promises";
import { ImagesError } from "./errors.ts";
import { leftoverPatienceMs } from "./http/patience.ts";
import type { Job } from "./services/service.ts";

const firstPauseMs = 200;
const longestPauseMs = 10_000;

/**
 * Asks again and again, with growing pauses, until there is an answer.
 * @param ask gives undefined as long as there is none
 * @param what is being waited for, for the message when time runs out: "image x to leave the status saving"
 * @throws ImagesError "timeout" at the job's deadline, "interrupted" when it is told to stop
 */
export async function waitFor<T>(ask: () => Promise<T | undefined>, what: () => string, job: Job): Promise<T> {
  const started = Date.now();
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const waited = Math.round((Date.now() - started) / 1000);
    const ms = Math.min(firstPauseMs * 1.5 ** attempt, longestPauseMs) * (0.8 + Math.random() * 0.4);
    if (Date.now() + ms > job.deadline) {
      throw new ImagesError("timeout", `waited ${waited} s for ${what()}`, {
        hint: "Raise the limit with the resource option customTimeouts, or look at the service for why it takes so long",
      });
    }
    try {
      await pause(ms, undefined, { signal: job.signal });
    } catch (cause) {
      throw new ImagesError("interrupted", `was told to stop while waiting for ${what()}`, { cause });
    }
  }
}

/** The same work with as long to go as what an earlier, interrupted run left at work on a service gets. */
export function forLeftover(job: Job): Job {
  return { ...job, deadline: Date.now() + leftoverPatienceMs() };
}

/** The same work, that doesn't wait for an earlier run's leftover any longer than that. */
export function noLongerThanLeftover(job: Job): Job {
  return { ...job, deadline: Math.min(job.deadline, forLeftover(job).deadline) };
}
