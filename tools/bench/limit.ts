import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { openContent } from "../../provider/content/index.ts";
import { giveBack } from "../../provider/content/parts.ts";
import { createHttp, type Http } from "../../provider/http.ts";
import { runCommand } from "../command.ts";

export interface Limits {
  /** Seconds of curl's upload to the server that only counts. */
  curl: number;
  /** Seconds of ours, the digests known from before. */
  ours: number;
  /** Seconds of ours with a SHA-512 worked out on the way, as a first upload needs it. */
  hashed: number;
  /** Seconds of curl's download from it, and of ours. */
  curlDown: number;
  oursDown: number;
}

/** Our own limit: uploads to, and downloads from, a server in another process that does nothing but count. */
export async function measureLimit(file: string, bytes: number): Promise<Limits> {
  const server = spawn(process.execPath, [`${import.meta.dirname}/sinkMain.ts`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const [port] = (await once(createInterface({ input: server.stdout as Readable }), "line")) as [string];
    const url = `http://127.0.0.1:${port}`;
    const http = createHttp({ service: "openstack", baseUrl: async () => url, authorize: async () => ({}) });
    const timed = ["--silent", "--show-error", "--fail", "-o", "/dev/null", "-w", "%{time_total}"];
    const curl = async (...args: string[]) => Number(await runCommand("curl", [...timed, ...args]));
    return {
      curl: await curl("-T", file, "-H", "Expect:", `${url}/file`),
      ours: await upload(http, file, bytes, []),
      hashed: await upload(http, file, bytes, ["sha512"]),
      curlDown: await curl(`${url}/${bytes}`),
      oursDown: await download(http, bytes),
    };
  } finally {
    server.stdin?.end();
    await once(server, "close");
  }
}

async function upload(http: Http, file: string, bytes: number, algorithms: string[]): Promise<number> {
  const start = performance.now();
  const { body } = await http.send<{ bytes: number }>({
    method: "PUT",
    path: "/file",
    body: () => openContent({ file }, { algorithms }),
  });
  if (body.bytes !== bytes) throw new Error(`${body.bytes} of ${bytes} bytes arrived`);
  return (performance.now() - start) / 1000;
}

async function download(http: Http, bytes: number): Promise<number> {
  const start = performance.now();
  const { stream } = await http.download({ method: "GET", path: `/${bytes}` });
  let count = 0;
  stream.on("data", (piece: Buffer) => {
    count += piece.length;
    giveBack(piece);
  });
  await finished(stream);
  if (count !== bytes) throw new Error(`${count} of ${bytes} bytes arrived`);
  return (performance.now() - start) / 1000;
}
