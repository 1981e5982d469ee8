import { setTimeout as wait } from "node:timers/promises";
import type { ServiceContext } from "../service.ts";
import type { Store } from "../store.ts";
import { SNAPSHOT_PENDING } from "./choices.ts";
import type { DivvyCloudSettings } from "./index.ts";
import type { PrivateImage, State } from "./state.ts";

/** What takes its time. */
export interface Jobs {
  /** Removes an image. */
  remove(image: PrivateImage): void;
  /** Makes a pending image available. */
  complete(image: PrivateImage): void;
}

/** The job queue. What waits is marked on the image, so that a restart takes it up again. */
export function startJobs(context: ServiceContext<DivvyCloudSettings>, store: Store<State>): Jobs {
  const { images } = store.data;
  const stop = new AbortController();
  context.onStop(() => stop.abort());

  function later(work: () => void) {
    wait(context.settings.taskTime, undefined, { signal: stop.signal })
      .then(() => {
        work();
        store.changed();
      })
      .catch(error => {
        if (!stop.signal.aborted) context.log(String(error));
      });
  }
  const jobs: Jobs = {
    remove: image =>
      later(() => {
        const index = images.indexOf(image);
        if (index >= 0) images.splice(index, 1);
      }),
    complete: image =>
      later(() => {
        image.state = "available";
      }),
  };
  for (const image of images) {
    if (image.deleting) jobs.remove(image);
    else if (image.state === SNAPSHOT_PENDING) jobs.complete(image);
  }
  return jobs;
}
