import * as v from "valibot";
import { commonFields } from "../../fields/common.ts";
import type { Field, FieldTable, Problem } from "../../fields/field.ts";
import { flag, oneOf, record, text, whole } from "../../fields/values.ts";

const service = "divvycloud";

/** A resource's id has four parts between colons, and a colon at its end. Source: docs.divvycloud.com, "Resource ID". */
function resourceId(what: string, type: string, example: string) {
  return text({
    what,
    pattern: new RegExp(`^${type}:\\d+:[^:\\s]+:[^:\\s]+:$`),
    form: `a resource id such as ${example}`,
  });
}

/** What a program may declare of a private image. Source: DivvyCloud's document of the resource PrivateImage. */
export function imageFields(): FieldTable {
  const label = (what: string) => text({ what, min: 1 });
  /** Can't be written: a declared value is an expectation. */
  const expected = (schema: v.GenericSchema<unknown>): Field => ({
    schema,
    change: "update",
    reported: true,
    expected: true,
  });
  return {
    service,
    fields: {
      ...commonFields(service),
      adopt: { schema: adoptSchema(), change: "none" },
      instance: {
        schema: resourceId("instance", "instance", "instance:10:us-east-1:i-6a8f369b:"),
        change: "replace",
      },
      name: { schema: label("name"), change: "update", reported: true },
      deletion: { schema: oneOf("deletion", ["immediate", "queued"]), change: "note" },
      description: expected(text({ what: "description" })),
      state: expected(label("state")),
      architecture: expected(oneOf("architecture", ["x86_64", "x86_32"])),
      platform: expected(oneOf("platform", ["linux", "windows"])),
      rootDeviceType: expected(label("rootDeviceType")),
      virtualizationType: expected(oneOf("virtualizationType", ["PV", "HVM"])),
      blockDeviceMapping: expected(
        v.array(
          v.looseObject({}, () => "each entry of blockDeviceMapping must be an object"),
          () => "blockDeviceMapping must be a list of objects",
        ),
      ),
      minRam: expected(whole({ what: "minRam", unit: "MB" })),
      minDisk: expected(whole({ what: "minDisk", unit: "GB" })),
      shared: expected(flag("shared")),
      productCode: expected(text({ what: "productCode", pattern: /^[0-9a-z]{25}$/i, form: "25 letters and digits" })),
      productCodeType: expected(oneOf("productCodeType", ["marketplace", "none"])),
      cloudImageId: expected(label("cloudImageId")),
      cloud: expected(label("cloud")),
      account: expected(label("account")),
      region: expected(label("region")),
      organizationServiceId: expected(whole({ what: "organizationServiceId", unit: "the account's number", min: 1 })),
    },
    instead: {
      source: "it takes no image data: adopt an image, or make one from an instance",
      location: "it takes no image data: adopt an image, or make one from an instance",
      content: "it takes no image data: adopt an image, or make one from an instance",
      diskFormat: "an image's format is the cloud's own",
      containerFormat: "an image's format is the cloud's own",
      visibility: "use shared, which is an expectation: DivvyCloud can't change it",
      isPublic: "use shared, which is an expectation: DivvyCloud can't change it",
      protected: "it can't protect an image",
      forceDelete: "it can't protect an image",
      hidden: "it can't hide an image",
      tags: "no way to write tags is documented; they can be read as resourceTags",
      properties: "an image has no properties there",
      exclusiveProperties: "an image has no properties there",
      imageId: "an image's id is given by the cloud; what it has to be is cloudImageId",
      owner: "no owner of an image is reported",
      regions: "an image is in one region: region",
      distribution: "use platform, which is an expectation: DivvyCloud can't change it",
      droplet: "use instance",
      dropletId: "use instance",
      backupId: "it can't make an image of a backup: do that in the cloud behind it, and adopt the image",
      id: "use adopt: { id }",
      stores: "it has no stores",
      store: "it has no stores",
      members: "it can't share an image",
    },
    rules,
  };
}

/** By its resource id, or by a query that has to find just one. */
function adoptSchema() {
  const id = resourceId("adopt.id", "privateimage", "privateimage:10:us-east-1:ami-0abc:");
  const query = record("adopt", {
    name: text({ what: "adopt.name", min: 1 }),
    cloud: v.optional(text({ what: "adopt.cloud", min: 1 })),
    account: v.optional(text({ what: "adopt.account", min: 1 })),
    region: v.optional(text({ what: "adopt.region", min: 1 })),
  });
  const byId = record("adopt", { id, takeOver: v.optional(flag("adopt.takeOver")) });
  return v.lazy(input => (typeof input === "object" && input !== null && "id" in input ? byId : query));
}

function rules({ adopt, instance }: Record<string, unknown>): Problem[] {
  if (adopt === undefined && instance === undefined) {
    return [
      {
        property: "adopt",
        reason: "DivvyCloud makes no images from data: it needs adopt, or instance to make one from",
      },
    ];
  }
  if (adopt !== undefined && instance !== undefined) {
    return [
      { property: "instance", reason: "adopt takes an existing image, instance makes a new one: keep one of them" },
    ];
  }
  return [];
}
