import * as pulumi from "@pulumi/pulumi";
import { Image } from "pulumi-images";
import { byStack } from "./fleet";

const config = new pulumi.Config();
const disk = config.get("disk");

/** Each stack makes its own part of the fleet. */
const mine = byStack().get(pulumi.getStack()) ?? [];

for (const { name, os, customer } of mine) {
  new Image(name, {
    service: "openstack",
    name,
    diskFormat: "raw",
    containerFormat: "bare",
    // Without a disk, the images are made without data.
    ...(disk === undefined ? {} : { source: { file: disk } }),
    properties: { os_distro: os, customer: String(customer) },
  });
}

export const count = mine.length;
