import type { Caller } from "./state.ts";

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
  /** Which images can have members, by their visibility; none where there is no such thing. */
  sharing: Visibility[];
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
  /** The filters that a listing knows, where they are documented: it pays no attention to others. Without it: all of Glance's. */
  filters?: string[];
  /** What the service writes onto an image of its own accord when it is made. */
  stamp?(caller: Caller): Record<string, string>;
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
  sharing: ["shared"],
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

/** The documents that services have which know neither tasks nor lists of definitions. */
const olderSchemas = [
  "image",
  "images",
  "member",
  "members",
  "metadefs/namespace",
  "metadefs/object",
  "metadefs/property",
  "metadefs/resource_type",
];

/**
 * NTT ECL's Image Storage v2, as far as its documents and eclsdk 1.11.1 tell. Choices, where they don't: formats beyond raw, qcow2 and iso are
 * taken; images are private unless something else is said, and all but public ones can have members.
 */
export const ecl: Dialect = {
  diskFormats: ["aki", "ari", "ami", "raw", "iso", "vhd", "vdi", "qcow2", "vmdk"],
  containerFormats: ["aki", "ari", "ami", "bare", "ovf"],
  visibilities: ["public", "private", "shared"],
  defaultVisibility: "private",
  stores: ["default"],
  multiStore: false,
  importMethods: [],
  hidden: false,
  hashes: false,
  sharing: ["private", "shared"],
  tags: true,
  actions: false,
  schemas: olderSchemas,
  versions: ["2.2", "2.1", "2.0"],
  extraFields: {},
  settableFields: [],
  filters: [
    "name",
    "visibility",
    "member_status",
    "owner",
    "status",
    "size_min",
    "size_max",
    "sort_key",
    "sort_dir",
    "tag",
  ],
};

/**
 * iStack's Image API v2, as far as the page Images of istack-sdk-api-python tells; what it leaves open is as in Glance. Choices: data comes by
 * PUT file, tags only by PATCH, and the fields of Nova's snapshots are null on other images.
 */
export const istack: Dialect = {
  diskFormats: ["ami", "ari", "aki", "vhd", "vmdk", "raw", "qcow2", "vdi", "iso"],
  containerFormats: ["ami", "ari", "aki", "bare", "ovf", "ova", "docker"],
  visibilities: ["public", "private"],
  defaultVisibility: "private",
  stores: ["default"],
  multiStore: false,
  importMethods: [],
  hidden: false,
  hashes: false,
  sharing: [],
  tags: false,
  actions: true,
  schemas: ["image", "images"],
  versions: ["2.3", "2.2", "2.1", "2.0"],
  extraFields: {
    image_location: null,
    image_state: null,
    image_type: null,
    instance_uuid: null,
    base_image_ref: null,
    kernel_id: null,
    ramdisk_id: null,
  },
  settableFields: [],
  stamp: ({ userId, projectId }) => ({ user_id: userId, owner_id: projectId }),
};
