/** A JSON Schema, draft 7. */
export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: "string" };
const filled: Schema = { type: "string", pattern: "\\S" };
const count: Schema = { type: "integer", minimum: 0 };
const id: Schema = { type: "integer", minimum: 1 };
const time: Schema = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$" };
const list = (items: Schema): Schema => ({ type: "array", items });
const oneOf = (...words: string[]): Schema => ({ type: "string", enum: words });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });

/** An object of just these fields, all needed but those in `optional`. */
function object(fields: Record<string, Schema>, optional: string[] = []): Schema {
  return {
    type: "object",
    properties: fields,
    required: Object.keys(fields).filter(name => !optional.includes(name)),
    additionalProperties: false,
  };
}

const slug: Schema = { type: "string", pattern: "^[a-z]{3}[0-9]$" };
const tagName: Schema = { type: "string", pattern: "^[a-zA-Z0-9_\\-:]+$", maxLength: 255 };
const distribution = oneOf(
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
);

const imageFields = {
  id,
  name: filled,
  type: oneOf("base", "snapshot", "backup", "custom", "admin"),
  distribution,
  slug: orNull(text),
  public: { type: "boolean" },
  regions: list(slug),
  created_at: time,
  min_disk_size: orNull(count),
  size_gigabytes: orNull({ type: "number", minimum: 0 }),
  description: text,
  tags: list(tagName),
  status: oneOf("NEW", "available", "pending", "deleted", "retired"),
  error_message: text,
};
const image = object(imageFields);
/** The answer to a creation leaves out what is not known yet. */
const newImage = object({ ...imageFields, status: oneOf("NEW"), regions: { type: "array", maxItems: 0 } }, [
  "slug",
  "public",
  "min_disk_size",
  "size_gigabytes",
]);

const region = object({ name: filled, slug, features: list(text), available: { type: "boolean" }, sizes: list(text) });

const action = object({
  id,
  status: oneOf("in-progress", "completed", "errored"),
  type: filled,
  started_at: time,
  completed_at: orNull(time),
  resource_id: orNull(id),
  resource_type: filled,
  region,
  region_slug: orNull(slug),
});

const snapshotFields = {
  name: filled,
  created_at: time,
  regions: list(slug),
  min_disk_size: count,
  size_gigabytes: { type: "number", minimum: 0 },
};
/** In /v2/snapshots the id is text, even that of an image. */
const snapshot = object({
  id: filled,
  ...snapshotFields,
  resource_id: text,
  resource_type: oneOf("droplet", "volume"),
  tags: list(tagName),
});
/** Under a droplet the id is a number. */
const dropletSnapshot = object({ id, ...snapshotFields, type: oneOf("snapshot") });
const dropletBackup = object({
  id,
  ...snapshotFields,
  type: oneOf("backup"),
  distribution,
  slug: orNull(text),
  public: { type: "boolean" },
});

const statistics = object({ count, last_tagged_uri: { type: "string", format: "uri" } }, ["last_tagged_uri"]);
const tag = object({
  name: tagName,
  resources: object(
    {
      count,
      last_tagged_uri: { type: "string", format: "uri" },
      droplets: statistics,
      images: statistics,
      volumes: statistics,
      volume_snapshots: statistics,
      databases: statistics,
    },
    ["last_tagged_uri"],
  ),
});

const address: Schema = { type: "string", format: "uri" };
/** A page of a list: links to the first and previous page but on the first one, to the next and last but on the last one. */
function page(key: string, items: Schema): Schema {
  const pages = object({ first: address, prev: address, next: address, last: address }, [
    "first",
    "prev",
    "next",
    "last",
  ]);
  return object({
    [key]: list(items),
    links: object({ pages }, ["pages"]),
    meta: object({ total: count }),
  });
}

const account = object({
  droplet_limit: count,
  floating_ip_limit: count,
  email: { type: "string", format: "email" },
  name: filled,
  uuid: filled,
  email_verified: { type: "boolean" },
  status: oneOf("active", "warning", "locked"),
  status_message: text,
  team: object({ uuid: filled, name: filled }),
});

const error = object({ id: filled, message: filled, request_id: { type: "string", format: "uuid" } }, ["request_id"]);
const badTag = object({ error: filled, messages: orNull(list(text)), root_causes: list(text) });

/** What is said in requests. Ours are held to more than DigitalOcean asks for: nothing empty, nothing unknown. */
export const requests = {
  newImage: object(
    {
      name: filled,
      url: { type: "string", format: "uri", pattern: "^https?://" },
      region: slug,
      distribution: filled,
      description: text,
      tags: list(tagName),
    },
    ["distribution", "description", "tags"],
  ),
  imageUpdate: {
    ...object({ name: filled, description: text, distribution: filled }, ["name", "description", "distribution"]),
    minProperties: 1,
  },
  imageAction: {
    anyOf: [object({ type: oneOf("convert") }), object({ type: oneOf("transfer"), region: slug })],
  },
  accountTransfer: {
    anyOf: [
      object({ recipient_email: { type: "string", format: "email" } }),
      object({ recipient_uuid: { type: "string", format: "uuid" } }),
    ],
  },
  transferAccept: object({ transfer_id: id, recipient_uuid: { type: "string", format: "uuid" } }),
  transferEnd: object({ transfer_id: id }),
  tag: object({ name: tagName }),
  tagResources: object({
    resources: {
      ...list(object({ resource_id: filled, resource_type: oneOf("droplet", "image", "volume", "volume_snapshot") })),
      minItems: 1,
    },
  }),
  dropletAction: {
    type: "object",
    properties: { type: filled, name: filled },
    required: ["type"],
  },
} satisfies Record<string, Schema>;

/** What answers say. */
export const answers = {
  images: page("images", image),
  image: object({ image }),
  newImage: object({ image: newImage }),
  actions: page("actions", action),
  action: object({ action }),
  transfer: object({ transfer_id: count }),
  tags: page("tags", tag),
  tag: object({ tag }),
  snapshots: page("snapshots", snapshot),
  snapshot: object({ snapshot }),
  dropletSnapshots: page("snapshots", dropletSnapshot),
  dropletBackups: page("backups", dropletBackup),
  regions: page("regions", region),
  account: object({ account }),
  error,
  badTag,
} satisfies Record<string, Schema>;

const pageQuery = {
  page: { type: "string", pattern: "^[1-9]\\d*$" },
  per_page: { type: "string", pattern: "^([1-9]\\d?|1\\d\\d|200)$" },
};
const none = ["page", "per_page"];
/** Parameters of a query, as the texts that they are. */
export const queries = {
  none: object({}),
  page: object(pageQuery, none),
  images: object(
    { ...pageQuery, type: oneOf("application", "distribution"), private: oneOf("true", "false"), tag_name: tagName },
    [...none, "type", "private", "tag_name"],
  ),
  snapshots: object({ ...pageQuery, resource_type: oneOf("droplet", "volume") }, [...none, "resource_type"]),
} satisfies Record<string, Schema>;
