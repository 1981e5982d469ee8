import { digitalocean } from "./digitalocean/index.ts";
import { divvycloud } from "./divvycloud/index.ts";
import { ecl } from "./ecl/index.ts";
import { glanceV1 } from "./glanceV1/index.ts";
import { istack } from "./istack/index.ts";
import { openstack } from "./openstack/index.ts";
import type { CloudService, ServiceDescription } from "./service.ts";

/** The services of the local cloud: one line each, openstack before those that sign in there. */
export const services = {
  openstack,
  ecl,
  istack,
  digitalocean,
  divvycloud,
  "glance-v1": glanceV1,
};

export type ServiceName = keyof typeof services;

type Service<Name extends ServiceName> = (typeof services)[Name];

/** What a test may tune on a service. */
export type SettingsOf<Name extends ServiceName> =
  Service<Name> extends CloudService<infer S, ServiceDescription> ? S : never;

/** What a service tells of itself. */
export type DescriptionOf<Name extends ServiceName> = Awaited<ReturnType<Service<Name>["start"]>>;

/** What a test wants different from the defaults. */
export type CloudSettings = { [Name in ServiceName]?: Partial<SettingsOf<Name>> };
