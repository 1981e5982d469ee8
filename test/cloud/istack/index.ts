import { istack as dialect } from "../images/dialect.ts";
import { openImageApi } from "../images/open.ts";
import { type ImageSettings, imageDefaults } from "../images/settings.ts";
import { Identity, seedIdentity } from "../keystone/identity.ts";
import { catalogService, registerKeystone } from "../keystone/routes.ts";
import type { Account } from "../openStackCloud.ts";
import { passwordEnvironment } from "../openstack/index.ts";
import type { CloudService, ServiceDescription } from "../service.ts";

/** What a test may tune on the local iStack. */
export interface IStackSettings extends ImageSettings {
  /** Seconds that a token lives. */
  tokenLifetime: number;
}

export interface IStackDescription extends ServiceDescription {
  /** Keystone v3, no trailing slash. */
  authUrl: string;
  /** The Image API's root, as in the catalogue: paths begin with /v2. */
  imageUrl: string;
  region: string;
  /** admin may make images public. */
  accounts: { owner: Account; consumer: Account; admin: Account };
}

const REGION = "RegionOne";

/** iStack: its documents say nothing of how one signs in, so that is as in the OpenStack that it descends from. */
export const istack: CloudService<IStackSettings, IStackDescription> = {
  name: "istack",
  defaults: { ...imageDefaults, tokenLifetime: 3600 },
  async start(context) {
    const accounts = {
      owner: { username: "owner", project: "owner", roles: ["member"] },
      consumer: { username: "consumer", project: "consumer", roles: ["member"] },
      admin: { username: "admin", project: "admin", roles: ["admin"] },
    };
    const identity = new Identity(await context.store("keystone", () => seedIdentity(accounts)), context.clock);
    const images: { name: string; url: string }[] = [];
    const url = await context.listen((app, ownUrl) => {
      registerKeystone(app, ownUrl, {
        identity,
        tokenLifetime: () => context.settings.tokenLifetime,
        catalog: () => [
          catalogService("identity", "keystone", [{ name: REGION, url: `${ownUrl}/v3` }]),
          catalogService("image", "glance", images),
        ],
        signedIn: context.signedIn,
      });
    }, "keystone");
    const authUrl = `${url}/v3`;
    const endpoint = await openImageApi(context, { name: "images", dialect, identity, authUrl });
    images.push({ name: REGION, url: endpoint.url });
    const owner = identity.account("owner");
    return {
      url,
      authUrl,
      imageUrl: endpoint.url,
      region: REGION,
      accounts: { owner, consumer: identity.account("consumer"), admin: identity.account("admin") },
      environment: passwordEnvironment(authUrl, owner, REGION),
    };
  },
};
