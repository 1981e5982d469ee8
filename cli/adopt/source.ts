import type { Values } from "../../provider/services/service.ts";

/** A resource to write. */
export interface Written {
  /** The image's name, or what else a person knows it by. */
  name: string;
  /** Tells it from others of the same name. */
  id: string;
  args: Values;
}

/** A program's text that declares these resources, each in a variable of its own. The same images give the same text. */
export function programText(images: readonly Written[], options: { retain: boolean }): string {
  const variables = new Names();
  const resources = new Names();
  const declarations = images.map(({ name, id, args }) => {
    const resource = resources.unique(
      name.replaceAll("::", ":"),
      count => `${name}-${id.slice(0, 8)}${count === 2 ? "" : `-${count}`}`,
    );
    const variable = variables.unique(identifier(name), count => `${identifier(name)}${count}`);
    const rest = options.retain ? ", { retainOnDelete: true }" : "";
    return `export const ${variable} = new Image(${JSON.stringify(resource)}, ${literal(args, "")}${rest});`;
  });
  return `${['import { Image } from "pulumi-images";', ...declarations].join("\n\n")}\n`;
}

class Names {
  readonly #taken = new Set<string>();

  /** @param other what the second one of this name is called, the third, … */
  unique(wanted: string, other: (count: number) => string): string {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count++) name = other(count);
    this.#taken.add(name);
    return name;
  }
}

/** Words that can't be a variable's name in a module, and the name that the program imports. */
const reserved = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for " +
    "function if implements import in instanceof interface let new null package private protected public return static super switch this " +
    "throw true try typeof undefined var void while with yield exports module require Image"
  ).split(" "),
);

/** "ubuntu-24.04 LTS" → ubuntu2404Lts */
export function identifier(name: string): string {
  const words = name.normalize("NFKD").match(/[A-Za-z0-9]+/g) ?? [];
  const joined = words
    .map((word, index) => (index === 0 ? word.charAt(0).toLowerCase() : word.charAt(0).toUpperCase()) + word.slice(1))
    .join("");
  if (joined === "") return "image";
  return /^\d/.test(joined) || reserved.has(joined)
    ? `image${joined.charAt(0).toUpperCase()}${joined.slice(1)}`
    : joined;
}

const widest = 100;

/** A value as TypeScript, on one line where that is short. */
function literal(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const entries = isList
    ? value.map(entry => literal(entry, inner))
    : Object.entries(value).map(([name, entry]) => `${key(name)}: ${literal(entry, inner)}`);
  const [open, close] = isList ? ["[", "]"] : ["{ ", " }"];
  const line = `${open}${entries.join(", ")}${close}`;
  // The arguments themselves are always one a line.
  if (indent !== "" && line.length <= widest && !line.includes("\n")) return line;
  return `${isList ? "[" : "{"}\n${entries.map(entry => `${inner}${entry},\n`).join("")}${indent}${isList ? "]" : "}"}`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
