import type { OwnAnswers } from "../../http/ownAnswers.ts";

/** Every answer of Glance's, a 404 too, names its request. Source: glance api/middleware/context.py; Glance 11 and 33. */
export function glanceAnswers(version: "v1" | "v2"): OwnAnswers {
  return {
    knownBy: "the header x-openstack-request-id",
    isOwn: ({ headers }) =>
      ["x-openstack-request-id", "x-compute-request-id"].some(name => headers[name] !== undefined),
    sign: () => ({ method: "GET", path: `/${version}/images`, query: { limit: 1 } }),
    isSign: body => Array.isArray((body as { images?: unknown } | undefined)?.images),
  };
}
