import got, { type Got, HTTPError, RequestError } from "got";
import { type ErrorCode, ImagesError } from "../../provider/errors.ts";
import { redact, registerSecret } from "../../provider/redaction.ts";

/** A client of a forge's API. What fails for the moment is tried again; errors are ImagesErrors without the token. */
export function apiClient(url: string, token: string, headers: Record<string, string>): Got {
  registerSecret(token);
  return got.extend({
    prefixUrl: url,
    headers: { "user-agent": "pulumi-images", ...headers },
    responseType: "json",
    timeout: { request: 30_000 },
    // A comment that is written twice is worse than one that isn't written: POST isn't repeated.
    retry: { limit: 3, methods: ["GET", "PUT", "PATCH"] },
    hooks: { beforeError: [explained] },
  });
}

function explained(error: Error): Error {
  if (!(error instanceof RequestError)) return error;
  const request = `${error.options.method} ${(error.options.url as URL | undefined)?.pathname ?? ""}`;
  const status = error instanceof HTTPError ? error.response.statusCode : undefined;
  const said = (error.response?.body as { message?: unknown } | undefined)?.message;
  const answer =
    status === undefined ? error.message : `answered ${status}${said === undefined ? "" : `: ${JSON.stringify(said)}`}`;
  const hint =
    status === 401 || status === 403 || status === 404
      ? "The token needs the right to comment; see examples/ci/README.md"
      : undefined;
  return new ImagesError(codeOf(status), redact(`${request} ${answer}`), {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function codeOf(status: number | undefined): ErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  return status === 404 ? "not-found" : "failed";
}
