import type { Readable } from "node:stream";
import { openStream } from "../content/index.ts";
import { transferReport } from "../progress.ts";
import type { ImageData, ImageFacts } from "./service.ts";

/**
 * An image's data, for copying it elsewhere: read from the service each time, and held against the service's own digest on the way.
 * @param client has the service's call for an image's data
 */
export function dataOf(client: { download(id: string): Promise<{ stream: Readable }> }, facts: ImageFacts): ImageData {
  const size = facts.size as number | undefined;
  const digest = digestOf(facts);
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
            const { stream } = await client.download(facts.id);
            return { size, read: () => stream, close: () => void stream.destroy() };
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

/** What stands for the content of an image that never gets or keeps its data; undefined of any other. */
export function lostContent(status: string): string | undefined {
  return status === "killed" || status === "error" ? `none (${status})` : undefined;
}

/** What a service says of its data: `sha512:<hex>`, or the MD5 of an older one. */
export function digestOf(facts: ImageFacts): string | undefined {
  if (facts.hashValue !== undefined) return `${String(facts.hashAlgorithm)}:${String(facts.hashValue)}`;
  return facts.checksum === undefined ? undefined : `md5:${String(facts.checksum)}`;
}
