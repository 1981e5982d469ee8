import type { ImageApi } from "./api.ts";
import { HttpError } from "./errors.ts";

/** @throws HttpError 413 for more properties than an image may have */
export function checkPropertyCount(api: ImageApi, properties: Record<string, unknown>): void {
  const attempted = Object.keys(properties).filter(key => !key.startsWith("os_glance")).length;
  const maximum = api.settings.maxProperties;
  if (attempted > maximum) throw tooMany("image properties", attempted, maximum);
}

/** @throws HttpError 413 for more tags than an image may have */
export function checkTagCount(api: ImageApi, tags: string[]): void {
  const maximum = api.settings.maxTags;
  if (tags.length > maximum) throw tooMany("image tags", tags.length, maximum);
}

/** The refusal of one thing too many. */
export function tooMany(what: string, attempted: number, maximum: number, before = "", after = ""): HttpError {
  return new HttpError(
    413,
    `${before}The limit has been exceeded on the number of allowed ${what}. Attempted: ${attempted}, Maximum: ${maximum}${after}`,
  );
}
