import * as pulumi from "@pulumi/pulumi";
import type { Functions } from "../../provider/functions/index.ts";

type Mocks = Pick<pulumi.runtime.Mocks, "call">;

/** The functions that give a list. */
type ListFunction = {
  [K in keyof Functions]: Awaited<ReturnType<Functions[K]>> extends unknown[] ? K : never;
}[keyof Functions];

const lists: Readonly<Record<ListFunction, true>> = {
  getImages: true,
  getMembers: true,
  getStores: true,
  getImportMethods: true,
  getRegions: true,
  getLicenses: true,
  getCopyJobs: true,
};

/** What a unit test gave to pulumi.runtime.setMocks; undefined in a program that an engine runs. */
export function currentMocks(): Mocks | undefined {
  const monitor: object | undefined = pulumi.runtime.getMonitor();
  return monitor !== undefined && "mocks" in monitor ? (monitor.mocks as Mocks) : undefined;
}

/**
 * Has the mocks answer a function, in the place of the service. The SDK's own `invoke` would ask them too, but it makes an object of a list, and
 * loses the message of an error.
 */
export async function answerOf(mocks: Mocks, name: keyof Functions, inputs: object): Promise<unknown> {
  const token = `images:index:${name}`;
  const answer: unknown = await mocks.call({ token, inputs });
  if (name in lists && !Array.isArray(answer))
    throw new Error(
      `${token} gives a list: have the mocks' call return an array for it, not ${JSON.stringify(answer)}`,
    );
  return answer;
}
