import { randomBytes, randomUUID } from "node:crypto";
import { type ImageState, type RootDevice, resourceId, type Virtualization } from "./choices.ts";

/** Everything that the local DivvyCloud remembers. */
export interface State {
  users: User[];
  sessions: Session[];
  clouds: Cloud[];
  instances: Instance[];
  images: PrivateImage[];
  groups: Group[];
  notes: { resource_id: string; note_text: string; user_id: number; created: string }[];
  nextNumber: number;
}

export interface User {
  user_id: number;
  username: string;
  password: string;
  apiKey: string;
  name: string;
  email_address: string;
  /** May change things; others only read. */
  admin: boolean;
  /** The cloud accounts are all of one; a user of another one sees none of them. */
  organization: string;
}

export interface Session {
  id: string;
  user_id: number;
  /** ms since 1970 of the last request. */
  used: number;
}

/** A cloud account that DivvyCloud looks after. */
export interface Cloud {
  id: number;
  name: string;
  cloud_type_id: string;
  account_id: string;
  creation_time: string;
  region: string;
}

interface Common {
  resource_id: string;
  organization_service_id: number;
  name: string;
  region_name: string;
  created: string;
  modified: string;
  tags: Record<string, string>;
  owner: string | null;
}

export interface Instance extends Common {
  instance_id: string;
}

export interface PrivateImage extends Common {
  image_id: string;
  root_device_type: RootDevice;
  architecture: "x86_64" | "x86_32";
  /** MB */
  min_ram: number;
  /** GB */
  min_disk: number;
  state: ImageState;
  description: string;
  platform: "linux" | "windows";
  block_device_mapping: { device_name: string; volume_size: number }[];
  virtualization_type: Virtualization;
  shared: boolean;
  product_code: string | null;
  product_code_type: "marketplace" | "none";
  /** A deletion waits in the job queue. */
  deleting?: boolean;
}

export interface Group {
  id: string;
  name: string;
  members: string[];
}

/** The world when the local DivvyCloud starts for the first time. */
export function newState(now: Date): State {
  const created = timestamp(now);
  const clouds: Cloud[] = [
    {
      id: 1,
      name: "aws-dev",
      cloud_type_id: "AWS",
      account_id: "112233445566",
      creation_time: created,
      region: "us-east-1",
    },
    {
      id: 2,
      name: "openstack-lab",
      cloud_type_id: "OPENSTACK",
      account_id: "8f1c2d",
      creation_time: created,
      region: "RegionOne",
    },
    {
      id: 3,
      name: "gcp-prod",
      cloud_type_id: "GCE",
      account_id: "prod-314159",
      creation_time: created,
      region: "us-central1",
    },
  ];
  const state: State = {
    users: firstUsers(),
    sessions: [],
    clouds,
    instances: [],
    images: [],
    groups: [{ id: "resourcegroup:3:", name: "golden images", members: [] }],
    notes: [],
    nextNumber: 1,
  };
  for (const cloud of clouds) {
    state.instances.push(newInstance(state, cloud, created));
    for (const name of ["web-base", "db-base"]) newImage(state, cloud, { name: `${cloud.name}-${name}` }, created);
  }
  return state;
}

/** Who looks after the cloud accounts. */
export const ORGANIZATION = "Local";

const firstUsers = () => [
  newUser(1, "admin", true),
  newUser(2, "viewer", false),
  newUser(3, "outsider", true, "Elsewhere"),
];

/** Adds what the users in a folder of an earlier version don't have. */
export function addNewUsers({ users }: State): void {
  for (const user of users) user.organization ??= ORGANIZATION;
  for (const user of firstUsers()) if (!users.some(({ username }) => username === user.username)) users.push(user);
}

function newUser(user_id: number, username: string, admin: boolean, organization = ORGANIZATION): User {
  return {
    user_id,
    username,
    password: randomBytes(12).toString("base64url"),
    apiKey: randomUUID(),
    name: `${username[0]?.toUpperCase()}${username.slice(1)}`,
    email_address: `${username}@example.com`,
    admin,
    organization,
  };
}

const hex = (number: number) => `0${number.toString(16).padStart(7, "0")}`;

function newInstance(state: State, cloud: Cloud, created: string): Instance {
  const instance_id = `i-${hex(state.nextNumber++)}`;
  return {
    resource_id: resourceId("instance", cloud.id, cloud.region, instance_id),
    organization_service_id: cloud.id,
    instance_id,
    name: `${cloud.name}-vm`,
    region_name: cloud.region,
    created,
    modified: created,
    tags: {},
    owner: null,
  };
}

/** Adds an image to a cloud account; what is not given is as on a small Linux machine. */
export function newImage(state: State, cloud: Cloud, given: Partial<PrivateImage>, created: string): PrivateImage {
  const image_id = given.image_id ?? `${cloud.cloud_type_id === "AWS" ? "ami" : "image"}-${hex(state.nextNumber++)}`;
  const region_name = given.region_name ?? cloud.region;
  const image: PrivateImage = {
    name: image_id,
    root_device_type: "ebs",
    architecture: "x86_64",
    min_ram: 512,
    min_disk: 8,
    state: "available",
    description: "",
    platform: "linux",
    block_device_mapping: [{ device_name: "/dev/sda1", volume_size: 8 }],
    virtualization_type: "hvm",
    shared: false,
    product_code: null,
    product_code_type: "none",
    created,
    modified: created,
    tags: {},
    owner: null,
    ...given,
    region_name,
    image_id,
    organization_service_id: cloud.id,
    resource_id: resourceId("privateimage", cloud.id, region_name, image_id),
  };
  state.images.push(image);
  return image;
}

/** A time as DivvyCloud writes it: `YYYY-MM-DD HH:MM:SS`, UTC without saying so. */
export function timestamp(date: Date): string {
  return date.toISOString().slice(0, 19).replace("T", " ");
}
