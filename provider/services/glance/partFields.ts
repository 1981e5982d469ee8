import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { commonFields } from "../../fields/common.ts";
import { type Field, type FieldTable, hasUnknown, type Problem } from "../../fields/field.ts";
import { flag, mapOf, oneOf, record, setOf, text, uuid, whole } from "../../fields/values.ts";
import { sameValue } from "./attributes.ts";
import { type Dialect, openstack } from "./dialect.ts";
import { tagText } from "./fields.ts";

const connectionName = text({ what: "a connection's name", min: 1, max: 255 });

/** What a program may declare of a member. Limits: docs.openstack.org/api-ref/image/v2 "Sharing". */
export function memberFields(dialect: Dialect): FieldTable {
  const fields: Record<string, Field> = {
    ...commonFields(dialect.service),
    imageId: { schema: uuid("imageId"), change: "replace", required: true, same: sameId },
    member: { schema: text({ what: "member", min: 1, max: 255 }), change: "replace", same: sameId },
    accept: { schema: record("accept", { connection: connectionName }), change: "note" },
    status: { schema: oneOf("status", ["accepted", "rejected", "pending"]), change: "update", reported: true },
  };
  return {
    service: dialect.service,
    fields,
    instead: {
      canShare: "a member can't share on in the Image API v2: make each project a member",
      recipientEmail: "members are projects: use member",
      recipientUuid: "members are projects: use member",
      to: "use ImageCopy",
    },
    rules: ({ member, accept }) =>
      member === undefined && accept !== undefined
        ? [
            {
              property: "accept",
              reason:
                "accept is for the owner's side: set member too, or leave accept out if the connection is the invited project's own",
            },
          ]
        : [],
  };
}

/** What a program may declare of a tag. */
export function tagFields(dialect: Dialect): FieldTable {
  return {
    service: dialect.service,
    fields: {
      ...commonFields(dialect.service),
      imageId: { schema: uuid("imageId"), change: "replace", required: true, same: sameId },
      tag: { schema: tagText("tag"), change: "replace", required: true },
    },
    instead: { tags: "an ImageTag is one tag: use tag, or Image.tags for all of an image's", name: "use tag" },
    rules: () => [],
  };
}

/** What a program may declare of a copy. */
export function copyFields(dialect: Dialect): FieldTable {
  return {
    service: dialect.service,
    fields: {
      ...commonFields(dialect.service),
      imageId: { schema: uuid("imageId"), change: "replace", required: true, same: sameId },
      to: { schema: targetSchema(dialect), change: "replace", required: true, same: samePlace, comparesKnown: true },
      forceDelete: { schema: flag("forceDelete"), change: "note" },
      // What check adds: what the copy is to be like, as its source is now.
      metadata: { schema: v.looseObject({}), change: "update", by: "check", reported: true, same: sameMetadata },
      content: { schema: v.string(), change: "replace", by: "check" },
      ...(dialect.import ? { stores: copiedStores } : {}),
      destination: { schema: v.string(), change: "note", by: "check" },
    },
    instead: {
      stores: "use to: { stores }",
      regions: "name another connection: to: { connection }",
      source: "the source is the image: use imageId",
    },
    rules: values => targetProblems(values, dialect),
  };
}

const copiedStores: Field = {
  schema: v.array(v.string()),
  change: "update",
  by: "check",
  reported: true,
  same: sameValue,
};

function targetSchema(dialect: Dialect) {
  return record("to", {
    ...(dialect.import
      ? { stores: v.optional(setOf("to.stores", text({ what: "a store", min: 1 }), { min: 1 })) }
      : {}),
    ...(dialect.tenantCopies
      ? {
          tenant: v.optional(
            text({ what: "to.tenant", pattern: /^[0-9a-f]{32}$/, form: "a tenant's id, 32 hex digits" }),
          ),
        }
      : {}),
    connection: v.optional(connectionName),
    service: v.optional(oneOf("to.service", ["openstack", "ecl", "istack", "glance-v1"])),
    name: v.optional(text({ what: "to.name", min: 1, max: 255, bmpOnly: true })),
    // What the target allows of these, it says itself.
    visibility: v.optional(oneOf("to.visibility", openstack.visibilities)),
    protected: v.optional(flag("to.protected")),
    minDisk: v.optional(whole({ what: "to.minDisk", unit: "GB" })),
    minRam: v.optional(whole({ what: "to.minRam", unit: "MB" })),
    tags: v.optional(setOf("to.tags", tagText("a tag"))),
    properties: v.optional(
      mapOf(
        "to.properties",
        text({ what: "a property's name", min: 1, max: 255, bmpOnly: true }),
        text({ what: "a property's value", bmpOnly: true }),
      ),
    ),
    store: v.optional(text({ what: "to.store", min: 1 })),
    mode: v.optional(oneOf("to.mode", ["stream", "import"])),
    url: v.optional(text({ what: "to.url", pattern: /^https?:\/\//, form: "an http or https url" })),
  });
}

function targetProblems({ to }: Record<string, unknown>, dialect: Dialect): Problem[] {
  if (typeof to !== "object" || to === null || hasUnknown(to)) return [];
  const { stores, tenant, connection, mode, url, ...rest } = to as Record<string, unknown>;
  const problems: Problem[] = [];
  const choices = [
    ...(dialect.import ? ["{ stores }"] : []),
    ...(dialect.tenantCopies ? ["{ tenant }", "{ tenant, connection }"] : []),
    "{ connection }",
  ];
  if (tenant === undefined && (stores === undefined) === (connection === undefined))
    problems.push({ property: "to", reason: `to must be ${choices.join(" or ")}` });
  if (tenant !== undefined) {
    for (const [name, value] of Object.entries({ mode, url, ...rest })) {
      if (value !== undefined)
        problems.push({
          property: `to.${name}`,
          reason: `the service copies to a tenant by itself, and takes no ${name}: leave it out, or leave tenant out to have the data streamed to the connection`,
        });
    }
    return problems;
  }
  if (stores !== undefined) {
    for (const [name, value] of Object.entries({ mode, url, ...rest })) {
      if (value !== undefined)
        problems.push({
          property: `to.${name}`,
          reason: `a copy in another store is the same image, so it has no ${name} of its own`,
        });
    }
  }
  if (url !== undefined && mode !== "import")
    problems.push({ property: "to.url", reason: 'url is for mode: "import"' });
  return problems;
}

function sameId(actual: unknown, wanted: unknown): boolean {
  return String(actual).toLowerCase() === String(wanted).toLowerCase();
}

/** A copy stays where it is as long as its tenant or connection does, or as long as it is one of stores; what it is like is `metadata`'s. */
function samePlace(actual: unknown, wanted: unknown): boolean {
  const [before, now] = [actual, wanted].map(to => (to ?? {}) as Record<string, unknown>);
  if (before?.tenant !== undefined || now?.tenant !== undefined) return before?.tenant === now?.tenant;
  return before?.connection === now?.connection && before?.service === now?.service && before?.store === now?.store;
}

/** Whether everything that is wanted of a copy is so; tags in any order. */
function sameMetadata(actual: unknown, wanted: unknown): boolean {
  const is = (actual ?? {}) as Record<string, unknown>;
  // Of a copy that isn't finished, none is noted.
  return Object.entries((wanted ?? {}) as Record<string, unknown>).every(
    ([name, value]) => sameValue(is[name], value) || isDeepStrictEqual(is[name], value),
  );
}
