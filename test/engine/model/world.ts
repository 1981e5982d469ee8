import { createHash } from "node:crypto";
import type { Values } from "../providerProcess.ts";
import { type Entry, type Registered, State, unknown } from "./engine.ts";
import type { Kind } from "./provider.ts";
import type { Account, ImageSpec, ModelService } from "./services/service.ts";

/** What a program says of a resource. */
export interface Declaration {
  kind: Kind;
  name: string;
  /** It is within a component. */
  inGroup: boolean;
  /** Names, and places in a component, that it had before. */
  aliases: { name: string; inGroup: boolean }[];
  image: ImageSpec;
  adopt?: Adopt;
  /** The image that it is a part of: another resource's, or one by its id. */
  target: { resource: string } | { id: string };
  /** Which tag, which store. */
  part: number;
  protect: boolean;
  retainOnDelete: boolean;
  deleteBeforeReplace: boolean;
}

export interface Adopt {
  id?: string;
  name?: string;
  takeOver?: boolean;
}

/** A stack with its program, its state, and who it works as. */
export interface Stack {
  /** Told apart from others of the same name and project by where their states are. */
  backend: string;
  project: string;
  name: string;
  program: Declaration[];
  state: State;
  account: Account;
  /** Images that were changed behind its back since it last looked. */
  stale: Set<string>;
}

export const newStack = (backend: string, project: string, name: string): Stack => ({
  ...{ backend, project, name, program: [], state: new State(), account: "owner", stale: new Set() },
});

const dynamic = "pulumi-nodejs:dynamic/images:";
const group = "my:Group$";

/** The urn of a resource of a stack. */
export function urnIn(
  { name: stack, project }: Pick<Stack, "name" | "project">,
  kind: Kind,
  name: string,
  inGroup: boolean,
): string {
  return `urn:pulumi:${stack}::${project}::${inGroup ? group : ""}${dynamic}${kind}::${name}`;
}

/** What the engine is told of a program. */
export function registered(stack: Stack, service: ModelService): Registered[] {
  const images = stack.program.filter(({ kind }) => kind === "Image");
  const inOrder = [...images, ...stack.program.filter(({ kind }) => kind !== "Image")];
  return inOrder.flatMap(declaration => {
    const { kind, name, inGroup, aliases, target, protect, retainOnDelete, deleteBeforeReplace } = declaration;
    const urn = urnIn(stack, kind, name, inGroup);
    const image =
      kind !== "Image" && "resource" in target ? images.find(other => other.name === target.resource) : undefined;
    // Its image is declared no longer, and a program that names it isn't one.
    if (kind !== "Image" && "resource" in target && image === undefined) return [];
    const dependency = image && urnIn(stack, "Image", image.name, image.inGroup);
    const common = {
      service: service.name,
      connection: "main",
      resource: urn.slice("urn:pulumi:".length).replace(dynamic, ""),
    };
    return {
      ...{ kind, urn, protect, retainOnDelete },
      // As the sdk has it.
      deleteBeforeReplace: deleteBeforeReplace || kind === "ImageTag" || kind === "ImageMember",
      aliases: aliases.map(alias => urnIn(stack, kind, alias.name, alias.inGroup)),
      dependencies: dependency === undefined ? [] : [dependency],
      args: (idOf: (urn: string) => string): Values => ({
        ...common,
        ...(kind === "Image" ? imageArgs(declaration, service) : partArgs(declaration, service)),
        ...(kind === "Image"
          ? {}
          : { imageId: dependency === undefined ? (target as { id: string }).id : idOf(dependency) }),
      }),
    };
  });
}

function imageArgs({ image, adopt }: Declaration, service: ModelService): Values {
  return adopt === undefined ? service.imageArgs(image) : { ...service.adoptArgs(image), adopt };
}

function partArgs({ kind, part }: Declaration, service: ModelService): Values {
  if (kind === "ImageTag") return service.tagArgs(part);
  return kind === "ImageMember" ? service.memberArgs() : service.copyArgs(part);
}

/** What says which resource an image belongs to. It is written down here once more, so that a change of it shows. */
export function tagOf(urn: string, generation: number): string {
  return hash(`${urn}#${generation}`);
}

export function stackTagOf({ name, project }: Pick<Stack, "name" | "project">): string {
  return hash(`urn:pulumi:${name}::${project}`);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** The id of a resource's first image, which follows from its tag. */
export function firstIdOf(tag: string): string {
  const hex = createHash("sha256").update(tag).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The image that an entry manages, where it manages one. */
export function imageOf({ kind, id, outputs }: Entry): string | undefined {
  if (kind === "Image") return id;
  const { copyId, imageId } = outputs;
  return kind === "ImageCopy" && copyId !== undefined && copyId !== imageId ? String(copyId) : undefined;
}

/** What an entry manages of another image: its id, and what it is. */
export function partOfEntry(
  { kind, inputs }: Pick<Entry, "kind" | "inputs">,
  service: ModelService,
): string | undefined {
  if (kind === "Image" || inputs.imageId === undefined || inputs.imageId === unknown) return undefined;
  return `${kind} ${service.partOf(kind, inputs)} of ${String(inputs.imageId)}`;
}

/** The name that a sentence calls a stack by. */
export const called = ({ backend, name }: Stack) => `${name}@${backend}`;
/** The name that a sentence calls a resource by. */
export const short = (urn: string) =>
  `${/images:(\w+)::/.exec(urn)?.[1]} ${urn.split("::").at(-1)}${urn.includes(group) ? " (in the group)" : ""}`;
