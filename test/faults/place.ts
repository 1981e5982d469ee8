import type { Kind } from "../../provider/fields/field.ts";

export type Values = Record<string, unknown>;

/** What a resource is about in one point of the matrix. */
export interface Subject {
  /** Its name, which no other point has. */
  name: string;
  /** What its mark begins with, in the form that each service gives it. */
  mark: string;
  /** What was there before the program ran. */
  made: Values;
  /** The connection of an account. */
  on: (account: string) => string;
}

/** A resource as programs have it, and how to see what became of it. */
export interface Scenario {
  title: string;
  kind: Kind;
  /** What has to be there first. */
  prepare?: (name: string) => Promise<Values>;
  args: (subject: Subject) => Values;
  /** The arguments after a change in place; left out where nothing can be changed. */
  changed?: (subject: Subject) => Values;
  /** What the service has of it, to compare. Ids and times are left out of the comparison. */
  world: (subject: Subject) => Promise<unknown>;
  /** Takes away what `prepare` made, and what may stay by design. */
  clean?: (subject: Subject) => Promise<void>;
  /** What an error tells people to do before they repeat, where the service leaves no other way. */
  byHand?: { after: RegExp; work: (subject: Subject) => Promise<void> };
}

/** A service with its scenarios. */
export interface Place {
  title: string;
  /** How many resources it can take at once without being slow to answer. */
  atOnce: number;
  /** Origins of all that a connection talks to. */
  targets: readonly string[];
  /**
   * The connections of all accounts.
   * @param via the way to an address
   * @param key what tells these connections from those of another point
   */
  connections: (via: (address: string) => string, key: string) => Promise<Record<string, Values>>;
  scenarios: (via: (address: string) => string) => readonly Scenario[];
}
