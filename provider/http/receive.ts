import type { ClientRequest, IncomingMessage } from "node:http";
import type { OnReadOpts, Socket } from "node:net";
import { type Duplex, Readable } from "node:stream";
import type { Request } from "got";
import { partSize, takePart } from "../content/parts.ts";

/** Bytes that are read at once of all that isn't such data. */
const headSize = 16 * 1024;
/** What has come is given on after so many milliseconds, whether the part is full or not. */
const patienceMs = 20;

/** Parts that may wait for their reader. */
const partsAhead = 4;

const empty = Buffer.alloc(0);
const taps = new WeakMap<Socket, Tap>();

/**
 * Stands between a connection and Node's HTTP parser. The parser makes copies of a body, in pieces of 64 KiB at most, and each piece goes through
 * several streams: that takes several times as long as receiving it. So the parser is given everything but the data of a body whose length the
 * answer's head has told: that is read into memory of ours, in large parts.
 */
class Tap {
  /** For net.connect and tls.connect. */
  readonly onread: OnReadOpts;
  #socket: Socket | undefined;
  #body: Body | undefined;

  constructor() {
    const head = Buffer.allocUnsafeSlow(headSize);
    this.onread = {
      buffer: () => this.#body?.room() ?? head,
      callback: (count, memory) => {
        const bytes = memory.subarray(0, count);
        if (memory.buffer !== head.buffer) return (this.#body as Body).arrived(bytes);
        // What still waits for the parser comes first.
        const [body, socket, copy] = [this.#body, this.#socket as Socket, Buffer.from(bytes)];
        return body !== undefined && socket.readableLength === 0 ? body.arrived(copy) : socket.push(copy);
      },
    };
  }

  on(socket: Socket): void {
    this.#socket = socket;
    taps.set(socket, this);
  }

  /** From now on what comes is the rest of this body; undefined: no body's. */
  turn(body: Body | undefined): void {
    this.#body = body;
  }
}

/**
 * Makes a connection whose bodies can be received past Node's parser. One that is made otherwise in the end (TLS through a proxy) works, too, only
 * slower.
 */
export function tapped(connect: (tap: { onread: OnReadOpts }) => Duplex | null | undefined): Duplex | null | undefined {
  const tap = new Tap();
  const socket = connect(tap);
  if (socket) tap.on(socket as Socket);
  return socket;
}

/** Tells of each answer to a request of got's at its head, before got reads of it: the time to make a Body. */
export function onEachHead(request: Request, begun: (response: IncomingMessage) => void): void {
  request.on("request", (sent: ClientRequest) => sent.prependOnceListener("response", begun));
}

/** An answer's data, taken from where Node's HTTP client would put it. To be made before anything of it is read, see onEachHead. */
export class Body extends Readable {
  /** Bytes that came. */
  received = 0;
  readonly #socket: Socket;
  readonly #failure: (error: Error) => Error;
  /** Bytes to come; undefined where the head doesn't tell: then the parser finds the end. */
  #left: number | undefined;
  /** Memory for what comes. What lies before `#given` was given on, what lies before `#filled` has come. */
  #part: Buffer = empty;
  #given = 0;
  #filled = 0;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  /** @param failure makes the error of this stream from the network's */
  constructor(response: IncomingMessage, failure: (error: Error) => Error) {
    // Part by part, as they came: else Node would copy them together.
    super({ objectMode: true, highWaterMark: partsAhead });
    this.#socket = response.socket;
    this.#failure = failure;
    const { "content-length": length, "transfer-encoding": coding } = response.headers;
    if (length !== undefined && coding === undefined) {
      this.#left = Number(length);
      taps.get(this.#socket)?.turn(this);
    }
    // The parser gives what it has been given: what came together with the head, and all data without a length.
    const push = response.push.bind(response);
    response.push = (bytes: Buffer | null) => {
      if (bytes !== null) return this.arrived(bytes);
      // It is called when the connection breaks, too.
      if (response.complete) this.#end();
      return push(null);
    };
    // One that breaks before anybody reads it tells who reads it then.
    this.on("error", () => {});
    response.once("error", error => this.#fail(error));
    response.once("close", () => this.#fail(new Error("the connection was closed")));
  }

  /** Where the next bytes may be written to; undefined if none are to come. */
  room(): Buffer | undefined {
    if (this.#left === undefined || this.#left === 0) return undefined;
    if (this.#filled === this.#part.length) {
      this.#part = takePart(Math.min(partSize, this.#left));
      this.#given = 0;
      this.#filled = 0;
    }
    return this.#part.subarray(this.#filled, this.#filled + this.#left);
  }

  /** @returns whether more is welcome now */
  arrived(bytes: Uint8Array): boolean {
    this.received += bytes.length;
    if (this.#left !== undefined) this.#left -= bytes.length;
    if (bytes.buffer !== this.#part.buffer) return this.push(bytes);
    this.#filled += bytes.length;
    if (this.#left === 0) {
      this.#giveOn();
      this.#end();
      // The parser still waits for this data: nothing else can come by this connection.
      this.#socket.destroy();
      return false;
    }
    if (this.#filled === this.#part.length) return this.#giveOn();
    this.#timer ??= setTimeout(() => this.#giveOn() || this.#socket.pause(), patienceMs);
    return true;
  }

  override _read(): void {
    if (!this.#isEnded) this.#socket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  /** @returns whether more is welcome now */
  #giveOn(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = this.#part.subarray(this.#given, this.#filled);
    this.#given = this.#filled;
    return bytes.length === 0 || this.push(bytes);
  }

  #end(): void {
    this.#isEnded = true;
    taps.get(this.#socket)?.turn(undefined);
    this.push(null);
  }

  #fail(error: Error): void {
    if (this.#isEnded || this.destroyed) return;
    this.#isEnded = true;
    this.#giveOn();
    // Who is waiting gets what came, first.
    setImmediate(() => this.destroy(this.#failure(error)));
  }
}
