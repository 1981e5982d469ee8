import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join, resolve } from "node:path";
import { openBlobs } from "./blobs.ts";
import { certificate } from "./certificate.ts";
import { type Endpoint, openEndpoint, type RecordedRequest } from "./endpoint.ts";
import { Faults } from "./faults.ts";
import { imageDefaults } from "./images/settings.ts";
import type { OpenStackCloud, Restrictions } from "./openStackCloud.ts";
import type { CloudService, Kept, ServiceContext, ServiceDescription } from "./service.ts";
import { type CloudSettings, type DescriptionOf, type ServiceName, type SettingsOf, services } from "./services.ts";
import { openStore, type Store } from "./store.ts";

export type { RecordedRequest } from "./endpoint.ts";
export type { Fault } from "./faults.ts";
export type { CloudSettings, ServiceName } from "./services.ts";

/** How a cloud is started. */
export interface CloudOptions {
  /** Where state and data are kept; made if need be. A cloud started on the same folder again goes on where it was. */
  dir: string;
  /** The first port; the others follow it. Default: the ports of the last time, or any free ones. */
  port?: number;
  /** Serve https, under a certificate of its own. Default: http. */
  tls?: boolean;
  /** Which services run. Default: all. */
  services?: ServiceName[];
  /** How many regions OpenStack has, each with an Image API of its own. Default: 1. */
  regions?: 1 | 2;
  /** What OpenStack's catalogue names as the image service of each region, instead of the Image API itself: a proxy's address. */
  imageEndpoints?: string[];
  /** What a test wants different, by service. */
  settings?: CloudSettings;
  /** A request is answered when what it changed is on disk: for tests that kill the cloud. Default: soon after. */
  durable?: boolean;
  /** Where lines of diagnostics go. Default: nowhere. */
  log?: (line: string) => void;
}

/** A running local cloud: real servers on loopback that keep their state on disk. */
export interface LocalCloud {
  /** What each service says of itself; one that doesn't run throws when it is asked for. */
  services: { [Name in ServiceName]: DescriptionOf<Name> };
  /** The live settings of each service: a change counts from the next request on. */
  settings: { [Name in ServiceName]: SettingsOf<Name> };
  /** The service `openstack` as the tests that also run on a real OpenStack see it. */
  openstack: OpenStackCloud;
  /** The requests so far, oldest first; the last 100,000 are kept. Empty it between tests as you like. */
  requests: RecordedRequest[];
  faults: Faults;
  /** What `POST /_faults` on every port asks for as a bearer token. */
  controlKey: string;
  /** The file with the certificate to trust, when it serves https. */
  caFile?: string;
  /**
   * Changes what a service keeps of an image or a copy job, as no API could: for what goes wrong within a service.
   * @param values under the wire's names; `locations: []` has an image's data lost
   */
  tamper(id: string, values: Record<string, unknown>): Promise<void>;
  /** What a service keeps under an id, much of which no API shows. It isn't to be changed. */
  kept(id: string): Readonly<object> | undefined;
  /** Moves the services' clock ahead. */
  advance(seconds: number): void;
  /** Ends all connections and tasks, and answers when the state is on disk. */
  stop(): Promise<void>;
}

const REQUESTS_KEPT = 100_000;

interface CloudState {
  controlKey: string;
  ports: Record<string, number>;
}

/**
 * Starts the local image cloud. It listens on 127.0.0.1 only, and is made for tests and for trying things out: its passwords are printed.
 * @throws Error when the folder can't be written, or a service can't read the state that it finds there
 */
export async function startCloud(options: CloudOptions): Promise<LocalCloud> {
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const state = await openStore<CloudState>(join(dir, "cloud.json"), () => ({ controlKey: randomUUID(), ports: {} }));
  state.changed();
  const tls = options.tls ? await certificate(dir) : undefined;
  const faults = new Faults();
  const requests: RecordedRequest[] = [];
  const records = new WeakMap<IncomingMessage, RecordedRequest>();
  const endpoints: Endpoint[] = [];
  const stores: Store<unknown>[] = [state];
  const endings: (() => void | Promise<void>)[] = [];
  const kept: Kept[] = [];
  const shared: ServiceContext<object>["shared"] = {};
  let ahead = 0;
  let nextPort = options.port ?? 0;

  async function start<Settings extends object>(
    service: CloudService<Settings, ServiceDescription>,
    settings: Settings,
  ): Promise<ServiceDescription> {
    const folder = join(dir, service.name);
    await mkdir(folder, { recursive: true });
    const context: ServiceContext<Settings> = {
      dir: folder,
      settings,
      clock: () => new Date(Date.now() + ahead),
      log: line => options.log?.(`${service.name}: ${line}`),
      async store<T>(name: string, initial: () => T) {
        const store = await openStore(join(folder, `${name}.json`), initial);
        stores.push(store);
        return store;
      },
      blobs: name => openBlobs(join(folder, name)),
      async listen(register, part) {
        const place = part ? `${service.name}/${part}` : service.name;
        const wanted = nextPort ? nextPort++ : (state.data.ports[place] ?? 0);
        const endpoint = await openEndpoint(
          {
            service: service.name,
            port: wanted,
            ...(tls ? { certificate: tls } : {}),
            faults,
            controlKey: state.data.controlKey,
            ...(options.durable && { saved }),
            record(request, recorded) {
              records.set(request, recorded);
              requests.push(recorded);
              if (requests.length > REQUESTS_KEPT) requests.shift();
            },
          },
          register,
        );
        endpoints.push(endpoint);
        state.data.ports[place] = endpoint.port;
        state.changed();
        return endpoint.url;
      },
      ...(tls && { caFile: tls.caFile }),
      shared,
      signedIn(request, user) {
        const recorded = records.get(request.raw);
        if (recorded) recorded.user = user;
      },
      keeps: way => void kept.push(way),
      onStop: work => void endings.push(work),
    };
    return service.start(context);
  }

  async function saved() {
    await Promise.all(stores.map(store => store.flush()));
  }

  let stopping: Promise<void> | undefined;
  async function stopAll() {
    await Promise.all(endpoints.map(endpoint => endpoint.close()));
    for (const ending of endings) await ending();
    await saved();
  }
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };

  async function tamper(id: string, values: Record<string, unknown>) {
    for (const { find, changed, loseData } of kept) {
      const found = find(id);
      if (found === undefined) continue;
      if (values.locations !== undefined) await loseData?.(id);
      Object.assign(found, values);
      changed();
      return;
    }
    throw new Error(`The cloud keeps nothing under the id ${id}.`);
  }

  const openstackOptions = {
    ...(options.regions && { regions: options.regions }),
    ...(options.imageEndpoints && { imageEndpoints: options.imageEndpoints }),
  };
  const names = options.services ?? (Object.keys(services) as ServiceName[]);
  const descriptions: Partial<Record<ServiceName, ServiceDescription>> = {};
  const settings: Partial<Record<ServiceName, object>> = {};
  try {
    for (const name of names) {
      const service = services[name] as CloudService<object, ServiceDescription>;
      settings[name] = {
        ...service.defaults,
        ...(name === "openstack" && openstackOptions),
        ...options.settings?.[name],
      };
      descriptions[name] = await start(service, settings[name]);
    }
    if (options.durable) await saved();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    services: descriptions as LocalCloud["services"],
    settings: settings as LocalCloud["settings"],
    get openstack() {
      const description = descriptions.openstack as DescriptionOf<"openstack"> | undefined;
      if (!description) throw new Error("This cloud was started without the service openstack.");
      const { authUrl, regions, stores, accounts } = description;
      return {
        kind: "local" as const,
        authUrl,
        regions,
        stores,
        accounts,
        ...(tls ? { caFile: tls.caFile } : {}),
        dataDir: join(dir, "openstack"),
        tamper,
        async restrict({ propertyProtections = [], maxTags = imageDefaults.maxTags }: Restrictions) {
          Object.assign(settings.openstack as object, { propertyProtections, maxTags });
        },
        stop,
      };
    },
    requests,
    faults,
    controlKey: state.data.controlKey,
    ...(tls ? { caFile: tls.caFile } : {}),
    tamper,
    kept: id => kept.map(({ find }) => find(id)).find(found => found !== undefined),
    advance(seconds) {
      ahead += seconds * 1000;
    },
    stop,
  };
}
