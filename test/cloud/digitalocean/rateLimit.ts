const MINUTE = 60_000;
const HOUR = 3_600_000;

/** What one request gets to know about its token's budget. */
export interface Budget {
  allowed: boolean;
  /** Headers of the answer, whatever it is. */
  headers: Record<string, string>;
}

/**
 * DigitalOcean's limits, per token: so many requests in a sliding hour, and a burst limit for a sliding minute.
 * A refused request is not counted (choice). Only the burst limit tells how long to wait by `retry-after`; of the hour only
 * `ratelimit-reset` tells, the unix time at which the oldest counted request expires.
 * Kept in memory: a restart gives the full budget.
 */
export class RateLimit {
  readonly #requests = new Map<string, number[]>();

  /**
   * Counts a request.
   * @param now ms since 1970
   */
  take(token: string, now: number, limits: { requestsPerHour: number; requestsPerMinute: number }): Budget {
    const times = (this.#requests.get(token) ?? []).filter(time => time > now - HOUR);
    this.#requests.set(token, times);
    const burst = times.filter(time => time > now - MINUTE);
    const withinHour = times.length < limits.requestsPerHour;
    const withinMinute = burst.length < limits.requestsPerMinute;
    const allowed = withinHour && withinMinute;
    if (allowed) times.push(now);

    const headers: Record<string, string> = {
      "ratelimit-limit": String(limits.requestsPerHour),
      "ratelimit-remaining": String(Math.max(0, limits.requestsPerHour - times.length)),
      "ratelimit-reset": String(Math.ceil(((times[0] ?? now) + HOUR) / 1000)),
    };
    if (withinHour && !withinMinute) {
      headers["retry-after"] = String(Math.max(1, Math.ceil(((burst[0] ?? now) + MINUTE - now) / 1000)));
    }
    return { allowed, headers };
  }
}
