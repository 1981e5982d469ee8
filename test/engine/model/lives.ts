import fc from "fast-check";
import { Life } from "./life.ts";
import type { StartProvider } from "./provider.ts";
import type { Bench } from "./services/bench.ts";
import type { Account, ModelService } from "./services/service.ts";
import { type Step, steps } from "./steps.ts";

/** A life that broke an invariant, as short as it could be made. */
export interface Failure {
  seed: number;
  path: string;
  /** The steps, one a line as JSON: a script that can be lived again. */
  script: Step[];
  /** What was done and seen, in sentences, and the invariant last. */
  story: string[];
  message: string;
}

/** What lives are lived on. */
export interface Lived {
  bench: Bench;
  service: ModelService;
  start: StartProvider;
  ids: Record<Account, string>;
}

class Command implements fc.AsyncCommand<Life, Life> {
  readonly step: Step;
  readonly #made: (step: Step) => void;

  constructor(step: Step, made: (step: Step) => void) {
    this.step = step;
    this.#made = made;
  }

  check(life: Life): boolean {
    return life.possible(this.step);
  }

  async run(_model: Life, life: Life): Promise<void> {
    this.#made(this.step);
    await life.perform(this.step);
  }

  toString(): string {
    return JSON.stringify(this.step);
  }
}

/**
 * Lives one life of up to \`most\` steps, and where it breaks an invariant, shorter ones until none is shorter.
 * @returns how many steps it had, and how it failed
 */
export async function live(
  on: Lived,
  { seed, most, ...which }: { seed: number; most: number; calm?: boolean; without?: readonly string[] },
): Promise<{ steps: number; story: string[]; failure?: Failure }> {
  let first: { steps: number; story: string[] } | undefined;
  let last: Omit<Failure, "seed" | "path"> | undefined;
  const commands = fc.commands(
    steps(on.service.kinds, which).map(arbitrary =>
      arbitrary.map(step => new Command(step, done => script.push(done))),
    ),
    { maxCommands: most, size: "max" },
  );
  let script: Step[] = [];
  const property = fc.asyncProperty(commands, async list => {
    script = [];
    await on.service.clear();
    const life = new Life(on.bench, on.service, on.start, on.ids);
    try {
      await fc.asyncModelRun(() => ({ model: life, real: life }), list);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      last = { script: [...script], story: [...life.story, message], message };
      throw error;
    } finally {
      on.bench.gate.clear();
      first ??= { steps: script.length, story: life.story };
    }
  });
  const result = await fc.check(property, { seed, numRuns: 1, endOnFailure: false });
  const path = result.counterexamplePath ?? "";
  return { ...(first ?? { steps: 0, story: [] }), ...(last === undefined ? {} : { failure: { seed, path, ...last } }) };
}

/** Lives a script again. @returns its story, with the invariant that broke at the end, if one did */
export async function again(on: Lived, script: readonly Step[]): Promise<{ story: string[]; broken?: string }> {
  await on.service.clear();
  const life = new Life(on.bench, on.service, on.start, on.ids);
  try {
    for (const step of script) await life.perform(step);
    return { story: life.story };
  } catch (error) {
    return { story: life.story, broken: error instanceof Error ? error.message : String(error) };
  } finally {
    on.bench.gate.clear();
  }
}
