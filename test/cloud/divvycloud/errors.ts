import { STATUS } from "./choices.ts";

/** An answer that is an error. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

export const badBody = (message: string) => new ApiError(STATUS.badBody, "bad_request", message);
export const missing = () => new ApiError(STATUS.missing, "not_found", "The resource does not exist.");
