import { dump } from "js-yaml";
import type { Account, OpenStackCloud } from "../../test/cloud/openStackCloud.ts";

/**
 * The text of a clouds.yaml with an entry for each account: `owner`, `consumer` and `admin` by password, and the same
 * names with `-app` by application credential.
 */
export function cloudsYaml(cloud: OpenStackCloud): string {
  const region = {
    region_name: cloud.regions[0]?.name,
    ...(cloud.caFile === undefined ? {} : { cacert: cloud.caFile }),
  };
  const clouds = Object.entries(cloud.accounts).flatMap(([name, account]) => [
    [name, { auth_type: "password", auth: passwordAuth(cloud.authUrl, account), ...region }],
    [`${name}-app`, { auth_type: "v3applicationcredential", auth: credentialAuth(cloud.authUrl, account), ...region }],
  ]);
  return dump({ clouds: Object.fromEntries(clouds) });
}

function passwordAuth(authUrl: string, account: Account) {
  return {
    auth_url: authUrl,
    username: account.username,
    password: account.password,
    user_domain_name: account.userDomain,
    project_name: account.projectName,
    project_domain_name: account.projectDomain,
  };
}

function credentialAuth(authUrl: string, { applicationCredential }: Account) {
  return {
    auth_url: authUrl,
    application_credential_id: applicationCredential.id,
    application_credential_secret: applicationCredential.secret,
  };
}
