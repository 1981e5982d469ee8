/**
 * npm run check:digitalocean -- FILE [RECORDING…]
 *
 * Checks the local DigitalOcean, and what is sent to it, against a full OpenAPI 3.0 description of the API in FILE (JSON), which is not part
 * of this project. It starts the local cloud, goes through all operations on images, and all that the provider does, and validates each
 * request and each answer. A
 * RECORDING, made by the local cloud's setting `recordTo`, is validated in the same way. Known faults of the vendor's description are
 * reported as such. Exits with 1 when anything else is found.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCloud } from "../test/cloud/cloud.ts";
import { exerciseAll } from "../test/cloud/digitalocean/exercise.ts";
import { exerciseProvider } from "../test/cloud/digitalocean/exerciseProvider.ts";
import { readExchanges } from "../test/cloud/digitalocean/schemas/check.ts";
import type { Exchange, Finding } from "../test/cloud/digitalocean/schemas/exchange.ts";
import { type Description, describeApi } from "../test/cloud/digitalocean/schemas/openapi.ts";

async function main(file: string, recordings: string[]): Promise<number> {
  const api = describeApi(JSON.parse(await readFile(file, "utf8")) as Description);
  const exchanges = await exercise();
  for (const recording of recordings) exchanges.push(...(await readExchanges(recording)));

  const seen = new Map<string, Finding & { times: number; known?: string }>();
  const met = new Set<string>();
  for (const exchange of exchanges) {
    const { operation, findings } = api.check(exchange);
    if (operation) met.add(operation);
    for (const finding of findings) {
      const key = JSON.stringify(finding);
      const entry = seen.get(key) ?? { ...finding, times: 0 };
      entry.times++;
      seen.set(key, entry);
    }
  }
  for (const finding of api.checkExamples()) seen.set(JSON.stringify(finding), { ...finding, times: 1 });
  const print = (title: string, findings: (Finding & { times: number; known?: string })[]) => {
    console.log(`\n${title}: ${findings.length}`);
    for (const { operation, part, message, times, known } of findings) {
      console.log(`  ${operation}, ${part}: ${message} [${times}×]${known ? `\n    ${known}` : ""}`);
    }
  };
  const all = [...seen.values()];
  const missing = api.operations.filter(name => !met.has(name));
  console.log(`${exchanges.length} exchanges, ${met.size} of ${api.operations.length} operations of ${file}`);
  if (missing.length) console.log(`not met: ${missing.join(", ")}`);
  print(
    "Known faults of the description",
    all.filter(it => it.known),
  );
  const faults = all.filter(it => !it.known);
  print("Findings", faults);
  return faults.length ? 1 : 0;
}

/** Every operation by itself, and all that the provider asks; each with a cloud of its own. */
async function exercise(): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  for (const work of [exerciseAll, exerciseProvider]) {
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-check-"));
    const recordTo = join(dir, "exchanges.jsonl");
    const cloud = await startCloud({
      dir,
      services: ["digitalocean"],
      settings: { digitalocean: { taskTime: 20, recordTo } },
    });
    try {
      await work(cloud.services.digitalocean);
      exchanges.push(...(await readExchanges(recordTo)));
    } finally {
      await cloud.stop();
      await rm(dir, { recursive: true, force: true });
    }
  }
  return exchanges;
}

const [file, ...recordings] = process.argv.slice(2);
if (!file) {
  console.error("usage: npm run check:digitalocean -- FILE [RECORDING…]");
  process.exitCode = 2;
} else {
  process.exitCode = await main(file, recordings);
}
