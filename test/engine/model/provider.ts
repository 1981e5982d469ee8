import type { Values } from "../providerProcess.ts";

export type Kind = "Image" | "ImageTag" | "ImageMember" | "ImageCopy";

export interface Warning {
  urn: string;
  text: string;
}

/** A provider process as an engine sees it: one for each command, as everything that it remembers ends with it. */
export interface Provider {
  /** What it told the engine so far, to be shown to a person. */
  readonly warnings: Warning[];
  /** @param olds the state's inputs; empty for what the state doesn't have */
  check(kind: Kind, olds: Values, news: Values): Promise<{ inputs: Values; failures: string[] }>;
  /** @param olds the state's outputs; @param news checked inputs */
  diff(
    id: string,
    olds: Values,
    news: Values,
  ): Promise<{ changes: boolean; replaces: string[]; deleteBeforeReplace: boolean }>;
  create(inputs: Values): Promise<{ id: string; outputs: Values }>;
  read(id: string, outputs: Values): Promise<{ id: string; outputs: Values; inputs: Values }>;
  update(id: string, olds: Values, news: Values): Promise<Values>;
  delete(id: string, outputs: Values): Promise<void>;
  /** As the engine does at the first Ctrl-C. */
  cancel(): Promise<void>;
  /** Ends it at once: nothing more leaves it, and nothing that comes back to it counts. */
  kill(): void;
  /** Ends it as the engine does when all is done. */
  close(): Promise<void>;
}

/** What was made by a call that failed, which an engine saves. */
export class PartlyMade extends Error {
  readonly made: { id: string; outputs: Values };

  constructor(message: string, made: { id: string; outputs: Values }) {
    super(message);
    this.made = made;
  }
}

/** Starts a provider with a stack's configuration. */
export type StartProvider = (connections: Record<string, unknown>) => Promise<Provider>;

export const providers = {
  Image: "image",
  ImageMember: "imageMember",
  ImageTag: "imageTag",
  ImageCopy: "imageCopy",
} as const;
