import type { Kind } from "./fields/field.ts";
import type { ServiceName } from "./services/names.ts";

/**
 * What `pulumi up --refresh` does about a drift:
 * - `repaired`: in place
 * - `replaced`: by a new one
 * - `made again`: it was gone
 * - `reported`: shown, and from then on taken as it is, since nothing is declared of it or nobody but the service could change it
 * - `refused`: an error that says what a person can do, as long as it is so
 */
export type Repair = "repaired" | "replaced" | "made again" | "reported" | "refused";

/** A way in which what is there can come to differ from what a program declares, and what comes of it. */
export interface Drift {
  kind: Kind;
  /** What happened, in a few words. */
  what: string;
  /** The outputs that tell of it; none where the thing is gone. */
  shows: readonly string[];
  /** It isn't seen by a refresh, but whenever a program runs: what the source holds now is worked out then. */
  atCheck?: true;
  /** The services that have it, and what `up` does there. */
  up: Readonly<Partial<Record<ServiceName, Repair>>>;
}

/** Services by what they have in common. */
type Group = Partial<Record<ServiceName, Repair>>;
const glances = (repair: Repair): Group => ({ openstack: repair, ecl: repair, istack: repair, "glance-v1": repair });
const version2 = (repair: Repair): Group => ({ openstack: repair, ecl: repair, istack: repair });
const sharing = (repair: Repair): Group => ({ openstack: repair, ecl: repair });
const withState = (repair: Repair): Group => ({ openstack: repair, istack: repair });
const withTags = (repair: Repair): Group => ({ ...version2(repair), digitalocean: repair });
const withData = (repair: Repair): Group => ({ ...glances(repair), digitalocean: repair });
const v1 = (repair: Repair): Group => ({ "glance-v1": repair });
const ocean = (repair: Repair): Group => ({ digitalocean: repair });
const divvy = (repair: Repair): Group => ({ divvycloud: repair });

const image = (what: string, shows: readonly string[], ...up: Group[]): Drift => ({
  kind: "Image",
  what,
  shows,
  up: Object.assign({}, ...up),
});
const data = (what: string, ...up: Group[]): Drift => ({ ...image(what, ["content"], ...up), atCheck: true });
const expected = (field: string): Drift => image(`${field} changed`, [field], divvy("refused"));
const part = (kind: Kind, what: string, shows: readonly string[], ...up: Group[]): Drift => ({
  ...image(what, shows, ...up),
  kind,
});
const copied = (what: string, ...up: Group[]): Drift => part("ImageCopy", what, ["metadata"], ...up);

/** Every drift that can be seen, in the order of the docs. docs/drift.md's table and the tests in test/engine/drift come from here. */
export const drifts: readonly Drift[] = [
  image("name changed", ["name"], withData("repaired"), divvy("repaired")),
  image("description changed", ["description"], ocean("repaired"), divvy("refused")),
  image("distribution changed", ["distribution"], ocean("repaired")),
  image("minDisk changed", ["minDisk"], glances("repaired"), divvy("refused")),
  image("minRam changed", ["minRam"], glances("repaired"), divvy("refused")),
  image("visibility widened", ["visibility"], version2("repaired")),
  image("visibility narrowed", ["visibility"], version2("repaired")),
  image("made public", ["isPublic"], v1("repaired")),
  image("made private", ["isPublic"], v1("repaired")),
  image("protection taken off", ["protected"], glances("repaired")),
  image("protection put on", ["protected"], glances("repaired")),
  image("hidden", ["hidden"], { openstack: "repaired" }),
  image("tag missing", ["tags"], withTags("repaired")),
  image("tag added", ["tags"], withTags("repaired")),
  image("property changed", ["properties"], glances("repaired")),
  image("property removed", ["properties"], glances("repaired")),
  image("property added, with exclusiveProperties", ["properties"], glances("repaired")),
  image("member added, with members declared", ["members"], sharing("repaired")),
  image("member removed, with members declared", ["members"], sharing("repaired")),
  image("deactivated, with state declared", ["state", "status"], withState("repaired")),
  image("activated, with state declared", ["state", "status"], withState("repaired")),
  image("deactivated, with no state declared", ["state", "status"], withState("reported")),
  image("killed, or in error", ["content", "status"], glances("replaced")),
  image("in another status", ["status"], ocean("reported"), divvy("reported")),
  image("its data lost (queued again)", ["status"], glances("repaired")),
  image("its digest isn't what it was", ["content"], glances("replaced")),
  image("its size isn't what it was", ["content", "size"], glances("replaced")),
  image("its checksum isn't what it was, without a source", ["checksum"], glances("reported")),
  image("diskFormat changed, before it has data", ["diskFormat"], glances("replaced")),
  image("containerFormat changed, before it has data", ["containerFormat"], glances("replaced")),
  image("given to another project", ["owner"], glances("reported")),
  image("given to another project, with owner declared", ["owner"], v1("repaired")),
  image("lost from a store", ["stores"], { openstack: "repaired" }),
  image("lost from a region", ["regions"], ocean("repaired")),
  ...["state", "architecture", "platform", "rootDeviceType", "virtualizationType", "blockDeviceMapping"].map(expected),
  ...["productCode", "productCodeType", "cloudImageId", "cloud", "account", "region"].map(expected),
  expected("organizationServiceId"),
  expected("shared"),
  image("deleted", [], withData("made again"), divvy("made again")),
  image("deleted, and made again under the same name", [], withData("made again"), divvy("made again")),
  image("deleted, after it was adopted by its id", [], withData("refused"), divvy("refused")),
  data("the source's file changed", glances("replaced")),
  data("the digest declared for the source's url changed", withData("replaced")),
  data("the publisher's checksums file changed", withData("replaced")),
  data("the ETag of the source's url changed", withData("replaced")),
  data("the length of what is at the source's url changed", withData("replaced")),

  part("ImageMember", "removed", [], sharing("made again"), v1("made again")),
  part("ImageMember", "rejected", ["status"], sharing("repaired")),
  part("ImageMember", "pending again", ["status"], sharing("repaired")),
  part("ImageMember", "accepted, where that isn't declared so", ["status"], sharing("repaired")),
  part("ImageMember", "may share on", ["canShare"], v1("repaired")),
  part("ImageMember", "may no longer share on", ["canShare"], v1("repaired")),
  part("ImageMember", "given back by its recipient", [], ocean("made again")),

  part("ImageTag", "removed", [], withTags("made again")),

  part("ImageCopy", "deleted", [], withData("made again")),
  copied("name changed", glances("repaired")),
  copied("minDisk or minRam changed", glances("repaired")),
  copied("tag missing", version2("repaired")),
  copied("property changed", glances("repaired")),
  copied("visibility widened", version2("repaired")),
  copied("protection taken off", glances("repaired")),
  part("ImageCopy", "killed, or in error", ["content", "status"], glances("replaced")),
  part("ImageCopy", "its digest isn't what its source's is", ["content", "digest"], glances("replaced")),
  part("ImageCopy", "deactivated", ["status"], withState("reported")),
  part("ImageCopy", "deleted in its tenant", [], { ecl: "made again" }),
  part("ImageCopy", "its job failed or was canceled", ["status"], { ecl: "repaired" }),
  part("ImageCopy", "lost from a store", ["stores"], { openstack: "repaired" }),
  part("ImageCopy", "lost from a region", ["regions"], ocean("repaired")),
  { ...copied("its source's name or properties changed", glances("repaired")), atCheck: true },
  { ...part("ImageCopy", "its source's data changed", ["imageId"], glances("replaced")), atCheck: true },
];

/** The drifts that can be seen on a service. */
export function driftsOf(service: ServiceName): (Drift & { repair: Repair })[] {
  return drifts.flatMap(drift => {
    const repair = drift.up[service];
    return repair === undefined ? [] : [{ ...drift, repair }];
  });
}
