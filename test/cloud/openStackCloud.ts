import type { PropertyProtection } from "./images/protections.ts";

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

export type Tampering = Record<string, string | number | null | []>;

/** What some clouds forbid their users. */
export interface Restrictions {
  /** Who may do what with which properties. Default: everybody everything. */
  propertyProtections?: readonly PropertyProtection[];
  /** How many tags an image may have; 0: none. Default: 128. */
  maxTags?: number;
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
  /**
   * Changes what the first region's image service keeps of an image, as no API could: for what goes wrong within a service.
   * @param values under the wire's names; `locations: []` has its data lost
   */
  tamper(id: string, values: Tampering): Promise<void>;
  /** Has its image services forbid something from now on, and nothing else; with `{}` nothing. */
  restrict(restrictions: Restrictions): Promise<void>;
  stop(): Promise<void>;
}
