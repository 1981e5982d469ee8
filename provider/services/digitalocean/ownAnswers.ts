import type { OwnAnswers } from "../../http/ownAnswers.ts";

/** Its errors are JSON with `id` and `message`, and every answer says what is left of the rate limit. Source: docs.digitalocean.com/reference/api. */
export const digitalOceanAnswers: OwnAnswers = {
  knownBy: "the ratelimit headers",
  isOwn: ({ headers, body }) => headers["ratelimit-limit"] !== undefined || isError(body),
  sign: () => ({ method: "GET", path: "/v2/images", query: { private: true, per_page: 1 } }),
  isSign: body => Array.isArray((body as { images?: unknown } | undefined)?.images),
};

function isError(body: unknown): boolean {
  const { id, message } = (body ?? {}) as Record<string, unknown>;
  return typeof id === "string" && typeof message === "string";
}
