import * as v from "valibot";
import { checkSource, type Source } from "../../content/index.ts";
import { commonImageFields } from "../../fields/common.ts";
import { type Field, type FieldTable, hasUnknown, type Problem, unknownValue } from "../../fields/field.ts";
import { insteadOnGlance } from "../../fields/instead.ts";
import { flag, mapOf, oneOf, setOf, text, uuid, whole } from "../../fields/values.ts";
import { fieldOf, isReserved, sameValue } from "./attributes.ts";
import type { Dialect } from "./dialect.ts";
import { isOwnerImageTag } from "./ownership.ts";
import { isServers } from "./serverProperties.ts";

/** What a program may declare of an image on a cloud of this dialect. Limits: docs.openstack.org/api-ref/image/v2 and its schemas. */
export function imageFields(dialect: Dialect): FieldTable {
  const fields: Record<string, Field> = {
    ...commonImageFields(dialect.service),
    name: { schema: text({ what: "name", min: 1, max: 255, bmpOnly: true }), change: "update", reported: true },
    // Which formats there are is the operator's choice; those that aren't usual are asked of the cloud (see service.ts).
    diskFormat: {
      schema: dialect.import ? text({ what: "diskFormat", min: 1 }) : oneOf("diskFormat", dialect.diskFormats),
      change: "replace",
      reported: true,
    },
    containerFormat: { schema: oneOf("containerFormat", dialect.containerFormats), change: "replace", reported: true },
    minDisk: { schema: whole({ what: "minDisk", unit: "GB" }), change: "update", reported: true },
    minRam: { schema: whole({ what: "minRam", unit: "MB" }), change: "update", reported: true },
    visibility: { schema: oneOf("visibility", dialect.visibilities), change: "update", reported: true },
    protected: { schema: flag("protected"), change: "update", reported: true },
    tags: {
      schema: setOf("tags", tagText("a tag")),
      change: "update",
      reported: true,
      same: sameValue,
    },
    properties: { schema: propertiesSchema(dialect), ...claimable },
    exclusiveProperties: exclusiveProperties(),
    imageId: { schema: uuid("imageId"), change: "replace", same: sameId },
    forceDelete: { schema: flag("forceDelete"), change: "note" },
  };
  if (dialect.sharing.length > 0) fields.members = membersField();
  if (dialect.hidden) fields.hidden = { schema: flag("hidden"), change: "update", reported: true };
  if (dialect.state)
    fields.state = { schema: oneOf("state", ["active", "deactivated"]), change: "update", reported: true };
  if (dialect.import) {
    fields.store = { schema: text({ what: "store", min: 1 }), change: "replace" };
    fields.stores = {
      schema: setOf("stores", text({ what: "a store", min: 1 }), { min: 1 }),
      change: "update",
      reported: true,
      part: true,
      same: sameValue,
    };
  }
  return { service: dialect.service, fields, instead: instead(dialect), rules: values => rules(values, dialect) };
}

/** An image tag of a program's own. */
export function tagText(what: string) {
  return v.pipe(
    text({ what, min: 1, max: 255, bmpOnly: true }),
    v.check(
      tag => !isOwnerImageTag(tag),
      issue =>
        `${what} must not be ${JSON.stringify(issue.input)}: this provider writes such tags itself, to say which resource an image belongs to`,
    ),
  );
}

/** Of an image's properties the declared ones are the program's; with `exclusiveProperties` all are but the servers' own. */
export const claimable = {
  change: "update",
  reported: true,
  part: true,
  exclusive: { by: "exclusiveProperties", except: isServers },
} as const;

export function exclusiveProperties(): Field {
  return { schema: flag("exclusiveProperties"), change: "note" };
}

/** What is wrong with a claim to all of an image's properties. */
export function claimProblems({ exclusiveProperties, properties }: Record<string, unknown>): Problem[] {
  if (exclusiveProperties !== true || properties !== undefined) return [];
  const reason = "exclusiveProperties is about the declared properties: declare them, if need be as an empty object";
  return [{ property: "exclusiveProperties", reason }];
}

function membersField(): Field {
  const member = text({ what: "a member", pattern: /^[0-9a-f]{32}$|^[0-9a-f-]{36}$/i, form: "a project's id" });
  const lower = (id: unknown) => String(id).toLowerCase();
  const same = (actual: unknown, wanted: unknown) =>
    sameValue((actual as unknown[] | undefined)?.map(lower), (wanted as unknown[]).map(lower));
  return { schema: setOf("members", member, { key: lower }), change: "update", reported: true, same };
}

function propertiesSchema(dialect: Dialect) {
  const key = v.pipe(
    text({ what: "a property's name", min: 1, max: 255, bmpOnly: true }),
    v.check(
      name => !isReserved(name, dialect),
      issue => {
        const output = dialect.extraOutputs[issue.input];
        if (output !== undefined) return `the property ${issue.input} is the service's own: it is the output ${output}`;
        const field = fieldOf(issue.input);
        return `the property ${issue.input} is reserved by the Image API${field ? `: use the field ${field}` : ""}`;
      },
    ),
  );
  return mapOf("properties", key, text({ what: "a property's value", bmpOnly: true }));
}

function sameId(actual: unknown, wanted: unknown): boolean {
  return String(actual).toLowerCase() === String(wanted).toLowerCase();
}

function instead(dialect: Dialect): Record<string, string> {
  const elsewhere: Record<string, string> = {
    ...insteadOnGlance,
    shared: "use visibility, and ImageMember",
    regions: "copy the image to another region with ImageCopy",
    isPublic: 'use visibility: "public"',
    copyFrom: `use source: { url${dialect.import ? ', mode: "import"' : ""} }`,
    location: "use source: { url }",
    owner: "an image belongs to the project of its connection",
  };
  if (!dialect.hidden) elsewhere.hidden = 'this service can\'t hide an image; use visibility: "private"';
  if (dialect.sharing.length === 0)
    elsewhere.members = 'this service shares no image with single projects; use visibility: "public", or ImageCopy';
  for (const output of Object.values(dialect.extraOutputs)) elsewhere[output] = "the service sets it, as an output";
  if (!dialect.state) elsewhere.state = "this service can't deactivate an image";
  if (!dialect.import) {
    elsewhere.store = "this service has one store";
    elsewhere.stores = "this service has one store";
  }
  return elsewhere;
}

function rules(values: Record<string, unknown>, dialect: Dialect): Problem[] {
  const problems: Problem[] = claimProblems(values);
  const { source, adopt, store, stores, diskFormat, containerFormat, imageId } = values;
  if (typeof source === "object" && source !== null && !hasUnknown(source)) {
    for (const { path, message } of checkSource(source as Source)) {
      problems.push({
        property: path === "" ? "source" : `source.${path}`,
        reason: `${path === "" ? "source" : `source.${path}`} ${message}`,
      });
    }
  }
  if (store !== undefined && stores !== undefined) {
    problems.push({ property: "stores", reason: "store and stores say the same thing: keep one of them" });
  }
  if (values.name === undefined && adopt === undefined)
    problems.push({ property: "name", reason: "a new image needs a name" });
  const { visibility } = values;
  const shareable = visibility === undefined || visibility === unknownValue;
  if (values.members !== undefined && !shareable && !dialect.sharing.includes(String(visibility))) {
    problems.push({
      property: "members",
      reason: `only an image with visibility "${dialect.sharing.join('" or "')}" has members, not a ${String(visibility)} one`,
    });
  }
  if (adopt !== undefined && imageId !== undefined) {
    problems.push({
      property: "imageId",
      reason: "imageId is for a new image; to take over an existing one write adopt: { id }",
    });
  }
  if (source === undefined && adopt === undefined) {
    const ofData = { store, stores, state: values.state === "deactivated" ? values.state : undefined };
    for (const [name, value] of Object.entries(ofData)) {
      if (value !== undefined)
        problems.push({
          property: name,
          reason: `${name} is for an image with data: declare its source too, or adopt`,
        });
    }
  }
  if (source !== undefined && adopt === undefined) {
    for (const [name, value] of Object.entries({ diskFormat, containerFormat })) {
      if (value === undefined) problems.push({ property: name, reason: `an image with data needs ${name}` });
    }
  }
  return problems;
}
