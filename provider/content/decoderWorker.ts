/** The thread that undoes xz or bzip2: asks for compressed parts, answers with decompressed ones, a few ahead of the reader. */
import { parentPort, workerData } from "node:worker_threads";
import xz from "xz-decompress";
import { decodeBzip2 } from "./bzip2.ts";
import { noteShared } from "./garbage.ts";

export type DecoderRequest = { kind: "input"; bytes: Uint8Array | undefined } | { kind: "taken" };
export type DecoderAnswer =
  | { kind: "need" }
  | { kind: "output"; bytes: Uint8Array }
  | { kind: "end" }
  | { kind: "error"; message: string };

const ahead = 4;
const port = parentPort;

if (port) {
  let give: ((bytes: Uint8Array | undefined) => void) | undefined;
  let untaken = 0;
  let taken: (() => void) | undefined;
  port.on("message", (request: DecoderRequest) => {
    if (request.kind === "input") {
      noteShared(request.bytes?.length ?? 0);
      give?.(request.bytes);
    } else {
      untaken--;
      taken?.();
    }
  });
  const answer = (message: DecoderAnswer, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

  const input = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const bytes = await new Promise<Uint8Array | undefined>(resolve => {
        give = resolve;
        answer({ kind: "need" });
      });
      if (!bytes) return;
      yield bytes;
    }
  };

  const decode = (): AsyncIterable<Uint8Array> => {
    if (workerData === "bz2") return decodeBzip2(input());
    const source = input();
    return new xz.XzReadableStream(
      new ReadableStream({
        async pull(controller) {
          const { done, value } = await source.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      }),
    );
  };

  const run = async () => {
    for await (const bytes of decode()) {
      if (bytes.length === 0) continue;
      while (untaken >= ahead)
        await new Promise<void>(resolve => {
          taken = resolve;
        });
      untaken++;
      answer({ kind: "output", bytes }, [bytes.buffer as ArrayBuffer]);
    }
    answer({ kind: "end" });
  };
  run().catch(error => answer({ kind: "error", message: error instanceof Error ? error.message : String(error) }));
}
