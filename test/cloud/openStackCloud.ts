/** One account on an OpenStack cloud: who signs in, and to which project. */
export interface Account {
  username: string;
  password: string;
  userDomain: string;
  projectId: string;
  projectName: string;
  projectDomain: string;
  applicationCredential: { id: string; secret: string };
}

/** A running OpenStack cloud, real or local: the tests of OpenStack run on both with the same assertions. */
export interface OpenStackCloud {
  kind: "local" | "real";
  /** Keystone v3, no trailing slash. */
  authUrl: string;
  /** `imageUrl` is the unversioned Image API endpoint, as in the catalogue. */
  regions: { name: string; imageUrl: string }[];
  /** ["fast", "slow"]; the first is the default. */
  stores: string[];
  accounts: { owner: Account; consumer: Account; admin: Account };
  caFile?: string;
  dataDir: string;
  stop(): Promise<void>;
}
