import { ImagesError, UnfinishedError } from "../../errors.ts";
import { hasUnknown } from "../../fields/field.ts";
import type { Key } from "../keys.ts";
import type { OpenOther } from "../registry.ts";
import type { Facts, ImageService, PartService, Values } from "../service.ts";
import type { Recipient } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { earlierMs } from "./reads.ts";
import { noImage } from "./tags.ts";

/** Transfers of snapshots to other accounts, and besides what the recipient's side of one needs. */
export interface DigitalOceanMembers extends PartService {
  /** Accepts an offer. Only the recipient can. @returns false when there is no such offer (any more) */
  accept(imageId: string, transfer: string, recipientUuid: string): Promise<boolean>;
  /** Whether this account has the image. */
  has(imageId: string): Promise<boolean>;
  /** Demands that this account is the one that an image was offered to, for what it doesn't have to be gone. */
  demandRecipient(imageId: string, recipientUuid: unknown): Promise<void>;
}

/**
 * An account offers a snapshot to another one, which accepts or declines. With the acceptance the image moves: it has the same id, belongs to
 * the recipient, and is gone from the sender's account. DigitalOcean can't be asked about an offer: whether it still stands is seen from who
 * has the image.
 *
 * An id is `<image id>/<recipient>/<transfer id>`; the transfer's is 0 where nothing had to be accepted.
 * @param other opens the connection that `accept` names
 * @param account the one that the token is of; undefined where it isn't allowed to ask
 */
export function memberParts(
  cloud: DigitalOceanCloud,
  other: OpenOther,
  account: () => Promise<string | undefined>,
): DigitalOceanMembers {
  function recipientOf(values: Values): DigitalOceanMembers | undefined {
    const accept = values.accept as { connection: string } | undefined;
    return accept === undefined ? undefined : membersOf(other({ connection: accept.connection }));
  }

  async function keyOf(imageId: unknown, recipient: unknown): Promise<Key> {
    const entry = String(recipient).toLowerCase();
    return { kind: "member", cloud: await cloud.address(), imageId: String(imageId), entry };
  }

  async function offer(imageId: string, values: Values): Promise<string> {
    try {
      const transfer = await cloud.client.offer(imageId, wireRecipient(values));
      cloud.reads.wrote(imageId);
      if (transfer !== undefined) return transfer;
    } catch (error) {
      throw explained(imageId, error);
    }
    // An earlier run whose end never reached the state may have come as far as this.
    if (await recipientOf(values)?.has(imageId)) return "0";
    throw noImage(imageId);
  }

  /** Accepts where that is declared, and says how things are afterwards. */
  async function settle(facts: Facts, values: Values): Promise<Facts> {
    const { imageId, transfer } = parse(facts.id);
    if (transfer === "0") return { ...facts, status: "accepted" };
    const recipient = recipientOf(values);
    if (recipient === undefined) return facts;
    const accepted = await recipient.accept(imageId, transfer, String(values.recipientUuid));
    cloud.reads.wrote(imageId);
    if (!accepted && !(await recipient.has(imageId))) {
      throw new ImagesError("conflict", `the offer of image ${imageId} (transfer ${transfer}) no longer stands`, {
        hint: "It was declined or cancelled. Run up with --replace for this ImageMember, so that it is offered again",
      });
    }
    return { ...facts, status: "accepted" };
  }

  return {
    async demandRecipient(imageId, recipientUuid) {
      const now = await account();
      if (now === undefined || recipientUuid === undefined || now === recipientUuid) return;
      throw new ImagesError(
        "configuration",
        `image ${imageId} was offered to account ${String(recipientUuid)}, but accept.connection is account ${now}: that it isn't seen from there doesn't mean that it is gone`,
        { hint: "Nothing was changed. Have accept.connection lead to the account that the offer was made to" },
      );
    },
    async accept(imageId, transfer, recipientUuid) {
      const accepted = await cloud.client.acceptOffer(imageId, transfer, recipientUuid);
      cloud.reads.wrote(imageId);
      return accepted;
    },
    async has(imageId) {
      const image = await cloud.reads.read(imageId);
      return image !== undefined && !image.public;
    },

    async check({ accept, status }) {
      if (accept === undefined || hasUnknown(accept)) return { problems: [] };
      const recipient = other({ connection: (accept as { connection: string }).connection });
      membersOf(recipient);
      await recipient.signIn();
      return { problems: [], inputs: status === undefined ? { status: "accepted" } : {} };
    },

    keysOf: async ({ imageId, recipientUuid, recipientEmail }) => [
      await keyOf(imageId, recipientUuid ?? recipientEmail),
    ],

    async create(values) {
      const imageId = String(values.imageId);
      const memberId = String(values.recipientUuid ?? values.recipientEmail);
      const transferId = await offer(imageId, values);
      const id = `${imageId}/${encodeURIComponent(memberId)}/${transferId}`;
      const facts = { id, imageId, memberId, transferId, status: "pending" };
      try {
        return await settle(facts, values);
      } catch (error) {
        // Only its id leads to the offer.
        throw new UnfinishedError(error, { ...facts, status: "unfinished" });
      }
    },

    async read(id, values) {
      const { imageId, memberId, transfer } = parse(id);
      const facts = { id, imageId, memberId, transferId: transfer };
      const mine = await cloud.reads.read(imageId, earlierMs);
      // One that was accepted and is here all the same was given back: a new offer is another membership.
      if (mine !== undefined && !mine.public)
        return values.status === "accepted" && values.managed !== undefined
          ? undefined
          : { ...facts, status: "pending" };
      // It left this account: the recipient has it, as far as can be seen from here.
      const recipient = recipientOf(values);
      if (recipient !== undefined && !(await recipient.has(imageId))) {
        await recipient.demandRecipient(imageId, values.recipientUuid);
        return undefined;
      }
      return { ...facts, status: "accepted" };
    },

    async update(id, values) {
      const { imageId, memberId, transfer } = parse(id);
      return await settle({ id, imageId, memberId, transferId: transfer, status: "pending" }, values);
    },

    async delete(id, _values, job) {
      const { imageId, memberId, transfer } = parse(id);
      if (job.stays(await keyOf(imageId, memberId))) return;
      const cancelled = transfer !== "0" && (await cloud.client.cancelOffer(imageId, transfer));
      if (cancelled || (await cloud.reads.read(imageId)) !== undefined) return;
      job.warn(`image ${imageId} was accepted by ${memberId}, and stays there: only the recipient can give it back`);
    },
  };
}

function wireRecipient({ recipientEmail, recipientUuid }: Values): Recipient {
  return recipientUuid === undefined
    ? { recipient_email: String(recipientEmail) }
    : { recipient_uuid: String(recipientUuid) };
}

function membersOf(service: ImageService): DigitalOceanMembers {
  const members = service.members as Partial<DigitalOceanMembers> | undefined;
  if (members?.accept !== undefined && members.has !== undefined) return members as DigitalOceanMembers;
  throw new ImagesError(
    "invalid",
    `accept.connection names a connection of ${service.name}, where nothing is accepted`,
  );
}

function parse(id: string): { imageId: string; memberId: string; transfer: string } {
  const [imageId, memberId, transfer, ...rest] = id.split("/");
  if (imageId && memberId && transfer && rest.length === 0)
    return { imageId, memberId: decodeURIComponent(memberId), transfer };
  throw new ImagesError(
    "invalid",
    `the id of an ImageMember is <image id>/<recipient>/<transfer id>, not ${JSON.stringify(id)}`,
  );
}

/** What stands in the way of an offer most often, where DigitalOcean's own words don't say what to do. */
function explained(imageId: string, error: unknown): unknown {
  if (!(error instanceof ImagesError)) return error;
  if (error.code === "unavailable" && error.status !== 429 && error.status !== 503) {
    return new ImagesError(error.code, `image ${imageId} may have been offered or not: ${error.message}`, {
      hint: "DigitalOcean can't be asked. Look for the offer in the control panel, cancel it there if it was made, and run up again",
      cause: error,
    });
  }
  if (error.status !== 422) return error;
  const pending = /pending/i.test(error.message);
  return new ImagesError("rejected", `image ${imageId} can't be offered: ${error.message}`, {
    hint: pending
      ? "DigitalOcean tells an offer's id only once, to the run that made it, and that one may have been cut off. Cancel it in the control panel, and run up again. If this resource was renamed, give it its old name in the option aliases"
      : "Only snapshots can be transferred: those of droplets, and converted backups",
    cause: error,
  });
}
