import * as v from "valibot";
import { ImagesError } from "../errors.ts";
import { oneOf, text } from "../fields/values.ts";
import type { Services } from "../runtime.ts";
import { type CopyJob, type Region, type SchemaName, type Store, schemaNames } from "../services/lookups.ts";
import type { Facts, Values } from "../services/service.ts";
import { lookup, serviceFor } from "./services.ts";

/** An image's members. @throws ImagesError "not-found" where there is no such image */
export async function getMembers(services: Services, args: Values): Promise<Facts[]> {
  const service = serviceFor(services, args, { imageId: idOf("imageId") });
  const imageId = needed(args, "imageId");
  const members = await lookup(service, "listMembers")(imageId);
  if (members !== undefined) return members;
  throw new ImagesError("not-found", `there is no image ${imageId} on the connection ${service.connection.name}`);
}

/** A JSON schema of the service. */
export async function getSchema(services: Services, args: Values): Promise<Record<string, unknown>> {
  const service = serviceFor(services, args, { schema: oneOf("schema", schemaNames) });
  return await lookup(service, "schema")(needed(args, "schema") as SchemaName);
}

/** The stores of the cloud, in its own order; none where it has just one and doesn't name it. */
export async function getStores(services: Services, args: Values): Promise<Store[]> {
  return await lookup(serviceFor(services, args, {}), "stores")();
}

/** How the cloud takes image data besides an upload: glance-direct, web-download, copy-image, glance-download. */
export async function getImportMethods(services: Services, args: Values): Promise<string[]> {
  return await lookup(serviceFor(services, args, {}), "importMethods")();
}

export async function getRegions(services: Services, args: Values): Promise<Region[]> {
  return await lookup(serviceFor(services, args, {}), "regions")();
}

/** The types of license that an image may be marked with. */
export async function getLicenses(services: Services, args: Values): Promise<string[]> {
  return await lookup(serviceFor(services, args, {}), "licenses")();
}

/** The copies to other tenants that the service still knows of. */
export async function getCopyJobs(services: Services, args: Values): Promise<CopyJob[]> {
  return await lookup(serviceFor(services, args, {}), "copyJobs")();
}

/** @throws ImagesError "not-found" where there is no such job */
export async function getCopyJob(services: Services, args: Values): Promise<CopyJob> {
  const service = serviceFor(services, args, { id: idOf("id") });
  const id = needed(args, "id");
  const job = await lookup(service, "copyJob")(id);
  if (job !== undefined) return job;
  throw noSuchJob(id);
}

/** Asks for the end of a copy. @throws ImagesError "not-found", "conflict" where it is over already */
export async function cancelCopyJob(services: Services, args: Values): Promise<void> {
  const service = serviceFor(services, args, { id: idOf("id") });
  const id = needed(args, "id");
  if (!(await lookup(service, "cancelCopyJob")(id))) throw noSuchJob(id);
}

function noSuchJob(id: string): ImagesError {
  return new ImagesError("not-found", `there is no copy job ${id}`, {
    hint: "The service forgets its jobs after a while; getCopyJobs lists those that it knows",
  });
}

function idOf(what: string) {
  return v.union([text({ what, min: 1 }), v.number()], `${what} must be an id`);
}

function needed(args: Values, name: string): string {
  if (args[name] !== undefined && args[name] !== null) return String(args[name]);
  throw new ImagesError("invalid", `${String(args.service)} needs ${name}`);
}
