import { describeDriftsOn } from "./bench.ts";
import { stateDrifts } from "./glance.ts";

describe("Drift on istack", () => describeDriftsOn("istack", { cases: stateDrifts }));
