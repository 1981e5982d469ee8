/** Applies all stacks of the fleet, some at a time: `node apply.mts up|preview|refresh|destroy [at a time]`. */
import { availableParallelism } from "node:os";
import * as automation from "@pulumi/pulumi/automation/index.js";
import { byStack } from "./fleet.ts";

const verbs = ["up", "preview", "refresh", "destroy"] as const;
const verb = verbs.find(one => one === process.argv[2]);
if (verb === undefined) throw new Error(`say one of ${verbs.join(", ")}`);
const atATime = Number(process.argv[3] ?? availableParallelism());

const workDir = import.meta.dirname;
// It is the same program for all stacks: its types are checked by an editor or by tsc, not once more in each.
const envVars = { PULUMI_NODEJS_TRANSPILE_ONLY: "true" };

const left = [...byStack()].sort(([one], [other]) => one.localeCompare(other)).values();
const failed: string[] = [];

async function work(): Promise<void> {
  // All workers take from the same list.
  for (const [stackName, images] of left) {
    const start = performance.now();
    try {
      const stack = await automation.LocalWorkspace.createOrSelectStack({ stackName, workDir }, { envVars });
      const changes = await apply(stack);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${stackName}: ${images.length} images, ${seconds} s, ${JSON.stringify(changes)}`);
    } catch (error) {
      // The other stacks go on: each of them is whole by itself.
      failed.push(stackName);
      console.error(`${stackName}: ${(error as Error).message}`);
    }
  }
}

async function apply(stack: automation.Stack): Promise<unknown> {
  if (verb === "preview") return (await stack.preview()).changeSummary;
  if (verb === "refresh") return (await stack.refresh()).summary.resourceChanges;
  if (verb === "destroy") return (await stack.destroy()).summary.resourceChanges;
  return (await stack.up()).summary.resourceChanges;
}

await Promise.all(Array.from({ length: atATime }, work));
if (failed.length > 0) {
  console.error(`${failed.length} stacks failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
