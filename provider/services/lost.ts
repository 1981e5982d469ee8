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

/** An image that somebody deleted meanwhile. */
export function gone(id: string): ImagesError {
  return new ImagesError("not-found", `image ${id} was deleted while it was being worked on`, {
    hint: "Run the command again; with --refresh, so that what happened meanwhile is seen",
  });
}
