import * as pulumi from "@pulumi/pulumi";
import { ImageCopy } from "pulumi-images";

const config = new pulumi.Config();
/** Ids of the images that are to be in the new store. */
const images = config.requireObject<string[]>("images");
/** The new store, by its id: `openstack image stores list` shows them. */
const store = config.require("store");

/** The server copies by itself, from store to store; a store that loses its copy shows as drift and gets it back. */
const copies = images.map(
  imageId => new ImageCopy(imageId, { service: "openstack", connection: "cloud", imageId, to: { stores: [store] } }),
);

/** By image, the digest of its data. */
export const digests = Object.fromEntries(copies.map((copy, index) => [images[index], copy.digest]));
