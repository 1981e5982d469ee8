import type * as pulumi from "@pulumi/pulumi";
import { call, callOutput } from "./call.ts";
import type { Inputs } from "./inputs.ts";
import type { Where, WhereInputs } from "./where.ts";

type SchemaService = "openstack" | "ecl" | "istack";

/** What it is the schema of; the last four are those of the metadata definitions. */
export type SchemaName =
  | "image"
  | "images"
  | "member"
  | "members"
  | "metadefs/namespace"
  | "metadefs/object"
  | "metadefs/property"
  | "metadefs/resource_type";

/** A JSON schema (draft 4) as the service has it, which says which properties and formats its operator allows. */
export interface ServiceSchema {
  name: string;
  properties: Record<string, unknown>;
  [key: string]: unknown;
}

export function getSchema(args: Where<SchemaService> & { schema: SchemaName }): Promise<ServiceSchema> {
  return call("getSchema", args);
}

/** {@link getSchema} of inputs. */
export function getSchemaOutput(
  args: WhereInputs<SchemaService> & Inputs<{ schema: SchemaName }>,
): pulumi.Output<ServiceSchema> {
  return callOutput(args, getSchema);
}
