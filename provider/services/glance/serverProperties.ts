/**
 * Properties that OpenStack's own services and tools put on an image by themselves, beside those that the Image API reserves: nobody has
 * to declare them, so they are never drift. Sources: nova/compute/utils.py and nova/compute/api.py (snapshots), cinder/image and
 * cinder/volume/flows/api/create_volume.py (volumes uploaded as images), openstacksdk's image proxy (owner_specified).
 */
const exact = new Set([
  "base_image_ref",
  "bdm_v2",
  "block_device_mapping",
  "boot_roles",
  "cinder_encryption_key_deletion_policy",
  "cinder_encryption_key_id",
  "image_location",
  "image_state",
  "image_type",
  "instance_uuid",
  "mappings",
  "owner_id",
  "owner_project_name",
  "owner_user_name",
  "root_device_name",
  "signature_verified",
  "user_id",
]);

const prefixes = ["os_glance_", "owner_specified."];

/** Whether a property is one that servers and the usual clients add by themselves. */
export function isServers(property: string): boolean {
  return exact.has(property) || prefixes.some(prefix => property.startsWith(prefix));
}
