import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Blobs } from "./blobs.ts";
import type { Store } from "./store.ts";

/**
 * One image service of the local cloud: a folder beside this file, and one line in services.ts.
 *
 * `Settings` is what a test may tune (every field with a default), `Description` what a client needs to talk to it.
 */
export interface CloudService<Settings extends object, Description extends ServiceDescription> {
  /** How the service is called in the project's vocabulary, and the name of its folder under the cloud's folder. */
  name: string;
  /** The settings when a test says nothing. */
  defaults: Settings;
  /** Reads the state, opens the service's ports by `context.listen`, and answers once it serves requests. */
  start(context: ServiceContext<Settings>): Promise<Description>;
}

/** What a running service tells the world. It is printed by `npm run cloud -- --json`, so it is plain JSON. */
export interface ServiceDescription {
  /** Base address, without a slash at the end. */
  url: string;
  /** What to export in a shell so that the vendor's own clients find the service and sign in. */
  environment: Record<string, string>;
}

/** The Keystone of the openstack service, for a service that signs in there too. */
export interface SharedKeystone {
  /** As in OS_AUTH_URL, without a slash at the end. */
  authUrl: string;
  /** Who holds a token, as long as it is good; no project means that it is an unscoped one. */
  validate(token: string | undefined): { userId: string; projectId?: string; roles: string[] } | undefined;
  /** Puts a service into the catalogue, in the first region. */
  addToCatalog(service: { type: string; name: string; url: string }): void;
}

/** A way to what a service keeps under its ids. */
export interface Kept {
  find(id: string): object | undefined;
  changed(): void;
  /** Removes an image's data. */
  loseData?(id: string): Promise<unknown>;
}

/** What the cloud gives to a service. */
export interface ServiceContext<Settings extends object> {
  /** The service's own folder. It exists; what is in it survives a restart. */
  dir: string;
  /** Defaults overlaid with the test's settings. The object is live: read it at each request, so that a test can change it. */
  settings: Settings;
  /** The time, which a test may set. Use it for everything a client can see; never Date.now(). */
  clock(): Date;
  /** One line of diagnostics. */
  log(line: string): void;
  /** A JSON document in the service's folder, read now or made by `initial`, flushed when the cloud stops. */
  store<T>(name: string, initial: () => T): Promise<Store<T>>;
  /** A folder of big files in the service's folder. */
  blobs(name: string): Promise<Blobs>;
  /**
   * Opens a loopback port (the same as last time where possible), and registers the routes on a fastify of its own.
   * Faults, the recording of requests and TLS come with it. A service with one port leaves `part` out.
   * Bodies: the app parses JSON only; add content type parsers for others (pass-through for data: `(_r, body, done) => done(null, body)`).
   * @returns the base address, without a slash at the end; `register` gets it too.
   */
  listen(register: (app: FastifyInstance, url: string) => void | Promise<void>, part?: string): Promise<string>;
  /** The certificate to trust, when the cloud serves https. */
  caFile?: string;
  /** What the services of one cloud have in common. The openstack service, where it runs, is started before the others. */
  shared: { keystone?: SharedKeystone };
  /** Says who made a request, for the recording. */
  signedIn(request: FastifyRequest, user: string): void;
  /** Says how to get at what is kept under an id, for what happens within a service and through no API. See LocalCloud.tamper. */
  keeps(kept: Kept): void;
  /** Work to be done before the cloud stops (ends timers, waits for tasks). */
  onStop(work: () => void | Promise<void>): void;
}
