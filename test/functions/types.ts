import type { Output } from "@pulumi/pulumi";
import * as images from "../../sdk/index.ts";

/** What the compiler has to allow of the functions, and what it has to refuse: checked by `npm run typecheck`, never run. */
export async function typesOfFunctions(id: Output<string>): Promise<void> {
  const image = await images.getImage({ service: "openstack", connection: "lab", name: "ubuntu" });
  image.hashValue?.toUpperCase();
  // @ts-expect-error OpenStack's images have no regions
  image.regions;
  const droplet = await images.getImage({ service: "digitalocean", id: "7555620" });
  droplet.regions.map(slug => slug.toUpperCase());
  const perhaps = await images.getImage({ service: "ecl", id: "x", ignoreMissing: true });
  // @ts-expect-error it may not be there
  perhaps.id;
  // @ts-expect-error one of id and name
  await images.getImage({ service: "openstack", connection: "lab" });
  // @ts-expect-error just one of id and name
  await images.getImage({ service: "openstack", id: "x", name: "y" });

  await images.getImages({ service: "openstack", tags: ["a"], sort: ["name", "createdAt:desc"], limit: 3 });
  await images.getImages({ service: "digitalocean", tag: "a", latest: true });
  // @ts-expect-error DigitalOcean filters by one tag
  await images.getImages({ service: "digitalocean", tags: ["a"] });
  // @ts-expect-error there is no such key
  await images.getImages({ service: "openstack", sort: ["nmae"] });
  // @ts-expect-error the Image API v1 knows no visibility
  await images.getImages({ service: "glance-v1", visibility: "public" });

  const output: Output<images.OpenStackImageInfo> = images.getImageOutput({ service: "openstack", id });
  output.apply(({ properties }) => properties.os_distro);
  images.getImagesOutput({ service: "openstack", tags: [id], properties: { base: id } }).apply(found => found.length);
  images.getMembersOutput({ service: "openstack", imageId: id });
  images.downloadImageOutput({ service: "ecl", imageId: id, file: "disk.raw" }).apply(({ digest }) => digest);

  // @ts-expect-error only OpenStack has stores
  await images.getStores({ service: "ecl" });
  // @ts-expect-error only ECL has licenses
  await images.getLicenses({ service: "openstack" });
  // @ts-expect-error only DigitalOcean has regions
  await images.getRegions({ service: "openstack" });
  // @ts-expect-error DigitalOcean's data can't be read
  await images.downloadImage({ service: "digitalocean", imageId: "1", file: "x" });
  // @ts-expect-error there is no such schema
  await images.getSchema({ service: "openstack", schema: "picture" });
}
