import type { Connection, DigitalOceanSettings, DivvyCloudSettings, OpenStackSettings } from "../connection.ts";
import type { FieldTable, Kind } from "../fields/field.ts";
import * as digitalocean from "./digitalocean/fields.ts";
import { openDigitalOcean } from "./digitalocean/service.ts";
import { imageFields as divvyCloudImageFields } from "./divvycloud/fields.ts";
import { openDivvyCloud } from "./divvycloud/service.ts";
import { openEcl } from "./ecl/service.ts";
import { ecl, istack, openstack } from "./glance/dialect.ts";
import { imageFields } from "./glance/fields.ts";
import { copyFields, memberFields, tagFields } from "./glance/partFields.ts";
import { openGlance } from "./glance/service.ts";
import {
  copyFields as glanceV1CopyFields,
  imageFields as glanceV1ImageFields,
  memberFields as glanceV1MemberFields,
} from "./glanceV1/fields.ts";
import { openGlanceV1 } from "./glanceV1/service.ts";
import type { ServiceName } from "./names.ts";
import type { ImageService } from "./service.ts";

/** Opens another service of the same program: for what is between two accounts. Without `service`, one of the same kind. */
export type OpenOther = (other: { service?: ServiceName; connection: string }) => ImageService;

/** What this provider knows of one image service. */
export interface ServiceEntry {
  /** The service's own name, for people. */
  title: string;
  /** What a program may declare of each kind of resource that the service has. */
  tables: Partial<Record<Kind, () => FieldTable>>;
  /** Why it hasn't the others, and what to use instead. */
  missing: Partial<Record<Kind, string>>;
  open: (connection: Connection, other: OpenOther) => ImageService;
}

/** All image services, one entry each: the README's table, the errors at preview and the tests come from here. */
export const services: Partial<Record<ServiceName, ServiceEntry>> = {
  openstack: {
    title: "OpenStack Image service (Glance v2)",
    tables: {
      Image: () => imageFields(openstack),
      ImageMember: () => memberFields(openstack),
      ImageTag: () => tagFields(openstack),
      ImageCopy: () => copyFields(openstack),
    },
    missing: {},
    open: (connection, other) => openGlance(connection as Connection<OpenStackSettings>, openstack, other).service,
  },
  ecl: {
    title: "NTT Enterprise Cloud 2.0 (ECL) Image Storage",
    tables: {
      Image: () => imageFields(ecl),
      ImageMember: () => memberFields(ecl),
      ImageTag: () => tagFields(ecl),
      ImageCopy: () => copyFields(ecl),
    },
    missing: {},
    open: (connection, other) => openEcl(connection as Connection<OpenStackSettings>, other),
  },
  istack: {
    title: "iStack",
    tables: {
      Image: () => imageFields(istack),
      ImageTag: () => tagFields(istack),
      ImageCopy: () => copyFields(istack),
    },
    missing: {
      ImageMember: 'its images are private, or public for everybody; use visibility: "public", or ImageCopy',
    },
    open: (connection, other) => openGlance(connection as Connection<OpenStackSettings>, istack, other).service,
  },
  "glance-v1": {
    title: "OpenStack Image service, Image API v1 (Glance v1)",
    tables: { Image: glanceV1ImageFields, ImageMember: glanceV1MemberFields, ImageCopy: glanceV1CopyFields },
    missing: { ImageTag: "the Image API v1 knows no tags; use the image's properties" },
    open: (connection, other) => openGlanceV1(connection as Connection<OpenStackSettings>, other),
  },
  digitalocean: {
    title: "DigitalOcean",
    tables: {
      Image: digitalocean.imageFields,
      ImageMember: digitalocean.memberFields,
      ImageTag: digitalocean.tagFields,
      ImageCopy: digitalocean.copyFields,
    },
    missing: {},
    open: (connection, other) => openDigitalOcean(connection as Connection<DigitalOceanSettings>, other),
  },
  divvycloud: {
    title: "DivvyCloud (Rapid7 InsightCloudSec)",
    tables: { Image: divvyCloudImageFields },
    missing: {
      ImageMember: "it can't share an image: do that in the cloud behind it",
      ImageTag:
        "no way to write tags is documented: tag the image in the cloud behind it; tags are read as Image.resourceTags",
      ImageCopy: "it holds no image data and can't copy an image: do that in the cloud behind it",
    },
    open: connection => openDivvyCloud(connection as Connection<DivvyCloudSettings>),
  },
};
