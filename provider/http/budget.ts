import { createHash } from "node:crypto";

/** So many requests in any stretch of so many seconds. */
export interface BudgetWindow {
  requests: number;
  seconds: number;
}

/** Holds requests back so that a service's rate limit isn't exceeded. */
export interface Budget {
  /** Waits until another request may go out; the time in ms since the epoch until which it must wait is given to `tooLate` first, which may throw. */
  take(tooLate: (until: number) => void, signal?: AbortSignal): Promise<void>;
  /** The request that was taken has ended: with an answer's status and headers, or with none. */
  done(status?: number, headers?: Record<string, string | string[] | undefined>): void;
}

interface Window {
  capacity: number;
  ms: number;
  /** When requests of this window ended, oldest first. They count from their end: the service saw them before that. */
  ended: number[];
}

/**
 * A budget of sliding windows, corrected by what the service says: `ratelimit-remaining` and `ratelimit-reset` (Unix seconds, when the oldest
 * request expires) since others may use the same token, and `retry-after` of a 429.
 */
export function createBudget(windows: readonly BudgetWindow[]): Budget {
  const sliding: Window[] = windows.map(({ requests, seconds }) => ({
    capacity: requests,
    ms: seconds * 1000,
    ended: [],
  }));
  let underWay = 0;
  let closedUntil = 0;
  /** Requests wait in the order in which they came. */
  let queue: Promise<void> = Promise.resolve();
  let wake: (() => void) | undefined;

  /** When there is room for one more: a time that isn't in the future means now; Infinity means when a request under way ends. */
  function roomAt(now: number): number {
    let at = closedUntil;
    for (const window of sliding) {
      while (window.ended.length > 0 && (window.ended[0] as number) + window.ms <= now) window.ended.shift();
      const excess = underWay + window.ended.length + 1 - window.capacity;
      if (excess <= 0) continue;
      const freed = window.ended[excess - 1];
      at = Math.max(at, freed === undefined ? Number.POSITIVE_INFINITY : freed + window.ms);
    }
    return at;
  }

  async function room(tooLate: (until: number) => void, signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const now = Date.now();
      const at = roomAt(now);
      if (at <= now) break;
      if (Number.isFinite(at)) tooLate(at);
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Number.isFinite(at) ? Math.min(at - now, 60_000) : 60_000);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal?.addEventListener("abort", wake, { once: true });
      });
      if (wake) signal?.removeEventListener("abort", wake);
      wake = undefined;
    }
    underWay += 1;
  }

  return {
    take(tooLate, signal) {
      const turn = queue.then(() => room(tooLate, signal));
      queue = turn.catch(() => undefined);
      return turn;
    },
    done(status, headers = {}) {
      const now = Date.now();
      underWay -= 1;
      for (const window of sliding) window.ended.push(now);
      const remaining = number(headers["ratelimit-remaining"]);
      const reset = number(headers["ratelimit-reset"]);
      // The last request of the budget is left to others: a person at a prompt, say.
      if (remaining !== undefined && remaining <= 1 && reset !== undefined)
        closedUntil = Math.max(closedUntil, reset * 1000);
      const retryAfter = status === 429 ? number(headers["retry-after"]) : undefined;
      if (retryAfter !== undefined) closedUntil = Math.max(closedUntil, now + retryAfter * 1000);
      wake?.();
    },
  };
}

const budgets = new Map<string, Budget>();

/** The one budget of a token in this process; the token itself isn't kept. */
export function budgetFor(token: string, windows: readonly BudgetWindow[]): Budget {
  const key = createHash("sha256").update(token).digest("hex");
  let budget = budgets.get(key);
  if (!budget) {
    budget = createBudget(windows);
    budgets.set(key, budget);
  }
  return budget;
}

function number(value: string | string[] | undefined): number | undefined {
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(parsed) ? parsed : undefined;
}
