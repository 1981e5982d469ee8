import type { Connection, OpenStackSettings } from "../connection.ts";
import type { FieldTable } from "../fields/field.ts";
import { openstack } from "./glance/dialect.ts";
import { imageFields } from "./glance/fields.ts";
import { openGlance } from "./glance/service.ts";
import type { ServiceName } from "./names.ts";
import type { ImageService } from "./service.ts";

/** What this provider knows of one image service. */
export interface ServiceEntry {
  imageFields: () => FieldTable;
  open: (connection: Connection) => ImageService;
}

/** All image services, a line each. */
export const services: Partial<Record<ServiceName, ServiceEntry>> = {
  openstack: {
    imageFields: () => imageFields(openstack),
    open: connection => openGlance(connection as Connection<OpenStackSettings>, openstack),
  },
};
