import got, { type Got, HTTPError, RequestError } from "got";
import { type ErrorCode, ImagesError } from "../../provider/errors.ts";
import { createAgents } from "../../provider/http/agents.ts";
import { isCertificateError } from "../../provider/http/retry.ts";
import { redact, registerSecret } from "../../provider/redaction.ts";

/** How many requests are under way at once. */
const mostConnections = 4;

/**
 * A client of a forge's API, which obeys proxies as the connections do. What fails for the moment is tried again; errors are ImagesErrors
 * without the token.
 * @param caFile authorities to trust besides the usual ones
 */
export function apiClient(
  { url, token, caFile }: { url: string; token: string; caFile?: string | undefined },
  headers: Record<string, string>,
): Got {
  registerSecret(token);
  return got.extend({
    prefixUrl: url,
    agent: createAgents({ caFile }, mostConnections),
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
  const hint = hintFor(status, error.code);
  return new ImagesError(codeOf(status), redact(`${request} ${answer}`), {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function hintFor(status: number | undefined, code: string): string | undefined {
  if (status === 401 || status === 403 || status === 404)
    return "The token needs the right to comment; see examples/ci/README.md";
  if (isCertificateError(code)) return "Name the file of the authority that signed it by --ca-file";
  return undefined;
}

function codeOf(status: number | undefined): ErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  return status === 404 ? "not-found" : "failed";
}
