/**
 * Runs a program with Pulumi's mocks in place of the engine, in a process of its own, as mocks are for a whole process:
 * `node mockedProgram.ts PROGRAM SDK IDS`, with PULUMI_CONFIG as the language host sets it. SDK is the official package beside ours, IDS the id
 * to answer by type, as JSON. Prints `Mocked` as JSON.
 */
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";

export interface Mocked {
  registered: Registered[];
  /** What the official package reads from the stack's configuration, of the keys that are set for it. */
  officialConfig: Record<string, unknown>;
}

/** A resource as the engine would have got it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** The explicit provider; "" for the one that the engine makes from the stack's configuration. */
  provider: string;
}

const [program, sdk, ids] = process.argv.slice(2) as [string, string, string];
const idsByType = JSON.parse(ids) as Record<string, string>;
const registered: Registered[] = [];

await pulumi.runtime.setMocks(
  {
    newResource({ type, name, inputs, provider = "" }) {
      registered.push({ type, name, inputs, provider });
      const id = idsByType[type];
      if (id === undefined) throw new Error(`no id for a ${type}`);
      return { id, state: inputs };
    },
    call({ token }) {
      throw new Error(`nothing answers ${token}`);
    },
  },
  "mocked",
  "dev",
);
await import(pathToFileURL(program).href);
await pulumi.runtime.disconnect();

const { config } = (await import(`@pulumi/${sdk}`)) as { config: Record<string, unknown> };
const keys = Object.keys(JSON.parse(process.env.PULUMI_CONFIG ?? "{}")).filter(key => key.startsWith(`${sdk}:`));
const officialConfig = Object.fromEntries(keys.map(key => [key, config[key.slice(sdk.length + 1)]]));
process.stdout.write(JSON.stringify({ registered, officialConfig } satisfies Mocked));
