import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { ImagesError } from "../errors.ts";
import { tapped } from "./receive.ts";

export interface Agents {
  http: http.Agent;
  https: https.Agent;
}

export interface TlsOptions {
  /** PEM file of certificate authorities trusted besides the usual ones. */
  caFile?: string | undefined;
  /** Accept any certificate. */
  insecure?: boolean | undefined;
}

/**
 * Connections kept open between requests. An idle one is closed after four seconds, before common servers close theirs (five seconds and
 * more): a request that isn't repeatable then doesn't run into a connection that is just being closed.
 *
 * @param maxSockets connections to one host at once; further requests wait for a free one
 */
export function createAgents({ caFile, insecure }: TlsOptions, maxSockets: number): Agents {
  const shared = {
    keepAlive: true,
    maxSockets,
    maxFreeSockets: 16,
    timeout: 4000,
    scheduling: "lifo" as const,
    proxyEnv: proxyEnvironment(process.env),
  };
  return {
    http: new PatientHttpAgent(shared),
    https: new PatientHttpsAgent({
      ...shared,
      ...(caFile === undefined ? {} : { secureContext: trusting(caFile) }),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    }),
  };
}

/** Whether this Node's agents can go through a proxy: from 22.21 and 24.5 on. */
export function canUseProxies(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return (major === 22 && minor >= 21) || (major === 24 && minor >= 5) || major > 24;
}

/** The variables that name proxies are obeyed where Node can; what runs on this machine is never asked through one. */
function proxyEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const spared = [env.no_proxy ?? env.NO_PROXY, "localhost", "127.0.0.1", "::1", "[::1]"].filter(Boolean).join(",");
  return {
    HTTP_PROXY: env.http_proxy ?? env.HTTP_PROXY,
    HTTPS_PROXY: env.https_proxy ?? env.HTTPS_PROXY,
    NO_PROXY: spared,
  };
}

function trusting(caFile: string): tls.SecureContext {
  try {
    const own =
      readFileSync(caFile, "utf8").match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    if (own.length === 0) throw new Error("it has no certificate in PEM form");
    // Node itself passes over what it can't read.
    for (const certificate of own) new X509Certificate(certificate);
    const usual = tls.getCACertificates?.("default") ?? [...tls.rootCertificates, ...extraOfOldNode(process.env)];
    return tls.createSecureContext({ ca: [...usual, ...own] });
  } catch (error) {
    throw new ImagesError("configuration", `The CA file ${caFile} can't be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Before 22.15, Node doesn't tell whom it trusts: NODE_EXTRA_CA_CERTS counts beside caFile all the same. */
function extraOfOldNode({ NODE_EXTRA_CA_CERTS: file }: NodeJS.ProcessEnv): string[] {
  return file ? [readFileSync(file, "utf8")] : [];
}

type Connected = (error: Error | null, socket: Duplex) => void;

class PatientHttpAgent extends http.Agent {
  override createConnection(options: http.ClientRequestArgs, connected?: Connected): Duplex | null | undefined {
    return tapped(tap => patient(super.createConnection({ ...options, ...tap }, patiently(connected))));
  }
}

class PatientHttpsAgent extends https.Agent {
  override createConnection(options: https.RequestOptions, connected?: Connected): Duplex | null | undefined {
    return tapped(tap => patient(super.createConnection({ ...options, ...tap }, patiently(connected))));
  }
}

/** Through a proxy the connection is handed over later. */
function patiently(connected: Connected | undefined): Connected | undefined {
  return connected && ((error, socket) => connected(error, patient(socket) as Duplex));
}

const seen = new WeakSet<Duplex>();

/** How long an answer may take to be read after writing has failed. */
const lastWordsMs = 2000;

/**
 * A server that refuses an upload early (409, 413, 415) answers and closes while we are still writing. Node then destroys the socket at the
 * first failed write, with the answer unread in the socket's buffer. Here a failed write is reported only when reading has ended too, or
 * after two seconds, so that the answer is seen.
 */
function patient(stream: Duplex | null | undefined): Duplex | null | undefined {
  if (!stream || seen.has(stream)) return stream;
  seen.add(stream);
  const socket = stream as Socket;
  type Write = (chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void) => void;
  type Writev = (
    chunks: { chunk: unknown; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ) => void;
  const write: Write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket) as Writev | undefined;

  const reportLater = (callback: (error?: Error | null) => void) => (error?: Error | null) => {
    if (!error || socket.destroyed || socket.readableEnded) {
      callback(error);
      return;
    }
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      clearTimeout(timer);
      callback(error);
    };
    const timer = setTimeout(tell, lastWordsMs);
    socket.once("end", tell);
    socket.once("close", tell);
  };

  socket._write = (chunk, encoding, callback) => write(chunk, encoding, reportLater(callback));
  if (writev) socket._writev = (chunks, callback) => writev(chunks, reportLater(callback));
  return stream;
}
