import type { Entry, Run } from "./engine.ts";
import type { Kind } from "./provider.ts";
import type { ModelService, TrueImage, Truth } from "./services/service.ts";
import { called, imageOf, partOfEntry, type Stack, short, stackTagOf, tagOf } from "./world.ts";

/** An invariant that broke. */
export class Broken extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** Invariants that aren't looked at: for code that is known to break them, so that others show. */
export const ignored = new Set<string>();

export function broken(invariant: string, message: string): void {
  if (!ignored.has(invariant)) throw new Broken(invariant, message);
}

/** Whose each image is: the resource that made it, or adopted it last. It knows nothing of what the provider writes. */
export type Owners = Map<string, Set<number>>;

/** What a run is judged by. */
export interface Case {
  stack: Stack;
  /** All stacks, this one included. */
  stacks: Stack[];
  service: ModelService;
  /** The id of the project that the stack works in. */
  account: string;
  /** The stack's resources before the run. */
  known: Entry[];
  owners: Owners;
  before: Truth;
  after: Truth;
  run: Run;
  /** The preview that came before it, where there was one. */
  preview?: Run | undefined;
  killed: boolean;
  /** Nothing befell it. */
  calm: boolean;
}

/** The replacements of a resource that a life comes to. */
const mostGenerations = 12;

const tagsOf = (urn: string) => Array.from({ length: mostGenerations }, (_, generation) => tagOf(urn, generation));

const ownTag = (urn: string, inputs: Record<string, unknown>) => tagOf(urn, Number(inputs.generation ?? 0));

/** A replacement that a lost state knew of may have made it. */
const isOwnOrLater = ({ ownerTag }: TrueImage, urn: string, inputs: Record<string, unknown>) =>
  tagsOf(urn)
    .slice(Number(inputs.generation ?? 0))
    .includes(ownerTag ?? "");

const describe = ({ id, name, account }: TrueImage) => `image ${id} (${name}, of ${account.slice(0, 6)})`;

/** Sees whether a run took, changed, shared or forgot something that it shouldn't have. @throws Broken */
export function judge(it: Case): void {
  nothingLost(it);
  nothingChanged(it);
  noPartLost(it);
  nothingShared(it);
  deletedIsGone(it);
  droppedIsGone(it);
  leftAloneIsNamed(it);
  nothingLeftBehind(it);
  if (it.calm) createsWork(it);
  if (it.calm) errorsAreExpected(it);
}

/** What a person has to see to, as the program, the state or somebody outside has it. */
const expected = [
  ...[
    /is protected, and would be/,
    /is an alias of another resource/,
    /adopt/,
    /declares? /,
    /that isn't seen from there/,
  ],
  ...[/there (is|are) (no|\d+) images?/, /no longer there/, /carries the owner tag/, /not authorized|forbidden|403/i],
  ...[
    /is gone|isn't there|no such image|no image found|not (be )?found/i,
    /needn't be shared with/,
    /doesn't let this account copy/,
    /only its owner may share it/,
    // An adoption by its name doesn't bring the data of an image that its resource has unfinished.
    /can't be copied: it is queued/,
    /can't have members/,
    /isn't what the declared source gives/,
    /has been deleted|was deleted/,
  ],
];

/** A run that nothing befell fails for a reason that one of the life's steps gave. */
function errorsAreExpected({ run, preview }: Case): void {
  for (const [urn, error] of [...run.failed, ...(preview?.failed ?? [])])
    if (!expected.some(pattern => pattern.test(error))) broken("an error out of nothing", `${short(urn)}: ${error}`);
}

/** Where nothing befell a run, an Image that has all that it needs is made, and one is found by its name. */
function createsWork({ run, before, account }: Case): void {
  const creates = run.begun.filter(({ what, kind }) => what === "create" && kind === "Image");
  for (const { urn, inputs } of creates) {
    const error = run.failed.get(urn);
    if (error !== undefined && inputs.adopt === undefined) broken("a create fails", `${short(urn)}: ${error}`);
  }
  for (const [urn, error] of run.failed) {
    const name = nameNotFound(error);
    const named = [...before.values()].filter(image => image.name === name && image.account === account);
    // One of that name that is made at the same time may be met, or not.
    const alone = !creates.some(other => other.urn !== urn);
    if (alone && named.length === 1) broken("an image isn't found by its name", `${short(urn)}: ${error}`);
  }
}

/** The name of an error that says that no image, or more than one, has it. */
function nameNotFound(error: string): string | undefined {
  return /there (?:are \d+ images|is no image) named "(.*?)"/.exec(error)?.[1];
}

/** No finished image disappears unless the resource that owns it was to be deleted. */
function nothingLost({ before, after, run, owners, account }: Case): void {
  for (const image of before.values()) {
    if (after.has(image.id)) continue;
    const deletes = run.begun.filter(({ what, entry }) => what === "delete" && entry && imageOf(entry) === image.id);
    // That somebody took its tag away is no reason to keep it.
    const isFree = image.ownerTag === undefined;
    if (deletes.some(({ entry }) => entry && (isFree || owners.get(image.id)?.has(entry.uid)))) continue;
    if (image.finished) {
      const by = deletes.length > 0 ? `${deletes.map(({ urn }) => short(urn))} no longer owned it` : "nobody asked";
      broken("a finished image disappears", `${describe(image)} is gone, and ${by}`);
    }
    const own = run.begun.some(({ urn }) => tagsOf(urn).includes(image.ownerTag ?? "")) && image.account === account;
    if (!own && deletes.length === 0)
      broken("somebody else's unfinished image disappears", `${describe(image)} is gone`);
  }
}

/** Nothing is written to an image but by what manages it, or a part of it. */
function nothingChanged({ before, after, run, account }: Case): void {
  for (const image of before.values()) {
    const now = after.get(image.id);
    // The service itself ends an import that is under way.
    if (now === undefined || now.whole === image.whole || image.busy) continue;
    const concerned = run.begun.some(
      ({ entry, inputs }) =>
        (entry && imageOf(entry) === image.id) || inputs.imageId === image.id || adopts(inputs, image),
    );
    const made = run.created.some(({ entry }) => imageOf(entry) === image.id);
    const resumed = !image.finished && run.begun.some(({ urn }) => tagsOf(urn).includes(image.ownerTag ?? ""));
    if (image.account === account && (concerned || made || resumed)) continue;
    const what = image.account === account ? "an image that isn't its own" : "another project's image";
    broken(`${what} is changed`, `${describe(image)}: ${image.whole} is now ${now.whole}`);
  }
}

function adopts(inputs: Record<string, unknown>, image: TrueImage): boolean {
  const adopt = inputs.adopt as { id?: string; name?: string } | undefined;
  return adopt !== undefined && (adopt.id === image.id || adopt.name === image.name);
}

const partsOf = ({ tags, members, places }: TrueImage): [Kind, string][] => [
  ...tags.map(tag => ["ImageTag", tag] as [Kind, string]),
  ...members.map(member => ["ImageMember", member] as [Kind, string]),
  ...places.map(place => ["ImageCopy", place] as [Kind, string]),
];

export const partKey = (kind: Kind, part: string, image: string) => `${kind} ${part} of ${image}`;

const hasPart = (truth: Truth, key: string) => {
  const image = truth.get(key.split(" of ").at(-1) ?? "");
  return image !== undefined && partsOf(image).some(([kind, part]) => partKey(kind, part, image.id) === key);
};

/** A tag, a member or a copy goes only with its resource, and not if another resource of the stack has the same. */
function noPartLost({ before, after, run, stack, service }: Case): void {
  for (const image of before.values()) {
    const now = after.get(image.id);
    if (now === undefined) continue;
    for (const [kind, part] of partsOf(image)) {
      const key = partKey(kind, part, image.id);
      if (hasPart(after, key)) continue;
      const deletes = run.begun.filter(
        ({ what, entry }) => what === "delete" && entry && partOfEntry(entry, service) === key,
      );
      const others = stack.state
        .all()
        .filter(entry => partOfEntry(entry, service) === key && !deletes.some(other => other.entry === entry));
      if (deletes.length > 0 && others.length === 0) continue;
      const why = others.length > 0 ? `${others.map(({ urn }) => short(urn)).join(", ")} has it still` : "nobody asked";
      broken("a part disappears", `${key} is gone, and ${why}`);
    }
  }
}

/** What is created is new; what is adopted is the project's own, and was given up by whoever had it. */
function nothingShared({ stack, stacks, before, after, run, account, killed }: Case): void {
  for (const { entry, inputs } of run.created) {
    const id = imageOf(entry);
    if (id === undefined || entry.kind !== "Image") continue;
    const others = stacks
      .flatMap(other => other.state.all().map(found => ({ other, found })))
      .filter(({ found }) => found.uid !== entry.uid && imageOf(found) === id && !found.inputs.adopt);
    // What another stack's create left unfinished under the same urn can't be told from this one's own.
    const rivals = others.filter(({ other, found }) => other === stack || !found.unfinished);
    const was = before.get(id);
    const now = after.get(id);
    if (now !== undefined && now.account !== account)
      broken("another project's image is read as ours", `${short(entry.urn)} has ${describe(now)}`);
    const adopt = inputs.adopt as { takeOver?: boolean } | undefined;
    if (adopt === undefined) {
      if (rivals.length > 0) {
        const [{ other, found }] = rivals as [{ other: Stack; found: Entry }];
        broken(
          "two resources have one image",
          `${short(entry.urn)} and ${short(found.urn)} of ${called(other)} have image ${id}`,
        );
      }
      if (was?.finished)
        broken("a create takes a finished image", `${short(entry.urn)} has ${describe(was)}, which was there before`);
    } else {
      const foreign = was?.ownerTag !== undefined && was.stackTag !== undefined && was.stackTag !== stackTagOf(stack);
      if (foreign && adopt.takeOver !== true)
        broken("adopted without takeOver", `${short(entry.urn)} has ${describe(was)}, which is another stack's`);
      const rival = run.created.find(
        other => other.entry !== entry && imageOf(other.entry) === id && other.inputs.adopt !== undefined,
      );
      if (rival !== undefined)
        broken("two resources adopt one image", `${short(entry.urn)} and ${short(rival.entry.urn)} adopt image ${id}`);
      else if (!entry.unfinished && !killed && now !== undefined && now.ownerTag !== ownTag(entry.urn, inputs))
        broken(
          "adopted without its owner tag",
          `${describe(now)} has the owner tag ${now.ownerTag}, and ${short(entry.urn)} would write ${ownTag(entry.urn, inputs)}`,
        );
    }
    if (now === undefined && !entry.unfinished)
      broken("what was created isn't there", `${short(entry.urn)} has image ${id}`);
  }
}

/** What left the state as deleted is gone, or was left to its new owner, and named. */
function deletedIsGone({ run, before, after, owners, service, account, stack }: Case): void {
  const named = run.warnings.map(({ text }) => text).join("\n");
  for (const entry of run.deleted) {
    const id = imageOf(entry);
    const left = id === undefined ? undefined : after.get(id);
    if (left !== undefined) {
      if (left.account !== account)
        broken("not seen counts as gone", `${short(entry.urn)} is deleted, and ${describe(left)} is there`);
      else if (!named.includes(left.id))
        broken("left alone without a word", `${short(entry.urn)} is deleted, and ${describe(left)} is there`);
      else if (owners.get(left.id)?.has(entry.uid) && owners.get(left.id)?.size === 1 && left.finished)
        broken("not deleted", `${short(entry.urn)} owned ${describe(left)}, which is there: ${named}`);
    }
    const key = partOfEntry(entry, service);
    if (key === undefined || id !== undefined || !hasPart(after, key) || !hasPart(before, key)) continue;
    const others = stack.state.all().filter(other => partOfEntry(other, service) === key);
    if (after.get(String(entry.inputs.imageId))?.account !== account)
      broken("not seen counts as gone", `${short(entry.urn)} is deleted, and ${key} is there`);
    else if (
      others.length === 0 &&
      !named.includes(String(entry.inputs.imageId)) &&
      !run.warnings.some(({ urn }) => urn === entry.urn)
    )
      broken("left alone without a word", `${short(entry.urn)} is deleted, and ${key} is there`);
  }
}

/** What a refresh took out of the state isn't there. */
function droppedIsGone({ run, after, service }: Case): void {
  for (const entry of run.dropped) {
    const id = imageOf(entry);
    const image = id === undefined ? undefined : after.get(id);
    if (image !== undefined)
      broken("not seen counts as gone", `a refresh forgets ${short(entry.urn)}, and ${describe(image)} is there`);
    const key = partOfEntry(entry, service);
    const again = run.created.some(created => partOfEntry(created.entry, service) === key);
    if (key !== undefined && !again && hasPart(after, key))
      broken("not seen counts as gone", `a refresh forgets ${short(entry.urn)}, and ${key} is there`);
  }
}

/** A finished image under the tag of what is created is named, at preview too. */
function leftAloneIsNamed({ run, preview, before, account, known, service }: Case): void {
  for (const { entry, inputs } of run.created) {
    if (entry.kind !== "Image" || inputs.adopt !== undefined) continue;
    for (const image of before.values()) {
      if (!image.finished || image.account !== account || !isOwnOrLater(image, entry.urn, inputs)) continue;
      if (image.id === entry.id || known.some(other => imageOf(other) === image.id)) continue;
      if (service.name === "divvycloud" && !isLookedInto(image, entry, inputs)) continue;
      for (const [when, warnings] of [
        ["up", run.warnings],
        ["preview", preview?.warnings],
      ] as const) {
        if (warnings === undefined || warnings.some(({ text }) => text.includes(image.id))) continue;
        // A preview writes nothing, so it can't learn that a cloud forbids the properties.
        const tagged = when === "preview" && image.whole.includes(`pulumi_images_resource=${image.ownerTag}`);
        broken(
          tagged ? "left alone without a word at preview; by its image tags" : "left alone without a word",
          `${short(entry.urn)} is created beside ${describe(image)}, which has its tag, and ${when} doesn't say so`,
        );
      }
    }
  }
}

const regionOf = (id: string) => id.split(":").slice(0, 3).join(":");

/** DivvyCloud's notes are asked for image by image, so only images of the declared name and region are: docs/reliability.md. */
function isLookedInto(image: TrueImage, { id }: Entry, { name }: Record<string, unknown>): boolean {
  return image.name === name && regionOf(image.id) === regionOf(id);
}

/** What a run began is in the state, unless it is unfinished and the next run's to find, or it was killed. */
function nothingLeftBehind({ before, after, stacks, run, killed, account, service }: Case): void {
  const known = new Set(stacks.flatMap(stack => stack.state.all().map(imageOf)));
  for (const image of after.values()) {
    if (before.has(image.id) || known.has(image.id) || killed || !image.finished) continue;
    broken("a finished image is in no state", `${describe(image)} was made, and isn't known`);
  }
  if (run.failed.size > 0 || run.cut) return;
  for (const { entry, inputs } of run.created) {
    if (entry.kind !== "Image" || inputs.adopt !== undefined) continue;
    const own = after.get(entry.id);
    if (own !== undefined && !own.finished)
      broken("created, but not finished", `${short(entry.urn)} has ${describe(own)}: ${own.whole}`);
    for (const image of after.values()) {
      if (image.finished || image.account !== account || known.has(image.id)) continue;
      if (service.name === "divvycloud" && regionOf(image.id) !== regionOf(entry.id)) continue;
      if (image.ownerTag === ownTag(entry.urn, inputs))
        broken("unfinished work is left", `${describe(image)} of ${short(entry.urn)} is there: ${image.whole}`);
    }
  }
}
