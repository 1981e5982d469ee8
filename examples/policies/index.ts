import { PolicyPack, validateResourceOfType, validateStackResourcesOfType } from "@pulumi/policy";
import { Image, ImageCopy, ImageMember, ImageTag } from "pulumi-images";

/** The projects that images may be shared with, and the connections that they may be copied to. */
const partners = ["0a1b2c3d4e5f60718293a4b5c6d7e8f9"];
const places = ["dr-site"];

new PolicyPack("images", {
  enforcementLevel: "mandatory",
  policies: [
    {
      name: "image-not-public",
      description: "No image is for everybody.",
      validateResource: validateResourceOfType(Image, (image, _args, report) => {
        // `service` tells which arguments there are.
        if (image.service === "openstack" && image.visibility === "public")
          report('An image must not be public: have visibility "shared" and an ImageMember.');
      }),
    },
    {
      name: "image-verified",
      description: "Data from the internet is compared with a digest.",
      validateResource: validateResourceOfType(Image, (image, _args, report) => {
        const source = image.service === "openstack" ? image.source : undefined;
        if (source?.url !== undefined && source.digest === undefined && source.checksums === undefined)
          report("A source's url needs a digest, or the url of its checksums.");
      }),
    },
    {
      name: "member-known",
      description: "Images are shared with partners only.",
      validateResource: validateResourceOfType(ImageMember, (shared, _args, report) => {
        if (shared.service === "openstack" && !partners.includes(shared.member ?? ""))
          report(`An image must not be shared with ${shared.member ?? "the connection's own project"}.`);
      }),
    },
    {
      name: "copy-known",
      description: "Images are copied to known places only.",
      validateResource: validateResourceOfType(ImageCopy, ({ service, to }, _args, report) => {
        if (service === "openstack" && typeof to.connection === "string" && !places.includes(to.connection))
          report(`An image must not be copied to ${to.connection}.`);
      }),
    },
    {
      name: "tags-in-form",
      description: "A tag is a release: year and month.",
      validateStack: validateStackResourcesOfType(ImageTag, (_tags, { resources }, report) => {
        for (const { props, urn } of resources)
          if (!/^\d{4}-\d{2}$/.test(props.tag)) report(`The tag ${props.tag} isn't a release, such as 2026-11.`, urn);
      }),
    },
  ],
});
