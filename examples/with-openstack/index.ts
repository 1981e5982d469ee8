import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import { Image } from "pulumi-images";

const config = new pulumi.Config();

/** Names no connection, so it goes where the stack's `openstack:*` configuration leads, as the instance does. */
const image = new Image("web", {
  service: "openstack",
  name: "web-2026.11",
  diskFormat: "raw",
  containerFormat: "bare",
  source: { file: config.get("disk") ?? "../quickstart/disk.raw" },
  minDisk: 1,
});

/** Boots from the image: other data is another image, and so another instance. */
const server = new openstack.compute.Instance("web", {
  imageId: image.id,
  flavorName: config.require("flavor"),
  networks: [{ name: config.require("network") }],
});

export const imageId = image.id;
export const address = server.accessIpV4;
