import * as pulumi from "@pulumi/pulumi";
import { Image } from "pulumi-images";

const config = new pulumi.Config();
/** A raw disk on this machine, for the services that take data. */
const disk = {
  diskFormat: "raw",
  containerFormat: "bare",
  source: { file: config.get("disk") ?? "../quickstart/disk.raw" },
} as const;
/** The same disk where DigitalOcean can fetch it. */
const diskUrl = config.require("diskUrl");
/** The instance that DivvyCloud makes an image from: instance:10:RegionOne:… */
const instance = config.require("instance");

const name = "rescue-2026.11";
const properties = { os_distro: "alpine", os_version: "3.22" };
const tags = ["golden", "rescue"];

// Each service has a vocabulary of its own: an editor offers just that, and the compiler refuses the rest.
const images = {
  openstack: new Image("openstack", {
    service: "openstack",
    name,
    ...disk,
    minDisk: 1,
    tags,
    properties,
    hidden: false,
  }),
  ecl: new Image("ecl", { service: "ecl", name, ...disk, minDisk: 1, tags, properties, visibility: "private" }),
  istack: new Image("istack", { service: "istack", name, ...disk, minDisk: 1, tags, properties, state: "active" }),
  "glance-v1": new Image("glance-v1", { service: "glance-v1", name, ...disk, minDisk: 1, properties, isPublic: false }),
  digitalocean: new Image("digitalocean", {
    service: "digitalocean",
    name,
    source: { url: diskUrl },
    regions: ["nyc3"],
    distribution: "Unknown",
    description: "A rescue system",
    tags,
  }),
  divvycloud: new Image("divvycloud", { service: "divvycloud", name, instance }),
};

/** By service, the id that the image has there. */
export const ids = Object.fromEntries(Object.entries(images).map(([service, image]) => [service, image.id]));
/** By service, its own word for how the image is. */
export const statuses = Object.fromEntries(Object.entries(images).map(([service, image]) => [service, image.status]));
