import type { FastifyRequest } from "fastify";
import { badRequest } from "./errors.ts";
import type { Image } from "./state.ts";
import { caller, visible, type World } from "./world.ts";

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 1000;
const EQUAL = ["name", "status", "container_format", "disk_format", "min_ram", "min_disk"] as const;
const SORT_KEYS = ["name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at"];

/**
 * The images that a listing asks for: filtered, sorted, and from after its marker on. There is no link to a next page.
 * @throws HttpError 400 for a parameter that can't be
 */
export function list(world: World, request: FastifyRequest): Image[] {
  const who = caller(world, request);
  const query = request.query as Record<string, string | undefined>;
  const limit = Math.min(integer(query.limit, "limit") ?? DEFAULT_LIMIT, MAX_LIMIT);
  const since = query["changes-since"];
  if (since !== undefined && Number.isNaN(Date.parse(since))) throw badRequest("Unrecognized changes-since value");
  const isProtected = query.protected === undefined ? undefined : bool(query.protected, "protected");

  const tests: ((image: Image) => boolean)[] = [image => visible(image, who)];
  // Only an admin sees images of others, and only when asking for them.
  if (who.admin) {
    const wanted =
      query.is_public === undefined
        ? true
        : query.is_public === "None"
          ? undefined
          : bool(query.is_public, "is_public");
    const own = (image: Image) =>
      image.owner === who.projectId || image.members.some(it => it.member_id === who.projectId);
    if (wanted !== undefined) tests.push(image => image.is_public === wanted || own(image));
  }
  if (since === undefined) tests.push(image => !image.deleted);
  else
    tests.push(
      image => Date.parse(`${image.updated_at}Z`) > Date.parse(/Z|[+-]\d\d:?\d\d$/.test(since) ? since : `${since}Z`),
    );
  if (isProtected !== undefined) tests.push(image => image.protected === isProtected);
  for (const key of EQUAL) {
    const value = query[key];
    if (value === undefined) continue;
    if (key.startsWith("min_")) integer(value, key);
    tests.push(image => String(image[key] ?? "") === value);
  }
  const least = integer(query.size_min, "size_min");
  const most = integer(query.size_max, "size_max");
  if (least !== undefined) tests.push(image => image.size >= least);
  if (most !== undefined) tests.push(image => image.size <= most);
  for (const [key, value] of Object.entries(query)) {
    if (key.startsWith("property-")) tests.push(image => image.properties[key.slice("property-".length)] === value);
  }

  const images = world.state.images.filter(image => tests.every(test => test(image)));
  images.sort(order(query.sort_key ?? "created_at", query.sort_dir ?? "desc"));
  let start = 0;
  if (query.marker !== undefined) {
    start = images.findIndex(image => image.id === query.marker) + 1;
    if (start === 0) throw badRequest(`Invalid marker. Image could not be found.`);
  }
  return images.slice(start, start + limit);
}

/** By the key, then by the time of creation, then by id: so the order is always the same. */
function order(key: string, direction: string): (a: Image, b: Image) => number {
  if (!SORT_KEYS.includes(key)) throw badRequest(`Unsupported sort_key. Acceptable values: ${SORT_KEYS.join(", ")}`);
  if (direction !== "asc" && direction !== "desc")
    throw badRequest("Unsupported sort_dir. Acceptable values: asc, desc");
  const sign = direction === "asc" ? 1 : -1;
  const keys = [key, "created_at", "id"] as (keyof Image)[];
  return (a, b) => {
    for (const name of keys) {
      const [x, y] = [a[name] ?? "", b[name] ?? ""];
      if (x < y) return -sign;
      if (x > y) return sign;
    }
    return 0;
  };
}

function integer(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === "" || !Number.isInteger(value) || value < 0)
    throw badRequest(`${name} param must be a positive integer`);
  return value;
}

function bool(text: string, name: string): boolean {
  if (/^(true|1|on|t|y|yes)$/i.test(text)) return true;
  if (/^(false|0|off|f|n|no)$/i.test(text)) return false;
  throw badRequest(`${name} must be True, or False`);
}
