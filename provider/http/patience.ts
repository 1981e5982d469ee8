/**
 * How patient requests are. The environment can say otherwise, which is meant for tests and for networks that are out of the ordinary:
 * `PULUMI_IMAGES_RETRY_PAUSE_MS` and `PULUMI_IMAGES_STALL_SECONDS`, see docs/reliability.md.
 */

/** The first pause between two tries of a request, in ms; those after it double. */
export function firstPauseMs(): number {
  return setting("PULUMI_IMAGES_RETRY_PAUSE_MS", 500);
}

/** For how many seconds no byte may move, in either direction, before a try is given up. */
export function stallSeconds(): number {
  return setting("PULUMI_IMAGES_STALL_SECONDS", 60);
}

/** How many seconds a service may take to answer once it has all of an image's data: it still has to hash and store it. */
export function answerSeconds(stall: number): number {
  return Math.max(10 * stallSeconds(), stall);
}

/** For how many ms what an earlier, interrupted run left may go on at the service, before it is given up for dead. */
export function leftoverPatienceMs(): number {
  return 2 * stallSeconds() * 1000;
}

function setting(name: string, usual: number): number {
  const value = Number(process.env[name] || Number.NaN);
  return value > 0 ? value : usual;
}
