import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { ImageChange, ImageFacts, Job } from "../service.ts";
import { factsOf } from "./attributes.ts";
import type { DivvyCloud } from "./cloud.ts";
import { demandExpected } from "./expectations.ts";

/** Renames an image in place; everything else that differs is an error, before anything is written. */
export async function update(
  cloud: DivvyCloud,
  id: string,
  { actual, wanted }: ImageChange,
  job: Job,
): Promise<ImageFacts> {
  demandExpected(actual, wanted);
  const name = wanted.name as string | undefined;
  if (name === undefined || name === actual.name) return await present(cloud, id);
  return await rename(cloud, id, name, job);
}

/** Renames, and waits until DivvyCloud shows the new name. */
export async function rename(cloud: DivvyCloud, id: string, name: string, job: Job): Promise<ImageFacts> {
  try {
    await cloud.client.rename(id, name);
  } catch (error) {
    throw error instanceof ImagesError && error.status === 404 ? gone(id) : error;
  }
  return await waitFor(
    async () => {
      const facts = await present(cloud, id);
      return facts.name === name ? facts : undefined;
    },
    () => `image ${id} to show its new name ${JSON.stringify(name)}`,
    job,
  );
}

export async function present(cloud: DivvyCloud, id: string): Promise<ImageFacts> {
  const facts = factsOf(await cloud.client.detail(id));
  if (facts === undefined) throw gone(id);
  return facts;
}

function gone(id: string): ImagesError {
  return new ImagesError("not-found", `image ${id} was deleted while it was being worked on`, {
    hint: "Run the command again; with --refresh, so that what happened meanwhile is seen",
  });
}
