import { setTimeout as wait } from "node:timers/promises";
import type { ServiceContext } from "../service.ts";
import type { Store } from "../store.ts";
import { ImportError, importImage } from "./importImage.ts";
import type { DigitalOceanSettings } from "./index.ts";
import { type Action, type Image, newDropletImage, type State, timestamp } from "./state.ts";
import type { World } from "./world.ts";

/**
 * What goes on behind the answers: imports of custom images, and actions. Nothing but the state says what is under way, so that a
 * restart takes up again what a stop interrupted.
 */
export function startWork(
  context: ServiceContext<DigitalOceanSettings>,
  store: Store<State>,
): Pick<World, "beginImport" | "beginAction"> {
  const state = store.data;
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  context.onStop(async () => {
    stop.abort();
    await Promise.all(running);
  });

  function run(task: () => Promise<void>) {
    const done = task()
      .catch(error => {
        if (!stop.signal.aborted) context.log(`digitalocean: ${(error as Error).stack}`);
      })
      .finally(() => running.delete(done));
    running.add(done);
  }
  const pause = () => wait(context.settings.taskTime, undefined, { signal: stop.signal });

  function beginImport(image: Image) {
    run(async () => {
      await pause();
      image.status = "pending";
      store.changed();
      await Promise.all([fetchInto(image), pause()]);
      store.changed();
    });
  }

  async function fetchInto(image: Image) {
    if (!image.source) throw new Error(`image ${image.id} has no source`);
    try {
      const imported = await importImage(image.source.url, context.settings.maxImageBytes, stop.signal);
      await pause();
      image.sha256 = imported.sha256;
      image.size_gigabytes = Math.max(0.01, Math.round(imported.bytes / 1e7) / 100);
      image.min_disk_size = Math.max(1, Math.ceil(imported.virtualBytes / 2 ** 30));
      image.regions = [image.source.region];
      image.status = "available";
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      await pause();
      image.status = "deleted";
      image.error_message = error.message;
    }
  }

  function beginAction(options: Parameters<World["beginAction"]>[0]): Action {
    const action: Action = {
      id: state.nextId++,
      status: "in-progress",
      started_at: timestamp(context.clock()),
      completed_at: null,
      ...options,
    };
    state.actions.push(action);
    store.changed();
    finishLater(action);
    return action;
  }

  function finishLater(action: Action) {
    run(async () => {
      await pause();
      action.status = finish(state, action, context) ? "completed" : "errored";
      action.completed_at = timestamp(context.clock());
      store.changed();
    });
  }

  for (const image of state.images) if (image.status === "NEW" || image.status === "pending") beginImport(image);
  for (const action of state.actions) if (action.status === "in-progress") finishLater(action);
  return { beginImport, beginAction };
}

/** Does what an action is for. Answers false when it can't be done any more. */
function finish(state: State, action: Action, context: ServiceContext<DigitalOceanSettings>): boolean {
  if (action.resource_type === "image") {
    const image = state.images.find(it => it.id === action.resource_id);
    if (!image || image.owner !== action.owner) return false;
    if (action.type === "convert") {
      if (image.type === "backup") image.type = "snapshot";
      return true;
    }
    if (context.settings.failingRegions.includes(action.region_slug)) return false;
    if (!image.regions.includes(action.region_slug)) image.regions.push(action.region_slug);
    return true;
  }
  const droplet = state.droplets.find(it => it.id === action.resource_id);
  if (!droplet) return false;
  if (action.type === "snapshot") {
    const created_at = timestamp(context.clock());
    newDropletImage(state, droplet, {
      type: "snapshot",
      name: action.name ?? `${droplet.name}-${Date.parse(created_at)}`,
      created_at,
    });
  } else if (action.type === "rename" && action.name) {
    droplet.name = action.name;
  } else if (action.type === "power_off" || action.type === "shutdown") {
    droplet.status = "off";
  } else if (action.type === "power_on") {
    droplet.status = "active";
  }
  return true;
}
