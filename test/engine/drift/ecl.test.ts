import assert from "node:assert/strict";
import type { Declared } from "../stack.ts";
import { describeDriftsOn, type StartedPlace } from "./bench.ts";
import type { Case } from "./drifting.ts";
import { memberDrifts } from "./glance.ts";

const service = "ecl";

describe("Drift on ecl", () =>
  describeDriftsOn(service, { cases: place => ({ ...memberDrifts(place), ...ofJobs(place) }) }));

/** Copies that ECL makes itself, by jobs. */
function ofJobs({ consumer, consumerId, tamper }: StartedPlace): Record<string, Case> {
  const copyTo =
    (image: string) =>
    (name: string): Declared[] => [
      {
        kind: "Image",
        name: image,
        args: {
          ...{ service, connection: "owner", name: image, diskFormat: "raw", containerFormat: "bare" },
          source: { file: "disk.raw" },
        },
      },
      {
        kind: "ImageCopy",
        name,
        args: {
          ...{ service, connection: "owner", imageId: { $output: `${image}.id` } },
          to: { tenant: consumerId, connection: "consumer" },
        },
      },
    ];
  return {
    "ImageCopy deleted in its tenant": {
      declared: copyTo("copied by a job"),
      drift: ({ outputs }) => consumer.delete(String(outputs.copyId)),
      means: ["availability"],
      repaired: async (_found, { outputs }) =>
        assert.equal((await consumer.image(String(outputs.copyId))).status, "active"),
    },
    "ImageCopy its job failed or was canceled": {
      declared: copyTo("copied by a job that fails"),
      async drift({ outputs }) {
        await consumer.delete(String(outputs.copyId));
        await tamper(String(outputs.jobId), { status: "canceled", destination_image_id: null });
      },
      shows: ({ outputs }) => ({
        status: ["replicated", "canceled"],
        size: [outputs.size, undefined],
        digest: [outputs.digest, undefined],
      }),
      means: ["availability"],
      // Another job makes another copy.
      otherWrites: true,
      repaired: async (_found, { outputs }) =>
        assert.equal((await consumer.image(String(outputs.copyId))).status, "active"),
    },
  };
}
