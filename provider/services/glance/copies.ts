import { ImagesError } from "../../errors.ts";
import { hasUnknown, type Problem } from "../../fields/field.ts";
import { isCopied } from "../copyAcross.ts";
import type { Key } from "../keys.ts";
import type { Facts, Job, PartService, Values } from "../service.ts";
import { digestOf } from "../storedData.ts";
import { factsOf, storesOf, type WireImage } from "./attributes.ts";
import type { GlanceCloud } from "./cloud.ts";
import type { Discovery } from "./discovery.ts";
import { copyToStores } from "./update.ts";

/** Copies of an image in more stores of its own cloud: the server copies, and the image keeps its id. */
export function copiesInStores(cloud: GlanceCloud, discovery: Discovery): PartService {
  async function bring(imageId: string, values: Values, job: Job): Promise<Facts> {
    const wanted = values.stores as string[];
    const image = await present(cloud, imageId);
    const missing = wanted.filter(store => !storesOf(image).includes(store));
    if (missing.length === 0) return facts(cloud, image, wanted);
    const done = await cloud.writes.run(imageId, async () => {
      try {
        return await copyToStores(cloud, imageId, missing, job);
      } catch (error) {
        throw explained(error, missing);
      }
    });
    return facts(cloud, done, wanted);
  }

  async function keyOf(imageId: unknown, store: string): Promise<Key> {
    return { kind: "store", cloud: await cloud.address(), imageId: String(imageId).toLowerCase(), entry: store };
  }

  async function takeOut(imageId: string, stores: readonly string[], job: Job): Promise<void> {
    const keys = await Promise.all(stores.map(store => keyOf(imageId, store)));
    await cloud.writes.run(imageId, async () => {
      const image = await cloud.client.get(imageId);
      if (image === undefined) return;
      const copies = stores.filter((store, at) => storesOf(image).includes(store) && !job.stays(keys[at] as Key));
      // The data itself is never deleted with its copies.
      const last = copies.length === storesOf(image).length ? copies.pop() : undefined;
      if (last !== undefined) job.warn(`the store ${last} has the only data of image ${imageId}, so it stays there`);
      for (const store of copies) {
        try {
          await cloud.client.deleteFromStore(store, imageId);
        } catch (error) {
          if (!(error instanceof ImagesError) || error.status !== 403) throw error;
          job.warn(
            `the copy of image ${imageId} in the store ${store} stays: this cloud lets only an administrator delete from a store`,
          );
        }
      }
    });
  }

  return {
    async check(values, before) {
      const { stores = [] } = values.to as { stores?: string[] };
      const known = hasUnknown(stores) ? [] : stores;
      const problems: Problem[] = (await discovery.checkStores(known, "to.stores")).concat(
        await discovery.checkCopying(),
      );
      if (!hasUnknown(values.imageId) && !isCopied(values, before)) {
        const image = await cloud.client.get(String(values.imageId));
        const problem = image === undefined ? "there is no such image on this connection" : inactive(image);
        if (problem !== undefined)
          problems.push({ property: "imageId", reason: problem, untilReady: image !== undefined });
      }
      return { problems, inputs: { stores } };
    },

    async keysOf({ imageId, to, stores }) {
      const wanted = (stores ?? (to as { stores?: string[] }).stores ?? []) as string[];
      return await Promise.all(wanted.map(store => keyOf(imageId, store)));
    },

    create: (values, job) => bring(String(values.imageId), values, job),

    async read(id, values) {
      const image = await cloud.reads.read(id, true);
      return image === undefined ? undefined : facts(cloud, image, values.stores as string[] | undefined);
    },

    async update(id, values, _changed, job, before) {
      const done = await bring(id, values, job);
      const wanted = values.stores as string[];
      const dropped = ((before.stores as string[] | undefined) ?? []).filter(store => !wanted.includes(store));
      if (dropped.length > 0) await takeOut(id, dropped, job);
      return done;
    },

    delete: (id, values, job) => takeOut(id, values.stores as string[], job),
  };
}

async function present(cloud: GlanceCloud, imageId: string): Promise<WireImage> {
  const image = await cloud.client.get(imageId);
  if (image === undefined)
    throw new ImagesError("not-found", `there is no image ${imageId} to copy on this connection`);
  const problem = inactive(image);
  if (problem !== undefined) throw new ImagesError("conflict", problem);
  return image;
}

function inactive(image: WireImage): string | undefined {
  return image.status === "active"
    ? undefined
    : `image ${image.id} can't be copied: it is ${image.status}, and has to be active`;
}

function facts(cloud: GlanceCloud, image: WireImage, wanted: readonly string[] | undefined): Facts {
  const now = factsOf(image, cloud.dialect);
  const stores = storesOf(image);
  const there = wanted?.filter(store => stores.includes(store)) ?? stores;
  return {
    id: image.id,
    copyId: image.id,
    status: image.status,
    progress: wanted === undefined || wanted.length === 0 ? 100 : Math.round((there.length / wanted.length) * 100),
    size: image.size,
    digest: digestOf(now),
    stores: there,
  };
}

function explained(error: unknown, stores: readonly string[]): unknown {
  if (!(error instanceof ImagesError) || error.status !== 403) return error;
  return new ImagesError(
    "forbidden",
    `this cloud doesn't let this account copy an image to the store ${stores.join(", ")}`,
    {
      hint: "copy-image is for administrators by default: use an administrator's connection, or have the operator open the policy copy_image",
      cause: error,
    },
  );
}
