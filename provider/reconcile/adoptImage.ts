import { ImagesError } from "../errors.ts";
import type { ImageFacts } from "../services/service.ts";
import type { ImageAdapter } from "./adapter.ts";
import { type Ownership, type OwnerTag, recordOf } from "./ownership.ts";

/**
 * Makes an existing image this resource's: writes its owner tag in the place of any other.
 * @param takeOver whether an image may be taken from another stack
 * @throws ImagesError "not-found"; "conflict" where another resource is making it, or another stack's owner tag claims it; "forbidden" where it can't be written to
 */
export async function claimImage<Image>(
  adapter: ImageAdapter<Image>,
  id: string,
  tag: OwnerTag,
  takeOver: boolean,
): Promise<ImageFacts> {
  const image = await adapter.look(id, false);
  if (image === undefined) throw new ImagesError("not-found", `there is no image ${id} to adopt`);
  const owner = await adapter.ownershipOf(image);
  const refusal = whyNotAdoptable(id, owner, tag, takeOver);
  if (refusal !== undefined) throw refusal;
  const claimed = isOwn(owner, tag) ? image : await write(adapter, image, tag);
  return { ...adapter.factsOf(claimed), ownerTag: recordOf(await adapter.ownershipOf(claimed)) };
}

/** Why an image can't be adopted as things are: another resource is making it, or another stack's owner tag claims it. */
export function whyNotAdoptable(
  id: string,
  owner: Ownership,
  tag: OwnerTag,
  takeOver: boolean,
): ImagesError | undefined {
  const isOthers = owner.resource !== undefined && owner.resource !== tag.resource;
  if (owner.unfinished && isOthers && !takeOver) return unfinished(id);
  const isUntagged = owner.resource === undefined && owner.stack === undefined;
  if (takeOver || isUntagged || owner.resource === tag.resource || owner.stack === tag.stack) return;
  const whose = owner.stack === undefined ? "the owner tag of another resource" : "the owner tag of another stack";
  return new ImagesError("conflict", `image ${id} carries ${whose}, which may still manage it`, {
    hint: `To take it over all the same, write adopt: { id: ${JSON.stringify(id)}, takeOver: true }; to use it without managing it, read it with Image.get`,
  });
}

/** Whoever adopts it now would take it from a run that is sending its data. */
function unfinished(id: string): ImagesError {
  return new ImagesError("conflict", `image ${id} isn't finished: another resource is making it, or was interrupted`, {
    hint: `Adopt it when that resource has finished it; to take it over as it is, write adopt: { id: ${JSON.stringify(id)}, takeOver: true }`,
  });
}

function isOwn(owner: Ownership, tag: OwnerTag): boolean {
  return owner.resource === tag.resource && !owner.unfinished;
}

async function write<Image>(adapter: ImageAdapter<Image>, image: Image, tag: OwnerTag): Promise<Image> {
  try {
    return await adapter.claim(image, tag);
  } catch (error) {
    if (!(error instanceof ImagesError) || error.code !== "forbidden") throw error;
    const { id } = adapter.factsOf(image);
    throw new ImagesError("forbidden", `image ${id} can't be adopted: this connection may not change it`, {
      hint: "Use a connection of the project that owns it, or read it with Image.get",
      cause: error,
    });
  }
}
