import { closest } from "fastest-levenshtein";
import { type Problem, unknownValue } from "../../fields/field.ts";
import type { Values } from "../service.ts";
import type { GlanceCloud } from "./cloud.ts";

/** What a cloud's operator has set up, asked for once, and only for an image that depends on it. */
export class Discovery {
  readonly #cloud: GlanceCloud;
  #stores: Promise<string[]> | undefined;
  #importMethods: Promise<string[]> | undefined;
  #diskFormats: Promise<string[]> | undefined;

  constructor(cloud: GlanceCloud) {
    this.#cloud = cloud;
  }

  async check(values: Values): Promise<Problem[]> {
    return [
      ...(await this.#checkPlaces(values)),
      ...(await this.#checkImport(values)),
      ...(await this.#checkDiskFormat(values)),
    ];
  }

  async #checkPlaces(values: Values): Promise<Problem[]> {
    const problems = typeof values.store === "string" ? await this.checkStores([values.store], "store") : [];
    return problems.concat(await this.checkStores((values.stores as string[] | undefined) ?? [], "stores"));
  }

  /** @param property the input that names the stores */
  async checkStores(wanted: readonly string[], property: string): Promise<Problem[]> {
    const known = wanted.filter(store => store !== unknownValue);
    if (known.length === 0) return [];
    if (!this.#cloud.dialect.import) return [{ property, reason: "this service has one store: leave it out" }];
    this.#stores ??= this.#cloud.client
      .stores()
      .then(stores => stores.filter(store => store["read-only"] !== "true").map(({ id }) => id));
    const stores = await this.#stores;
    if (stores.length === 0) return [{ property, reason: "this cloud has no choice of stores: leave it out" }];
    return known
      .filter(store => !stores.includes(store))
      .map(store => ({
        property,
        reason: `this cloud has no store ${store}; it has ${stores.join(", ")}: did you mean ${closest(store, stores)}?`,
      }));
  }

  /** Whether the server copies between stores. */
  async checkCopying(): Promise<Problem[]> {
    const methods = await this.#methods();
    if (methods.includes("copy-image")) return [];
    return [
      {
        property: "to.stores",
        reason: `this cloud doesn't copy between stores (${listed(methods)}): use to: { connection }`,
      },
    ];
  }

  #methods(): Promise<string[]> {
    this.#importMethods ??= this.#cloud.dialect.import ? this.#cloud.client.importMethods() : Promise.resolve([]);
    return this.#importMethods;
  }

  async #checkImport(values: Values): Promise<Problem[]> {
    const source = values.source as { mode?: string } | undefined;
    const severalStores = ((values.stores as string[] | undefined) ?? []).length > 1;
    const needed =
      source?.mode === "import" ? "web-download" : severalStores && source !== undefined ? "glance-direct" : undefined;
    if (needed === undefined) return [];
    const methods = await this.#methods();
    if (methods.includes(needed)) return [];
    const property = needed === "web-download" ? "source.mode" : "stores";
    const instead =
      needed === "web-download" ? 'use mode "stream"' : "name one store, and copy to the others with ImageCopy";
    return [{ property, reason: `this cloud doesn't offer ${needed} (${listed(methods)}): ${instead}` }];
  }

  /** An operator may allow more formats than the Image API's own list, or fewer: the cloud's schema says. */
  async #checkDiskFormat(values: Values): Promise<Problem[]> {
    const format = values.diskFormat;
    if (typeof format !== "string" || this.#cloud.dialect.diskFormats.includes(format)) return [];
    this.#diskFormats ??= this.#cloud.client.schema("image").then(schema => {
      const property = (schema.properties as Record<string, { enum?: (string | null)[] }> | undefined)?.disk_format;
      return (property?.enum ?? []).filter(value => value !== null);
    });
    const formats = await this.#diskFormats;
    return formats.includes(format)
      ? []
      : [
          {
            property: "diskFormat",
            reason: `diskFormat must be one of ${formats.join(", ")}; not ${JSON.stringify(format)}`,
          },
        ];
  }
}

function listed(methods: readonly string[]): string {
  return methods.length === 0 ? "it has no import methods" : `it has ${methods.join(", ")}`;
}
