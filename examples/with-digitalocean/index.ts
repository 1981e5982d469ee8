import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { Image } from "pulumi-images";

const config = new pulumi.Config();
const region = digitalocean.Region.NYC3;

/** Names no connection, so it belongs to the account of `digitalocean:token`, as the droplet does. */
const image = new Image("web", {
  service: "digitalocean",
  name: "web-2026.11",
  distribution: "Unknown",
  source: { url: config.require("diskUrl") },
  regions: [region],
});

/** Made from the image. A droplet from a custom image takes an SSH key and no password. */
const droplet = new digitalocean.Droplet("web", {
  image: image.id,
  region,
  size: digitalocean.DropletSlug.DropletS1VCPU1GB,
  sshKeys: [config.require("sshKey")],
});

export const imageId = image.id;
export const address = droplet.ipv4Address;
