/** A server that counts what it is sent, and throws it away: `GET` answers so many bytes as its path says. It says its port on standard output. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const block = Buffer.alloc(2 ** 20, 7);
const server = createServer({ requestTimeout: 0, highWaterMark: 2 ** 20 }, (request, response) => {
  if (request.method === "GET") {
    let left = Number(request.url?.slice(1));
    response.setHeader("content-length", left);
    const more = () => {
      while (left > 0) {
        const piece = block.subarray(0, Math.min(left, block.length));
        left -= piece.length;
        if (!response.write(piece) && left > 0) {
          response.once("drain", more);
          return;
        }
      }
      response.end();
    };
    more();
    return;
  }
  let bytes = 0;
  request.on("data", (piece: Buffer) => {
    bytes += piece.length;
  });
  request.once("end", () => response.setHeader("content-type", "application/json").end(JSON.stringify({ bytes })));
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.on("end", () => process.exit(0)).resume();
