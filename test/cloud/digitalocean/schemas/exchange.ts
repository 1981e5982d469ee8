/** A request to DigitalOcean and its answer: what the schemas are about, and a line of a recording. */
export interface Exchange {
  method: string;
  /** Path with its query. */
  path: string;
  status: number;
  /** Headers of the answer, names in lower case. */
  headers: Record<string, string>;
  /** The request's JSON body, if it had one. */
  body?: unknown;
  /** The answer's JSON body, if it had one. */
  answer?: unknown;
}

/** Something about an exchange that a description does not allow. */
export interface Finding {
  /** operationId, or the method and path of a request that is none. */
  operation: string;
  /** Which part of the exchange: "request", "query", "status", "headers" or "answer". */
  part: string;
  message: string;
}
