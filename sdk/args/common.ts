import type { Input } from "@pulumi/pulumi";

/** What every resource on every service may have. */
export interface CommonArgs {
  /** Name of a connection (see the README, Connections). Default: the service's own default connection. */
  connection?: Input<string>;
}
