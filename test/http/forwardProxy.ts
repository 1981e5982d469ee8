import http from "node:http";
import { type AddressInfo, connect } from "node:net";

/** A forward proxy as companies have them (RFC 9110, 7.6 and 9.3.6): it sends requests on, and makes tunnels. */
export class ForwardProxy {
  /** `GET http://…` or `CONNECT host:port`, in order. */
  readonly asked: string[] = [];
  readonly #server: http.Server;

  private constructor(server: { port: number }) {
    this.#server = http.createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      const { pathname } = new URL(request.url as string);
      const { method, headers } = request;
      request.pipe(
        http.request({ port: server.port, host: "127.0.0.1", path: pathname, method, headers }, answered => {
          response.writeHead(answered.statusCode as number, answered.headers);
          answered.pipe(response);
        }),
      );
    });
    this.#server.on("connect", (request, socket) => {
      this.asked.push(`CONNECT ${request.url}`);
      const onward = connect(server.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      onward.on("error", () => socket.destroy());
      socket.on("error", () => onward.destroy());
    });
  }

  static async start(server: { port: number }): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(server);
    await new Promise<void>(resolve => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
