import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import got from "got";
import { enforce, type ImageApi, mustOwn, policyRefusal, running } from "./api.ts";
import { storeData, storeNamed, unknownStore } from "./data.ts";
import { HttpError } from "./errors.ts";
import { type Caller, type Image, LOCK, type Task, transition } from "./state.ts";

interface ImportRequest {
  method: {
    name: string;
    uri?: string;
    glance_region?: string;
    glance_image_id?: string;
    glance_service_interface?: string;
  };
  stores?: string[];
  all_stores?: boolean;
  all_stores_must_succeed?: boolean;
}

const IMPORTING = "os_glance_importing_to_stores";
const FAILED = "os_glance_failed_import";
/** Glance copies properties with these beginnings from the other region, and no others. */
const COPIED_PROPERTIES = ["hw_", "trait:", "os_distro", "os_secure_boot", "os_type"];
const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const MIB = 1024 * 1024;
/** How long an import that isn't heard of any more keeps others away, in ms; twice that before it begins. */
const LOCK_KEPT = 3600 * 1000;
/** How long a task can be read once it is over, in ms. */
const TASK_KEPT = 48 * 3600 * 1000;

/**
 * POST /v2/images/{id}/import: checks what can be checked, and leaves the rest to a task.
 * @see https://docs.openstack.org/api-ref/image/v2/#interoperable-image-import
 * @throws HttpError 400, 403, 404, 409, 413
 */
export function startImport(
  api: ImageApi,
  caller: Caller,
  id: string,
  body: unknown,
  headers: { store: string | undefined; requestId: string },
): void {
  const request = parse(api, body);
  const { name: method } = request.method;
  enforce(api, "image_size_total", caller.projectId, 0);
  const image = api.repo.get(id, caller);
  checkState(image, method);
  if (method === "glance-download") checkGlanceDownload(request);
  if (method === "copy-image") {
    const byOwner = caller.roles.includes("member") && image.owner === caller.projectId;
    if (!(api.settings.copyImage === "member" ? byOwner : caller.isAdmin)) throw policyRefusal("copy_image");
  } else {
    mustOwn(image, caller, "modify_image");
  }
  breakOldLock(api, image);
  let stores = storesOf(api, request, headers.store);
  if (method === "copy-image") {
    const present = image.locations.map(location => location.store);
    if (request.all_stores) {
      stores = stores.filter(store => !present.includes(store));
      if (!stores.length) return;
    }
    const twice = present.find(store => stores.includes(store));
    if (twice) throw new HttpError(400, `Image is already present at store '${twice}'`);
  }
  if (method === "web-download" && !allowed(api, request.method.uri)) {
    throw new HttpError(400, `URI for web-download does not pass filtering: ${request.method.uri ?? "None"}`);
  }
  const now = api.repo.now();
  const task: Task = {
    id: randomUUID(),
    type: "api_image_import",
    status: "pending",
    owner: caller.projectId,
    user_id: caller.userId,
    image_id: id,
    request_id: headers.requestId,
    input: { image_id: id, import_req: body, backend: stores },
    result: null,
    message: "",
    created_at: now,
    updated_at: now,
    expires_at: null,
  };
  if (!api.repo.lock(id, task.id)) throw new HttpError(409, "Image has active task");
  api.repo.state.tasks[task.id] = task;
  api.repo.changed();
  void running(api, run(api, method === "copy-image" ? { ...caller, isAdmin: true } : caller, task, request, stores));
}

/** @throws HttpError 409 while another import has the image; an old lock is taken away */
function breakOldLock(api: ImageApi, image: Image): void {
  const holder = image.properties[LOCK];
  if (holder === undefined) return;
  const task = api.repo.state.tasks[holder ?? ""];
  const kept = task?.status === "pending" ? 2 * LOCK_KEPT : LOCK_KEPT;
  if (task && api.repo.now() - task.updated_at < kept) throw new HttpError(409, "Image has active task");
  api.repo.unlock(image.id, holder ?? "");
}

function parse(api: ImageApi, body: unknown): ImportRequest {
  // A list is let through to where only objects work.
  if (Array.isArray(body)) throw new HttpError(500);
  const request = (body ?? {}) as Partial<ImportRequest>;
  if (!request.method) throw new HttpError(400, "Import request requires a 'method' field.");
  if (!request.method.name) throw new HttpError(400, "Import request requires a 'name' field.");
  if (!api.dialect.importMethods.includes(request.method.name)) {
    throw new HttpError(400, `Unknown import method name '${request.method.name}'.`);
  }
  for (const key of ["all_stores_must_succeed", "all_stores"] as const) {
    if (key in request && typeof request[key] !== "boolean") {
      throw new HttpError(400, `'${key}' must be boolean value only`);
    }
  }
  return { ...request, method: request.method };
}

function checkState(image: Image, method: string): void {
  const refuse = (message: string) => new HttpError(409, message);
  if (image.status === "active" && method !== "copy-image") {
    throw refuse("Image with status active cannot be target for import");
  }
  if (image.status !== "active" && method === "copy-image") {
    throw refuse("Only images with status active can be targeted for copying");
  }
  if (image.status !== "queued" && (method === "web-download" || method === "glance-download")) {
    throw refuse(`Image needs to be in 'queued' state to use '${method}' method`);
  }
  if (image.status !== "uploading" && method === "glance-direct") {
    throw refuse("Image needs to be staged before 'glance-direct' method can be used");
  }
  if (!image.container_format) throw refuse("'container_format' needs to be set before import");
  if (!image.disk_format) throw refuse("'disk_format' needs to be set before import");
}

function checkGlanceDownload({ method }: ImportRequest): void {
  for (const key of ["glance_region", "glance_image_id"] as const) {
    if (!method[key]) throw new HttpError(400, `'${key}' needs to be set for glance-download import method`);
  }
  if (!UUID.test(method.glance_image_id ?? "")) {
    throw new HttpError(400, `Remote image id does not look like a UUID: ${method.glance_image_id}`);
  }
  method.glance_service_interface ??= "public";
}

function storesOf(api: ImageApi, request: ImportRequest, header: string | undefined): string[] {
  const [otherwise = ""] = api.dialect.stores;
  if (request.all_stores) {
    if (request.stores || header !== undefined) {
      throw new HttpError(400, "All_stores parameter can't be used with x-image-meta-store header or stores parameter");
    }
    return [...api.dialect.stores];
  }
  if (request.stores && header !== undefined) {
    throw new HttpError(400, "Stores parameter and x-image-meta-store header can't be both specified");
  }
  const stores = request.stores ?? [header ?? otherwise];
  for (const store of stores) if (!api.dialect.stores.includes(store)) throw new HttpError(409, unknownStore(store));
  return stores;
}

/** Whether web-download may ask there: by http or https, a host of the list, spelled as in the list. */
function allowed(api: ImageApi, uri: string | undefined): boolean {
  if (uri === undefined || !URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  return (protocol === "http:" || protocol === "https:") && api.settings.downloadHosts.includes(hostname);
}

/** One import, from its lock to the end of its task. Whatever goes wrong ends in the task, with Glance's meagre message. */
async function run(api: ImageApi, caller: Caller, task: Task, request: ImportRequest, stores: string[]): Promise<void> {
  const { repo } = api;
  const { image_id: id } = task;
  const { name: method } = request.method;
  const step = () => wait(api.settings.importDelay, undefined, { signal: api.stopping });
  const setTask = (changes: Partial<Task>) => {
    Object.assign(task, changes, { updated_at: repo.now() });
    if (task.status === "success" || task.status === "failure") task.expires_at = task.updated_at + TASK_KEPT;
    repo.changed();
  };
  /** Changes the image as it is now. */
  const change = (edit: (image: Image) => void) => {
    const image = repo.get(id, caller);
    const before = image.status;
    edit(image);
    repo.save(image, before);
  };
  const finish = (image: Image, store: string, failed: boolean) => {
    editList(image, IMPORTING, [], [store]);
    editList(image, FAILED, failed ? [store] : [], failed ? [] : [store]);
  };

  setTask({ status: "processing" });
  let downloading = false;
  let current: string | undefined;
  let keepLock = false;
  try {
    // For a moment the image is queued still, with the lock on it.
    await wait(2 * api.settings.saveDelay);
    change(image => {
      if (method !== "copy-image") transition(image, "importing");
      editList(image, IMPORTING, stores, []);
      editList(image, FAILED, [], stores);
      delete image.properties.os_glance_stage_host;
    });
    await step();
    if (method === "glance-download") await copyMetadata(api, caller, request, change);
    if (method !== "glance-direct") {
      downloading = true;
      await api.staging.write(id, source(api, caller, request, repo.get(id, caller)), []);
      await step();
    }
    const mustAll = request.all_stores_must_succeed ?? true;
    for (const [index, store] of stores.entries()) {
      current = store;
      const image = repo.get(id, caller);
      const before = image.status;
      const activate = method !== "copy-image" && (!mustAll || index === stores.length - 1);
      let failed = false;
      try {
        await storeData(api, image, store, api.staging.read(id), undefined);
      } catch (error) {
        if (mustAll) throw error;
        failed = true;
      }
      if (activate && !failed && image.status !== "active") transition(image, "active");
      finish(image, store, failed);
      if (image.size) setTask({ message: `Copied ${Math.floor(image.size / MIB)} MiB` });
      repo.save(image, before);
      await step();
    }
    await api.staging.remove(id);
    if (repo.get(id, caller).status !== "active") throw new NoneFinished("None of the uploads finished!");
    setTask({ status: "success", result: { image_id: id } });
  } catch (error) {
    api.log(`import of ${id} failed: ${(error as Error).message}`);
    const noneFinished = error instanceof NoneFinished;
    // Without any store that took the data, the lock is forgotten: only an hour later another import is let in.
    keepLock = noneFinished;
    if (method !== "glance-direct" || noneFinished) await api.staging.remove(id);
    setTask({ status: "failure", message: "Task failed due to Internal Error" });
    const removed: string[] = [];
    try {
      change(image => {
        // Where nothing was downloaded yet, nobody clears the list of stores.
        if (downloading || current !== undefined) for (const store of stores) finish(image, store, true);
        if (method === "copy-image") return;
        if (image.locations.length) {
          removed.push(...image.locations.map(location => location.store));
          image.locations = [];
          image.checksum = null;
          image.os_hash_algo = null;
          image.os_hash_value = null;
          image.size = null;
        }
        // A failed import of staged data stays in `importing` for ever.
        const stays = method === "glance-direct" && !noneFinished;
        if (!stays && image.status === "importing") transition(image, "queued");
      });
      for (const store of removed) await storeNamed(api, store).remove(id);
    } catch (gone) {
      // The image was deleted while its import ran.
      if (!(gone instanceof HttpError)) throw gone;
    }
  } finally {
    if (!keepLock) repo.unlock(id, task.id);
  }
}

/** No store took the data, and the client had said that not all need to. */
class NoneFinished extends Error {}

/** Adds to and takes from a list that is kept as text with commas. */
function editList(image: Image, key: string, add: string[], remove: string[]): void {
  const list = new Set((image.properties[key] ?? "").split(",").filter(Boolean));
  for (const name of add) list.add(name);
  for (const name of remove) list.delete(name);
  image.properties[key] = [...list].sort().join(",");
}

/** The data that a download brings. */
function source(api: ImageApi, caller: Caller, { method }: ImportRequest, image: Image): Readable {
  if (method.name === "copy-image") {
    const [location] = image.locations;
    if (!location) throw new Error("The image has no data.");
    return storeNamed(api, location.store).read(image.id);
  }
  const common = { retry: { limit: 0 }, decompress: false, signal: api.stopping };
  if (method.name === "web-download") return got.stream(method.uri ?? "", common);
  return got.stream(`${remote(api, method)}/file`, {
    ...common,
    headers: { "x-auth-token": caller.token },
    ...(api.ca && { https: { certificateAuthority: api.ca } }),
  });
}

function remote(api: ImageApi, method: ImportRequest["method"]): string {
  const endpoint = api.endpointOf(method.glance_region ?? "");
  if (!endpoint) throw new Error(`There is no region ${method.glance_region}.`);
  return `${endpoint}/v2/images/${method.glance_image_id}`;
}

async function copyMetadata(
  api: ImageApi,
  caller: Caller,
  { method }: ImportRequest,
  change: (edit: (image: Image) => void) => void,
): Promise<void> {
  const document = await got(remote(api, method), {
    headers: { "x-auth-token": caller.token },
    retry: { limit: 0 },
    signal: api.stopping,
    ...(api.ca && { https: { certificateAuthority: api.ca } }),
  }).json<Record<string, string>>();
  if (document.status !== "active")
    throw new Error(`Source image status should be active instead of ${document.status}`);
  change(image => {
    image.disk_format = document.disk_format ?? null;
    image.container_format = document.container_format ?? null;
    for (const [key, value] of Object.entries(document)) {
      if (COPIED_PROPERTIES.some(prefix => key.startsWith(prefix))) image.properties[key] = value;
    }
  });
}
