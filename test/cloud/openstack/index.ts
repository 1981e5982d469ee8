import { glance } from "../images/dialect.ts";
import { openImageApi } from "../images/open.ts";
import { type ImageSettings, imageDefaults } from "../images/settings.ts";
import { Identity, seedIdentity } from "../keystone/identity.ts";
import { catalogService, registerKeystone } from "../keystone/routes.ts";
import type { Account, OpenStackCloud } from "../openStackCloud.ts";
import type { CloudService, ServiceDescription } from "../service.ts";

/** What a test may tune on the local OpenStack. */
export interface OpenStackSettings extends ImageSettings {
  /** Seconds that a token lives. */
  tokenLifetime: number;
  /** How many regions there are: one Keystone, an Image API each. */
  regions: 1 | 2;
  /** What the catalogue names as the image service of each region, where that isn't the Image API itself. */
  imageEndpoints: string[];
}

export interface OpenStackDescription extends ServiceDescription {
  authUrl: string;
  regions: OpenStackCloud["regions"];
  /** The address of each region's own Image API, whatever the catalogue says. */
  imageServers: string[];
  stores: string[];
  accounts: OpenStackCloud["accounts"];
}

/** Keystone v3 and Glance as they are in 2026.1, in two regions, with three accounts in a project each. */
export const openstack: CloudService<OpenStackSettings, OpenStackDescription> = {
  name: "openstack",
  defaults: { ...imageDefaults, tokenLifetime: 3600, regions: 1, imageEndpoints: [] },
  async start(context) {
    const accounts = {
      owner: { username: "owner", project: "owner", roles: ["member"] },
      consumer: { username: "consumer", project: "consumer", roles: ["member"] },
      admin: { username: "admin", project: "admin", roles: ["admin"] },
    };
    const identity = new Identity(await context.store("keystone", () => seedIdentity(accounts)), context.clock);
    const regions: { name: string; url: string }[] = [];
    const added: { type: string; name: string; url: string }[] = [];
    const imageUrl = (index: number) => context.settings.imageEndpoints[index] ?? regions[index]?.url ?? "";
    const first = "RegionOne";
    const url = await context.listen((app, ownUrl) => {
      registerKeystone(app, ownUrl, {
        identity,
        tokenLifetime: () => context.settings.tokenLifetime,
        catalog: () => [
          catalogService(
            "identity",
            "keystone",
            regions.map(({ name }) => ({ name, url: `${ownUrl}/v3` })),
          ),
          catalogService(
            "image",
            "glance",
            regions.map(({ name }, index) => ({ name, url: imageUrl(index) })),
          ),
          ...added.map(({ type, name, url: at }) => catalogService(type, name, [{ name: first, url: at }])),
        ],
        signedIn: context.signedIn,
      });
    }, "keystone");
    const authUrl = `${url}/v3`;
    context.shared.keystone = {
      authUrl,
      validate: token => identity.validate(token),
      addToCatalog: service => void added.push(service),
    };
    for (const name of [first, "RegionTwo"].slice(0, context.settings.regions)) {
      const endpoint = await openImageApi(context, {
        name: `glance-${name}`,
        dialect: glance,
        identity,
        authUrl,
        endpointOf: region => regions.find(other => other.name === region)?.url,
      });
      regions.push({ name, url: endpoint.url });
    }
    const owner = identity.account("owner");
    return {
      url,
      authUrl,
      regions: regions.map(({ name }, index) => ({ name, imageUrl: imageUrl(index) })),
      imageServers: regions.map(region => region.url),
      stores: glance.stores,
      accounts: { owner, consumer: identity.account("consumer"), admin: identity.account("admin") },
      environment: passwordEnvironment(authUrl, owner, first),
    };
  },
};

/** What the OpenStack clients read from the environment. @see https://docs.openstack.org/python-openstackclient/latest/cli/man/openstack.html */
export function passwordEnvironment(authUrl: string, account: Account, region: string): Record<string, string> {
  return {
    OS_AUTH_URL: authUrl,
    OS_USERNAME: account.username,
    OS_PASSWORD: account.password,
    OS_USER_DOMAIN_NAME: account.userDomain,
    OS_PROJECT_NAME: account.projectName,
    OS_PROJECT_DOMAIN_NAME: account.projectDomain,
    OS_REGION_NAME: region,
    OS_INTERFACE: "public",
    OS_IDENTITY_API_VERSION: "3",
  };
}
