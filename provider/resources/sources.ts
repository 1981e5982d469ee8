import type { ContentIdentity, Source } from "../content/index.ts";
import { publicUrl } from "../publicUrl.ts";
import { registerSecret } from "../redaction.ts";
import type { Values } from "../services/service.ts";

/** Sources with everything in them, by resource and generation: what must not reach the state stays in this process. */
const full = new Map<string, { source: Source; content: ContentIdentity | undefined }>();

/**
 * Keeps a source for the create or update that follows in this process.
 * @returns the source as it may be written to the state: without request headers, and with a url's password and signature left out
 */
export function keepPrivate(inputs: Values, content: ContentIdentity | undefined): Source | undefined {
  const source = inputs.source as Source;
  full.set(keyOf(inputs), { source, content });
  if (!("url" in source)) return source;
  for (const value of Object.values(source.headers ?? {})) registerSecret(value);
  const { headers: _, ...rest } = source;
  return {
    ...rest,
    url: publicUrl(source.url),
    ...(typeof source.checksums === "string" ? { checksums: publicUrl(source.checksums) } : {}),
  };
}

/** The whole source of a resource, as its program declared it in this run. */
export function privateSource(inputs: Values): { source: Source | undefined; content: ContentIdentity | undefined } {
  if (inputs.source === undefined) return { source: undefined, content: undefined };
  const content = typeof inputs.content === "string" ? { content: inputs.content } : undefined;
  return full.get(keyOf(inputs)) ?? { source: inputs.source as Source, content };
}

function keyOf(inputs: Values): string {
  return `${String(inputs.resource)}#${String(inputs.generation ?? 0)}`;
}
