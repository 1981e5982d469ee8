import * as pulumi from "@pulumi/pulumi";
import { Image, ImageMember, ImageTag } from "pulumi-images";

const config = new pulumi.Config();

/** Team A's image. Only one whose visibility is `shared` can have members. */
const golden = new Image("golden", {
  service: "openstack",
  connection: "team-a",
  name: "golden-2026.11",
  diskFormat: "raw",
  containerFormat: "bare",
  source: { file: config.get("disk") ?? "../quickstart/disk.raw" },
  minDisk: 1,
  visibility: "shared",
});

/** Team A invites, and team B's own connection accepts: the service lets nobody else do that. */
const teamB = new ImageMember("team-b", {
  service: "openstack",
  connection: "team-a",
  imageId: golden.id,
  member: config.require("teamB"),
  accept: { connection: "team-b" },
});

/** One tag; the image's other tags are left to whoever set them. */
new ImageTag("release", {
  service: "openstack",
  connection: "team-a",
  imageId: golden.id,
  tag: config.get("release") ?? "2026-11",
});

export const imageId = golden.id;
/** `accepted`: team B sees the image in its own listings. */
export const answer = teamB.status;
