import type { FastifyInstance, FastifyRequest } from "fastify";
import { HttpError } from "./errors.ts";
import { type Image, type Member, timestamp } from "./state.ts";
import { type Caller, caller, findImage, visible, type World } from "./world.ts";

const MAX_MEMBERS = 128;

/** GET, PUT /v1/images/{id}/members; PUT, DELETE /v1/images/{id}/members/{member}; GET /v1/shared-images/{member} */
export function memberRoutes(app: FastifyInstance, world: World): void {
  app.get("/v1/images/:id/members", request => {
    const { members } = findImage(world, request, caller(world, request));
    return { members };
  });

  app.put("/v1/images/:id/members", (request, reply) => {
    const image = sharable(request);
    const { memberships } = (request.body ?? {}) as { memberships?: unknown };
    if (!Array.isArray(memberships))
      throw new HttpError(400, "Invalid request body: memberships is missing.", { html: true });
    const members = memberships.map((given: Partial<Member>) => {
      if (typeof given.member_id !== "string")
        throw new HttpError(400, "Member to be added not specified", { html: true });
      const before = image.members.find(it => it.member_id === given.member_id);
      return { member_id: given.member_id, can_share: given.can_share ?? before?.can_share ?? false };
    });
    save(image, members);
    return reply.status(204).send();
  });

  app.put("/v1/images/:id/members/:member", (request, reply) => {
    const image = sharable(request);
    const { member: member_id } = request.params as { member: string };
    const given = (request.body as { member?: { can_share?: unknown } } | undefined)?.member?.can_share;
    const before = image.members.find(it => it.member_id === member_id);
    const can_share = given === undefined ? (before?.can_share ?? false) : given === true;
    const others = image.members.filter(it => it.member_id !== member_id);
    save(image, [...others, { member_id, can_share }]);
    return reply.status(204).send();
  });

  app.delete("/v1/images/:id/members/:member", (request, reply) => {
    const image = sharable(request);
    const { member } = request.params as { member: string };
    if (!image.members.some(it => it.member_id === member)) {
      throw new HttpError(404, "Membership could not be found.", { html: true });
    }
    save(
      image,
      image.members.filter(it => it.member_id !== member),
    );
    return reply.status(204).send();
  });

  app.get("/v1/shared-images/:member", request => {
    const who = caller(world, request);
    const { member } = request.params as { member: string };
    const shared = world.state.images.filter(it => !it.deleted && visible(it, who));
    return {
      shared_images: shared.flatMap(({ id, members }) =>
        members.filter(it => it.member_id === member).map(({ can_share }) => ({ image_id: id, can_share })),
      ),
    };
  });

  /** The image, if the caller may share it: its owner, an admin, or a member that was given the right. */
  function sharable(request: FastifyRequest): Image {
    const who = caller(world, request);
    const image = findImage(world, request, who);
    if (!mayShare(image, who)) throw new HttpError(403, "No permission to share that image", { html: true });
    return image;
  }

  function save(image: Image, members: Member[]) {
    if (members.length > MAX_MEMBERS) {
      const message = `The limit has been exceeded on the number of allowed image members for this image. Attempted: ${members.length}, Maximum: ${MAX_MEMBERS}`;
      throw new HttpError(413, message, { html: true });
    }
    image.members = members;
    image.updated_at = timestamp(world.clock());
    world.changed();
  }
}

function mayShare(image: Image, who: Caller): boolean {
  return (
    who.admin ||
    image.owner === who.projectId ||
    image.members.some(it => it.member_id === who.projectId && it.can_share)
  );
}
