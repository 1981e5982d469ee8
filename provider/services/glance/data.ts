import { setTimeout as pause } from "node:timers/promises";
import type { Content } from "../../content/index.ts";
import { ImagesError } from "../../errors.ts";
import { pauseAfter } from "../../http/retry.ts";
import type { Filled } from "../../reconcile/adapter.ts";
import { afterBroken, gone } from "../lost.ts";
import type { ImageData, ImageOrder, Job } from "../service.ts";
import type { WireImage } from "./attributes.ts";
import type { ImportBody, Upload } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import { busyStatuses, isBusy, untilImported, untilSettled } from "./waiting.ts";

/** How often the data is sent before an upload that the network breaks is given up. */
const uploadTries = 4;

/**
 * Brings a queued image's data in, the way the order says.
 * @param fresh this run has just made the image: nothing has happened to it yet
 * @throws ImagesError "content" when the data isn't what it should be, "failed" when the server's own import failed
 */
export async function fill(
  cloud: GlanceCloud,
  queued: WireImage,
  order: ImageOrder,
  job: Job,
  fresh: boolean,
): Promise<Filled<WireImage>> {
  const { data } = order;
  const { id } = queued;
  if (data === undefined) return { image: queued };
  const tasksBefore = async () => (fresh ? new Set<string>() : await tasksOf(cloud, id));
  if (data.import && data.url !== undefined) {
    const tasks = await tasksBefore();
    await beginImport(cloud, id, { method: { name: "web-download", uri: data.url }, ...storesOf(order) }, tasks);
    const image = await untilImported(cloud.client, id, tasks, job);
    await verifyImport(cloud, image, order);
    return { image };
  }
  const stores = order.values.stores as string[] | undefined;
  if (stores === undefined || stores.length < 2) return await upload(cloud, queued, order, job, stores?.[0]);
  await send(cloud, id, order, job, "stage");
  const tasks = await tasksBefore();
  await beginImport(cloud, id, { method: { name: "glance-direct" }, ...storesOf(order) }, tasks);
  return { image: await untilImported(cloud.client, id, tasks, job) };
}

function storesOf(order: ImageOrder): { stores?: string[]; all_stores_must_succeed?: boolean } {
  const stores = (order.values.stores ?? (order.values.store === undefined ? undefined : [order.values.store])) as
    | string[]
    | undefined;
  return stores === undefined ? {} : { stores, all_stores_must_succeed: true };
}

/**
 * Has the service begin an import. It may be asked for only once; where the answer is lost, the image and its tasks tell whether it has begun.
 * @param tasksBefore ids of the tasks that the image had before
 */
export async function beginImport(
  cloud: GlanceCloud,
  id: string,
  body: ImportBody,
  tasksBefore: ReadonlySet<string>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await cloud.client.import(id, body);
    } catch (error) {
      if (!(error instanceof ImagesError) || error.code !== "unavailable") throw error;
      const image = await present(cloud, id);
      const busy = busyStatuses.includes(image.status) && image.status !== "uploading";
      if (busy || image.os_glance_import_task !== undefined || image.os_glance_importing_to_stores) return;
      if ((await cloud.client.tasks(id)).some(task => !tasksBefore.has(task.id))) return;
      if (attempt === uploadTries) throw error;
      await pause(pauseAfter(attempt));
    }
  }
}

export async function tasksOf(cloud: GlanceCloud, id: string): Promise<Set<string>> {
  return new Set((await cloud.client.tasks(id)).map(task => task.id));
}

/** What the service has got shows in its answer to the create's last request: it is verified then. */
async function upload(
  cloud: GlanceCloud,
  queued: WireImage,
  order: ImageOrder,
  job: Job,
  store: string | undefined,
): Promise<Filled<WireImage>> {
  const { id } = queued;
  const sent = await send(cloud, id, order, job, "upload", store ?? (order.values.store as string | undefined));
  const status = order.values.state === "deactivated" && (await deactivate(cloud, id)) ? "deactivated" : "active";
  return {
    image: { ...queued, status },
    async verify(finished) {
      const image = isBusy(finished) ? await untilSettled(cloud.client, id, job) : finished;
      await verify(cloud, image, order, sent ?? (await digestOf(cloud, order, job)), job);
    },
  };
}

/** @returns false where the service isn't ready for it yet (403, 409): then it is asked again when the image is active */
async function deactivate(cloud: GlanceCloud, id: string): Promise<boolean> {
  try {
    await cloud.client.action(id, "deactivate");
    return true;
  } catch (error) {
    if (!(error instanceof ImagesError) || (error.status !== 403 && error.status !== 409)) throw error;
    return false;
  }
}

/**
 * Sends the data: that of `upload` ends in the image, that of `stage` waits on the server for an import.
 * @returns what was sent; undefined when that is no longer known
 */
async function send(
  cloud: GlanceCloud,
  id: string,
  order: ImageOrder,
  job: Job,
  how: "upload" | "stage",
  store?: string,
): Promise<Sent | undefined> {
  for (let attempt = 1; ; attempt++) {
    let content: Content | undefined;
    try {
      const upload: Upload = {
        // Opened once a try: a stream that was partly read is never sent again.
        open: async () => {
          content?.close();
          content = await order.data?.open([cloud.hashAlgorithm], "uploading", job);
          return content as Content;
        },
        size: order.data?.size,
        store,
        signal: job.signal,
        deadline: job.deadline,
      };
      await cloud.client[how](id, upload);
    } catch (error) {
      content?.close();
      const image = await afterFailure(cloud, id, error, job);
      // It did arrive, only the answer was lost: the digests tell.
      const arrived = how === "upload" ? hasData(image) : image.status === "uploading";
      if (!arrived) {
        if (image.status !== "queued" || !worthRepeating(error) || attempt === uploadTries) {
          throw await explained(cloud, error, order, attempt);
        }
        job.report(`the connection broke; uploading again (${attempt + 1} of ${uploadTries})`);
        await pause(pauseAfter(attempt + 1), undefined, { signal: job.signal });
        continue;
      }
    }
    return await (content as Content | undefined)?.finished.catch(() => undefined);
  }
}

async function present(cloud: GlanceCloud, id: string, deadline?: number): Promise<WireImage> {
  const image = await cloud.client.get(id, deadline);
  if (image === undefined) throw gone(id);
  return image;
}

/** Another run of the same resource may have deactivated it already. */
function hasData({ status }: WireImage): boolean {
  return status === "active" || status === "deactivated";
}

/** A refusal can reach us as a broken connection, and a success as a lost answer: the image says what happened. */
async function afterFailure(cloud: GlanceCloud, id: string, error: unknown, job: Job): Promise<WireImage> {
  if (job.signal.aborted) throw error;
  const image = await afterBroken(error, () => present(cloud, id, job.deadline));
  // Our own connection is closed, so the server notices and goes back to `queued`, or finishes.
  return image.status === "saving" ? await untilSettled(cloud.client, id, job) : image;
}

function worthRepeating(error: unknown): boolean {
  return (
    error instanceof ImagesError &&
    (error.code === "unavailable" || (error.code === "timeout" && error.status === undefined))
  );
}

/** What an upload's failure means for the user, where the cloud knows more than the error says. */
async function explained(cloud: GlanceCloud, error: unknown, order: ImageOrder, tries: number): Promise<unknown> {
  if (!(error instanceof ImagesError)) return error;
  if (error.status === 415) {
    return new ImagesError("content", `the source isn't what diskFormat says: ${error.message}`, {
      hint: "Correct diskFormat, or set source.decompress if the file is compressed",
      cause: error,
    });
  }
  // A quota's refusal comes before the body was read, and most often breaks the connection before it can be read itself.
  if (error.status !== 413 && error.status !== undefined) return error;
  const usage = await cloud.client.usage().catch(() => ({}) as Record<string, { usage: number; limit: number }>);
  const total = usage.image_size_total;
  const mebibytes = Math.ceil((order.data?.size ?? 0) / 2 ** 20);
  if (total !== undefined && total.limit >= 0 && total.usage + mebibytes > total.limit) {
    return new ImagesError(
      "rejected",
      `the project's image quota doesn't hold this image: ${total.usage} MiB used, ${mebibytes} MiB more, limit ${total.limit} MiB`,
      { hint: "Delete images, or ask the cloud's operator for a larger image_size_total", cause: error },
    );
  }
  if (error.status === 413 || error.code === "content") return error;
  const what = tries === 1 ? "the upload broke off" : `${tries} uploads broke off; the last`;
  return new ImagesError(error.code, `${what}: ${error.message}`, { cause: error });
}

interface Sent {
  size: number;
  digests: Record<string, string>;
}

/** Reads the source once without sending it. */
async function digestOf(cloud: GlanceCloud, order: ImageOrder, job: Job): Promise<Sent> {
  const content = await (order.data as ImageData).open([cloud.hashAlgorithm], "comparing", job);
  try {
    for await (const _ of content.stream);
    return await content.finished;
  } finally {
    content.close();
  }
}

/**
 * Whether an image's data is what the order's source gives.
 * @param image as the server reports it, data in place
 */
export async function holds(cloud: GlanceCloud, image: WireImage, order: ImageOrder, job: Job): Promise<boolean> {
  if (order.data === undefined) return true;
  if (order.data.size !== undefined && image.size !== order.data.size) return false;
  learnAlgorithm(cloud, image);
  return difference(cloud, image, await digestOf(cloud, order, job)) === undefined;
}

async function verify(cloud: GlanceCloud, image: WireImage, order: ImageOrder, sent: Sent, job: Job): Promise<void> {
  if (!hasData(image)) {
    throw new ImagesError("failed", `image ${image.id} is ${image.status} after its data was sent`);
  }
  // The operator chose another algorithm than the default: learned now, read once more this one time.
  const known = learnAlgorithm(cloud, image) ? sent : await digestOf(cloud, order, job);
  const wrong = difference(cloud, image, known);
  if (wrong !== undefined) throw corrupted(image, wrong);
}

/** An import's data never passed through here; a declared digest of the algorithm that the server uses can still be held against it. */
async function verifyImport(cloud: GlanceCloud, image: WireImage, order: ImageOrder): Promise<void> {
  learnAlgorithm(cloud, image);
  const [algorithm, hex] = order.data?.content?.split(":") ?? [];
  const size = order.data?.size;
  if (size !== undefined && image.size !== size) throw corrupted(image, `${image.size} bytes, not ${size}`);
  const actual =
    algorithm === image.os_hash_algo ? image.os_hash_value : algorithm === "md5" ? image.checksum : undefined;
  if (typeof actual === "string" && hex !== undefined && actual !== hex) {
    throw corrupted(image, `${algorithm} ${actual}, not ${hex}`);
  }
}

function corrupted(image: WireImage, wrong: string): ImagesError {
  return new ImagesError("content", `the data that arrived in image ${image.id} isn't what the source gives: ${wrong}`);
}

/** @returns false when it isn't the algorithm that was assumed */
function learnAlgorithm(cloud: GlanceCloud, image: WireImage): boolean {
  const algorithm = typeof image.os_hash_algo === "string" ? image.os_hash_algo : "md5";
  if (algorithm === cloud.hashAlgorithm) return true;
  cloud.hashAlgorithm = algorithm;
  return false;
}

/** What differs, in words; undefined when nothing does. */
function difference(cloud: GlanceCloud, image: WireImage, sent: Sent): string | undefined {
  if (image.size !== sent.size) return `${image.size} bytes, not ${sent.size}`;
  const actual = typeof image.os_hash_value === "string" ? image.os_hash_value : image.checksum;
  const expected = sent.digests[cloud.hashAlgorithm];
  return actual === expected ? undefined : `${cloud.hashAlgorithm} ${String(actual)}, not ${expected}`;
}
