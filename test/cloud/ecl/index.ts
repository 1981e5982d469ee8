import { ecl as dialect } from "../images/dialect.ts";
import { type ImageEndpoint, openImageApi } from "../images/open.ts";
import { type ImageSettings, imageDefaults } from "../images/settings.ts";
import { Identity, seedIdentity } from "../keystone/identity.ts";
import { catalogService, registerKeystone } from "../keystone/routes.ts";
import type { Account } from "../openStackCloud.ts";
import { passwordEnvironment } from "../openstack/index.ts";
import type { CloudService, ServiceDescription } from "../service.ts";
import { licenceTypes } from "./licences.ts";
import { type CopyJob, Replicator, replicatorRoutes } from "./replicator.ts";

/** What a test may tune on the local ECL. */
export interface EclSettings extends ImageSettings {
  /** Seconds that a token lives. */
  tokenLifetime: number;
  /** Milliseconds that a copy job takes for each of its steps. */
  copyStep: number;
  /** How copy jobs end that nobody cancels. */
  copyEnd: "replicated" | "error";
  /** Percent at which copy jobs stand still for as long as it is set; 0 keeps them at `replicate_requested`. */
  copyHold: number | null;
}

export interface EclDescription extends ServiceDescription {
  /** Keystone v3, no trailing slash. */
  authUrl: string;
  /** The Image API's root of each region, as in the catalogue: paths begin with /v2. */
  imageUrls: Record<"jp1" | "jp2", string>;
  /** Names are API keys, passwords are API secret keys. owner and consumer are tenants in jp1, overseas is one in jp2. */
  accounts: { owner: Account; consumer: Account; overseas: Account };
}

const REGIONS = ["jp1", "jp2"] as const;
type Region = (typeof REGIONS)[number];

/** NTT Enterprise Cloud 2.0: a Keystone, and in each of two regions an Image API. A tenant lives in one region. */
export const ecl: CloudService<EclSettings, EclDescription> = {
  name: "ecl",
  defaults: { ...imageDefaults, tokenLifetime: 3600, copyStep: 30, copyEnd: "replicated", copyHold: null },
  async start(context) {
    const accounts = {
      owner: { username: "owner-api-key", project: "owner", roles: ["member"] },
      consumer: { username: "consumer-api-key", project: "consumer", roles: ["member"] },
      overseas: { username: "overseas-api-key", project: "overseas", roles: ["member"] },
    };
    const identity = new Identity(await context.store("keystone", () => seedIdentity(accounts)), context.clock);
    const account = (name: keyof typeof accounts) => identity.account(accounts[name].username);
    const regionOf = (tenant: string): Region | undefined => {
      if (identity.project(tenant) === undefined) return undefined;
      return tenant === account("overseas").projectId ? "jp2" : "jp1";
    };
    const endpoints = new Map<string, ImageEndpoint>();
    const url = await context.listen((app, ownUrl) => {
      registerKeystone(app, ownUrl, {
        identity,
        tokenLifetime: () => context.settings.tokenLifetime,
        catalog: projectId => {
          const region = regionOf(projectId) ?? "jp1";
          return [
            catalogService("identity", "keystone", [{ name: region, url: `${ownUrl}/v3` }]),
            catalogService("image", "glance", [{ name: region, url: endpoints.get(region)?.url ?? "" }]),
          ];
        },
        signedIn: context.signedIn,
      });
    }, "keystone");
    const authUrl = `${url}/v3`;
    const jobs = await context.store<CopyJob[]>("copy-jobs", () => []);
    context.keeps({ find: id => jobs.data.find(job => job.job_id === id), changed: () => jobs.changed() });
    const replicator = new Replicator({
      jobs,
      settings: context.settings,
      regionOf,
      apiOf: region => (endpoints.get(region) as ImageEndpoint).api,
      log: context.log,
    });
    context.onStop(() => replicator.stop());
    for (const region of REGIONS) {
      const endpoint = await openImageApi(context, {
        name: `images-${region}`,
        dialect,
        identity,
        authUrl,
        more(resource) {
          replicatorRoutes(resource, replicator);
          resource("/v2/extension/license_switch/types", { GET: () => ({ license_switch_types: licenceTypes }) });
        },
      });
      endpoints.set(region, endpoint);
    }
    replicator.resume();
    const owner = account("owner");
    const imageUrl = (region: Region) => endpoints.get(region)?.url ?? "";
    return {
      url,
      authUrl,
      imageUrls: { jp1: imageUrl("jp1"), jp2: imageUrl("jp2") },
      accounts: { owner, consumer: account("consumer"), overseas: account("overseas") },
      environment: passwordEnvironment(authUrl, owner, "jp1"),
    };
  },
};
