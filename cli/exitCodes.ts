import type { ErrorCode } from "../provider/errors.ts";

/** What each way to end is called to a shell. docs/cli.md has them for people. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unexpected: 5,
  interrupted: 130,
} as const;

const byError: Record<ErrorCode, number> = {
  invalid: exitCodes.usage,
  configuration: exitCodes.usage,
  unsupported: exitCodes.usage,
  "not-found": exitCodes.notFound,
  unauthorized: exitCodes.refused,
  forbidden: exitCodes.refused,
  conflict: exitCodes.unexpected,
  content: exitCodes.unexpected,
  rejected: exitCodes.failed,
  unavailable: exitCodes.failed,
  timeout: exitCodes.failed,
  failed: exitCodes.failed,
  interrupted: exitCodes.interrupted,
};

export function exitCodeOf(code: ErrorCode): number {
  return byError[code];
}
