import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startOpenStack } from "../../tools/openstack/start.ts";
import { type RecordedRequest, type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import { startCloud } from "../cloud/cloud.ts";
import type { Account, OpenStackCloud } from "../cloud/openStackCloud.ts";
import { ImageApi } from "./imageApi.ts";

/** An OpenStack cloud with a recorder before each of its image services, as the tests use it. */
export interface TestCloud extends OpenStackCloud {
  /** One a region, in the regions' order. All requests of a provider go through them. */
  recorders: Recorder[];
  /** The image services' own addresses, in the regions' order. */
  imageServers: string[];
  /** What this test asked of the first region's image service so far. */
  requests(): RecordedRequest[];
  writes(): string[];
  forget(): void;
  /** Waits until a provider has made such a request. */
  seen(wanted: (request: RecordedRequest) => boolean): Promise<void>;
  /** Someone who works on the cloud behind Pulumi's back. */
  as(account: keyof OpenStackCloud["accounts"], region?: number): Promise<ImageApi>;
}

type Kind = OpenStackCloud["kind"];

const started = new Map<Kind, Promise<TestCloud>>();

const kinds = (process.env.IMAGES_TEST_CLOUDS?.split(",") ?? ["local", "real"]) as Kind[];

/** Defines the same tests for the local cloud and for the real one. IMAGES_TEST_CLOUDS=local leaves the real one out. */
export function onEachCloud(title: string, define: (cloud: () => TestCloud, kind: Kind) => void): void {
  for (const kind of kinds) {
    describe(`${title} on the ${kind} OpenStack`, () => {
      let cloud: TestCloud | undefined;
      before(async function () {
        // The first time on a machine, the real one is installed from PyPI.
        this.timeout(600_000);
        cloud = await cloudOf(kind);
      });
      define(() => cloud as TestCloud, kind);
    });
  }
}

/** The cloud of a kind: started at its first use, and stopped when all tests have run. */
export function cloudOf(kind: Kind): Promise<TestCloud> {
  let cloud = started.get(kind);
  if (cloud === undefined) {
    cloud = start(kind);
    started.set(kind, cloud);
  }
  return cloud;
}

/** The cloud of a kind, with nothing in it that earlier tests left, for those that look at everything. */
export async function emptyCloudOf(kind: Kind): Promise<TestCloud> {
  const before = started.get(kind);
  started.delete(kind);
  await (await before)?.stop();
  return await cloudOf(kind);
}

/** Ends all clouds that tests have used. */
export async function stopClouds(): Promise<void> {
  const clouds = await Promise.all(started.values());
  started.clear();
  await Promise.all(clouds.map(cloud => cloud.stop()));
}

async function start(kind: Kind): Promise<TestCloud> {
  const dir = await mkdtemp(join(tmpdir(), `pulumi-images-${kind}-`));
  const recorders = [await startRecorder(), await startRecorder()];
  const imageEndpoints = recorders.map(({ url }) => url);
  const { cloud, targets } =
    kind === "real" ? await startReal(dir, imageEndpoints) : await startLocal(dir, imageEndpoints);
  for (const [index, recorder] of recorders.entries()) recorder.target = targets[index];
  const requests = () => recorders.flatMap(recorder => recorder.requests);
  return {
    ...cloud,
    recorders,
    imageServers: targets,
    requests,
    writes: () =>
      requests()
        .filter(({ method }) => method !== "GET" && method !== "HEAD")
        .map(({ method, path }) => `${method} ${path}`),
    forget() {
      for (const recorder of recorders) recorder.clear();
    },
    async seen(wanted) {
      while (!requests().some(wanted)) await pause(20);
    },
    // Straight to the service, so that what a test does itself isn't recorded.
    as: (account, region = 0) => ImageApi.signIn(cloud.authUrl, cloud.accounts[account], targets[region] as string),
    async stop() {
      await Promise.all(recorders.map(recorder => recorder.stop()));
      await cloud.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startReal(dir: string, imageEndpoints: string[]): Promise<{ cloud: OpenStackCloud; targets: string[] }> {
  const cloud = await startOpenStack({ dir, regions: 2, imageEndpoints });
  return { cloud, targets: cloud.imageServers };
}

async function startLocal(
  dir: string,
  imageEndpoints: string[],
): Promise<{ cloud: OpenStackCloud; targets: string[] }> {
  const local = await startCloud({
    dir,
    services: ["openstack"],
    settings: { openstack: { regions: 2, imageEndpoints } },
  });
  return { cloud: { ...local.openstack, stop: () => local.stop() }, targets: local.services.openstack.imageServers };
}

/** The settings of an account as OS_* variables. */
export function environmentOf(
  cloud: Pick<OpenStackCloud, "authUrl" | "regions">,
  account: Account,
  region = cloud.regions[0]?.name,
): NodeJS.ProcessEnv {
  return {
    OS_AUTH_URL: cloud.authUrl,
    OS_USERNAME: account.username,
    OS_PASSWORD: account.password,
    OS_USER_DOMAIN_NAME: account.userDomain,
    OS_PROJECT_NAME: account.projectName,
    OS_PROJECT_DOMAIN_NAME: account.projectDomain,
    OS_REGION_NAME: region,
  };
}

/** The settings of an account as an entry of the stack's `images:connections`. */
export function connectionOf(
  cloud: Pick<OpenStackCloud, "authUrl" | "regions">,
  account: Account,
  region = cloud.regions[0]?.name,
): Record<string, unknown> {
  return {
    service: "openstack",
    authUrl: cloud.authUrl,
    username: account.username,
    password: account.password,
    userDomainName: account.userDomain,
    projectName: account.projectName,
    projectDomainName: account.projectDomain,
    region,
  };
}
