import { subscribe } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import type { Http2Server } from "node:http2";
import { connect } from "node:net";

const controller = new AbortController();

/** Fires when this process has been told to end, or its engine is gone: what is running stops at its next safe point. */
export const stopping: AbortSignal = controller.signal;

/** How long work in progress may take to come to its safe point once there is nobody to report to. */
const graceMs = 2000;
const reconnectMs = 500;
let watching = false;

/**
 * Ends this process when its engine is gone. A killed engine leaves its provider processes behind; without this they would finish their
 * creates unseen, and then spin: each line that they log fails, and the failure is logged.
 * @param address the engine's own, as this process got it: host:port
 */
export function endWithEngine(address: string | undefined): void {
  const [, host, port] = /^(.+):(\d+)$/.exec(address ?? "") ?? [];
  if (watching || host === undefined) return;
  watching = true;
  stopWhenCanceled();
  for (const stream of [process.stdout, process.stderr]) stream.on("error", end);
  watch(host, Number(port));
}

/** Node's own notice of each request to an HTTP/2 server of this process. */
const requestChannel = "http2.server.stream.created";
const cancelCall = "/pulumirpc.ResourceProvider/Cancel";

/**
 * Ctrl-C in a terminal reaches the engine only, which then calls Cancel on its providers and waits for what they are at. The SDK answers that
 * call without telling anybody, so it is noticed on its way in. The process goes on: the engine ends it once it has noted everything.
 */
function stopWhenCanceled(): void {
  const look = (headers: Record<string, unknown>) => {
    if (headers[":path"] === cancelCall) controller.abort();
  };
  if (hasRequestChannel(process.versions.node))
    subscribe(requestChannel, message => look((message as { headers: Record<string, unknown> }).headers));
  else for (const server of http2Servers()) server.on("stream", (_stream, headers) => look(headers));
}

/** From Node 22.17 and 24.2 on. */
function hasRequestChannel(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return (major === 22 && minor >= 17) || (major === 24 && minor >= 2) || major > 24;
}

/** The servers of this process that take streams: the SDK's, which was started before this module was loaded. For old Nodes only. */
function http2Servers(): Http2Server[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?(): unknown[] };
  return (handles?.call(process) ?? []).filter(
    (handle): handle is Http2Server => handle instanceof EventEmitter && handle.listenerCount("stream") > 0,
  );
}

/** An idle connection to the engine breaks when it ends; the engine closes it now and then too, but then takes a new one. */
function watch(host: string, port: number): void {
  const socket = connect(port, host);
  socket.unref();
  socket.once("error", end);
  socket.once("close", failed => {
    if (!failed) setTimeout(() => watch(host, port), reconnectMs).unref();
  });
  socket.resume();
}

let ending = false;

function end(): void {
  if (ending) return;
  ending = true;
  controller.abort();
  setTimeout(() => process.exit(1), graceMs).unref();
}
