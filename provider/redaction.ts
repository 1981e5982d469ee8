/** Replaces every known secret in a text. Filled in by whoever reads a secret. */
export function redact(text: string): string {
  return text;
}
