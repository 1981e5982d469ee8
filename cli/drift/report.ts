import type { Kind } from "../../provider/fields/field.ts";
import type { DriftClass } from "./classify.ts";

/**
 * What `pulumi-images drift` found, as its --json writes it. docs/drift.schema.json is its schema.
 * A later version of this package may add fields; a change of what is here comes with another `version`.
 */
export interface DriftReport {
  version: 1;
  /** The package that wrote it, e.g. "pulumi-images 0.1.0". */
  generator: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  project: string;
  stack: string;
  /** Of all that was found, what counts most; "failed" where the preview didn't come to its end. */
  result: "none" | "pending" | "drift" | "failed";
  summary: Summary;
  /** All resources of this package, the most urgent first, then by connection, image and name. */
  resources: ResourceReport[];
  /** What `up` would do to resources of other packages: how many, by the engine's word for it. They don't count for `result`. */
  others: Record<string, number>;
  /** What went wrong, without secrets. */
  problems: string[];
}

export interface Summary {
  resources: number;
  /** Resources with a drift. */
  drifted: number;
  /** Resources with a change of the program. */
  pending: number;
  /** Resources with a drift of this class; one can have several. */
  security: number;
  availability: number;
  metadata: number;
}

export interface ResourceReport {
  urn: string;
  /** The resource's name in the program. */
  name: string;
  kind: Kind;
  /** Its id on the service; empty where it isn't made yet. */
  id: string;
  service: string;
  /** The connection's name, or the service's where it is its default one. */
  connection: string;
  /** Which image it is about, by the name that people know: an Image's own, a member's, tag's or copy's image's. */
  image: string;
  /** Where the image is that this is about, if not on `connection`: a copy's target. */
  target?: string;
  /** What `up` would do. "forget": it is neither there nor declared any more, so only the state loses it. */
  up: UpAction;
  /** The thing is no longer there. */
  gone: boolean;
  /** What the drift means, the most urgent first; empty where there is none. */
  classes: DriftClass[];
  /** What isn't as this program left it. */
  drift: Change[];
  /** What the program says otherwise than the state. */
  pending: Change[];
  /** Said in words, where values don't tell. */
  notes: string[];
}

export type UpAction = "nothing" | "update" | "replace" | "create" | "create again" | "delete" | "forget";

export interface Change {
  /** Where it is, e.g. ["properties", "os_distro"]. */
  path: string[];
  /** In the state. Without it: wasn't there. A secret is the text "[secret]". */
  old?: unknown;
  /** A drift: on the service, or in the source, now. A pending change: in the program. Without it: isn't there. */
  new?: unknown;
  /** A drift's meaning; a pending change has none. */
  classes: DriftClass[];
  /** A drift's place: the service, or what the image's data or the copy comes from. */
  at?: "service" | "source";
}

export function isDrifted(resource: ResourceReport): boolean {
  return resource.gone || resource.drift.length > 0;
}

/** Whether the program was changed, whatever the services say. */
export function isPending(resource: ResourceReport): boolean {
  return resource.pending.length > 0 || resource.up === "create" || resource.up === "delete";
}
