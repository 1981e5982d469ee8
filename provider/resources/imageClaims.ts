import { isDeepStrictEqual } from "node:util";
import { hasUnknown, type Problem } from "../fields/field.ts";
import { type Conflict, claims } from "../reconcile/claims.ts";
import type { Key } from "../services/keys.ts";
import type { ImageService, Job, PartService, Values } from "../services/service.ts";

/**
 * Notes what an Image declares, as far as it is known before the image is: by the id that it asks for or adopts.
 * @returns what another resource of the program declares, too
 */
export async function declaredBefore(service: ImageService, inputs: Values): Promise<Problem[]> {
  const adopted = (inputs.adopt as { id?: string } | undefined)?.id;
  const id = adopted ?? inputs.imageId;
  if (id === undefined || hasUnknown([id, inputs.connection])) return [];
  const property = adopted === undefined ? "imageId" : "adopt.id";
  return (await declareImage(service, String(id), inputs)).map(({ reason }) => ({ property, reason }));
}

/** Notes what an Image declares of the image with this id. @returns what another resource of the program declares, too */
export async function declareImage(service: ImageService, id: string, inputs: Values): Promise<Conflict[]> {
  return claims.add(String(inputs.resource), await keysOf(service, id, inputs));
}

/** Whether an Image that is about to be deleted has to stay, since another resource of the program has the image. */
export async function isOthers(service: ImageService, id: string, job: Job): Promise<boolean> {
  return job.stays(await imageKey(service, id));
}

/** What the Images of this run's program are yet to adopt, by resource. */
const adoptions = new Map<string, Values>();

/**
 * Notes what an Image is to adopt, as it is checked.
 * @param olds its inputs in the state: one that has some is there, and adopts nothing unless it is checked once more, as a replacement
 */
export function noteAdoption({ resource, adopt }: Values, olds: Values): void {
  if (adopt === undefined || Object.keys(olds).length > 0) adoptions.delete(String(resource));
  else adoptions.set(String(resource), adopt as Values);
}

/** Notes that an Image has adopted what it was to: who has it from then on, the claims say. */
export function noteAdopted({ resource }: Values): void {
  adoptions.delete(String(resource));
}

/**
 * Whether an Image that is about to be deleted would be adopted again by what replaces it, which `deleteBeforeReplace` has done afterwards: it
 * would be lost.
 */
export function isAdoptedAgain(id: string, { resource, adopt: before }: Values): boolean {
  const adopt = adoptions.get(String(resource));
  if (adopt?.id === undefined) return adopt !== undefined && isDeepStrictEqual(adopt, before);
  return String(adopt.id).toLowerCase() === id.toLowerCase();
}

/** Stores that an Image no longer declares, without those that another resource does. */
export async function storesToLeave(
  service: ImageService,
  id: string,
  stores: readonly string[],
  job: Job,
): Promise<string[]> {
  const keys = await entries(service.copies, id, stores, store => ({ to: { stores: [store] } }));
  return stores.filter((_store, at) => !job.stays(keys[at] as Key));
}

async function keysOf(service: ImageService, id: string, inputs: Values): Promise<Key[]> {
  const image = await imageKey(service, id);
  const { tags, members, store, regions } = inputs;
  const stores = inputs.stores ?? (store === undefined ? undefined : [store]);
  return [
    image,
    // Of these two it declares the whole list.
    ...(tags === undefined ? [] : [{ ...image, kind: "tag" as const }]),
    ...(members === undefined ? [] : [{ ...image, kind: "member" as const }]),
    ...(await entries(service.tags, id, tags, tag => ({ tag }))),
    ...(await entries(service.members, id, members, member => ({ member }))),
    ...(await entries(service.copies, id, stores, one => ({ to: { stores: [one] } }))),
    ...(await entries(service.copies, id, regions, one => ({ to: { regions: [one] } }))),
  ];
}

async function imageKey(service: ImageService, id: string): Promise<Key> {
  return { kind: "image", cloud: await service.address(), imageId: id };
}

/** The keys of a list's entries: those of the parts that would declare them one by one. */
async function entries(
  part: PartService | undefined,
  imageId: string,
  list: unknown,
  valuesOf: (entry: string) => Values,
): Promise<Key[]> {
  if (part === undefined || !Array.isArray(list) || hasUnknown(list)) return [];
  return (await Promise.all(list.map(entry => part.keysOf({ imageId, ...valuesOf(entry) })))).flat();
}
