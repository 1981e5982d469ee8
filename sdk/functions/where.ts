import type { Input } from "@pulumi/pulumi";
import type { ImageService } from "../args/index.ts";

/** The image services that the functions know. */
export type FunctionService = ImageService;

/** Which service a function asks, and as whom. */
export interface Where<S extends FunctionService = FunctionService> {
  service: S;
  /** Name of a connection (see the README, Connections). Default: the service's own default connection. */
  connection?: string;
}

/** The same for the `…Output` form; the service is known, since it says what else there is. */
export interface WhereInputs<S extends FunctionService = FunctionService> {
  service: S;
  connection?: Input<string>;
}
