import type { ServiceName } from "../../cloud/cloud.ts";
import type { Step } from "./steps.ts";

/** A life in which an invariant broke once. */
export interface Found {
  title: string;
  service: ServiceName;
  script: Step[];
  /** Rules without which it breaks one again. */
  without?: string[];
  /** It is lived with real provider processes, too. */
  inProcesses?: boolean;
}

const calm = { misfortune: null };
const declare = (kind: "Image" | "ImageTag" | "ImageMember" | "ImageCopy", name: number, data = 0): Step => ({
  ...{ step: "declare", stack: 0, kind, name, data, fields: 0, target: 0, part: 0 },
});
const up = (stack = 0, refresh = false): Step => ({ step: "up", stack, refresh, ...calm });

/** What the model found, shortened to the steps that it takes. The first ones are the cases of the first version. */
export const found: Found[] = [
  {
    title: "an image is renamed with an alias, and its name used again for other data",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "rename", stack: 0, n: 0, to: 1, alias: true },
      up(),
      declare("Image", 0, 1),
      up(),
    ],
    without: ["1"],
  },
  {
    title: "an image is retained, and made again from other data",
    service: "openstack",
    script: [
      declare("Image", 0),
      { step: "option", stack: 0, n: 0, option: "retainOnDelete" },
      up(),
      { step: "destroy", stack: 0, ...calm },
      { step: "change data", stack: 0, n: 0, data: 1 },
      up(),
    ],
    without: ["1", "2"],
  },
  {
    title: "an image leaves the state, and is made again from the same data",
    service: "openstack",
    script: [declare("Image", 0), up(), { step: "state delete", stack: 0, n: 0 }, up()],
    without: ["1", "2", "9"],
  },
  {
    title: "a stack is renamed, and its name used again",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "stack rename", stack: 0, to: 1 },
      { step: "change data", stack: 1, n: 0, data: 1 },
      up(1),
    ],
    without: ["1"],
  },
  {
    title: "a stack of the same name in a second backend",
    service: "openstack",
    script: [declare("Image", 0), up(), { step: "second backend", stack: 0 }, up(1)],
    without: ["2", "9"],
  },
  {
    title: "an adopted image is renamed without an alias",
    service: "openstack",
    script: [
      { step: "outside", what: "make", image: 1 },
      { step: "adopt", stack: 0, name: 0, image: 0, byName: false, takeOver: false, fields: 0 },
      up(),
      { step: "rename", stack: 0, n: 0, to: 1, alias: false },
      up(),
    ],
    without: ["4"],
    inProcesses: true,
  },
  {
    title: "somebody writes another resource's tag on an image, which is then undeclared",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "undeclare", stack: 0, n: 0 },
      { step: "outside", what: "retag", image: 0 },
      up(),
    ],
    without: ["3"],
  },
  {
    title: "another stack's image is adopted",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "second stack", stack: 0 },
      { step: "adopt", stack: 1, name: 0, image: 0, byName: false, takeOver: false, fields: 0 },
      up(1),
    ],
    without: ["4b"],
  },
  {
    title: "another project's unfinished image has the id and the tag of ours",
    service: "openstack",
    script: [declare("Image", 0), { step: "plant", stack: 0, n: 0, unfinished: true }, up()],
    without: ["6"],
  },
  {
    title: "an image is adopted under the name that the resource had before which has it still",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "reparent", stack: 0, n: 0, alias: true },
      up(),
      { step: "undeclare", stack: 0, n: 0 },
      { step: "adopt", stack: 0, name: 0, image: 0, byName: false, takeOver: false, fields: 0 },
      up(),
    ],
    without: ["5"],
  },
  {
    title: "a copy is declared of an image whose create was cancelled",
    service: "openstack",
    script: [
      declare("Image", 0),
      declare("ImageCopy", 0),
      { step: "up", stack: 0, refresh: false, misfortune: { what: "cancel", at: 2, side: "before" } },
      up(),
    ],
  },
  {
    title: "a member is renamed without an alias",
    service: "openstack",
    script: [
      declare("Image", 0),
      declare("ImageMember", 0),
      up(),
      { step: "rename", stack: 0, n: 1, to: 1, alias: false },
      up(0, true),
    ],
    without: ["5"],
  },
  {
    title: "two tags are the same",
    service: "openstack",
    script: [declare("Image", 0), declare("ImageTag", 0), declare("ImageTag", 1), up()],
    without: ["5b"],
  },
  {
    title: "a stack is destroyed as another project",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "credentials", stack: 0 },
      { step: "destroy", stack: 0, ...calm },
      up(0, true),
    ],
    without: ["7"],
  },
  {
    title: "a stack is destroyed as another project, which sees the image with another owner tag",
    service: "openstack",
    script: [
      declare("Image", 0),
      declare("ImageMember", 0),
      up(),
      { step: "state delete", stack: 0, n: 1 },
      { step: "outside", what: "retag", image: 0 },
      { step: "credentials", stack: 0 },
      { step: "destroy", stack: 0, ...calm },
    ],
  },
  {
    title: "a proxy answers 404 for everything",
    service: "openstack",
    script: [
      declare("Image", 0),
      up(),
      { step: "destroy", stack: 0, misfortune: { what: "proxy", at: 0, side: "before" } },
    ],
    without: ["7b"],
  },
  {
    title: "an image is left by a lost state, on a cloud that forbids the properties",
    service: "openstack",
    script: [{ step: "forbid" }, declare("Image", 0), up(), { step: "stack rm", stack: 0 }, up()],
    without: ["8"],
  },
  {
    title: "an unfinished image is renamed with an alias, and its name used again",
    service: "openstack",
    script: [
      declare("Image", 0),
      { step: "up", stack: 0, refresh: false, misfortune: { what: "gone", at: 4, side: "before" } },
      { step: "rename", stack: 0, n: 0, to: 1, alias: true },
      { step: "up", stack: 0, refresh: false, misfortune: { what: "gone", at: 0, side: "before" } },
      declare("Image", 0),
      up(),
      up(0, true),
    ],
  },
  ...(["openstack", "glance-v1", "digitalocean"] as const).map(service => ({
    title: `an adopted image leaves the state, and its resource is declared without adopt, on ${service}`,
    service,
    script: [
      { step: "outside", what: "make", image: 1 },
      { step: "adopt", stack: 0, name: 0, image: 0, byName: false, takeOver: false, fields: 0 },
      up(),
      { step: "state delete", stack: 0, n: 0 },
      { step: "undeclare", stack: 0, n: 0 },
      declare("Image", 0),
      up(),
    ] satisfies Step[],
  })),
  {
    title: "an image is adopted by the name of one that the same program makes",
    service: "openstack",
    script: [
      { step: "outside", what: "make", image: 1 },
      { step: "credentials", stack: 0 },
      declare("Image", 1),
      { step: "adopt", stack: 0, name: 0, image: 0, byName: true, takeOver: false, fields: 0 },
      up(),
    ],
  },
  {
    title: "an image is adopted by a name that another project's image has, too",
    service: "openstack",
    script: [
      declare("Image", 0),
      { step: "plant", stack: 0, n: 0, unfinished: false },
      up(),
      { step: "state delete", stack: 0, n: 0 },
      { step: "undeclare", stack: 0, n: 0 },
      { step: "adopt", stack: 0, name: 1, image: 0, byName: true, takeOver: false, fields: 0 },
      up(),
    ],
    without: ["6b"],
  },
  ...(["openstack", "glance-v1", "digitalocean"] as const).map(
    (service): Found => ({
      title: `an image that was replaced leaves the state, and is made again, on ${service}`,
      service,
      script: [
        declare("Image", 0),
        up(),
        { step: "change data", stack: 0, n: 0, data: 1 },
        up(),
        { step: "state delete", stack: 0, n: 0 },
        up(),
      ],
      ...(service === "openstack" ? { without: ["2"] } : {}),
    }),
  ),
];
