import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noise, sha256 } from "../../support/disk.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { type Declared, Stack } from "../stack.ts";
import { type CloudKind, type MatrixCloud, startMatrixCloud } from "./cloud.ts";
import { Gate } from "./gate.ts";
import { Places } from "./places.ts";
import {
  connectionName,
  idFor,
  livesOf,
  type Phase,
  type Slot,
  type Subject,
  type Surroundings,
  subjects,
} from "./subjects.ts";

/** What is done to a resource from one phase to the next. */
const verbs: Record<string, string> = {
  "absent first": "create",
  "first second": "update",
  "second first": "update",
  "second third": "replace",
  "third second": "replace",
  "first absent": "delete",
  "second absent": "delete",
};

/**
 * A stack with every subject in it several times, at different points of its life, and each with a gate of its own before the services. So
 * that one `up` creates, updates, replaces and deletes all kinds of resources on all services; and what is tried on the k-th request of a verb
 * is tried on that of every resource at once.
 */
export class MatrixBench {
  declare stack: Stack;
  declare connections: Record<string, unknown>;
  readonly cloud: MatrixCloud;
  readonly places: Places;
  readonly disks: Record<1 | 2, Buffer>;
  readonly slots: Slot[] = [];
  readonly gates = new Map<Slot, Gate>();
  /** The images that members, tags and copies are of: nobody of Pulumi's made them, and they stay. */
  readonly bases: Slot[] = [];
  /** What accounts have besides, by place. */
  readonly given = new Map<string, Set<string>>();
  /** How many requests the check of a subject makes before each verb. */
  readonly checks = new Map<string, number>();
  /** The run that was killed last. */
  killed: { output: string; provider: number | undefined } | undefined;
  readonly #files: FileServer;
  readonly #dir: string;

  private constructor(parts: Pick<MatrixBench, "cloud" | "places" | "disks"> & { files: FileServer; dir: string }) {
    this.cloud = parts.cloud;
    this.places = parts.places;
    this.disks = parts.disks;
    this.#files = parts.files;
    this.#dir = parts.dir;
  }

  /** With everything in place that is to be there before the first step. */
  static async start(project: string, wanted: readonly Subject[] = subjects): Promise<MatrixBench> {
    const bench = await MatrixBench.prepare(project, wanted);
    await bench.stack.up(bench.declared(), "--parallel", "500");
    for (const gate of bench.gates.values()) gate.clear();
    return bench;
  }

  /** The same, but nothing of the stack's is made yet. */
  static async prepare(
    project: string,
    wanted: readonly Subject[] = subjects,
    kind: CloudKind = "local",
  ): Promise<MatrixBench> {
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-matrix-"));
    const disks = { 1: noise("matrix one", 20_000), 2: noise("matrix two", 30_000) };
    const [files, cloud] = await Promise.all([startFileServer(), startMatrixCloud(kind, join(dir, "cloud"))]);
    for (const disk of [1, 2] as const)
      files.files.set(`/disk-${disk}.raw`, { body: disks[disk], headers: { etag: `"${disk}"` } });
    const places = new Places(cloud, join(dir, "cloud"), disks[1]);
    const bench = new MatrixBench({ cloud, places, disks, files, dir });
    for (const subject of wanted.filter(({ service, others = [] }) => bench.#has(service, ...others))) {
      for (const [role, life] of Object.entries(livesOf(subject, bench.around))) {
        const name = [subject.service, subject.kind, ...(subject.variation ? [subject.variation] : []), role].join(" ");
        bench.slots.push({ name, subject, life, phase: life[0] as Phase, cycle: 0, base: "" });
      }
    }
    const connections: Record<string, unknown> = {};
    for (const slot of bench.slots) {
      const gate = new Gate();
      bench.gates.set(slot, gate);
      connections[connectionName(slot)] = await places.connection(slot.subject.service, "owner", gate);
      for (const other of slot.subject.others ?? []) {
        const [service, account] = other.includes("/") ? other.split("/") : [slot.subject.service, other];
        connections[connectionName(slot, other)] = await places.connection(service as string, account as string, gate);
      }
    }
    bench.connections = connections;
    bench.stack = await Stack.create({ project, config: { "images:connections": connections } });
    for (const disk of [1, 2] as const) await writeFile(join(bench.stack.folder, `disk-${disk}.raw`), disks[disk]);
    // What is there without anybody's doing; the services' own are told from ours by being there before.
    for (const place of ["digitalocean/owner", "digitalocean/recipient", "divvycloud/owner"]) {
      const [service = "", account = ""] = place.split("/");
      if (!cloud.has(service)) continue;
      bench.given.set(place, new Set((await places.list(service, account)).map(({ id }) => id)));
    }
    for (const slot of bench.slots) {
      const { needs } = slot.subject;
      if (needs === "image" || needs === "droplet") slot.base = await places.make(slot.subject);
      if (needs === "image") bench.bases.push(slot);
      if (slot.phase !== "absent") await bench.#begin(slot);
    }
    return bench;
  }

  /** Whether the cloud has what a subject needs. @param places its service, and others as `<account>` or `<service>/<account>` */
  #has(...places: string[]): boolean {
    return places.every((place, n) => {
      const [service = "", account] = place.split("/");
      return (n > 0 && account === undefined) || this.cloud.has(service);
    });
  }

  gateOf(slot: Slot): Gate {
    return this.gates.get(slot) as Gate;
  }

  get around(): Surroundings {
    return {
      url: disk => `${this.#files.url}/disk-${disk}.raw`,
      digest: disk => `sha256:${sha256(this.disks[disk])}`,
      project: (service, account) => this.places.account(service, account).projectId,
      digitaloceanRecipient: this.cloud.services.digitalocean?.accounts.recipient.uuid,
      divvycloudInstance: this.cloud.services.divvycloud?.clouds.OPENSTACK?.instance as string,
    };
  }

  /** What the program declares, by the slots' phases. */
  declared(): Declared[] {
    return this.slots.flatMap(slot => {
      const { subject, phase, name } = slot;
      if (phase === "absent") return [];
      const args = subject.declare(phase, slot, this.around);
      return [
        { kind: subject.kind, name, args: { service: subject.service, connection: connectionName(slot), ...args } },
      ];
    });
  }

  /** Takes slots to their next phase. @returns those for which something is to be done, by what */
  async step(which: (slot: Slot) => boolean = () => true): Promise<Map<Slot, string>> {
    const changing = new Map<Slot, string>();
    for (const slot of this.slots.filter(which)) {
      const next = slot.life[(slot.life.indexOf(slot.phase) + 1) % slot.life.length] as Phase;
      changing.set(slot, verbs[`${slot.phase} ${next}`] as string);
      slot.phase = next;
      if (next === "first" && slot.life.includes("absent")) await this.#begin(slot);
    }
    return changing;
  }

  /** A life begins: with an image of its own, where it needs one. */
  async #begin(slot: Slot): Promise<void> {
    slot.cycle++;
    delete slot.adopts;
    if (!slot.subject.needs?.endsWith("each time")) return;
    slot.base = await this.places.make(slot.subject);
    const { service, kind, needs } = slot.subject;
    // What was given away stays with who got it.
    if (needs === "snapshot each time") this.#give("digitalocean/recipient", slot.base);
    // And what was copied with its owner.
    if (kind === "ImageCopy") this.#give(`${service}/owner`, slot.base);
  }

  /** Does by hand what the errors of a run ask for. @returns the slots that needed it */
  async byHand(errorOf: (slot: Slot) => string): Promise<Slot[]> {
    const concerned = this.slots.filter(slot => slot.subject.byHand?.test(errorOf(slot)));
    for (const slot of concerned) {
      if (slot.subject.kind === "Image") slot.adopts = idFor(slot);
      else await this.places.cancelOffers(slot.base);
    }
    return concerned;
  }

  /** An image that nobody has, and that is meant to stay. */
  leave(place: string, id: string): void {
    this.#give(place, id);
  }

  #give(place: string, id: string): void {
    this.given.set(place, (this.given.get(place) ?? new Set()).add(id));
  }

  async stop(): Promise<void> {
    try {
      await this.stack.dispose();
    } finally {
      await Promise.all([...this.gates.values()].map(gate => gate.stop()));
      await this.#files.stop();
      await this.cloud.stop();
      await rm(this.#dir, { recursive: true, force: true });
    }
  }
}

/** The stack's checkpoint as it lies on disk: what `pulumi stack export` shows. */
export async function checkpointOf(stack: Stack): Promise<Checkpoint> {
  const stacks = join(stack.folder, "state", ".pulumi", "stacks");
  const [project = ""] = await readdir(stacks);
  const file = join(stacks, project, `${stack.name}.json`);
  return (JSON.parse(await readFile(file, "utf8")) as { checkpoint: { latest: Checkpoint } }).checkpoint.latest;
}

export interface Checkpoint {
  resources?: {
    urn: string;
    type: string;
    id: string;
    delete?: boolean;
    initErrors?: string[];
    outputs: Record<string, unknown>;
    inputs: Record<string, unknown>;
  }[];
  pending_operations?: { type: string; resource: { urn: string } }[];
}
