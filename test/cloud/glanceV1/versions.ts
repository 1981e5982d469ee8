import type { FastifyInstance, FastifyRequest } from "fastify";

/**
 * GET / answers 300, /versions 200. /v1 does the same as /versions, with and without a token: genuine Glance lists images there, but
 * openstacksdk looks for versions, and nobody for images (choice).
 */
export function versionRoutes(app: FastifyInstance): void {
  const versions = (request: FastifyRequest) => ({
    versions: ["v1.1", "v1.0"].map(id => ({
      id,
      status: "SUPPORTED",
      links: [{ rel: "self", href: `${request.protocol}://${request.host}/v1/` }],
    })),
  });
  app.get("/", (request, reply) => reply.status(300).send(versions(request)));
  for (const path of ["/versions", "/v1", "/v1/"]) app.get(path, versions);
}
