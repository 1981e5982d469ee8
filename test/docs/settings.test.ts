import assert from "node:assert/strict";
import { type ConfigReader, resolveConnection } from "../../provider/connection.ts";
import {
  digitalOceanEnvironmentLayer,
  digitalOceanNames,
  officialDigitalOceanLayer,
} from "../../provider/connections/digitalocean.ts";
import { divvyCloudEnvironmentLayer, divvyCloudNames } from "../../provider/connections/divvycloud.ts";
import {
  officialOpenStackLayer,
  openStackEnvironmentLayer,
  openStackNames,
} from "../../provider/connections/openstack.ts";
import { allPages, type Page } from "./pages.ts";

/** Variables that say where to look, and so are no setting of a connection. */
const places = ["OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "OS_CLIENT_VENDOR_FILE"];

const only = (key: string): ConfigReader => ({
  get: asked => (asked !== key ? undefined : key.endsWith("Overrides") ? '{"image":"http://x"}' : "x"),
});

describe("Settings in the documentation", () => {
  let pages: Page[];
  let connections: string;

  before(async () => {
    pages = await allPages();
    connections = pages.find(({ path }) => path === "docs/connections.md")?.text ?? "";
  });

  /** The keys in the first two columns of the table below a heading. */
  function keysUnder(heading: RegExp): string[] {
    const section = connections.split(/^## /m).find(part => heading.test(part)) ?? "";
    const rows = section.split("\n").filter(line => line.startsWith("| `"));
    return rows.flatMap(row => {
      const cells = row.split("|").slice(1, section.includes("also as") ? 3 : 2);
      return cells.flatMap(cell => [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key as string));
    });
  }

  for (const [heading, names] of [
    [/^Settings of `openstack`/, ["cloud", ...Object.keys(openStackNames)]],
    [/^Settings of `digitalocean`/, Object.keys(digitalOceanNames)],
    [/^Settings of `divvycloud`/, Object.keys(divvyCloudNames)],
  ] as const) {
    it(`are all that a connection takes, and no others: ${heading.source}`, () => {
      assert.deepEqual(keysUnder(heading).toSorted(), [...names].toSorted());
    });
  }

  it("of the environment are read", () => {
    const named = new Set(
      pages.flatMap(({ text }) => text.match(/\b(OS|DIGITALOCEAN|DIVVYCLOUD)_[A-Z_]*[A-Z]\b/g) ?? []),
    );
    assert.ok(named.size > 30);
    for (const name of named) {
      const env = { [name]: "x" };
      const read =
        places.includes(name) ||
        openStackEnvironmentLayer(env).size +
          digitalOceanEnvironmentLayer(env).size +
          divvyCloudEnvironmentLayer(env).size >
          0;
      assert.ok(read, `${name} is never read`);
    }
  });

  it("of the official providers are read", () => {
    const named = new Set(pages.flatMap(({ text }) => text.match(/\b(openstack|digitalocean):[a-z]\w+/g) ?? []));
    assert.ok(named.size > 20);
    for (const key of named) {
      const read =
        key === "openstack:cloud" ||
        officialOpenStackLayer(only(key)).size + officialDigitalOceanLayer(only(key)).size > 0;
      assert.ok(read, `${key} is never read`);
    }
  });

  it("in the examples make connections that can be used", () => {
    const entries: Record<string, Record<string, string>> = {};
    // Without --path, a value of its own beside the object.
    const beside: Record<string, string> = {};
    for (const [command, name, key, value = "secret"] of connections.matchAll(
      /config set (?:--secret )?(?:--path )?images:connections\.([\w-]+)\.(\w+)(?: (\S+))?$/gm,
    )) {
      if (command.includes("--path")) entries[name as string] = { ...entries[name as string], [key as string]: value };
      else beside[`images:connections.${name}.${key}`] = value;
    }
    assert.deepEqual(Object.keys(entries).toSorted(), ["ci", "dr", "lab", "team-b"]);
    // The example of a cloud of clouds.yaml has that cloud; it isn't in the stack's configuration.
    const { dr, ...complete } = entries;
    const config: ConfigReader = {
      get: key => (key === "images:connections" ? JSON.stringify(complete) : beside[key]),
    };
    for (const [name, { service }] of Object.entries(complete)) {
      const found = resolveConnection(service as "openstack" | "digitalocean", name, config, {}, "/nowhere");
      assert.equal(found.name, name);
    }
    assert.equal(dr?.cloud, "lab");
  });
});
