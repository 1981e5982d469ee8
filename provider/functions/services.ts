import { ImagesError } from "../errors.ts";
import { commonFields } from "../fields/common.ts";
import { type Field, type FieldTable, type Problem, problemsOf } from "../fields/field.ts";
import type { Services } from "../runtime.ts";
import type { Lookups } from "../services/lookups.ts";
import type { ServiceName } from "../services/names.ts";
import type { ImageService, Values } from "../services/service.ts";

/** Which services have what, for the message where one hasn't. */
const where: Partial<Record<keyof Lookups, string>> = {
  listMembers: "members are listed on openstack, ecl and glance-v1",
  schema: "schemas are served by openstack, ecl and istack",
  stores: "only openstack has stores",
  importMethods: "only openstack has import methods",
  regions: "only digitalocean has regions",
  licenses: "only ecl has licenses",
  copyJobs: "only ecl has copy jobs",
  copyJob: "only ecl has copy jobs",
  cancelCopyJob: "only ecl has copy jobs",
  openData: "data can be read from openstack, ecl, istack and glance-v1",
};

/** What the service of these arguments can look up. */
export function lookupsOf(service: ImageService): Lookups {
  if (service.lookups !== undefined) return service.lookups;
  throw new ImagesError("unsupported", `${service.name} can't list its images`);
}

/** One thing that a service can look up. @throws ImagesError "unsupported" where it can't, with who can */
export function lookup<K extends keyof Lookups>(service: ImageService, what: K): NonNullable<Lookups[K]> {
  const found = lookupsOf(service)[what];
  if (found !== undefined) return found;
  throw new ImagesError("unsupported", `${service.name} hasn't that: ${where[what] ?? "it isn't part of its API"}`);
}

/** The arguments of a function that asks for one thing: which service and connection, and the given ones. */
export function argumentTable(
  service: ServiceName,
  fields: Record<string, Field["schema"]>,
  rules: FieldTable["rules"] = () => [],
): FieldTable {
  const { resource: _, timeouts: __, generation: ___, ...common } = commonFields(service);
  const own = Object.entries(fields).map(([name, schema]) => [name, { schema, change: "none" } as const] as const);
  return { service, fields: { ...common, ...Object.fromEntries(own) }, instead: {}, rules };
}

/** @throws ImagesError "invalid" that says everything that is wrong with the arguments at once */
export function check(table: FieldTable, args: Values): void {
  const problems: Problem[] = problemsOf(table, args);
  if (problems.length > 0) throw new ImagesError("invalid", problems.map(({ reason }) => reason).join("; "));
}

/** The service that the arguments name, once they have been looked at. */
export function serviceFor(
  services: Services,
  args: Values,
  fields: Record<string, Field["schema"]>,
  rules?: FieldTable["rules"],
): ImageService {
  const service = services(args);
  check(argumentTable(service.name, fields, rules), args);
  return service;
}
