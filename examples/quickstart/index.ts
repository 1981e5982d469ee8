import { Image } from "pulumi-images";

/** A rescue system, from a disk image that lies beside this file. */
const rescue = new Image("rescue", {
  service: "openstack",
  name: "rescue-2026.11",
  diskFormat: "raw",
  containerFormat: "bare",
  source: { file: "disk.raw" },
  minDisk: 1,
  tags: ["golden", "rescue"],
  properties: { os_distro: "alpine", os_version: "3.22" },
});

export const imageId = rescue.id;
export const status = rescue.status;
export const sizeInBytes = rescue.size;
