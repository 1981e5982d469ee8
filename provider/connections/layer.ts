import { ImagesError } from "../errors.ts";
import { nearest } from "./nearest.ts";

/** Reads the stack's configuration by full key: `images:connections` (an object is JSON text), `openstack:authUrl`. Secrets come decrypted. */
export interface ConfigReader {
  get(key: string): string | undefined;
}

/** What the settings of a connection are read from. */
export interface Surroundings {
  config: ConfigReader;
  env: NodeJS.ProcessEnv;
  /** The folder in which `./clouds.yaml` is looked for. */
  cwd: string;
}

/** A setting as it was found. */
export interface Setting {
  value: unknown;
  /** Where it stands: `OS_PASSWORD`, `openstack:authUrl`, `/home/me/.config/openstack/clouds.yaml (clouds.lab.auth.password)`. */
  origin: string;
}

/** Settings by their name in this provider. */
export type Layer = Map<string, Setting>;

/** Puts layers on top of each other: the first that has a setting wins. */
export function merge(...layers: Layer[]): Layer {
  return new Map(layers.reverse().flatMap(layer => [...layer]));
}

/** A table from names in a source to our names; an empty value (unset, "", null) is no setting. */
export function layerOf(
  values: Record<string, unknown>,
  names: Record<string, string>,
  origin: (name: string) => string,
): Layer {
  const layer: Layer = new Map();
  for (const [theirs, ours] of Object.entries(names)) {
    const value = values[theirs];
    if (value === undefined || value === null || value === "" || layer.has(ours)) continue;
    layer.set(ours, { value, origin: origin(theirs) });
  }
  return layer;
}

/** Reads settings out of a layer as what they must be, and remembers where each came from. */
export class SettingsReader {
  readonly origin: Record<string, string> = {};
  readonly #layer: Layer;

  constructor(layer: Layer) {
    this.#layer = layer;
  }

  has(name: string): boolean {
    return this.#layer.has(name);
  }

  originOf(name: string): string {
    return this.#layer.get(name)?.origin ?? "";
  }

  text(name: string): string | undefined {
    const setting = this.#take(name);
    if (setting === undefined) return undefined;
    // An unquoted number in YAML or JSON, such as a password of digits.
    if (typeof setting.value === "number") return String(setting.value);
    if (typeof setting.value === "string") return setting.value;
    throw wrong(name, setting, "must be text");
  }

  flag(name: string): boolean | undefined {
    const setting = this.#take(name);
    if (setting === undefined) return undefined;
    const text = String(setting.value).toLowerCase();
    if (["true", "1", "yes", "on"].includes(text)) return true;
    if (["false", "0", "no", "off"].includes(text)) return false;
    throw wrong(name, setting, "must be true or false");
  }

  url(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const setting = this.#layer.get(name) as Setting;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !["http:", "https:"].includes(url.protocol)) throw wrong(name, setting, "must be a http(s) URL");
    if (url.username || url.password) throw wrong(name, setting, "must be a URL without user and password");
    return text.replace(/\/+$/, "");
  }

  oneOf<T extends string>(
    name: string,
    words: readonly T[],
    normal: (text: string) => string = text => text,
  ): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = words.find(word => word === normal(text));
    if (found === undefined) {
      const meant = nearest(text, words);
      const setting = this.#layer.get(name) as Setting;
      throw wrong(
        name,
        setting,
        `must be one of ${words.join(", ")}, not "${text}"${meant ? `; is "${meant}" meant` : ""}`,
      );
    }
    return found;
  }

  #take(name: string): Setting | undefined {
    const setting = this.#layer.get(name);
    if (setting) this.origin[name] = setting.origin;
    return setting;
  }
}

function wrong(name: string, { origin }: Setting, problem: string): ImagesError {
  return new ImagesError("configuration", `The setting ${name} ${problem} (it comes from ${origin})`);
}
