import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { ImageBench } from "../imageBench.ts";
import { writeDisks } from "./data.ts";
import { type Case, describeDrifts, type Quiet } from "./drifting.ts";
import { drifts, type Place, quiet, sourceOfCopies } from "./glance.ts";

/** A service of the local cloud that speaks the Image API v2, started for its drifts. */
export interface StartedPlace extends Place {
  bench: ImageBench;
}

/** All drifts of such a service: those that it has in common with the others, and its own. */
export function describeDriftsOn(
  service: "ecl" | "istack",
  own: { cases(place: StartedPlace): Record<string, Case>; quiet?(place: StartedPlace): Record<string, Quiet> },
): void {
  let place: StartedPlace;
  let files: FileServer;
  before(async () => {
    files = await startFileServer();
    const bench = await ImageBench.start(service);
    const accounts = bench.cloud.services[service].accounts as Record<string, { projectId: string }>;
    const projectOf = (name: string) => String(accounts[name]?.projectId);
    place = {
      ...{ bench, service, files, owner: bench.owner, consumer: await bench.as("consumer") },
      ...{ consumerId: projectOf("consumer"), strangerId: projectOf("overseas") },
      tamper: (id, values) => bench.cloud.tamper(id, values),
    };
  });
  describeDrifts(service, {
    newStack: async () => await writeDisks(await place.bench.newStack("drift")),
    others: () => sourceOfCopies(service),
    cases: stack => ({ ...drifts(place, stack), ...own.cases(place) }),
    quiet: () => ({ ...quiet(place), ...own.quiet?.(place) }),
    writes: { forget: () => place.bench.forget(), list: () => place.bench.writes() },
  });

  // Last, as what drifted is tidied up before.
  after(async () => {
    await place?.bench.stop();
    await files?.stop();
  });
}
