import type { FastifyInstance, FastifyRequest } from "fastify";
import { badRequest, forbidden, notFound, unprocessable } from "../errors.ts";
import { type Account, type Image, type Transfer, untagEverywhere } from "../state.ts";
import { caller, idParam, objectBody, route, type World } from "../world.ts";
import { ownImage } from "./images.ts";

/** POST /v2/images/{id}/account_transfer, and its /accept, /cancel and /decline */
export function accountTransferRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;

  route(app, "POST", "/v2/images/:image/account_transfer", (request, reply) => {
    const account = caller(world, request);
    const image = ownImage(world, request);
    const recipient = findRecipient(world, objectBody(request));
    if (image.type !== "snapshot") throw unprocessable("Only snapshots can be transferred to another account.");
    if (recipient.uuid === account.uuid) throw unprocessable("The image is already in this account.");
    if (state.transfers.some(it => it.imageId === image.id && it.status === "pending")) {
      throw unprocessable("The image already has a pending transfer.");
    }
    const transfer: Transfer = {
      id: state.nextId++,
      imageId: image.id,
      sender: account.uuid,
      recipient: recipient.uuid,
      status: "pending",
    };
    state.transfers.push(transfer);
    const atOnce = account.memberOf.includes(recipient.uuid);
    if (atOnce) accept(transfer, image);
    world.changed();
    return reply.status(201).send({ transfer_id: atOnce ? 0 : transfer.id });
  });

  route(app, "POST", "/v2/images/:image/account_transfer/accept", (request, reply) => {
    const account = caller(world, request);
    const transfer = findTransfer(request);
    if (transfer.recipient !== account.uuid) throw forbidden();
    if (objectBody(request).recipient_uuid !== account.uuid) throw badRequest("recipient_uuid is not the recipient's.");
    const image = state.images.find(it => it.id === transfer.imageId);
    if (!image) throw notFound();
    accept(transfer, image);
    world.changed();
    return reply.status(201).send();
  });

  for (const [verb, side, status] of [
    ["cancel", "sender", "canceled"],
    ["decline", "recipient", "declined"],
  ] as const) {
    route(app, "POST", `/v2/images/:image/account_transfer/${verb}`, (request, reply) => {
      const account = caller(world, request);
      const transfer = findTransfer(request);
      if (transfer[side] !== account.uuid) throw forbidden();
      transfer.status = status;
      world.changed();
      return reply.status(204).send();
    });
  }

  /** The pending transfer of the body's transfer_id, if the caller is its sender or its recipient. */
  function findTransfer(request: FastifyRequest): Transfer {
    const account = caller(world, request);
    const imageId = idParam(request, "image");
    const { transfer_id } = objectBody(request);
    if (!Number.isInteger(transfer_id)) throw badRequest("transfer_id must be a number.");
    const transfer = state.transfers.find(
      it =>
        it.id === transfer_id &&
        it.imageId === imageId &&
        it.status === "pending" &&
        [it.sender, it.recipient].includes(account.uuid),
    );
    if (!transfer) throw notFound();
    return transfer;
  }

  /** The image moves: same id, other owner; the sender's tags stay behind. */
  function accept(transfer: Transfer, image: Image) {
    transfer.status = "accepted";
    image.owner = transfer.recipient;
    untagEverywhere(state, "image", String(image.id));
  }
}

/** Exactly one of recipient_email and recipient_uuid, of an account that exists. */
function findRecipient(world: World, body: Record<string, unknown>): Account {
  const { recipient_email: email, recipient_uuid: uuid } = body;
  if ((typeof email === "string") === (typeof uuid === "string")) {
    throw badRequest("exactly one of recipient_email and recipient_uuid is needed");
  }
  const account = world.state.accounts.find(it => (typeof email === "string" ? it.email === email : it.uuid === uuid));
  if (!account) throw unprocessable("There is no such recipient.");
  return account;
}
