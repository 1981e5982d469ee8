import { type AddressInfo, connect, createServer, type Socket } from "node:net";

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
      socket.once("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
      socket.on("error", () => {});
    }
    near.pipe(far);
    // When the bytes so far would have arrived.
    let due = performance.now();
    far.on("data", bytes => {
      due = Math.max(due, performance.now() - 5) + (bytes.length / bytesPerSecond) * 1000;
      const isRoom = near.write(bytes);
      const early = due - performance.now();
      if (isRoom && early < 1) return;
      far.pause();
      const go = () => setTimeout(() => far.resume(), Math.max(0, due - performance.now()));
      if (isRoom) go();
      else near.once("drain", go);
    });
    far.once("end", () => near.end());
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
