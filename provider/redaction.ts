/**
 * One redaction for every error message, log line and trace: what was registered as a secret is replaced wherever it turns up, also in the
 * forms in which a service or a library may echo it; and what merely looks like a credential is replaced as well.
 */

const mask = "[secret]";
/** Shorter values would blank out ordinary words. */
const shortest = 6;

const known = new Set<string>();
let matcher: RegExp | undefined;

/**
 * Makes a value unprintable from now on: as it is, URL-encoded, form-encoded, JSON-escaped, HTML-escaped, and anywhere inside base64 text
 * (`user:password` of Basic authentication). Values of fewer than six characters are not registered.
 */
export function registerSecret(value: string): void {
  if (value.length < shortest || known.has(value)) return;
  known.add(value);
  matcher = undefined;
}

/** The text without secrets: each is replaced by `[secret]`. */
export function redact(text: string): string {
  let result = text;
  if (known.size > 0) {
    matcher ??= new RegExp([...new Set([...known].flatMap(forms))].sort(longestFirst).map(escaped).join("|"), "g");
    result = result.replace(matcher, mask);
  }
  for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
  return result;
}

const header =
  "(?:proxy-)?authorization|x-auth-token|x-subject-token|x-service-token|x-storage-token|x-api-key|api-key|(?:set-)?cookie";
const parameter =
  "x-(?:amz|goog|oss|obs|cos)-(?:signature|credential|security-token)|signature|sig|temp_url_sig|token|[a-z]+_token|api_?key|key|password|passwd|secret|[a-z]+_secret|auth|awsaccesskeyid|code";
const jsonKey =
  "(?:admin_?|user_?)?pass(?:word|wd)?|[a-z_]*secret|(?:[a-z_]+_)?token|session_id|api_?key|x-auth-token|x-subject-token|authorization";

const patterns: readonly (readonly [RegExp, string])[] = [
  // A header, as in a raw request, an object printed by Node, or an array of names and values.
  [
    new RegExp(
      `\\b(${header})(\\\\?["']?\\s*[:=,]\\s*\\[?\\s*\\\\?["']?)(?:(?:bearer|basic|token|digest)\\s+)?[^\\s"',;}\\\\]+`,
      "gi",
    ),
    `$1$2${mask}`,
  ],
  [/\b(bearer|basic)\s+[\w.~+/-]{8,}=*/gi, `$1 ${mask}`],
  // user:password@ of a URL.
  [/\b([a-z][a-z\d+.-]{1,20}:\/\/)[^\s/?#@"'<>]+@/gi, `$1${mask}@`],
  [new RegExp(`([?&;](?:${parameter})=)[^&\\s"'#<>\\\\]+`, "gi"), `$1${mask}`],
  // A JSON member, also inside a string of another JSON text.
  [new RegExp(`(\\\\{0,7}"(?:${jsonKey})\\\\{0,7}"\\s*:\\s*\\\\{0,7}")(?:[^"\\\\]|\\\\[^"])+`, "gi"), `$1${mask}`],
  // Tokens with a form of their own: DigitalOcean's, and Keystone's Fernet tokens.
  [/\bdo[opr]_v1_[\da-f]{16,}/gi, mask],
  [/\bgAAAAA[\w-]{20,}=*/g, mask],
];

function forms(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  return [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    url,
    url.replace(/%[\dA-F]{2}/g, code => code.toLowerCase()),
    url.replaceAll("%20", "+"),
    encodeURI(value),
    html(value),
    html(value).replaceAll("&#39;", "&#x27;"),
    ...insideBase64(value),
  ].filter(form => form.length >= shortest);
}

/** What stays the same of a value's base64 text wherever in the encoded bytes it begins (three alignments), in both alphabets. */
function insideBase64(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    // The first characters also hold bits of what stands before, the last one of what comes after.
    const first = offset === 0 ? 0 : offset + 1;
    const last = (offset + bytes.length) % 3 === 0 ? text.length : text.length - 1;
    const fragment = text.slice(first, last);
    return [fragment, fragment.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function html(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function longestFirst(a: string, b: string): number {
  return b.length - a.length;
}
