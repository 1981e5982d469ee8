/** Who may see an image. */
export type Visibility = "public" | "private" | "shared" | "community";

/** What tells one service that speaks the Image API v2 from another. */
export interface Dialect {
  diskFormats: string[];
  containerFormats: string[];
  visibilities: Visibility[];
  /** What an image gets when its creator says nothing. */
  defaultVisibility: Visibility;
  /** The stores' names, the default first. Without `multiStore` there is one, which no client ever hears of. */
  stores: string[];
  multiStore: boolean;
  /** The import methods; none where the service has no import. */
  importMethods: string[];
  /** Whether it knows os_hidden. */
  hidden: boolean;
  /** Whether it reports os_hash_algo and os_hash_value. */
  hashes: boolean;
  /** Whether images can have members. */
  members: boolean;
  /** Whether there are PUT and DELETE of a single tag. */
  tags: boolean;
  /** Whether there are actions/deactivate and actions/reactivate. */
  actions: boolean;
  /** The schema documents under /v2/schemas/. */
  schemas: string[];
  /** The versions in the answer to GET /, in the order that the service has. */
  versions: string[];
  /** Further fields in the image document, by name, with their values when nobody set them. */
  extraFields: Record<string, string | null>;
  /** Further string fields that a client may give at create and change, null included. */
  settableFields: string[];
}

/** Glance 33 with two file stores. */
export const glance: Dialect = {
  diskFormats: ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"],
  containerFormats: ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"],
  visibilities: ["community", "public", "private", "shared"],
  defaultVisibility: "shared",
  stores: ["fast", "slow"],
  multiStore: true,
  importMethods: ["glance-direct", "web-download", "copy-image", "glance-download"],
  hidden: true,
  hashes: true,
  members: true,
  tags: true,
  actions: true,
  schemas: [
    "image",
    "images",
    "member",
    "members",
    "task",
    "tasks",
    "metadefs/namespace",
    "metadefs/namespaces",
    "metadefs/object",
    "metadefs/objects",
    "metadefs/property",
    "metadefs/properties",
    "metadefs/resource_type",
    "metadefs/resource_types",
    "metadefs/tag",
    "metadefs/tags",
  ],
  versions: [
    "2.15",
    "2.13",
    "2.12",
    "2.11",
    "2.10",
    "2.9",
    "2.8",
    "2.17",
    "2.7",
    "2.6",
    "2.5",
    "2.4",
    "2.3",
    "2.2",
    "2.1",
    "2.0",
  ],
  extraFields: {},
  settableFields: [],
};
