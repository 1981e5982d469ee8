import type { Job } from "./services/service.ts";

const reportEveryMs = 500;

/**
 * Turns the count of bytes into lines such as "uploading 75 % (225 MiB/s)", twice a second at the most.
 * @param doing what happens to the bytes, as a verb
 */
export function transferReport(doing: string, job: Job): (bytes: number, total: number | undefined) => void {
  const started = Date.now();
  let reported = started;
  return (bytes, total) => {
    const now = Date.now();
    if (now - reported < reportEveryMs) return;
    reported = now;
    const rate = `${mebibytes(bytes / ((now - started) / 1000))}/s`;
    job.report(
      total === undefined
        ? `${doing} ${mebibytes(bytes)} (${rate})`
        : `${doing} ${Math.floor((bytes / total) * 100)} % (${rate})`,
    );
  };
}

/** Bytes as a person reads them: "225 MiB". */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
