import assert from "node:assert/strict";
import { classesOf, classesOfLoss, type DriftClass, driftClasses } from "../../../cli/drift/classify.ts";
import { type Drift, driftsOf, type Repair } from "../../../provider/drifts.ts";
import { type Kind, unknownValue } from "../../../provider/fields/field.ts";
import type { ServiceName } from "../../../provider/services/names.ts";
import { type Declared, nameOf, type Run, type Stack, type StateResource } from "../stack.ts";

/** How one drift of provider/drifts.ts is made and has to show. */
export interface Case {
  /** What has to be there before the first up: an image to adopt, a file to fetch. */
  prepare?(): Promise<unknown>;
  /** The resource that drifts, by this name and the last one; and before it what it needs. */
  declared(name: string): Declared[];
  /** Makes the drift, behind Pulumi's back. */
  drift?(found: Found): Promise<unknown>;
  /** What the program declares from then on, where the drift is one of what it reads. */
  changed?(name: string): Declared[];
  /** Old and new value of each output that changes, and of no other; of `metadata` the entries that do. */
  shows?: Shows | ((found: Found) => Shows);
  means: DriftClass[];
  /** What the engine's output has to say, of a drift that a diagnostic goes with, or that up refuses to repair. */
  says?(found: Found): RegExp;
  /** Its repair isn't one write to the image. */
  otherWrites?: true;
  /** What is declared while everything else is repaired, of what up refuses to repair; nothing where it is gone. */
  without?(name: string): Declared[];
  /** Resources that are to change along with it, and how. */
  along?: Record<string, string>;
  /** What has to be so after up has repaired it, where the outputs don't tell. */
  repaired?(found: Found, now: StateResource): Promise<unknown>;
  /** Takes away what a destroy leaves, or can't delete. */
  tidy?(found: Found): Promise<unknown>;
}

type Shows = Record<string, [unknown, unknown]>;

/** What the state knows of a resource before it drifts. */
export interface Found {
  id: string;
  outputs: Record<string, unknown>;
  /** The id of another resource of the stack. */
  idOf(name: string): string;
}

/** Something that happens to a resource and isn't drift. */
export interface Quiet {
  prepare?(): Promise<unknown>;
  declared(name: string): Declared[];
  change(found: Found): Promise<unknown>;
}

export interface Drifting {
  newStack(): Promise<Stack>;
  /** By the drifts' names, see `driftName`. */
  cases(stack: Stack): Record<string, Case>;
  quiet(): Record<string, Quiet>;
  /** What several of them need. */
  others?(): Declared[];
  /** What was written to the service, and through which path, since `forget`. */
  writes: { forget(): void; list(): string[] };
}

export function driftName({ kind, what }: Pick<Drift, "kind" | "what">): string {
  return `${kind} ${what}`;
}

/**
 * All drifts that a service can have, through the real engine: one up makes what drifts, one preview has to show every drift and nothing
 * else, one up repairs them, and one more preview is quiet. A drift of the table without a case is a failed test.
 */
export function describeDrifts(
  service: ServiceName,
  { newStack, cases, quiet, others = () => [], writes }: Drifting,
): void {
  let stack: Stack | undefined;
  let all: Record<string, Case>;
  let silent: Record<string, Quiet>;
  let before: Record<string, Found>;
  let preview: Run;
  let repairs: Run;
  let after: Record<string, StateResource>;
  let last: Run;
  let written: string[];
  let writtenLast: string[];
  const table = driftsOf(service);

  globalThis.before(async () => {
    stack = await newStack();
    [all, silent] = [cases(stack), quiet()];
    for (const { prepare } of [...Object.values(all), ...Object.values(silent)]) await prepare?.();
    const programs = [...Object.entries(all), ...Object.entries(silent)];
    await stack.up([...others(), ...programs.flatMap(([name, { declared }]) => declared(name))]);
    before = foundIn(await stack.state());
    for (const [name, { drift }] of Object.entries(all)) await drift?.(before[name] as Found);
    for (const [name, { change }] of Object.entries(silent)) await change(before[name] as Found);
    const refused = new Set(table.filter(({ repair }) => repair === "refused").map(driftName));
    const declaring = (of: "all" | "repairable") => [
      ...others(),
      ...Object.entries(all).flatMap(([name, { declared, changed, without }]) =>
        of === "repairable" && refused.has(name) ? (without?.(name) ?? []) : (changed ?? declared)(name),
      ),
      ...Object.entries(silent).flatMap(([name, { declared }]) => declared(name)),
    ];
    preview = await stack.preview(declaring("all"), "--refresh");
    writes.forget();
    repairs = await stack.up(declaring("repairable"), "--refresh");
    written = writes.list();
    after = await stack.state();
    // What is quiet here has nothing left to show; what is refused ends it.
    writes.forget();
    last = await stack.tryUp(declaring("all"), "--refresh", "--continue-on-error");
    writtenLast = writes.list();
  });
  globalThis.after(async () => {
    for (const [name, { tidy }] of Object.entries(all ?? {})) if (before?.[name]) await tidy?.(before[name]);
    await stack?.dispose();
  });

  it("has a case for every drift of the table, and no other", () => {
    assert.deepEqual(Object.keys(all).toSorted(), table.map(driftName).toSorted());
  });

  for (const drift of table) {
    const name = driftName(drift);
    it(`${name}: shows, with its old and new value and what it means, and nothing else does`, () => {
      const wanted = all[name] as Case;
      assert.ok(wanted, "there is no case of it");
      const shown = drift.atCheck ? plannedOf(preview, name) : refreshedOf(preview, name);
      if (drift.shows.length === 0) {
        assert.equal(shown, "gone");
        assert.deepEqual(classesOfLoss(drift.kind), wanted.means);
      } else {
        const changes = changesIn(drift.kind, shown);
        assert.deepEqual(changes.values, showsOf(wanted, before[name] as Found));
        for (const field of drift.shows) assert.ok(field in changes.values, `${field} shows`);
        assert.deepEqual(changes.means, wanted.means);
      }
      assert.equal(preview.steps[name], stepOf[drift.repair](drift), preview.text);
      if (drift.repair !== "refused") sayIn(preview, wanted, before[name] as Found);
    });

    it(`${name}: ${outcome[drift.repair]}`, async () => {
      const wanted = all[name] as Case;
      const [found, now] = [before[name] as Found, after[name]];
      if (drift.repair === "refused") {
        assert.equal(last.steps[name], stepOf.refused(drift), last.text);
        sayIn(last, wanted, found);
        return;
      }
      assert.equal(repairs.steps[name], stepOf[drift.repair](drift), repairs.text);
      assert.ok(now, "it is there");
      if (drift.repair === "repaired" && !drift.atCheck) {
        for (const field of Object.keys(showsOf(wanted, found))) {
          assert.deepEqual(sorted(now.outputs[field]), sorted(found.outputs[field]), field);
        }
        const own = written.filter(write => write.includes(String(found.id.split("/")[0])));
        if (!wanted.otherWrites) assert.equal(own.length, 1, `one write, and none else:\n${own.join("\n")}`);
      }
      const same = drift.repair === "repaired" || drift.repair === "reported";
      if (drift.kind === "Image" || drift.repair !== "made again") {
        assert.equal(now.id === found.id, same || sameIdAgain.has(name), `${found.id} is now ${now.id}`);
      }
      await wanted.repaired?.(found, now);
      assert.equal(last.steps[name], "same");
      assert.equal(refreshedOf(last, name), undefined, "nothing is left of it");
    });
  }

  it("shows nothing that isn't drift", () => {
    const expected = new Map(Object.values(all).flatMap(({ along }) => Object.entries(along ?? {})));
    for (const name of Object.keys(preview.steps)) {
      if (name in all) continue;
      assert.equal(preview.steps[name], expected.get(name) ?? "same", name);
      if (!expected.has(name)) assert.equal(refreshedOf(preview, name), undefined, name);
    }
    for (const name of Object.keys(silent ?? {})) assert.equal(preview.steps[name], "same", name);
  });

  it("is quiet after up, but for what up refused", () => {
    const refused = table.filter(({ repair }) => repair === "refused").map(driftName);
    assert.equal(last.code === 0, refused.length === 0, last.text);
    const loud = Object.keys(last.steps).filter(name => last.steps[name] !== "same" || refreshedOf(last, name));
    assert.deepEqual(loud.toSorted(), refused.toSorted(), last.text);
    assert.deepEqual(writtenLast, []);
  });
}

/** Copies and parts whose id says what they are keep it through a replacement. */
const sameIdAgain = new Set<string>();

const outcome: Record<Repair, string> = {
  repaired: "up repairs it in place",
  replaced: "up replaces it",
  "made again": "up makes it again",
  reported: "up takes note of it",
  refused: "up says what can be done",
};

/** What the engine is to do with the resource, after the refresh. */
const stepOf: Record<Repair, (drift: Drift) => string> = {
  repaired: () => "update",
  replaced: () => "replace",
  "made again": () => "create",
  reported: () => "same",
  refused: ({ shows }) => (shows.length === 0 ? "create" : "update"),
};

function showsOf({ shows = {} }: Case, found: Found): Shows {
  return typeof shows === "function" ? shows(found) : shows;
}

function sayIn(run: Run, { says }: Case, found: Found): void {
  if (says !== undefined) assert.match(run.text.replace(/\s+/g, " "), says(found));
}

function foundIn(state: Record<string, StateResource>): Record<string, Found> {
  const idOf = (name: string) => {
    const resource = state[name];
    assert.ok(resource, `the state has no ${name}`);
    return resource.id;
  };
  return Object.fromEntries(Object.entries(state).map(([name, { id, outputs }]) => [name, { id, outputs, idOf }]));
}

type Shown = { old: Record<string, unknown>; new: Record<string, unknown> } | "gone" | undefined;

/** What a refresh says of a resource; undefined where it found nothing. */
export function refreshedOf(run: Run, name: string): Shown {
  const steps = run.events.flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? []);
  const refresh = steps.find(({ op, urn }) => op === "refresh" && nameOf(urn) === name);
  if (refresh?.old === undefined || refresh.old === null) return undefined;
  if (refresh.new === null) return "gone";
  const [old, now] = [refresh.old.outputs, refresh.new.outputs];
  return differing(old, now).length === 0 ? undefined : { old, new: now };
}

/** What the plan says of a resource: its inputs in the state, and the program's. */
function plannedOf(run: Run, name: string): Shown {
  const steps = run.events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const plan = steps.find(({ op, urn }) => ["update", "replace"].includes(op) && nameOf(urn) === name);
  return plan?.old && plan.new ? { old: plan.old.inputs, new: plan.new.inputs } : undefined;
}

function differing(old: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  // How often it was replaced is the provider's own count.
  for (const own of ["__provider", "generation", "source"]) names.delete(own);
  return [...names].filter(name => JSON.stringify(old[name]) !== JSON.stringify(now[name])).sort();
}

/** The fields that differ, and what that means to those who use the image. */
function changesIn(kind: Kind, shown: Shown): { values: Record<string, [unknown, unknown]>; means: DriftClass[] } {
  assert.ok(shown !== undefined && shown !== "gone", "nothing shows");
  // What follows from an image that is still to be made isn't known before it is there.
  const fields = shown.new.imageId === unknownValue ? ["imageId"] : differing(shown.old, shown.new);
  const found = new Set(
    fields.flatMap(field => classesOf({ kind, field, old: shown.old[field], new: shown.new[field] })),
  );
  const values = fields.map(field => [field, pairOf(field, shown.old[field], shown.new[field])]);
  return { values: Object.fromEntries(values), means: driftClasses.filter(each => found.has(each)) };
}

function pairOf(field: string, old: unknown, now: unknown): [unknown, unknown] {
  if (field !== "metadata") return [old, now];
  const [was, is] = [old ?? {}, now ?? {}] as [Record<string, unknown>, Record<string, unknown>];
  const keys = differing(was, is);
  const pick = (of: Record<string, unknown>) => Object.fromEntries(keys.map(key => [key, of[key]]));
  return [pick(was), pick(is)];
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted() : value;
}
