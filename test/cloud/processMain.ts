/** The child of process.ts: a local cloud with the options that it is given as JSON, until its standard input ends. */
import { type CloudOptions, startCloud } from "./cloud.ts";

const cloud = await startCloud(JSON.parse(process.argv[2] as string) as CloudOptions);
process.stdout.write(`${JSON.stringify(cloud.services)}\n`);
process.stdin.on("end", () => void cloud.stop().then(() => process.exit(0))).resume();
