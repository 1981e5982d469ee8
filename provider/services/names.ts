/** The image services that this provider speaks to; the word a program writes as `service`. */
export const serviceNames = ["openstack", "ecl", "istack", "glance-v1", "digitalocean", "divvycloud"] as const;
export type ServiceName = (typeof serviceNames)[number];
