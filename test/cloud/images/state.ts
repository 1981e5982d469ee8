import type { Store } from "../store.ts";
import type { Visibility } from "./dialect.ts";
import { HttpError, StateConflict } from "./errors.ts";
import { allowed, type PropertyProtection } from "./protections.ts";

export type Status =
  | "queued"
  | "saving"
  | "active"
  | "killed"
  | "uploading"
  | "importing"
  | "pending_delete"
  | "deleted"
  | "deactivated";

/** Where an image's data lies. */
export interface Location {
  store: string;
  url: string;
}

/** An image as it is kept. The names are the wire's. */
export interface Image {
  id: string;
  name: string | null;
  status: Status;
  visibility: Visibility;
  protected: boolean;
  os_hidden: boolean;
  owner: string | null;
  disk_format: string | null;
  container_format: string | null;
  /** GB */
  min_disk: number;
  /** MB */
  min_ram: number;
  /** Bytes. */
  size: number | null;
  virtual_size: number | null;
  checksum: string | null;
  os_hash_algo: string | null;
  os_hash_value: string | null;
  /** Milliseconds since 1970, with a fraction that tells apart what was made in the same one. */
  created_at: number;
  updated_at: number;
  tags: string[];
  properties: Record<string, string | null>;
  locations: Location[];
}

/** A project that an image is shared with. */
export interface Member {
  image_id: string;
  member_id: string;
  status: "pending" | "accepted" | "rejected";
  created_at: number;
  updated_at: number;
}

/** Work that an import left to the server. */
export interface Task {
  id: string;
  type: string;
  status: "pending" | "processing" | "success" | "failure";
  owner: string;
  user_id: string;
  image_id: string;
  request_id: string;
  input: Record<string, unknown>;
  result: Record<string, unknown> | null;
  message: string;
  created_at: number;
  updated_at: number;
  expires_at: number | null;
}

/** All that one Image API keeps beside the data. */
export interface ImageState {
  images: Record<string, Image>;
  /** Ids that were used once: they never come back. */
  deleted: Record<string, true>;
  members: Member[];
  tasks: Record<string, Task>;
}

export const emptyState = (): ImageState => ({ images: {}, deleted: {}, members: [], tasks: {} });

/** Who asks. */
export interface Caller {
  userId: string;
  projectId: string;
  roles: string[];
  isAdmin: boolean;
  token: string;
}

/** The one property that a save leaves as it is: the lock of an import. */
export const LOCK = "os_glance_import_task";

/**
 * The images of one endpoint. Reading gives a copy, saving writes all of it back, as Glance does: whatever was
 * saved in between is lost.
 */
export class ImageRepo {
  readonly #store: Store<ImageState>;
  readonly #clock: () => Date;
  /** All images of the state: going through a document's ten thousand keys takes ten times as long, at each listing. */
  readonly #images: Map<string, Image>;
  #last = 0;

  /** Which images can have members, by their visibility. */
  readonly sharing: readonly Visibility[];
  readonly #protections: () => readonly PropertyProtection[];

  constructor(
    store: Store<ImageState>,
    clock: () => Date,
    sharing: readonly Visibility[],
    protections: () => readonly PropertyProtection[],
  ) {
    this.sharing = sharing;
    this.#protections = protections;
    this.#store = store;
    this.#clock = clock;
    this.#images = new Map(Object.entries(store.data.images));
    store.changed();
  }

  get state(): ImageState {
    return this.#store.data;
  }

  changed(): void {
    this.#store.changed();
  }

  /** The time, later than any that was told before. */
  now(): number {
    this.#last = Math.max(this.#clock().getTime(), this.#last + 0.001);
    return this.#last;
  }

  /** All images that are there, not to be changed. */
  all(): Image[] {
    return [...this.#images.values()];
  }

  membership(imageId: string, projectId: string): Member | undefined {
    return this.state.members.find(member => member.image_id === imageId && member.member_id === projectId);
  }

  /** Whether somebody may know of an image. */
  visible(image: Image, caller: Caller): boolean {
    if (caller.isAdmin || image.owner === null || image.owner === caller.projectId) return true;
    if (image.visibility === "public" || image.visibility === "community") return true;
    return this.sharing.includes(image.visibility) && this.membership(image.id, caller.projectId) !== undefined;
  }

  /** A copy of an image. @throws HttpError 404 when there is none that the caller may see */
  get(id: string, caller: Caller): Image {
    const image = this.state.images[id];
    if (!image || !this.visible(image, caller)) throw new HttpError(404, `No image found with ID ${id}`);
    return this.seenBy(caller, image);
  }

  /**
   * A copy of an image without the properties that the caller may not read. As in Glance, it is this copy that the
   * caller's changes are saved with: whoever changes an image removes what that caller may not read.
   */
  seenBy(caller: Caller, image: Image): Image {
    const copy = structuredClone(image);
    const protections = this.#protections();
    for (const name of Object.keys(copy.properties)) {
      if (!allowed(protections, name, "read", caller)) delete copy.properties[name];
    }
    return copy;
  }

  /** @throws HttpError 409 when the id is used, or was */
  add(image: Image): void {
    const { images, deleted } = this.state;
    if (images[image.id] || deleted[image.id]) throw new HttpError(409, `Image ID ${image.id} already exists!`);
    this.#keep(structuredClone(image));
  }

  /**
   * Writes all of an image back.
   * @param from the state that it must still be in
   * @throws HttpError 404 when it was deleted meanwhile, StateConflict when it is in another state
   */
  save(image: Image, from?: Status): void {
    const current = this.state.images[image.id];
    if (!current) throw new HttpError(404, `No image found with ID ${image.id}`);
    if (from && current.status !== from) {
      throw new StateConflict(
        `cannot transition from ${current.status} to ${image.status} in update (wanted from_state=${from})`,
      );
    }
    image.updated_at = this.now();
    const saved = structuredClone(image);
    const { [LOCK]: lock } = current.properties;
    delete saved.properties[LOCK];
    if (lock !== undefined) saved.properties[LOCK] = lock;
    this.#keep(saved);
  }

  #keep(image: Image): void {
    this.state.images[image.id] = image;
    this.#images.set(image.id, image);
    this.changed();
  }

  /** Takes the lock of an import. @returns whether it was free */
  lock(id: string, task: string): boolean {
    const current = this.state.images[id];
    if (!current || current.properties[LOCK] !== undefined) return false;
    current.properties[LOCK] = task;
    this.changed();
    return true;
  }

  unlock(id: string, task: string): void {
    const current = this.state.images[id];
    if (current?.properties[LOCK] === task) delete current.properties[LOCK];
    this.changed();
  }

  remove(id: string): void {
    delete this.state.images[id];
    this.#images.delete(id);
    this.state.deleted[id] = true;
    this.state.members = this.state.members.filter(member => member.image_id !== id);
    this.changed();
  }
}

/** Which state may follow which. */
const TARGETS: Record<Status, Status[]> = {
  queued: ["saving", "uploading", "importing", "active"],
  saving: ["active", "killed", "queued"],
  uploading: ["importing", "queued"],
  importing: ["active", "queued"],
  active: ["pending_delete", "deactivated"],
  killed: [],
  pending_delete: ["active"],
  deleted: [],
  deactivated: ["active"],
};

/**
 * Moves an image (a copy, to be saved) to another state.
 * @throws HttpError 409 when there is no way from its state to that one, 400 when its formats are needed and missing
 */
export function transition(image: Image, status: Status): void {
  if (!TARGETS[image.status].includes(status)) {
    throw new HttpError(409, `Image status transition from ${image.status} to ${status} is not allowed`);
  }
  if (
    (image.status === "queued" || image.status === "uploading") &&
    ["saving", "active", "importing"].includes(status)
  ) {
    const missing = (["disk_format", "container_format"] as const).filter(name => !image[name]);
    if (missing.length) {
      const noun = missing.length === 1 ? "Property" : "Properties";
      throw new HttpError(400, `${noun} ${missing.join(", ")} must be set prior to saving data.`);
    }
  }
  if (status === "queued") {
    image.size = null;
    image.virtual_size = null;
  }
  image.status = status;
}
