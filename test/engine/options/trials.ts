import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cloudOf, connectionOf, type TestCloud } from "../../openstack/clouds.ts";
import { noise } from "../../support/disk.ts";
import { type Declaration, type Declared, Stack, type StackOptions } from "../stack.ts";
import type { Row } from "./rows.ts";

type Values = Record<string, unknown>;

export const where = { service: "openstack", connection: "owner" };

/** An image from a file of 3,000 bytes. */
export function image(name: string, args: Values = {}, options: Values = {}): Declared {
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  return { kind: "Image", name, args: { ...where, name, ...data, ...args }, options };
}

export function tag(name: string, of: string, options: Values = {}): Declared {
  return { kind: "ImageTag", name, args: { ...where, imageId: idOf(of), tag: "stable" }, options };
}

export function member(name: string, of: string, args: Values, options: Values = {}): Declared {
  return { kind: "ImageMember", name, args: { ...where, imageId: idOf(of), ...args }, options };
}

/** A copy in the other region. */
export function copy(name: string, of: string, to: Values, options: Values = {}): Declared {
  return {
    kind: "ImageCopy",
    name,
    args: { ...where, imageId: idOf(of), to: { connection: "elsewhere", ...to } },
    options,
  };
}

export function idOf(name: string): { $output: string } {
  return { $output: `${name}.id` };
}

/** Stacks on the local cloud, for trials of what Pulumi offers; disposed of after each test. */
export class Trials {
  cloud!: TestCloud;
  readonly #stacks: Stack[] = [];
  readonly #titles = new Set<string>();
  readonly #tried = new Map<string, string>();

  /** Within a `describe`. */
  constructor(rows: Record<string, Row>) {
    before(async () => {
      this.cloud = await cloudOf("local");
    });
    beforeEach(() => this.cloud.forget());
    afterEach(async () => {
      for (const stack of this.#stacks.splice(0)) await stack.dispose();
    });
    it("are all tried, by the tests that the table of the docs names", () => this.#demandTried(rows));
  }

  /** A test of these rows. */
  of(rows: readonly string[], title: string, test: () => Promise<void>): void {
    this.#titles.add(title);
    for (const row of rows) this.#tried.set(row, title);
    it(title, test);
  }

  /** With a connection for the owner, for the customer, and for the owner in the other region. */
  async stack(options: StackOptions = {}): Promise<Stack> {
    const { accounts, regions } = this.cloud;
    const connections = {
      owner: connectionOf(this.cloud, accounts.owner),
      customer: connectionOf(this.cloud, accounts.consumer),
      elsewhere: connectionOf(this.cloud, accounts.owner, regions[1]?.name),
    };
    const stack = await Stack.create({ project: "options", config: { "images:connections": connections }, ...options });
    this.#stacks.push(stack);
    for (const name of ["disk", "other"]) await writeFile(join(stack.folder, `${name}.raw`), noise(name, 3000));
    return stack;
  }

  async #demandTried(rows: Record<string, Row>): Promise<void> {
    for (const [name, { test, file }] of Object.entries(rows)) {
      if (file === undefined) assert.equal(this.#tried.get(name), test, name);
      else assert.ok((await readFile(join(import.meta.dirname, "..", "..", "..", file), "utf8")).includes(test), name);
    }
    assert.deepEqual(
      [...this.#tried.keys()].filter(name => rows[name] === undefined),
      [],
    );
  }
}

/** What the state has, by name. */
export async function idsOf(stack: Stack): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await stack.state()).map(([name, { id }]) => [name, id]));
}

export async function urnOf(stack: Stack, name: string): Promise<string> {
  const found = (await stack.state())[name];
  assert.ok(found, `the state has no ${name}`);
  return found.urn;
}

/** Demands that nothing is left to do, whether or not it is looked at the service. */
export async function demandSilence(stack: Stack, resources?: readonly Declaration[]): Promise<void> {
  for (const flags of [[], ["--refresh"]]) {
    const { code, text, steps } = await stack.preview(resources, ...flags);
    assert.equal(code, 0, text);
    assert.deepEqual(new Set(Object.values(steps).filter(step => step !== "refresh")), new Set(["same"]), text);
  }
}
