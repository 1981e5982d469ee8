import type { Readable } from "node:stream";
import { garbageCounter } from "../../content/garbage.ts";
import { openStream } from "../../content/index.ts";
import { transferReport } from "../../progress.ts";
import type { ImageData, ImageFacts } from "../service.ts";
import type { GlanceV1Cloud } from "./cloud.ts";

/** An image's data, for copying it elsewhere: read from the service each time, and held against its size and its MD5 on the way. */
export function dataOf(cloud: GlanceV1Cloud, facts: ImageFacts): ImageData {
  const size = facts.size as number | undefined;
  // One that was made by its location has none.
  const digest = facts.checksum === undefined ? undefined : `md5:${String(facts.checksum)}`;
  return {
    size,
    content: digest,
    import: false,
    open: (algorithms, doing, job) =>
      openStream(
        {
          name: `the data of image ${facts.id}`,
          digest,
          async open() {
            const { stream } = await cloud.client.download(facts.id);
            return { size, read: () => bytesOf(stream), close: () => void stream.destroy() };
          },
        },
        {
          ...(size === undefined || digest === undefined ? {} : { expected: { content: digest, size } }),
          algorithms,
          signal: job.signal,
          progress: transferReport(doing, job),
        },
      ),
  };
}

async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  const leaveBehind = garbageCounter();
  for await (const bytes of stream) {
    yield bytes;
    leaveBehind(bytes.length);
  }
}
