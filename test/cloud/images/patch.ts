import { type ImageApi, mustOwn, pause, policyRefusal } from "./api.ts";
import { checkMinimum, checkText } from "./create.ts";
import type { Visibility } from "./dialect.ts";
import { HttpError } from "./errors.ts";
import { addLocation, removeLocation, replaceLocations } from "./locations.ts";
import { mustBeAllowed } from "./protections.ts";
import { checkPropertyCount, checkTagCount } from "./quota.ts";
import { validateImage } from "./schemas.ts";
import type { Caller, Image } from "./state.ts";

/** The media types of a patch: JSON pointer objects as they were in draft 4, and RFC 6902. */
export const PATCH_TYPES: Record<string, 4 | 10> = {
  "application/openstack-images-v2.0-json-patch": 4,
  "application/openstack-images-v2.1-json-patch": 10,
};

interface Change {
  op: "add" | "replace" | "remove";
  path: string[];
  value?: unknown;
  draft: 4 | 10;
}

const OPERATIONS = ["add", "replace", "remove"] as const;
const READ_ONLY = new Set([
  "created_at",
  "updated_at",
  "status",
  "checksum",
  "size",
  "virtual_size",
  "direct_url",
  "self",
  "file",
  "schema",
  "id",
  "os_hash_algo",
  "os_hash_value",
]);
const RESERVED = new Set(["location", "deleted", "deleted_at"]);
/** Which operations take a path of two parts, and one only. */
const LOCATION_DEPTH = { add: 2, remove: 2, replace: 1 };

/** The changes that a PATCH asks for. @throws HttpError 400 or 403 for what can't be one */
export function parseChanges(api: ImageApi, draft: 4 | 10, body: unknown): Change[] {
  if (!Array.isArray(body)) throw new HttpError(400, "Request body must be a JSON array of operation objects.");
  return body.map((raw: unknown) => {
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
      throw new HttpError(400, "Operations must be JSON objects.");
    }
    const change = raw as Record<string, unknown>;
    const op = draft === 10 ? operation(change) : oldOperation(change);
    const pointer = draft === 10 ? change.path : change[op];
    if (draft === 10 && !("path" in change)) throw new HttpError(400, "Unable to find 'path' in JSON Schema change");
    const path = parsePointer(pointer);
    const [root = ""] = path;
    if (path.length !== (root === "locations" ? LOCATION_DEPTH[op] : 1)) {
      throw new HttpError(400, `Invalid JSON pointer for this resource: '/${path.join("/")}'`);
    }
    if (op !== "remove" && !("value" in change)) {
      throw new HttpError(400, `Operation "${op}" requires a member named "value".`);
    }
    if (READ_ONLY.has(root)) throw new HttpError(403, `Attribute '${root}' is read-only.`);
    if (RESERVED.has(root) || root.startsWith("os_glance"))
      throw new HttpError(403, `Attribute '${root}' is reserved.`);
    if (op !== "remove") {
      validateImage(api.dialect, { [root]: path.length === 1 ? change.value : [change.value] });
      checkText({ [root]: change.value });
    }
    return { op, path, value: change.value, draft };
  });
}

function operation(change: Record<string, unknown>): Change["op"] {
  const available = "It must be one of the following: add, remove, replace.";
  if (change.op === undefined) throw new HttpError(400, `Unable to find \`op\` in JSON Schema change. ${available}`);
  const op = OPERATIONS.find(known => known === change.op);
  if (!op) throw new HttpError(400, `Invalid operation: \`${String(change.op)}\`. ${available}`);
  return op;
}

function oldOperation(change: Record<string, unknown>): Change["op"] {
  const found = OPERATIONS.filter(op => op in change);
  const [op] = found;
  const named = 'named "add", "remove", or "replace".';
  if (found.length > 1) throw new HttpError(400, `Operation objects must contain only one member ${named}`);
  if (!op) throw new HttpError(400, `Operation objects must contain exactly one member ${named}`);
  return op;
}

function parsePointer(pointer: unknown): string[] {
  if (typeof pointer !== "string") throw new HttpError(400, "Pointer must be a string.");
  if (!pointer.startsWith("/")) throw new HttpError(400, `Pointer \`${pointer}\` does not start with "/".`);
  if (/\/\s*?\//.test(pointer.slice(1))) throw new HttpError(400, `Pointer \`${pointer}\` contains adjacent "/".`);
  if (pointer.length > 1 && pointer.endsWith("/")) throw new HttpError(400, `Pointer \`${pointer}\` end with "/".`);
  if (/~[^01]/.test(pointer) || pointer.endsWith("~")) {
    throw new HttpError(400, `Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`);
  }
  return pointer
    .replace(/^\/+/, "")
    .split("/")
    .map(part => part.replaceAll("~1", "/").replaceAll("~0", "~").trim());
}

/** PATCH /v2/images/{id}. All changes are made, or none. @throws HttpError 400, 403, 404, 409, 413 */
export async function patchImage(api: ImageApi, caller: Caller, id: string, changes: Change[]): Promise<Image> {
  const image = api.repo.get(id, caller);
  for (const change of changes) {
    if (change.path[0] === "locations") await changeLocations(api, caller, image, change);
    else changeField(api, caller, image, change);
  }
  if (!changes.length) return image;
  checkPropertyCount(api, image.properties);
  await pause(api.settings.saveDelay);
  api.repo.save(image);
  // Who gives an image away by `add` (a `replace` is refused) gets an error, and has given it away all the same.
  if (!api.repo.visible(image, caller)) throw new HttpError(403, `Forbidding request, image ${id} not visible`);
  return image;
}

async function changeLocations(
  api: ImageApi,
  caller: Caller,
  image: Image,
  { op, path, value }: Change,
): Promise<void> {
  if (op === "replace") await replaceLocations(api, caller, image, value);
  else if (op === "add") await addLocation(api, caller, image, path[1] ?? "-", value);
  else await removeLocation(api, caller, image, path[1] ?? "");
}

/** Fields that every image has. */
const BASE = new Set([
  "name",
  "visibility",
  "protected",
  "os_hidden",
  "owner",
  "disk_format",
  "container_format",
  "min_disk",
  "min_ram",
  "tags",
]);

function changeField(api: ImageApi, caller: Caller, image: Image, { op, path, value, draft }: Change): void {
  const name = path[0] ?? "";
  const isBase = BASE.has(name) && (name !== "os_hidden" || api.dialect.hidden);
  if (op === "replace" && name === "owner" && !caller.isAdmin) {
    throw new HttpError(403, { detail: "Owner can't be updated by non admin." });
  }
  if (name === "visibility" && op !== "remove" && value === "public" && !caller.isAdmin)
    throw policyRefusal("publicize_image");
  mustOwn(image, caller, "modify_image");
  const exists = isBase || name in image.properties;
  if (op === "remove") {
    if (isBase) throw new HttpError(403, { detail: `Property ${name} may not be removed.` });
    if (!exists) throw new HttpError(409, { detail: `Property ${name} does not exist.` });
    mustBeAllowed(api.settings.propertyProtections, name, "delete", caller);
    delete image.properties[name];
    return;
  }
  if (op === "add" && exists && draft === 4) throw new HttpError(409, { detail: `Property ${name} already present.` });
  if (op === "replace" && !exists && !api.dialect.settableFields.includes(name)) {
    throw new HttpError(409, { detail: `Property ${name} does not exist.` });
  }
  if (isBase) {
    setBase(api, image, name, value);
    return;
  }
  mustBeAllowed(api.settings.propertyProtections, name, exists ? "update" : "create", caller);
  image.properties[name] = value as string | null;
}

function setBase(api: ImageApi, image: Image, name: string, value: unknown): void {
  switch (name) {
    case "disk_format":
    case "container_format":
      if (image.status !== "queued" && image.status !== "importing") {
        throw new HttpError(403, `Attribute ${name} can be only replaced for a queued image.`);
      }
      image[name] = value as string | null;
      break;
    case "min_disk":
    case "min_ram":
      image[name] = checkMinimum(name, value as number);
      break;
    case "tags":
      image.tags = [...new Set(value as string[])];
      checkTagCount(api, image.tags);
      break;
    case "owner":
      image.owner = value as string | null;
      break;
    case "visibility":
      image.visibility = value as Visibility;
      break;
    case "protected":
    case "os_hidden":
      image[name] = value as boolean;
      break;
    default:
      image.name = value as string | null;
  }
}
