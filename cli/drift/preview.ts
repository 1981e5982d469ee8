import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import type { EngineEvent, LocalWorkspace, Stack } from "@pulumi/pulumi/automation/index.js";
import { ImagesError } from "../../provider/errors.ts";

const execute = promisify(execFile);

type Automation = typeof import("@pulumi/pulumi/automation/index.js");

/** A stack that can be previewed as often as needed. */
export interface Previewed {
  project: string;
  stack: string;
  /** Runs the program without changing anything, neither on a service nor in the state. */
  preview(options: { refresh: boolean; signal: AbortSignal }): Promise<PreviewRun>;
}

export interface PreviewRun {
  events: EngineEvent[];
  /** Why it didn't come to its end, in Pulumi's words; undefined where it did. */
  failure: string | undefined;
}

/**
 * Opens a stack by Pulumi's Automation API, which runs the `pulumi` on PATH: login, passphrase and secrets provider are as the environment and
 * the project have them.
 * @param stackName undefined for the selected one
 * @throws ImagesError "configuration" where there is no such stack, or no working pulumi
 */
export async function openStack(folder: string, stackName: string | undefined): Promise<Previewed> {
  // CommonJS, and large: loaded by require, and not before it is needed.
  const { LocalWorkspace, Stack } = createRequire(import.meta.url)("@pulumi/pulumi/automation") as Automation;
  try {
    const workspace = await LocalWorkspace.create({ workDir: folder, envVars: { PULUMI_SKIP_UPDATE_CHECK: "true" } });
    const { name: project } = await workspace.projectSettings();
    const name = stackName ?? (await selectedStack(folder));
    leaveSelection(workspace);
    const stack = await Stack.select(name, workspace);
    return { project, stack: name, preview: options => run(stack, options) };
  } catch (error) {
    if (error instanceof ImagesError) throw error;
    throw new ImagesError("configuration", `the stack can't be opened: ${saidBy(error)}`, { cause: error });
  }
}

/** The API would list all stacks for it. @throws ImagesError "configuration" where none is selected */
async function selectedStack(folder: string): Promise<string> {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  try {
    const { stdout } = await execute("pulumi", ["stack", "--show-name", "--non-interactive"], { cwd: folder, env });
    return stdout.trim();
  } catch (error) {
    throw new ImagesError("configuration", `no stack is selected: ${saidBy(error)}`, {
      hint: "Name one by --stack",
      cause: error,
    });
  }
}

/** The API selects the stack that it works on, in the user's own workspace, where it would stay selected. Each command names it anyway. */
function leaveSelection(workspace: LocalWorkspace): void {
  workspace.selectStack = async () => {};
}

async function run(stack: Stack, options: { refresh: boolean; signal: AbortSignal }): Promise<PreviewRun> {
  const events: EngineEvent[] = [];
  try {
    await stack.preview({ ...options, color: "never", onEvent: event => void events.push(event) });
    return { events, failure: undefined };
  } catch (error) {
    return { events, failure: saidBy(error) };
  }
}

/** Of a command that failed, what Pulumi wrote about it; the whole text has its output twice, and the command line. */
function saidBy(error: unknown): string {
  const { message, stderr, commandResult } = error as Error & { stderr?: string; commandResult?: { stderr?: string } };
  const said = (commandResult?.stderr ?? stderr ?? /stderr: ([\s\S]*?)(\nerr\?: |$)/.exec(message)?.[1] ?? "")
    .split("\n")
    .filter(line => line.startsWith("error: "))
    .map(line => line.slice("error: ".length));
  return said.length > 0 ? said.join("; ") : (message.split("\n")[0] ?? "");
}
