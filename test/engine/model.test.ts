import assert from "node:assert/strict";
import { found } from "./model/found.ts";
import { again, type Lived, live } from "./model/lives.ts";
import { loadProviders } from "./model/loadedProvider.ts";
import { mutations } from "./model/mutations.ts";
import { startProviders } from "./model/processProvider.ts";
import { startBench } from "./model/services/bench.ts";
import { openService } from "./model/services/index.ts";

const environment = { PULUMI_IMAGES_RETRY_PAUSE_MS: "1", PULUMI_IMAGES_STALL_SECONDS: "1" };
const earlier = Object.fromEntries(Object.keys(environment).map(name => [name, process.env[name]]));

/** Lives of each service that a run of all tests lives; `npm run model` lives thousands. */
const sample = { openstack: 24, "glance-v1": 8, ecl: 6, istack: 6, digitalocean: 8, divvycloud: 6 } as const;
const seed = 16;
const most = 30;

describe("whole lives of stacks", () => {
  const opened: { stop(): Promise<void> }[] = [];
  const open = async (service: Lived["bench"]["service"], start?: Lived["start"]): Promise<Lived> => {
    const bench = await startBench(service, "local");
    opened.push(bench);
    return { bench, start: start ?? (await loadProviders()), ...(await openService(bench)) };
  };

  before(() => Object.assign(process.env, environment));
  afterEach(async () => {
    for (const bench of opened.splice(0)) await bench.stop();
  });
  after(() => {
    for (const [name, value] of Object.entries(earlier)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  for (const [service, lives] of Object.entries(sample)) {
    it(`on ${service}, no invariant breaks in ${lives} of them (seeds from ${seed} on)`, async () => {
      const on = await open(service as keyof typeof sample);
      for (let n = 0; n < lives; n++) {
        const { failure } = await live(on, { seed: seed + n, most });
        assert.equal(failure, undefined, failure && `${failure.story.join("\n")}\n${JSON.stringify(failure.script)}`);
      }
    });
  }

  for (const { title, service, script } of found) {
    it(`as was found: ${title}`, async () => {
      const { broken, story } = await again(await open(service), script);
      assert.equal(broken, undefined, story.join("\n"));
    });
  }

  it("with providers in processes of their own, they end as with those that are loaded into this one", async () => {
    const { start, stop } = await startProviders();
    opened.push({ stop });
    const on = await open("openstack", start);
    for (const { service, script } of found.filter(({ inProcesses }) => inProcesses)) {
      assert.equal(service, "openstack");
      const { broken, story } = await again(on, script);
      assert.equal(broken, undefined, story.join("\n"));
    }
  });

  it("a rule that is switched off breaks an invariant", async () => {
    const on = await open("openstack");
    for (const { title, service, script, without = [] } of found) {
      for (const rule of without) {
        const start = await loadProviders(mutations[rule]?.changes);
        const { broken } = await again(service === "openstack" ? { ...on, start } : await open(service, start), script);
        assert.ok(broken !== undefined, `${title}, without rule ${rule}`);
      }
    }
  });
});
