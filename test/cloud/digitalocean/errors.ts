/** An answer that is an error document: `{"id","message"}` and its status. */
export class ApiError extends Error {
  readonly status: number;
  readonly id: string;

  constructor(status: number, id: string, message: string) {
    super(message);
    this.status = status;
    this.id = id;
  }
}

export const notFound = () => new ApiError(404, "not_found", "The resource you were accessing could not be found.");
export const badRequest = (message: string) => new ApiError(400, "bad_request", message);
export const forbidden = () => new ApiError(403, "forbidden", "You do not have access for the attempted action.");
export const unprocessable = (message: string) => new ApiError(422, "unprocessable_entity", message);
export const unauthorized = () => new ApiError(401, "unauthorized", "Unable to authenticate you.");
export const conflict = (message: string) => new ApiError(409, "conflict", message);
export const tooManyRequests = () => new ApiError(429, "too_many_requests", "API rate limit exceeded.");
