import type { Connection, OpenStackSettings } from "../../connection.ts";
import { type Dialect, ecl } from "../glance/dialect.ts";
import { byTarget, openGlance } from "../glance/service.ts";
import type { Lookups } from "../lookups.ts";
import type { OpenOther } from "../registry.ts";
import type { ImageService, Job, PartService, Values } from "../service.ts";
import { eclLookups } from "./lookups.ts";
import { eclAnswers } from "./ownAnswers.ts";
import { createReplicatorClient } from "./replicator.ts";
import { tenantCopies } from "./tenantCopies.ts";

/** Opens NTT ECL's Image Storage: the Image API v2, and copies to other tenants. Nothing is sent before it is first used. */
export function openEcl(connection: Connection<OpenStackSettings>, other: OpenOther): ImageService {
  const { service, http } = openGlance(connection, ecl, other, eclAnswers);
  const replicator = createReplicatorClient(http);
  const copies = tenantCopies(service, replicator, other);
  return {
    ...service,
    lookups: { ...(service.lookups as Lookups), ...eclLookups(http, replicator) },
    createImage(order, job) {
      warnOfFormats(ecl, order.values, job);
      return service.createImage(order, job);
    },
    copies: byTarget("tenant", copies, service.copies as PartService),
  };
}

/** What an older document of the vendor lists is sent as it is: the service has the last word. */
function warnOfFormats({ documentedFormats }: Dialect, { diskFormat, containerFormat }: Values, job: Job): void {
  if (documentedFormats === undefined) return;
  const { disk, container } = documentedFormats;
  if (typeof diskFormat === "string" && !disk.includes(diskFormat))
    job.warn(`diskFormat ${diskFormat} isn't among ECL's ${disk.join(", ")}: it may refuse it, or not boot it`);
  if (typeof containerFormat === "string" && !container.includes(containerFormat))
    job.warn(
      `containerFormat ${containerFormat} isn't among ECL's ${container.join(", ")}: it may refuse it, or not boot it`,
    );
}
