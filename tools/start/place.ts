import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** The root of the clone: the Pulumi project that is run. */
export const projectFolder = join(import.meta.dirname, "..", "..");

/** The stack that `npm start` makes of the project. */
export const stackName = "local";

/** Where one run of `npm start` keeps what it makes, all of it in a folder of the clone that git ignores. */
export interface Place {
  folder: string;
  /** The local cloud's state and image data. */
  cloud: string;
  /** Pulumi's state. */
  state: string;
  /** Settings for a shell that wants to go on with both. */
  shellSettings: string;
}

/**
 * Makes an empty place; what an earlier run left is removed.
 * @throws Error when a cloud is still running there
 */
export async function freshPlace(): Promise<Place> {
  const own = join(projectFolder, ".pulumi-images");
  const folder = join(own, "start");
  const cloud = join(folder, "cloud");
  if (await isRunning(cloud)) {
    throw new Error(
      "The local image service of an earlier npm start is still running (in another terminal?): stop it with Ctrl-C, then run npm start again.",
    );
  }
  await rm(folder, { recursive: true, force: true });
  await rm(join(own, `Pulumi.${stackName}.yaml`), { force: true });
  const state = join(folder, "state");
  await mkdir(state, { recursive: true });
  return { folder, cloud, state, shellSettings: join(folder, "env.sh") };
}

/** Whether a cloud keeps its state in this folder right now: it answers to the key that lies there. */
async function isRunning(cloudFolder: string): Promise<boolean> {
  try {
    const { controlKey, ports } = JSON.parse(await readFile(join(cloudFolder, "cloud.json"), "utf8")) as {
      controlKey: string;
      ports: Record<string, number>;
    };
    const answers = Object.values(ports).map(port =>
      fetch(`http://127.0.0.1:${port}/_faults`, { headers: { authorization: `Bearer ${controlKey}` } }).then(
        answer => answer.ok,
        () => false,
      ),
    );
    return (await Promise.all(answers)).includes(true);
  } catch {
    // No folder yet, or one that a killed run left half made.
    return false;
  }
}
