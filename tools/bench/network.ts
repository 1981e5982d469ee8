import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { pipeline, Transform } from "node:stream";

export interface Network {
  /** Where the service is reached through it. */
  url: string;
  stop(): Promise<void>;
}

/**
 * A network that is slower than this machine's own: what the service answers comes at so many bytes a second for each connection, at most.
 * @param target the service's address, http
 */
export async function startNetwork(target: string, bytesPerSecond: number): Promise<Network> {
  const { hostname, port, pathname } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, near => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    // Either end may hang up at any time, which ends the other one, too.
    const ended = () => {};
    pipeline(near, far, ended);
    pipeline(far, paced(bytesPerSecond), near, ended);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}${pathname === "/" ? "" : pathname}`,
    stop: () =>
      new Promise(resolve => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Lets bytes through when they would have arrived. */
function paced(bytesPerSecond: number): Transform {
  let due = 0;
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      // What wasn't used of the time before is lost, but for what a timer is late.
      due = Math.max(due, performance.now() - 5) + (bytes.length / bytesPerSecond) * 1000;
      const early = due - performance.now();
      if (early < 1) done(null, bytes);
      else setTimeout(done, early, null, bytes);
    },
  });
}
