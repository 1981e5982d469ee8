import { unknownValue } from "../../provider/fields/field.ts";
import { redact } from "../../provider/redaction.ts";

export const secretText = "[secret]";
export const unknownText = "[known after up]";

/** The key by which the engine marks a value that isn't plain data, and the mark of a secret. Source: pulumi/pulumi sdk/go/common/resource/sig. */
const signature = "4dabf18193072939515e22adb298388d";

/** Names of properties whose values nobody should read in a pull request, declared as secrets or not. */
const telltale = /pass(word|wd|phrase)?$|secret|token$|credential|api_?key$|private_?key$/i;

/** A value of the engine's events as it may be shown: what is secret masked, wherever it is, and what isn't known yet in words. */
export function shownValue(value: unknown, name = ""): unknown {
  if (value === undefined || value === null) return undefined;
  if (value === unknownValue) return unknownText;
  if (typeof value === "string") return telltale.test(name) && value !== "" ? secretText : redact(value);
  if (Array.isArray(value)) return value.map(entry => shownValue(entry, name));
  if (typeof value !== "object") return value;
  if (isSecretMark(value)) return secretText;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), shownValue(inner, key)]));
}

/** What stands for a secret in the engine's events. */
export function isSecretMark(value: object): boolean {
  return signature in value;
}

/** Whether something in it is masked, so that two equal values may differ. */
export function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === secretText;
  return isSecretMark(value) || Object.values(value).some(hasSecret);
}

/** A value on one line, for people. */
export function valueText(value: unknown): string {
  if (value === undefined) return "–";
  if (typeof value === "string") return value === "" ? '""' : oneLine(value);
  return oneLine(JSON.stringify(value));
}

/** Line ends and other characters that steer a terminal, turn the direction of text or take no room, as what they are: \\n, \\u{1b}. */
export function oneLine(text: string): string {
  return text
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, invisible => `\\u{${invisible.codePointAt(0)?.toString(16)}}`);
}

export function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** By code points, so that the order is the same on every machine. */
export function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
