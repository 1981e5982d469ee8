import { appendFileSync } from "node:fs";
import { redact } from "../redaction.ts";

/** One try of one request, as it ended. Never a header, never a body. */
export interface TraceEntry {
  service: string;
  method: string;
  /** Path and query below the service's base URL. */
  path: string;
  /** HTTP status, when there was an answer. */
  status?: number | undefined;
  /** The network's error code or message, when there was none. */
  error?: string | undefined;
  attempt: number;
  /** Milliseconds from the start of the try to its end. */
  ms: number;
  /** Body bytes sent and received. */
  sent: number;
  received: number;
}

/**
 * Appends one line of JSON per try to the file that the environment variable PULUMI_IMAGES_TRACE names; without it nothing is written.
 * Written at once and synchronously: what a killed process did is on disk.
 */
export function trace(entry: TraceEntry): void {
  const file = process.env.PULUMI_IMAGES_TRACE;
  if (!file) return;
  appendFileSync(file, `${redact(JSON.stringify({ time: new Date().toISOString(), pid: process.pid, ...entry }))}\n`, {
    mode: 0o600,
  });
}
