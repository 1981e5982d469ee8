import { Ajv, type ValidateFunction } from "ajv";
import type { Dialect } from "./dialect.ts";
import { HttpError } from "./errors.ts";

type Schema = Record<string, unknown>;

const UUID = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";

const text = (description: string, more: Schema = {}): Schema => ({ type: "string", description, ...more });
const optionalText = (description: string, more: Schema = {}): Schema => ({
  type: ["null", "string"],
  description,
  ...more,
});
const readOnly = { readOnly: true };

function imageProperties(dialect: Dialect): Record<string, Schema> {
  return {
    id: text("An identifier for the image", { pattern: UUID }),
    name: optionalText("Descriptive name for the image", { maxLength: 255 }),
    status: text("Status of the image", {
      ...readOnly,
      enum: [
        "queued",
        "saving",
        "active",
        "killed",
        "deleted",
        "uploading",
        "importing",
        "pending_delete",
        "deactivated",
      ],
    }),
    visibility: text("Scope of image accessibility", { enum: dialect.visibilities }),
    protected: { type: "boolean", description: "If true, image will not be deletable." },
    ...(dialect.hidden && {
      os_hidden: { type: "boolean", description: "If true, image will not appear in default image list response." },
    }),
    checksum: optionalText("md5 hash of image contents.", { ...readOnly, maxLength: 32 }),
    ...(dialect.hashes && {
      os_hash_algo: optionalText("Algorithm to calculate the os_hash_value", { ...readOnly, maxLength: 64 }),
      os_hash_value: optionalText("Hexdigest of the image contents using the algorithm specified by the os_hash_algo", {
        ...readOnly,
        maxLength: 128,
      }),
    }),
    owner: optionalText("Owner of the image", { maxLength: 255 }),
    size: { type: ["null", "integer"], ...readOnly, description: "Size of image file in bytes" },
    virtual_size: { type: ["null", "integer"], ...readOnly, description: "Virtual size of image in bytes" },
    container_format: optionalText("Format of the container", { enum: [null, ...dialect.containerFormats] }),
    disk_format: optionalText("Format of the disk", { enum: [null, ...dialect.diskFormats] }),
    created_at: text("Date and time of image registration", readOnly),
    updated_at: text("Date and time of the last image modification", readOnly),
    tags: {
      type: "array",
      description: "List of strings related to the image",
      items: { type: "string", maxLength: 255 },
    },
    direct_url: text("URL to access the image file kept in external store", readOnly),
    min_ram: { type: "integer", description: "Amount of ram (in MB) required to boot image." },
    min_disk: { type: "integer", description: "Amount of disk space (in GB) required to boot image." },
    self: text("An image self url", readOnly),
    file: text("An image file url", readOnly),
    ...(dialect.multiStore && {
      stores: text(
        "Store in which image data resides.  Only present when the operator has enabled multiple stores.  May be a comma-separated list of store identifiers.",
        readOnly,
      ),
    }),
    schema: text("An image schema url", readOnly),
    locations: {
      type: "array",
      items: {
        type: "object",
        properties: { url: { type: "string", maxLength: 255 }, metadata: { type: "object" } },
        required: ["url", "metadata"],
      },
      description: "A set of URLs to access the image file kept in external store",
    },
    ...Object.fromEntries(dialect.settableFields.map(name => [name, optionalText(name)])),
  };
}

const memberProperties: Record<string, Schema> = {
  member_id: text("An identifier for the image member (tenantId)"),
  image_id: text("An identifier for the image", { pattern: UUID }),
  created_at: text("Date and time of image member creation"),
  updated_at: text("Date and time of last modification of image member"),
  status: text("The status of this image member", { enum: ["pending", "accepted", "rejected"] }),
  schema: { type: "string", ...readOnly },
};

const taskProperties: Record<string, Schema> = {
  id: text("An identifier for the task", { pattern: UUID }),
  type: text("The type of task represented by this content", {
    enum: ["import", "api_image_import", "location_import"],
  }),
  status: text("The current status of this task", { enum: ["pending", "processing", "success", "failure"] }),
  input: { type: ["null", "object"], description: "The parameters required by task, JSON blob" },
  result: { type: ["null", "object"], description: "The result of current task, JSON blob" },
  owner: text("An identifier for the owner of this task"),
  message: text("Human-readable informative message only included when appropriate (usually on failure)"),
  image_id: text("Image associated with the task"),
  request_id: text("Human-readable informative request-id"),
  user_id: text("User associated with the task"),
  expires_at: optionalText("Datetime when this resource would be subject to removal"),
  created_at: text("Datetime when this resource was created"),
  updated_at: text("Datetime when this resource was updated"),
  self: { type: "string" },
  schema: { type: "string" },
};

const dated = {
  created_at: text("Date and time of creation", { ...readOnly, format: "date-time" }),
  updated_at: text("Date and time of the last modification", { ...readOnly, format: "date-time" }),
  self: { type: "string" },
  schema: { type: "string" },
};
const name = text("The name", { maxLength: 80 });
const metadefProperty: Record<string, Schema> = {
  name: { type: "string", maxLength: 255 },
  title: { type: "string" },
  description: { type: "string" },
  operators: { type: "array", items: { type: "string" } },
  type: { type: "string", enum: ["array", "boolean", "integer", "number", "object", "string", null] },
  required: { type: "array", items: { type: "string" } },
  minimum: { type: "number" },
  maximum: { type: "number" },
  maxLength: { type: "integer" },
  minLength: { type: "integer" },
  pattern: { type: "string", format: "regex" },
  enum: { type: "array" },
  readonly: { type: "boolean" },
  default: {},
  items: { type: "object" },
  maxItems: { type: "integer" },
  minItems: { type: "integer" },
  uniqueItems: { type: "boolean", default: false },
  additionalItems: { type: "boolean" },
};
const propertyMap = { type: "object", additionalProperties: { type: "object", properties: metadefProperty } };
const metadefs: Record<string, Record<string, Schema>> = {
  namespace: {
    namespace: text("The unique namespace text.", { maxLength: 80 }),
    display_name: text("The user friendly name for the namespace. Used by UI if available.", { maxLength: 80 }),
    description: text("Provides a user friendly description of the namespace.", { maxLength: 500 }),
    visibility: text("Scope of namespace accessibility.", { enum: ["public", "private"] }),
    protected: { type: "boolean", description: "If true, namespace will not be deletable." },
    owner: text("Owner of the namespace.", { maxLength: 255 }),
    resource_type_associations: { type: "array", items: { type: "object" } },
    properties: propertyMap,
    objects: { type: "array", items: { type: "object" } },
    tags: { type: "array", items: { type: "object" } },
    ...dated,
  },
  object: { name, description: { type: "string" }, required: { type: "array" }, properties: propertyMap, ...dated },
  property: metadefProperty,
  resource_type: {
    name: text("Resource type names should be aligned with Heat resource types whenever possible", { maxLength: 80 }),
    prefix: text("Specifies the prefix to use for the given resource type.", { maxLength: 80 }),
    properties_target: text("Some resource types allow more than one key / value pair per instance.", {
      maxLength: 80,
    }),
    ...dated,
  },
  tag: { name, ...dated },
};
const plurals: Record<string, string> = {
  images: "image",
  members: "member",
  tasks: "task",
  namespaces: "namespace",
  objects: "object",
  properties: "property",
  resource_types: "resource_type",
  tags: "tag",
};

const describedBy = [
  { rel: "first", href: "{first}" },
  { rel: "next", href: "{next}" },
  { rel: "describedby", href: "{schema}" },
];

/** The document at /v2/schemas/{path}, or undefined where the service has none. */
export function schemaDocument(dialect: Dialect, path: string): Schema | undefined {
  if (!dialect.schemas.includes(path)) return undefined;
  const last = path.replace("metadefs/", "");
  const single = plurals[last];
  if (single === undefined) return { ...itemSchema(dialect, path), ...(last === "image" && { links: imageLinks }) };
  const item = itemSchema(dialect, path.replace(last, single));
  return {
    name: last,
    properties: {
      [last]: last === "properties" ? { type: "object", additionalProperties: item } : { type: "array", items: item },
      first: { type: "string" },
      next: { type: "string" },
      schema: { type: "string" },
    },
    links: describedBy,
  };
}

const imageLinks = [
  { rel: "self", href: "{self}" },
  { rel: "enclosure", href: "{file}" },
  { rel: "describedby", href: "{schema}" },
];

function itemSchema(dialect: Dialect, path: string): Schema {
  if (path === "image") {
    return { name: "image", properties: imageProperties(dialect), additionalProperties: { type: "string" } };
  }
  if (path === "member") return { name: "member", properties: memberProperties };
  if (path === "task") return { name: "task", properties: taskProperties };
  const kind = path.replace("metadefs/", "");
  // The document's own name isn't that of its path.
  const name = kind === "resource_type" ? "resource_type_association" : kind;
  return { name, properties: metadefs[kind] ?? {}, additionalProperties: false };
}

const ajv = new Ajv({ strict: false, allErrors: false, allowUnionTypes: true });
const validators = new Map<Dialect, ValidateFunction>();

/** @throws HttpError 400 when an image document, or a part of one, isn't as the schema says */
export function validateImage(dialect: Dialect, image: unknown): void {
  let validate = validators.get(dialect);
  if (!validate) {
    const { name: _name, ...schema } = itemSchema(dialect, "image");
    validate = ajv.compile({ type: "object", ...schema });
    validators.set(dialect, validate);
  }
  if (validate(image)) return;
  const [error] = validate.errors ?? [];
  const where = error?.instancePath.slice(1);
  const reason = `${where ? `'${where}': ` : ""}${error?.message ?? "invalid"}`;
  throw new HttpError(400, `Provided object does not match schema 'image': ${reason}`);
}
