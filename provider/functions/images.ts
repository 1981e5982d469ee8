import { ImagesError } from "../errors.ts";
import type { Problem } from "../fields/field.ts";
import { flag, text } from "../fields/values.ts";
import type { Services } from "../runtime.ts";
import { sortKeyOf } from "../services/listing.ts";
import type { ImageFacts, ImageService, Values } from "../services/service.ts";
import { check, lookupsOf, serviceFor } from "./services.ts";

/**
 * One image, by its id or by its name.
 * @returns undefined where there is none and `ignoreMissing` is true
 * @throws ImagesError "not-found" where there is none, "conflict" where a name is that of several, with the candidates
 */
export async function getImage(services: Services, args: Values): Promise<ImageFacts | undefined> {
  const fields = {
    id: text({ what: "id", min: 1 }),
    name: text({ what: "name", min: 1 }),
    ignoreMissing: flag("ignoreMissing"),
  };
  const service = serviceFor(services, args, fields, eitherIdOrName);
  const query = args.id === undefined ? { name: String(args.name) } : { id: String(args.id) };
  const image = await findOne(service, query);
  if (image !== undefined || args.ignoreMissing === true) return image;
  throw noSuchImage(service, query);
}

/** Every image that the service's filters let through. See Lookups.filters for what they are. */
export async function getImages(services: Services, args: Values): Promise<ImageFacts[]> {
  const service = services(args);
  const lookups = lookupsOf(service);
  check(lookups.filters(), args);
  const { service: _, connection: __, sort, limit, latest, ...filters } = args;
  if (latest === true) {
    return await lookups.listImages({ filters, sort: [{ field: "createdAt", descending: true }], most: 1 });
  }
  return await lookups.listImages({
    filters,
    sort: ((sort as string[] | undefined) ?? []).map(sortKeyOf),
    ...(limit === undefined ? {} : { most: Number(limit) }),
  });
}

/** The image of an id or a name. @throws ImagesError "conflict" for a name of several */
async function findOne(
  service: ImageService,
  query: { id: string } | { name: string },
): Promise<ImageFacts | undefined> {
  if ("id" in query) return await service.readImage(query.id);
  const found = await service.findImages(query);
  if (found.length > 1) throw severalImages(service, query.name, found);
  return found[0];
}

/** An image by what a person types: an id, else a name. @throws ImagesError "not-found", "conflict" */
export async function imageByIdOrName(service: ImageService, idOrName: string): Promise<ImageFacts> {
  const image = (await findOne(service, { id: idOrName })) ?? (await findOne(service, { name: idOrName }));
  if (image !== undefined) return image;
  throw new ImagesError(
    "not-found",
    `there is no image with the id or the name ${JSON.stringify(idOrName)} on the connection ${service.connection.name}`,
  );
}

export function noSuchImage(service: ImageService, query: { id: string } | { name: string }): ImagesError {
  const which = "id" in query ? `with the id ${query.id}` : `named ${JSON.stringify(query.name)}`;
  return new ImagesError("not-found", `there is no image ${which} on the connection ${service.connection.name}`, {
    hint: "Set ignoreMissing to get undefined instead",
  });
}

function severalImages(service: ImageService, name: string, found: readonly ImageFacts[]): ImagesError {
  const candidates = found.map(({ id, status, createdAt }) => `${id} (${status}, created ${String(createdAt)})`);
  return new ImagesError(
    "conflict",
    `${found.length} images on the connection ${service.connection.name} are named ${JSON.stringify(name)}: ${candidates.join(", ")}`,
    { hint: "Name one by its id, or take the newest with getImages({ name, latest: true })" },
  );
}

function eitherIdOrName({ id, name }: Values): Problem[] {
  if ((id === undefined) !== (name === undefined)) return [];
  return [{ property: "id", reason: "give one of id and name" }];
}
