import { ImagesError } from "../errors.ts";

/** The service went away while it was being sent data: what became of that can't be known, nor be cleaned up now. */
export class ServiceLost extends ImagesError {
  constructor(upload: unknown, lost: unknown) {
    const [first, then] = [upload, lost].map(error => (error instanceof Error ? error.message : String(error)));
    super("unavailable", `the upload broke off: ${first}; and then: ${then}`, { cause: lost });
  }
}

/**
 * Runs a look at the service after an upload to it failed.
 * @throws ServiceLost when it can't be asked either
 */
export async function afterBroken<T>(upload: unknown, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (lost) {
    if (lost instanceof ImagesError && lost.code === "unavailable") throw new ServiceLost(upload, lost);
    throw lost;
  }
}

/** How what an earlier run left is gone on with. */
export interface HowOn {
  /** Another run that is met on the way is followed once. */
  again: boolean;
  /** The state has the image's id, which can't change: it doesn't make room for a new one. */
  known: boolean;
}

/** An image in the state that an earlier run had begun was no use any more, and is removed: an update can't give a resource another id. */
export function removedForNew(id: string): ImagesError {
  return new ImagesError("conflict", `image ${id}, which an earlier run began, couldn't be finished, and was removed`, {
    hint: "Run pulumi up again: it makes a new one",
  });
}
