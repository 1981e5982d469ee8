import * as v from "valibot";
import { checkSource, type Source } from "../../content/index.ts";
import { commonFields, commonImageFields } from "../../fields/common.ts";
import { type FieldTable, hasUnknown, type Problem } from "../../fields/field.ts";
import { insteadOnGlance } from "../../fields/instead.ts";
import { flag, mapOf, oneOf, text, uuid, whole } from "../../fields/values.ts";
import { openstack } from "../glance/dialect.ts";
import { claimable, claimProblems, exclusiveProperties } from "../glance/fields.ts";
import { isOwnerProperty } from "../glance/ownership.ts";
import { copyFields as copyFieldsV2 } from "../glance/partFields.ts";
import { isToken } from "./attributes.ts";

const service = "glance-v1";
const diskFormats = ["ami", "ari", "aki", "vhd", "vmdk", "raw", "qcow2", "vdi", "iso"] as const;
const containerFormats = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker"] as const;
const amazonFormats = ["ami", "ari", "aki"];

/** The service's front end takes this much in one header line, and four times as much in all of them (eventlet; glance's max_header_line). */
const mostBytesInLine = 16_384;
const mostBytesInAll = 60_000;

/** What a program may declare of an image on the Image API v1. Limits: docs.openstack.org/api-ref/image/v1; glance 11.0.0. */
export function imageFields(): FieldTable {
  return {
    service,
    fields: {
      ...commonImageFields(service),
      name: { schema: headerText("name", { min: 1, max: 255 }), change: "update", reported: true },
      diskFormat: { schema: oneOf("diskFormat", diskFormats), change: "replace", reported: true },
      containerFormat: { schema: oneOf("containerFormat", containerFormats), change: "replace", reported: true },
      minDisk: { schema: whole({ what: "minDisk", unit: "GB" }), change: "update", reported: true },
      minRam: { schema: whole({ what: "minRam", unit: "MB" }), change: "update", reported: true },
      isPublic: { schema: flag("isPublic"), change: "update", reported: true },
      protected: { schema: flag("protected"), change: "update", reported: true },
      owner: { schema: headerText("owner", { min: 1, max: 255 }), change: "update", reported: true },
      properties: { schema: propertiesSchema(), ...claimable },
      exclusiveProperties: exclusiveProperties(),
      location: { schema: locationSchema(), change: "replace" },
      imageId: { schema: uuid("imageId"), change: "replace", same: sameId },
      forceDelete: { schema: flag("forceDelete"), change: "note" },
    },
    instead: {
      ...insteadOnGlance,
      shared: "use isPublic, or ImageMember",
      regions: "the region is part of the connection",
      visibility: "use isPublic: true or false, and ImageMember to share with single projects",
      tags: "the Image API v1 knows no tags; use properties",
      hidden: "the Image API v1 can't hide an image; use isPublic: false",
      state: "the Image API v1 can't deactivate an image",
      store: "its data goes to the service's default store",
      stores: "its data goes to the service's default store",
      copyFrom: 'use source: { url, mode: "import" }',
      members: "use ImageMember",
    },
    rules,
  };
}

/** What a program may declare of a member. */
export function memberFields(): FieldTable {
  return {
    service,
    fields: {
      ...commonFields(service),
      imageId: { schema: uuid("imageId"), change: "replace", required: true, same: sameId },
      member: { schema: text({ what: "member", min: 1, max: 255 }), change: "replace", required: true, same: sameId },
      canShare: { schema: flag("canShare"), change: "update", reported: true },
    },
    instead: {
      accept: "with the Image API v1 a membership counts at once, there is nothing to accept",
      status: "with the Image API v1 a membership counts at once, there is nothing to accept",
      recipientEmail: "members are projects: use member",
      recipientUuid: "members are projects: use member",
      to: "use ImageCopy",
    },
    rules: () => [],
  };
}

/** What a program may declare of a copy: what it may of one whose source has the Image API v2, but for stores. */
export function copyFields(): FieldTable {
  const table = copyFieldsV2({ ...openstack, import: false });
  return { ...table, service, fields: { ...table.fields, ...commonFields(service) } };
}

/** Text that survives the way through a header: those lose the blanks at their ends. */
function headerText(what: string, limits: { min?: number; max?: number } = {}) {
  return v.pipe(
    text({ what, bmpOnly: true, ...limits }),
    v.check(
      value => value.trim() === value,
      () => `${what} must not begin or end with a blank: it travels in a header, which loses it`,
    ),
    v.check(
      value => bytes(value) <= mostBytesInLine - 512,
      issue =>
        `${what} must have at most ${mostBytesInLine - 512} bytes, not ${bytes(issue.input)}: it travels in a header`,
    ),
  );
}

function propertiesSchema() {
  const key = v.pipe(
    text({ what: "a property's name", min: 1, max: 255, bmpOnly: true }),
    v.check(
      name => isToken(name),
      issue => unfitName(issue.input),
    ),
    v.check(
      name => !isOwnerProperty(name),
      issue => `the property ${issue.input} is reserved`,
    ),
  );
  const value = v.pipe(
    headerText("a property's value"),
    v.check(
      text => text !== "",
      () => "a property's value must not be empty: the service takes an empty header for no value",
    ),
  );
  return mapOf("properties", key, value);
}

/** A property's name becomes a header's, which the service writes in its own way: what wouldn't come back as it is isn't sent. */
function unfitName(name: string): string {
  const becomes = name.toLowerCase().replaceAll("-", "_");
  const why = `the property ${JSON.stringify(name)} wouldn't come back as it is: names travel as headers, in lower case and with _ for -`;
  return isToken(becomes) ? `${why}; call it ${becomes}` : `${why}, and hold only a-z, 0-9 and !#$%&'*+.^_\`|~`;
}

function locationSchema() {
  return v.pipe(
    text({ what: "location", min: 1 }),
    v.check(
      value => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
      () => "location must be an http or https url: the service reads no other place from outside",
    ),
    v.check(
      value => !URL.canParse(value) || (new URL(value).username === "" && new URL(value).password === ""),
      () => "location must not hold a password: the service would keep it, and so would the state",
    ),
  );
}

function sameId(actual: unknown, wanted: unknown): boolean {
  return String(actual).toLowerCase() === String(wanted).toLowerCase();
}

function rules(values: Record<string, unknown>): Problem[] {
  const problems: Problem[] = claimProblems(values);
  const add = (property: string, reason: string) => problems.push({ property, reason });
  const { source, adopt, location, diskFormat, containerFormat, imageId, name, properties } = values;
  if (typeof source === "object" && source !== null && !hasUnknown(source)) {
    for (const { path, message } of checkSource(source as Source)) {
      const property = path === "" ? "source" : `source.${path}`;
      add(property, `${property} ${message}`);
    }
  }
  if (source !== undefined && location !== undefined) {
    add("location", "source and location both say where the data is: keep one of them");
  }
  if (adopt !== undefined && location !== undefined) {
    add("location", "location is for a new image: one that is adopted keeps its data where it is");
  }
  if (name === undefined && adopt === undefined) add("name", "a new image needs a name");
  if (adopt !== undefined && imageId !== undefined) {
    add("imageId", "imageId is for a new image; to take over an existing one write adopt: { id }");
  }
  if ((source !== undefined || location !== undefined) && adopt === undefined) {
    for (const [field, value] of Object.entries({ diskFormat, containerFormat })) {
      if (value === undefined) add(field, `an image with data needs ${field}`);
    }
  }
  if (!hasUnknown([diskFormat, containerFormat])) {
    const amazon = [diskFormat, containerFormat].filter(format => amazonFormats.includes(String(format)));
    if (
      amazon.length > 0 &&
      diskFormat !== undefined &&
      containerFormat !== undefined &&
      diskFormat !== containerFormat
    ) {
      add("containerFormat", `diskFormat and containerFormat must be the same where one of them is ${amazon[0]}`);
    }
  }
  if (typeof properties === "object" && properties !== null && !hasUnknown(properties)) {
    const all = Object.entries(properties).reduce(
      (sum, [key, value]) => sum + bytes(key) + bytes(String(value)) + 30,
      0,
    );
    if (all > mostBytesInAll) {
      add(
        "properties",
        `properties must have at most ${mostBytesInAll} bytes in all, not ${all}: they travel in headers`,
      );
    }
  }
  return problems;
}

function bytes(value: string): number {
  return Buffer.byteLength(value, "utf8");
}
