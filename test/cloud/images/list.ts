import type { ImageApi } from "./api.ts";
import { HttpError } from "./errors.ts";
import type { Caller, Image } from "./state.ts";

const SORT_KEYS = [
  "name",
  "status",
  "container_format",
  "disk_format",
  "size",
  "id",
  "created_at",
  "updated_at",
] as const;
type SortKey = (typeof SORT_KEYS)[number];

/** One page of images, and what the client asks for the next one with. */
export interface ImagePage {
  images: Image[];
  first: string;
  next?: string;
}

/**
 * GET /v2/images. Its links lose all but the last of a repeated parameter, as Glance's do.
 * @throws HttpError 400 for what can't be filtered, sorted or paged by
 */
export function listImages(api: ImageApi, caller: Caller, query: URLSearchParams): ImagePage {
  const params = new URLSearchParams(query);
  const { dialect } = api;
  if (dialect.filters !== undefined) {
    const known = new Set(["limit", "marker", ...dialect.filters]);
    for (const key of new Set(params.keys())) if (!known.has(key)) params.delete(key);
  }
  // Of a repeated parameter one is taken, and the rest is a filter for a property of that name.
  const take = (name: string) => {
    const [value, ...rest] = params.getAll(name);
    params.delete(name);
    for (const other of rest) params.append(name, other);
    return value;
  };
  const limit = pageSize(api, take("limit"));
  const marker = take("marker");
  const memberStatus = take("member_status") ?? "accepted";
  if (!["pending", "accepted", "rejected", "all"].includes(memberStatus)) {
    throw new HttpError(400, `Invalid status: ${memberStatus}`);
  }
  const tags = params.getAll("tag").map(tag => tag.trim());
  params.delete("tag");
  const visibility = take("visibility");
  // "all" came with hidden images.
  const scopes: string[] = dialect.hidden ? [...dialect.visibilities, "all"] : dialect.visibilities;
  if (visibility && !scopes.includes(visibility)) {
    throw new HttpError(400, `Invalid visibility value: ${visibility}`);
  }
  // These get as far as the database, and fail there.
  if (visibility === "" || params.has("properties")) throw new HttpError(500);
  params.delete("deleted");
  if (params.get("changes-since")) {
    throw new HttpError(400, 'The "changes-since" filter is no longer available on v2.');
  }
  const sorting = sortingOf(params);
  const filters = Object.fromEntries(params);
  const hidden = (filters.os_hidden ?? "false").toLowerCase();
  mustBeBoolean("os_hidden", hidden);
  if (filters.protected !== undefined) mustBeBoolean("protected", filters.protected);
  // The filters first: most images are sorted out by them, and a look for one image among ten thousand should cost little.
  const tests = [
    ...Object.entries(filters)
      .filter(([key]) => key !== "os_hidden")
      .map(([key, value]) => filterOf(key, value)),
    (image: Image) => image.os_hidden === (hidden === "true"),
    (image: Image) => tags.every(tag => image.tags.includes(tag)),
    inScope(api, caller, visibility, memberStatus),
  ];
  const matching = api.repo
    .all()
    .filter(image => tests.every(test => test(image)))
    .sort((a, b) => compare(a, b, sorting));
  let from = 0;
  if (marker !== undefined) {
    const last = api.repo.state.images[marker];
    if (!last || !api.repo.visible(last, caller)) throw new HttpError(400, `No image found with ID ${marker}`);
    from = matching.findIndex(image => compare(image, last, sorting) > 0);
    if (from < 0) from = matching.length;
  }
  const images = matching.slice(from, from + limit);
  const links = new Map(query);
  links.delete("marker");
  const address = (entries: Iterable<[string, string]>) => {
    const text = new URLSearchParams([...entries]).toString();
    return text ? `/v2/images?${text}` : "/v2/images";
  };
  const last = images.at(-1);
  return {
    images,
    first: address(links),
    ...(last && images.length === limit && { next: address([...links, ["marker", last.id]]) }),
  };
}

function pageSize(api: ImageApi, text: string | undefined): number {
  if (text === undefined) return api.settings.defaultPageSize;
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new HttpError(400, "limit param must be an integer");
  const limit = Number(text);
  if (limit < 0) throw new HttpError(400, "limit param must be positive");
  return Math.min(limit, api.settings.maxPageSize);
}

function mustBeBoolean(name: string, value: string): void {
  if (value === "true" || value === "false") return;
  throw new HttpError(400, `Invalid value '${value}' for '${name}' filter. Valid values are 'true' or 'false'.`);
}

/** What a caller's listing covers: less than what a caller may read by id. */
function inScope(api: ImageApi, caller: Caller, visibility: string | undefined, memberStatus: string) {
  const { repo } = api;
  return (image: Image): boolean => {
    const own = image.owner === caller.projectId;
    const open = image.visibility === "public" || image.visibility === "community";
    if (!caller.isAdmin && !own && !open) {
      const member = repo.sharing.includes(image.visibility) ? repo.membership(image.id, caller.projectId) : undefined;
      if (!member || (memberStatus !== "all" && member.status !== memberStatus)) return false;
    }
    if (visibility === undefined) return own || image.visibility !== "community";
    return visibility === "all" || image.visibility === visibility;
  };
}

const NUMBERS = ["size", "virtual_size", "min_disk", "min_ram"] as const;
type NumberField = (typeof NUMBERS)[number];

/** One filter. What Glance doesn't know is taken for a property's name. */
function filterOf(key: string, value: string): (image: Image) => boolean {
  const range = /^(.+)_(min|max)$/.exec(key);
  if (range) {
    const [, name = "", side] = range;
    if (!/^\s*[+-]?\d+\s*$/.test(value))
      throw new HttpError(400, "Unable to filter on a range with a non-numeric value.");
    if (!NUMBERS.includes(name as NumberField)) throw new HttpError(500);
    const bound = Number(value);
    return image => {
      const actual = image[name as NumberField];
      return actual !== null && (side === "min" ? actual >= bound : actual <= bound);
    };
  }
  switch (key) {
    case "created_at":
    case "updated_at":
      return timeFilter(key, value);
    case "name":
    case "id":
    case "status":
    case "container_format":
    case "disk_format": {
      const [operator, operand] = splitOperator(value);
      if (operator === "eq") return image => image[key] === operand;
      if (operator !== "in") throw new HttpError(400, `Unable to filter by unknown operator '${operator}'.`);
      const values = splitQuoted(operand);
      return image => image[key] !== null && values.includes(image[key] as string);
    }
    case "protected":
      return image => image.protected === (value === "true");
    case "owner":
    case "checksum":
    case "os_hash_value":
    case "os_hash_algo":
      return image => image[key] === value;
    case "size":
    case "virtual_size":
    case "min_disk":
    case "min_ram":
      if (!/^-?\d+$/.test(value)) throw new HttpError(500);
      return image => image[key] === Number(value);
    default:
      return image => image.properties[key] === value;
  }
}

const OPERATORS = ["in", "eq", "neq", "gt", "gte", "lt", "lte"];

/** `gt:5` is an operator and its operand; a text with an unknown one in front is an operand as a whole only for ISO times. */
function splitOperator(text: string): [operator: string, operand: string] {
  const colon = text.indexOf(":");
  if (colon < 0) return ["eq", text];
  const [operator, operand] = [text.slice(0, colon), text.slice(colon + 1)];
  // A bare ISO time has colons and no operator.
  return /^\d{4}-\d{2}-\d{2}T/.test(text) ? ["eq", text] : [operator, operand];
}

/** Splits at commas outside of double quotes. @throws HttpError 400 for a quote that isn't closed */
function splitQuoted(text: string): string[] {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return parts.map(part => {
    if (!part.startsWith('"')) return part;
    if (!part.endsWith('"') || part.length === 1) {
      throw new HttpError(400, `Invalid filter value ${text}. The quote is not closed.`);
    }
    // Glance leaves the backslash before an escaped quote where it is, so that no such name is ever found.
    return part.slice(1, -1);
  });
}

function timeFilter(key: "created_at" | "updated_at", value: string): (image: Image) => boolean {
  const [operator, operand] = splitOperator(value);
  if (!OPERATORS.includes(operator) && !Number.isNaN(Date.parse(operand))) {
    throw new HttpError(400, "Unable to filter on a unknown operator.");
  }
  const threshold = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(operand) ? operand : `${operand}Z`);
  if (Number.isNaN(threshold) || !/^\d{4}-/.test(operand)) {
    throw new HttpError(400, `Bad "${key}" query filter format. Use ISO 8601 DateTime notation.`);
  }
  const tests: Record<string, (time: number) => boolean> = {
    eq: time => time === threshold,
    neq: time => time !== threshold,
    gt: time => time > threshold,
    gte: time => time >= threshold,
    lt: time => time < threshold,
    lte: time => time <= threshold,
  };
  const test = tests[operator];
  if (!test) throw new HttpError(400, `Unable to filter by unknown operator '${operator}'.`);
  return image => test(image[key]);
}

type Sorting = { key: SortKey; ascending: boolean }[];

function sortingOf(params: URLSearchParams): Sorting {
  const checkKey = (key: string): SortKey => {
    const known = SORT_KEYS.find(sortKey => sortKey === key);
    if (!known)
      throw new HttpError(400, `Invalid sort key: ${key}. It must be one of the following: ${SORT_KEYS.join(", ")}.`);
    return known;
  };
  const checkDirection = (direction: string): boolean => {
    if (direction !== "asc" && direction !== "desc") throw new HttpError(400, `Invalid sort direction: ${direction}`);
    return direction === "asc";
  };
  const sort = params.getAll("sort").at(-1);
  const keys = params.getAll("sort_key");
  const directions = params.getAll("sort_dir");
  if (sort !== undefined && (keys.length || directions.length)) {
    throw new HttpError(400, "Old and new sorting syntax cannot be combined");
  }
  for (const name of ["sort", "sort_key", "sort_dir"]) params.delete(name);
  let sorting: Sorting;
  if (sort !== undefined) {
    sorting = sort.split(",").map(part => {
      const [key = "", direction] = part.split(":");
      return { key: checkKey(key.trim()), ascending: checkDirection(direction?.trim() || "desc") };
    });
  } else {
    if (directions.length > 1 && directions.length !== keys.length) {
      throw new HttpError(400, "Number of sort dirs does not match the number of sort keys");
    }
    sorting = (keys.length ? keys : ["created_at"]).map((key, index) => ({
      key: checkKey(key.trim()),
      ascending: checkDirection((directions.length > 1 ? directions[index] : directions[0])?.trim() ?? "desc"),
    }));
  }
  const fallback = sorting.length === 1 ? (sorting[0]?.ascending ?? false) : false;
  for (const key of ["created_at", "id"] as const) {
    if (!sorting.some(entry => entry.key === key)) sorting.push({ key, ascending: fallback });
  }
  return sorting;
}

function compare(a: Image, b: Image, sorting: Sorting): number {
  for (const { key, ascending } of sorting) {
    const order = compareValues(a[key], b[key]);
    if (order) return ascending ? order : -order;
  }
  return 0;
}

function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  // As in PostgreSQL: what is missing comes after all there is.
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
