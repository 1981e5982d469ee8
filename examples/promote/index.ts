import * as pulumi from "@pulumi/pulumi";
import { Image, ImageCopy, ImageTag } from "pulumi-images";

const config = new pulumi.Config();

/** What was tried out on the staging cloud. */
const staged = new Image("staged", {
  service: "openstack",
  connection: "staging",
  name: "web-2026.11",
  diskFormat: "raw",
  containerFormat: "bare",
  source: { file: config.get("disk") ?? "../quickstart/disk.raw" },
  minDisk: 1,
  properties: { os_distro: "alpine", os_version: "3.22" },
});

/** The mark of having passed. */
const approved = new ImageTag("approved", {
  service: "openstack",
  connection: "staging",
  imageId: staged.id,
  tag: "approved",
});

/** The same bytes in production, streamed there and compared at both ends; tags and properties come along. */
const promoted = new ImageCopy(
  "promoted",
  {
    service: "openstack",
    connection: "staging",
    imageId: staged.id,
    to: { connection: "production", properties: { promoted_from: "staging" } },
  },
  // The tag is to be there before the copy is made, so that it comes along.
  { dependsOn: approved },
);

export const stagingId = staged.id;
export const productionId = promoted.copyId;
export const digest = promoted.digest;
