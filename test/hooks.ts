import { stopOpenStacks } from "./cloud/clouds.ts";
import { stopClouds } from "./openstack/clouds.ts";

/** What runs once around all test files; around each of them where mocha runs files in parallel. */
export const mochaHooks = {
  async afterAll() {
    await Promise.all([stopOpenStacks(), stopClouds()]);
  },
};
