import { stopClouds } from "./openstack/clouds.ts";

/** What runs once around all test files. */
export const mochaHooks = {
  async afterAll() {
    await stopClouds();
  },
};
