import type { Input } from "@pulumi/pulumi";
import type { LeaveOut } from "./leaveOut.ts";

/** Another cloud, region or project: the data is streamed from the source service to the target service. */
export interface CopyToConnection {
  /** The connection to copy to. */
  connection: Input<string>;
  /** Its service, where that isn't the source's. */
  service?: Input<"openstack" | "ecl" | "istack" | "glance-v1">;
  /** What is to be different at the target; all else comes along: formats, minima, properties (but those that servers make), tags. */
  name?: Input<string>;
  visibility?: Input<string>;
  protected?: Input<boolean>;
  minDisk?: Input<number>;
  minRam?: Input<number>;
  /**
   * ALL of the copy's tags. Without it, the copy gets the tags that its source has when the copy is made; from then on they are left alone.
   * To have them follow the source, hand on its tags: `ubuntu.tags`, or the `tag` of an ImageTag.
   */
  tags?: Input<Input<string>[]>;
  /** Added to the source's properties, or put in their place. */
  properties?: Input<Record<string, Input<string>>>;
  /** Where at the target, if it has several stores. */
  store?: Input<string>;
  /** `stream` (default): through the machine that runs Pulumi. `import`: the target fetches `url` itself. */
  mode?: Input<"stream" | "import">;
  /** With mode `import`: where the target's service finds the source's data. */
  url?: Input<string>;
  stores?: LeaveOut<"a copy goes to stores or to a connection">;
}
