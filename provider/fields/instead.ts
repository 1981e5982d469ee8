/** Fields of DivvyCloud's that say what an image is like in the cloud behind it: what to use on a service that is the cloud itself. */
const behindDivvyCloud = {
  rootDeviceType: "only DivvyCloud reports it: leave it out",
  virtualizationType: "only DivvyCloud reports it: leave it out",
  blockDeviceMapping: "only DivvyCloud reports it: leave it out",
  productCode: "only DivvyCloud reports it: leave it out",
  productCodeType: "only DivvyCloud reports it: leave it out",
  organizationServiceId: "only DivvyCloud has one: leave it out",
  cloud: "the cloud is the connection's",
  account: "the account is the connection's",
  deletion: "an image is gone as soon as it is deleted",
};

/** What stands for the fields of DigitalOcean and DivvyCloud on a service that takes images' data and keeps properties of any name. */
export const insteadOnGlance: Record<string, string> = {
  ...behindDivvyCloud,
  region: "the region is part of the connection",
  architecture: "use properties: { architecture: … }",
  platform: "use properties: { os_type: … }",
  description: "use properties: { description: … }",
  distribution: "use properties: { os_distro: … }",
  cloudImageId: "use imageId",
  id: "use imageId",
  dropletId:
    "droplets are DigitalOcean's; an instance's snapshot is made by the compute service: take it over with adopt",
  backupId: "backups of droplets are DigitalOcean's; a backup is made by the compute service: take it over with adopt",
  instance: "an instance's snapshot is made by the compute service; take it over with adopt",
};

/** What stands for DivvyCloud's fields on DigitalOcean. */
export const insteadOnDigitalOcean: Record<string, string> = {
  ...behindDivvyCloud,
  architecture: "every image there is for x86-64: leave it out",
  platform: "use distribution",
  shared: "an image of yours is private; give it to another account with ImageMember",
  cloudImageId: "DigitalOcean chooses the id; to take over an image write adopt: { id }",
  instance: "use dropletId",
};
