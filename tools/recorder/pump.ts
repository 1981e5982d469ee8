import type { Readable, Writable } from "node:stream";

/** What is done with each piece on its way; a promise holds the next piece back until it is fulfilled. */
export type OnPiece = (piece: Buffer) => Promise<void> | void;

/**
 * Passes one stream's data on to another, holding the source back when the destination is full. Ends the destination
 * with the source, and leaves broken streams to their owners, who know what else hangs on them.
 */
export function pump(from: Readable, to: Writable, onPiece: OnPiece): void {
  let waiting = false;
  const resume = (): void => {
    if (!waiting && !to.writableNeedDrain) from.resume();
  };
  to.on("drain", resume);
  from.on("data", (piece: Buffer) => {
    if (to.destroyed) return;
    if (!to.write(piece)) from.pause();
    const held = onPiece(piece);
    if (held === undefined) return;
    waiting = true;
    from.pause();
    void held.then(() => {
      waiting = false;
      resume();
    });
  });
  from.on("end", () => to.end());
}
