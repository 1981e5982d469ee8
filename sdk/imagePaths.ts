import type { ImageArgs } from "./args/index.ts";

interface Paths {
  file: string;
  schema: string;
  self: string;
}

/** Services that speak the Image API v2. */
const speakers: readonly ImageArgs["service"][] = ["openstack", "ecl", "istack"];

/**
 * The paths that the Image API v2 reports with each image. They follow from its id, so no state holds them.
 * Source: docs.openstack.org/api-ref/image/v2 "Show image".
 */
export const imagePaths = {
  names: ["file", "schema", "self"] as const satisfies (keyof Paths)[],
  /** undefined on a service that has no such paths. */
  of(service: ImageArgs["service"], id: string): Paths | undefined {
    if (!speakers.includes(service)) return undefined;
    const self = `/v2/images/${id}`;
    return { file: `${self}/file`, schema: "/v2/schemas/image", self };
  },
};
