import { createRequire } from "node:module";
import type { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { redact } from "./redaction.ts";

type Severity = "info" | "warning";

let client: Promise<EngineClient | undefined> | undefined;

/** Shows a line beside a resource for as long as it is being worked on; the next one takes its place. */
export function showProgress(urn: string, text: string): void {
  void log("info", urn, text, true);
}

/** What this process has warned of already. */
const warned = new Set<string>();

/** Leaves a warning in the engine's output; the same one once. */
export function warn(text: string, urn = ""): void {
  const key = `${urn} ${text}`;
  if (warned.has(key)) return;
  warned.add(key);
  const sent = log("warning", urn, text, false).finally(() => sending.delete(sent));
  sending.add(sent);
}

/** Warnings on their way. */
const sending = new Set<Promise<void>>();
/** An engine that doesn't take a warning isn't waited for any longer. */
const mostMs = 5000;

/** Resolves when the engine has what it was warned of. It ends this process as soon as it has its last answer. */
export async function warningsSent(): Promise<void> {
  await Promise.all(sending);
}

/** Logging must never make the work fail: an engine that is gone can't be told. */
async function log(severity: Severity, urn: string, text: string, ephemeral: boolean): Promise<void> {
  try {
    client ??= connect();
    const engine = await client;
    if (engine === undefined) return;
    const { LogRequest, LogSeverity } = (await import("@pulumi/pulumi/proto/engine_pb.js")).default;
    const { Metadata } = grpc();
    const request = new LogRequest();
    request.setSeverity(severity === "info" ? LogSeverity.INFO : LogSeverity.WARNING);
    request.setUrn(urn);
    request.setMessage(redact(text));
    request.setEphemeral(ephemeral);
    await new Promise<void>(resolve =>
      engine.log(request, new Metadata(), { deadline: Date.now() + mostMs }, () => resolve()),
    );
  } catch {
    // Nobody is listening.
  }
}

/** The engine starts this process with its own address as the last argument; outside an engine (in the CLI) there is none. */
async function connect(): Promise<EngineClient | undefined> {
  const address = process.argv[2];
  if (address === undefined || !/^[\w.[\]:]+:\d+$/.test(address)) return undefined;
  const { default: engine } = await import("@pulumi/pulumi/proto/engine_grpc_pb.js");
  return new engine.EngineClient(address, grpc().credentials.createInsecure());
}

/** The SDK's own copy, wherever it is installed: its clients take the parts of no other one, and would fail unseen. */
function grpc(): typeof import("@grpc/grpc-js") {
  const sdk = createRequire(import.meta.url).resolve("@pulumi/pulumi");
  return createRequire(sdk)("@grpc/grpc-js");
}
