import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import { loaderOf } from "../../sdk/loader.ts";

const root = join(import.meta.dirname, "..", "..");
const script = "@pulumi/pulumi/cmd/dynamic-provider/index.js";
// The messages are those of the protobuf that @pulumi/pulumi brings along.
const { Struct } = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"))(
  "google-protobuf/google/protobuf/struct_pb.js",
) as typeof import("google-protobuf/google/protobuf/struct_pb.js");

/** What a provider process needs before it can work: milliseconds, CPU milliseconds and resident memory. */
export interface Start {
  /** Until it listens: Node and Pulumi's SDK, before anything of the provider is loaded. */
  listening: number;
  /** From then on until the provider is loaded, configured, and has answered its first check. */
  configured: number;
  /** CPU milliseconds of that second part. */
  cpu: number;
  peakMiB: number;
}

export type Starting = "noop" | "ours";

/** Starts a provider process as the engine does, and has it configured. @param env what it gets besides this process's */
export async function startOnce(which: Starting, env: NodeJS.ProcessEnv): Promise<Start> {
  const noop = join(import.meta.dirname, "noop", "provider.cjs");
  const loader = which === "ours" ? loaderOf("image") : `exports.handler=()=>require(${JSON.stringify(noop)})`;
  const start = performance.now();
  const child = spawn(process.execPath, [createRequire(import.meta.url).resolve(script), "none"], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const listening = performance.now();
  const pid = child.pid as number;
  const cpu = await cpuOf(pid);
  const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    const configuration = new providerProto.ConfigureRequest();
    configuration.setArgs(Struct.fromJavaScript({}));
    await new Promise((done, fail) =>
      client.configure(configuration, (error, answer) => (error ? fail(error) : done(answer))),
    );
    const check = new providerProto.CheckRequest();
    check.setOlds(Struct.fromJavaScript({}));
    const inputs = { service: "openstack", name: "one", resource: "urn:pulumi:dev::bench::type::one" };
    check.setNews(Struct.fromJavaScript({ ...inputs, __provider: loader }));
    await new Promise((done, fail) => client.check(check, (error, answer) => (error ? fail(error) : done(answer))));
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    return {
      listening: listening - start,
      configured: performance.now() - listening,
      cpu: (await cpuOf(pid)) - cpu,
      peakMiB: Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024,
    };
  } finally {
    client.close();
    child.kill("SIGKILL");
    await closed;
  }
}

/** CPU milliseconds of a process, which the kernel counts in hundredths of a second. Source: proc(5), utime and stime. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}
