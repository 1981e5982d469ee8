import * as v from "valibot";
import { checkSource, type Source } from "../../content/index.ts";
import { adoptSchema, commonFields, commonImageFields } from "../../fields/common.ts";
import { type Field, type FieldTable, hasUnknown, type Problem } from "../../fields/field.ts";
import { insteadOnDigitalOcean } from "../../fields/instead.ts";
import { oneOf, record, setOf, shown, text, uuid } from "../../fields/values.ts";
import { sameSet, sameTag, sameTags } from "./attributes.ts";
import { isOwnTag, ownPrefix } from "./ownership.ts";

const service = "digitalocean";

/** What DigitalOcean knows; any other is stored as `Unknown`, so that it would differ from what is declared for ever. */
export const distributions = [
  "Arch Linux",
  "CentOS",
  "CoreOS",
  "Debian",
  "Fedora",
  "Fedora Atomic",
  "FreeBSD",
  "Gentoo",
  "openSUSE",
  "RancherOS",
  "Rocky Linux",
  "Ubuntu",
  "Unknown",
] as const;

/** What a program may declare of an image on DigitalOcean. Limits: the vendor's OpenAPI description of images and tags. */
export function imageFields(): FieldTable {
  const fields: Record<string, Field> = {
    ...commonImageFields(service),
    adopt: { schema: adoptSchema(number("adopt.id")), change: "none" },
    name: {
      schema: text({ what: "name", min: 1, max: 255, pattern: /\S/, form: "more than blanks" }),
      change: "update",
      reported: true,
    },
    distribution: { schema: oneOf("distribution", distributions), change: "update", reported: true },
    description: { schema: description(), change: "update", reported: true },
    tags: { schema: setOf("tags", tag("a tag")), change: "update", reported: true, same: sameTags },
    // DigitalOcean itself may bring an image to more regions, and takes it out of none.
    regions: { schema: regions("regions"), change: "update", reported: true, part: true, same: sameSet },
    dropletId: { schema: number("dropletId"), change: "replace", same: sameId },
    backupId: { schema: number("backupId"), change: "replace", same: sameId },
  };
  return { service, fields, instead: insteadOfImage, rules: imageRules };
}

/** What a program may declare of the transfer of a snapshot to another account. */
export function memberFields(): FieldTable {
  return {
    service,
    fields: {
      ...commonFields(service),
      imageId: imageId(),
      recipientEmail: { schema: email("recipientEmail"), change: "replace", same: sameText },
      recipientUuid: { schema: uuid("recipientUuid"), change: "replace", same: sameText },
      accept: {
        schema: record("accept", { connection: text({ what: "a connection's name", min: 1, max: 255 }) }),
        change: "note",
      },
      // What check adds where `accept` is declared: an offer that wasn't accepted is then drift.
      status: { schema: oneOf("status", ["accepted"]), change: "update", by: "check", reported: true },
    },
    instead: {
      member: "an image is transferred to an account: use recipientEmail or recipientUuid",
      canShare: "a transferred image belongs to its recipient, who may do anything with it",
      to: "use ImageCopy",
    },
    rules({ recipientEmail, recipientUuid, accept }) {
      const problems: Problem[] = [];
      if ((recipientEmail === undefined) === (recipientUuid === undefined)) {
        problems.push({ property: "recipientEmail", reason: "give one of recipientEmail and recipientUuid" });
      } else if (accept !== undefined && recipientUuid === undefined) {
        problems.push({ property: "accept", reason: "DigitalOcean accepts for a uuid only: use recipientUuid" });
      }
      return problems;
    },
  };
}

/** What a program may declare of one tag of an image. */
export function tagFields(): FieldTable {
  return {
    service,
    fields: {
      ...commonFields(service),
      imageId: imageId(),
      tag: { schema: tag("tag"), change: "replace", required: true, reported: true, same: sameTag },
    },
    instead: { tags: "an ImageTag is one tag: use tag, or Image.tags for all of an image's", name: "use tag" },
    rules: () => [],
  };
}

/** What a program may declare of copies in other regions. */
export function copyFields(): FieldTable {
  return {
    service,
    fields: {
      ...commonFields(service),
      imageId: imageId(),
      // What check takes from it, `regions`, is what is compared.
      to: { schema: target(), change: "none", required: true },
      regions: {
        schema: regions("to.regions"),
        change: "update",
        by: "check",
        reported: true,
        part: true,
        same: sameSet,
      },
    },
    instead: {
      regions: "use to: { regions }",
      forceDelete: "DigitalOcean has no protection of images that could be taken off",
      source: "the source is the image: use imageId",
      region: "use to: { regions }",
    },
    rules: () => [],
  };
}

function imageId(): Field {
  return { schema: number("imageId"), change: "replace", required: true, same: sameId };
}

/** An id: digits as text, since they may be more than a JavaScript number holds, or a number. */
function number(what: string) {
  return v.custom<string | number>(
    value =>
      typeof value === "string" ? /^[1-9]\d*$/.test(value) : Number.isSafeInteger(value) && (value as number) > 0,
    issue => `${what} must be a number of DigitalOcean's, such as "7555620", not ${shown(issue.input)}`,
  );
}

/** Free text; unlike a name it may have several lines. */
function description() {
  return v.pipe(
    v.string(issue => `description must be text, not ${shown(issue.input)}`),
    v.check(value => value.isWellFormed(), "description must be well-formed text, not with half of a character"),
    v.check(value => !value.includes("\0"), "description must not hold a NUL character"),
  );
}

function tag(what: string) {
  return v.pipe(
    text({
      what,
      min: 1,
      max: 255,
      pattern: /^[a-zA-Z0-9_\-:]+$/,
      form: "of letters, digits, colons, dashes and underscores",
    }),
    v.check(
      value => !isOwnTag(value),
      `${what} must not begin with ${ownPrefix}: by such tags this provider knows its images`,
    ),
  );
}

function regions(what: string) {
  const region = text({ what: "a region", pattern: /^[a-z]{3}[0-9]+$/, form: "a region's slug such as nyc3" });
  return setOf(what, region, { min: 1 });
}

function email(what: string) {
  return text({ what, max: 320, pattern: /^[^\s@]+@[^\s@]+$/, form: "an e-mail address" });
}

function target() {
  const elsewhere = "an image goes to more regions, to: { regions }, or as a whole to another account, by ImageMember";
  return v.pipe(
    v.looseObject({}, `to must be { regions }`),
    v.check(to => !("connection" in to) && !("stores" in to), elsewhere),
    record("to", { regions: regions("to.regions") }),
  );
}

function sameId(actual: unknown, wanted: unknown): boolean {
  return String(actual) === String(wanted);
}

function sameText(actual: unknown, wanted: unknown): boolean {
  return String(actual).toLowerCase() === String(wanted).toLowerCase();
}

const insteadOfImage: Record<string, string> = {
  ...insteadOnDigitalOcean,
  diskFormat: "DigitalOcean finds out the format itself: leave it out",
  containerFormat: "DigitalOcean finds out the format itself: leave it out",
  minDisk: "DigitalOcean works it out from the image: it is an output",
  minRam: "DigitalOcean has none: leave it out",
  visibility: "an image of yours is private; give it to another account with ImageMember",
  isPublic: "an image of yours is private; give it to another account with ImageMember",
  members: "use ImageMember",
  protected: "use Pulumi's resource option protect",
  forceDelete: "DigitalOcean has no protection of images that could be taken off",
  hidden: "DigitalOcean can't hide an image",
  state: "DigitalOcean can't deactivate an image",
  properties: "DigitalOcean has none: use tags or description",
  exclusiveProperties: "DigitalOcean has none: use tags or description",
  region: "use regions; the first one is where the image is imported",
  store: "use regions",
  stores: "use regions",
  owner: "an image belongs to the account of its connection",
  imageId: "DigitalOcean chooses the id; to take over an image write adopt: { id }",
  copyFrom: "use source: { url }",
  location: "use source: { url }",
  url: "use source: { url }",
  purgeProperties: "DigitalOcean has no properties",
  instanceId: "use dropletId",
};

function imageRules(values: Record<string, unknown>): Problem[] {
  const { source, dropletId, backupId, adopt, regions, name, tags } = values;
  const problems: Problem[] = [];
  const add = (property: string, reason: string) => problems.push({ property, reason });
  const origins = Object.entries({ source, dropletId, backupId, adopt }).filter(([, value]) => value !== undefined);
  const [origin] = origins;
  if (origin === undefined) {
    add("source", "a new image needs source: { url }, dropletId or backupId; adopt takes over one that is there");
  }
  for (const [property] of origins.slice(1)) {
    add(property, `an image comes from one place: keep ${origin?.[0]} or ${property}, and take the other out`);
  }
  if (source !== undefined) problems.push(...sourceProblems(source));
  if (source !== undefined && regions === undefined)
    add("regions", "an import needs regions; the first one is where it goes");
  if (name === undefined && adopt === undefined && backupId === undefined) add("name", "a new image needs a name");
  for (const property of ["distribution", "description"]) {
    if (values[property] !== undefined && (dropletId !== undefined || backupId !== undefined))
      add(property, `only an image that was imported from a url has a ${property} that can be set: leave it out`);
  }
  if (Array.isArray(tags) && !hasUnknown(tags)) {
    for (const [index, one] of tags.entries()) {
      const earlier = tags.slice(0, index).find(other => sameTag(other, one) && other !== one);
      if (earlier !== undefined) add(`tags[${index}]`, `tags holds ${earlier} and ${one}, which are one tag`);
    }
  }
  return problems;
}

/** DigitalOcean fetches a url itself, and takes no upload. */
function sourceProblems(source: unknown): Problem[] {
  if (typeof source !== "object" || source === null || hasUnknown(source)) return [];
  const { file, mode, headers, decompress } = source as Record<string, unknown>;
  const own: Record<string, string | undefined> = {
    file:
      file === undefined
        ? undefined
        : "DigitalOcean takes no upload: put the file where it can be fetched from the internet, and give its url",
    mode: mode === "stream" ? 'DigitalOcean fetches the url itself: leave mode out, or set it to "import"' : undefined,
    headers: headers === undefined ? undefined : "DigitalOcean fetches the url itself, and sends no headers of yours",
    decompress:
      decompress === undefined || decompress === "none"
        ? undefined
        : "DigitalOcean unpacks gzip and bzip2 itself, and no other: leave it out",
  };
  const found = Object.entries(own).flatMap(([path, reason]) =>
    reason === undefined ? [] : [{ property: `source.${path}`, reason }],
  );
  if (found.length > 0) return found;
  return checkSource(source as Source).map(({ path, message }) => {
    const property = path === "" ? "source" : `source.${path}`;
    return { property, reason: `${property} ${message}` };
  });
}
