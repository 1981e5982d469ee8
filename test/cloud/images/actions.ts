import { type ImageApi, mustOwn, pause } from "./api.ts";
import { HttpError } from "./errors.ts";
import type { Caller } from "./state.ts";

/**
 * POST /v2/images/{id}/actions/deactivate and /reactivate. What is so already stays so.
 * @throws HttpError 403 in any other state, and for who may not; 404
 */
export async function act(
  api: ImageApi,
  caller: Caller,
  id: string,
  action: "deactivate" | "reactivate",
): Promise<void> {
  const image = api.repo.get(id, caller);
  mustOwn(image, caller, action);
  const [from, to] =
    action === "deactivate" ? (["active", "deactivated"] as const) : (["deactivated", "active"] as const);
  if (image.status === to) return;
  if (image.status !== from) throw new HttpError(403, `Not allowed to ${action} image in status '${image.status}'`);
  image.status = to;
  await pause(api.settings.saveDelay);
  api.repo.save(image, from);
}
