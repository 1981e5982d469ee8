/** How one cloud's Image API v2 differs from another's. Sources: docs.openstack.org/api-ref/image/v2, and services.md's vendors. */
export interface Dialect {
  service: "openstack" | "ecl" | "istack";
  diskFormats: readonly string[];
  containerFormats: readonly string[];
  /** Formats beyond those that the vendor documents are sent, with a warning. */
  documentedFormats?: { disk: readonly string[]; container: readonly string[] };
  visibilities: readonly string[];
  /** Images of these visibilities can be shared with single projects. */
  sharing: readonly string[];
  /** One tag can be put and deleted; without it tags are written with the image, as a whole list. */
  tagCalls: boolean;
  /** Listings can be filtered by `id=in:…` and by properties, and show everything with `visibility=all`; without it they are filtered here. */
  filters: boolean;
  /** os_hidden is there. */
  hidden: boolean;
  /** actions/deactivate and /reactivate are there. */
  state: boolean;
  /** Several stores, /v2/info and the import call are there. */
  import: boolean;
  /** Jobs of the vendor's own copy an image to another tenant. */
  tenantCopies: boolean;
  /** os_hash_value is there; older services only report an MD5 `checksum`. */
  hashes: boolean;
  /** Extra attributes of the vendor that only the service sets: wire name to the sdk's name. */
  extraOutputs: Readonly<Record<string, string>>;
}

export const openstack: Dialect = {
  service: "openstack",
  diskFormats: ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"],
  containerFormats: ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"],
  visibilities: ["private", "shared", "community", "public"],
  sharing: ["shared"],
  tagCalls: true,
  filters: true,
  hidden: true,
  state: true,
  import: true,
  tenantCopies: false,
  hashes: true,
  extraOutputs: {},
};

/** sdpf.ntt.com, Image Storage v2; eclsdk 1.11.1. */
export const ecl: Dialect = {
  service: "ecl",
  diskFormats: ["raw", "qcow2", "iso", "aki", "ari", "ami", "vhd", "vdi", "vmdk"],
  containerFormats: ["bare", "aki", "ari", "ami", "ovf"],
  documentedFormats: { disk: ["raw", "qcow2", "iso"], container: ["bare"] },
  visibilities: ["private", "shared", "public"],
  sharing: ["private", "shared"],
  tagCalls: true,
  filters: false,
  hidden: false,
  state: false,
  import: false,
  tenantCopies: true,
  hashes: false,
  extraOutputs: { ".os.type": "osType", ".service.type": "serviceType", license_switch: "licenseSwitch" },
};

/** istack-sdk-api-python, page Images. */
export const istack: Dialect = {
  service: "istack",
  diskFormats: ["ami", "ari", "aki", "vhd", "vmdk", "raw", "qcow2", "vdi", "iso"],
  containerFormats: ["ami", "ari", "aki", "bare", "ovf", "ova", "docker"],
  visibilities: ["private", "public"],
  sharing: [],
  tagCalls: false,
  filters: false,
  hidden: false,
  state: true,
  import: false,
  tenantCopies: false,
  hashes: false,
  extraOutputs: {
    image_location: "imageLocation",
    image_state: "imageState",
    image_type: "imageType",
    instance_uuid: "instanceUuid",
    base_image_ref: "baseImageRef",
    user_id: "userId",
    owner_id: "ownerId",
    kernel_id: "kernelId",
    ramdisk_id: "ramdiskId",
  },
};
