import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudProcess } from "../../cloud/process.ts";
import { noise, sha256 } from "../../support/disk.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { type Declared, Stack } from "../stack.ts";
import { Gate } from "./gate.ts";
import { Places } from "./places.ts";
import { connectionName, type Phase, type Slot, type Subject, type Surroundings, subjects } from "./subjects.ts";

/** What a run does: creates, updates and replacements; or deletions (the engine does them when all else is done). */
export type Part = "make" | "remove";

const following: Record<Part, Record<Phase, Phase>> = {
  make: { absent: "first", first: "second", second: "third", third: "third" },
  remove: { absent: "absent", first: "first", second: "second", third: "absent" },
};

export const verbs: Record<string, string> = {
  "absent first": "create",
  "first second": "update",
  "second third": "replace",
  "third absent": "delete",
};

/**
 * A stack with every subject in it three times, each at another point of its life, and each with a gate of its own before the services. So
 * that one `up` creates, updates and replaces, another one deletes, all kinds on all services; and what is tried on a verb's k-th request is
 * tried on that of every resource at once.
 */
export class MatrixBench {
  readonly stack: Stack;
  readonly cloud: CloudProcess;
  readonly places: Places;
  readonly slots: Slot[];
  readonly gates: Map<Slot, Gate>;
  readonly disks: Record<1 | 2, Buffer>;
  /** The images that members, tags and copies are of: nobody of Pulumi's made them, and they stay. */
  readonly bases: Slot[] = [];
  readonly #files: FileServer;
  readonly #dir: string;

  /** What accounts have from the beginning, by place. */
  readonly given = new Map<string, Set<string>>();
  /** How many requests the check of a subject makes before each verb. */
  readonly checks = new Map<string, number>();
  /** The run that was killed last. */
  killed: { output: string; provider: number | undefined } | undefined;

  private constructor(
    parts: Pick<MatrixBench, "stack" | "cloud" | "places" | "slots" | "gates" | "disks">,
    files: FileServer,
    dir: string,
  ) {
    this.stack = parts.stack;
    this.cloud = parts.cloud;
    this.places = parts.places;
    this.slots = parts.slots;
    this.gates = parts.gates;
    this.disks = parts.disks;
    this.#files = files;
    this.#dir = dir;
  }

  static async start(project: string, wanted: readonly Subject[] = subjects): Promise<MatrixBench> {
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-matrix-"));
    const disks = { 1: noise("matrix one", 20_000), 2: noise("matrix two", 30_000) };
    const [files, cloud] = await Promise.all([
      startFileServer(),
      CloudProcess.start({
        dir: join(dir, "cloud"),
        settings: {
          openstack: { importDelay: 5 },
          ecl: { copyStep: 5 },
          digitalocean: { taskTime: 5, requestsPerHour: 1e9, requestsPerMinute: 1e9 },
          divvycloud: { taskTime: 5 },
        },
      }),
    ]);
    for (const disk of [1, 2] as const)
      files.files.set(`/disk-${disk}.raw`, { body: disks[disk], headers: { etag: `"${disk}"` } });
    const places = new Places(cloud, join(dir, "cloud"), disks[1]);
    const slots = wanted.flatMap(subject =>
      ["a", "b", "c"].map(letter => ({
        name: [subject.service, subject.kind, ...(subject.variation ? [subject.variation] : []), letter].join(" "),
        ...{ subject, cycle: 0, phase: "absent" as Phase, base: "" },
      })),
    );
    const gates = new Map<Slot, Gate>();
    const connections: Record<string, unknown> = {};
    for (const slot of slots) {
      const gate = new Gate();
      gates.set(slot, gate);
      connections[connectionName(slot)] = await places.connection(slot.subject.service, "owner", gate);
      for (const other of slot.subject.others ?? []) {
        const [service, account] = other.includes("/") ? other.split("/") : [slot.subject.service, other];
        connections[connectionName(slot, other)] = await places.connection(service as string, account as string, gate);
      }
    }
    const stack = await Stack.create({ project, config: { "images:connections": connections } });
    for (const disk of [1, 2] as const) await writeFile(join(stack.folder, `disk-${disk}.raw`), disks[disk]);
    const bench = new MatrixBench({ stack, cloud, places, slots, gates, disks }, files, dir);
    for (const slot of slots) {
      if (slot.subject.needs !== "image" && slot.subject.needs !== "droplet") continue;
      slot.base = await places.make(slot.subject);
      if (slot.subject.needs === "image") bench.bases.push(slot);
    }
    const bases = new Set(bench.bases.map(({ base }) => base));
    for (const place of ["digitalocean/owner", "digitalocean/recipient", "divvycloud/owner"]) {
      const [service = "", account = ""] = place.split("/");
      const there = (await places.list(service, account)).map(({ id }) => id);
      bench.given.set(place, new Set(there.filter(id => !bases.has(id))));
    }
    // The first of each three is made by the first run that something is done to; the others are there already.
    await bench.step("make", slot => !slot.name.endsWith(" a"));
    await stack.up(bench.declared(), "--parallel", "500");
    await bench.step("make", slot => slot.name.endsWith(" c"));
    await stack.up(bench.declared(), "--parallel", "500");
    for (const gate of gates.values()) gate.clear();
    return bench;
  }

  gateOf(slot: Slot): Gate {
    return this.gates.get(slot) as Gate;
  }

  get around(): Surroundings {
    return {
      url: disk => `${this.#files.url}/disk-${disk}.raw`,
      digest: disk => `sha256:${sha256(this.disks[disk])}`,
      project: (service, account) => this.places.account(service, account).projectId,
      digitaloceanRecipient: this.cloud.services.digitalocean.accounts.recipient.uuid,
      divvycloudInstance: this.cloud.services.divvycloud.clouds.OPENSTACK?.instance as string,
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
  async step(part: Part, which: (slot: Slot) => boolean = () => true): Promise<Map<Slot, string>> {
    const changing = new Map<Slot, string>();
    for (const slot of this.slots.filter(which)) {
      const next = following[part][slot.phase];
      if (next === slot.phase) continue;
      const before = this.#text(slot);
      const verb = verbs[`${slot.phase} ${next}`] as string;
      slot.phase = next;
      if (next === "first") {
        slot.cycle++;
        if (slot.subject.needs?.endsWith("each time")) slot.base = await this.places.make(slot.subject);
      }
      if (verb === "create" || verb === "delete" || this.#text(slot) !== before) changing.set(slot, verb);
    }
    return changing;
  }

  #text(slot: Slot): string {
    return slot.phase === "absent" ? "" : JSON.stringify(slot.subject.declare(slot.phase, slot, this.around));
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
export async function checkpointOf(stack: Stack, project: string): Promise<Checkpoint> {
  const file = join(stack.folder, "state", ".pulumi", "stacks", project, `${stack.name}.json`);
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
