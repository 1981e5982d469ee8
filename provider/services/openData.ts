import type { Download } from "../http.ts";
import type { OpenedData } from "./lookups.ts";

/**
 * Data from a byte on, from whatever a service makes of the header Range (RFC 9110, 14): the rest (206), all of it (200), nothing as there is
 * none (204), or nothing as there is none behind that byte (416).
 * @param download asks for the data from a byte on
 */
export async function openDataFrom(
  from: number,
  download: (from: number) => Promise<Download>,
): Promise<OpenedData | undefined> {
  const { status, headers, stream } = await download(from);
  if (status === 204 || status === 416) {
    stream.destroy();
    // More is there than the service has: what was kept is of something else.
    return status === 416 && from > 0 ? await openDataFrom(0, download) : undefined;
  }
  if (status !== 206) return { stream, from: 0 };
  const start = /^bytes (\d+)-/.exec(String(headers["content-range"] ?? ""))?.[1];
  return { stream, from: start === undefined ? from : Number(start) };
}
