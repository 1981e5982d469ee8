import { publicUrl } from "../../shared/publicUrl.ts";
import { unseal } from "../../shared/seal.ts";
import { type ContentIdentity, openContent, type Source } from "../content/index.ts";
import { ImagesError } from "../errors.ts";
import { hasUnknown, unknownValue } from "../fields/field.ts";
import { transferReport } from "../progress.ts";
import { registerSecret } from "../redaction.ts";
import type { ImageData, Values } from "../services/service.ts";

/** Sources with everything in them, by resource and generation: what must not reach the state stays in this process. */
const full = new Map<string, { source: Source; content: ContentIdentity | undefined }>();

/**
 * A source as its program declared it: what the sdk sealed for the way through the engine is back in its place.
 * @throws ImagesError "invalid" where that can't be read here
 */
export function openedSource(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null || Array.isArray(declared)) return declared;
  const given = Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== null));
  if (given.sealed === undefined) return given;
  const { sealed, ...rest } = given;
  if (sealed === unknownValue) return rest;
  const opened = unsealed(String(sealed));
  for (const value of Object.values(opened.headers ?? {})) registerSecret(String(value));
  return { ...rest, ...opened };
}

function unsealed(text: string): { url?: string; headers?: Record<string, string>; checksums?: string } {
  try {
    return JSON.parse(unseal(text));
  } catch {
    throw new ImagesError("invalid", "the program's secrets couldn't be read by its provider", {
      hint: "Both have to run as the same user, with the same HOME, XDG_CACHE_HOME and TMPDIR",
    });
  }
}

/**
 * Keeps a source for the create or update that follows in this process.
 * @returns the source as it may be written to the state: without request headers, and with a url's password and signature left out
 */
export function keepPrivate(inputs: Values, content: ContentIdentity | undefined): Source | undefined {
  const source = inputs.source as Source;
  // At preview, it may not be known, as a whole or in part.
  if ((source as unknown) === unknownValue) return source;
  full.set(keyOf(inputs), { source, content });
  if (!("url" in source)) return source;
  if (!hasUnknown(source.headers)) for (const value of Object.values(source.headers ?? {})) registerSecret(value);
  const { headers: _, ...rest } = source;
  return {
    ...rest,
    url: publicUrl(source.url),
    ...(typeof source.checksums === "string" ? { checksums: publicUrl(source.checksums) } : {}),
  };
}

/** The data of a resource's source, as its program declared it in this run. */
export function sourceData(inputs: Values): ImageData | undefined {
  if (inputs.source === undefined) return undefined;
  const { source, content } = full.get(keyOf(inputs)) ?? { source: inputs.source as Source, content: undefined };
  return {
    size: content?.size,
    content: inputs.content as string | undefined,
    url: "url" in source ? source.url : undefined,
    import: "url" in source && source.mode === "import",
    open: (algorithms, doing, job) =>
      openContent(source, {
        ...(content ? { expected: content } : {}),
        algorithms,
        signal: job.signal,
        progress: transferReport(doing, job),
      }),
  };
}

function keyOf(inputs: Values): string {
  return `${String(inputs.resource)}#${String(inputs.generation ?? 0)}`;
}
