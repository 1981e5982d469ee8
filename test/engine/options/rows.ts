import type { CustomResourceOptions } from "@pulumi/pulumi";

/** What a resource option, or a command, does here: a row of docs/pulumi.md. */
export interface Row {
  does: string;
  /** Title of the test that tries it. */
  test: string;
  /** Where that isn't the tests beside this file. */
  file?: string;
}

const ignored = "ignores changes by any name that a diff shows";
const replaced = "replaces on changes, before or after, with another resource, or when told";
const deleted = "keeps what is protected or retained, and leaves out what goes with another resource";
const engines = "takes the options that are the engine's own";
const refused = "says at once which options can't work, and what to write instead";

/** Every option that Pulumi's SDK has for a resource. */
export const options: Record<keyof CustomResourceOptions, Row> = {
  additionalSecretOutputs: { does: "Encrypts these outputs in the state.", test: engines },
  aliases: {
    does: "A resource under a new name, parent or component keeps what it has; nothing is written.",
    test: engines,
  },
  customTimeouts: {
    does: "Limits how long `create` (60 minutes), `update` (60) and `delete` (30) may take. What was begun is kept, and the next `up` resumes it.",
    test: "waits no longer than customTimeouts says, and goes on the next time",
    file: "test/engine/image.test.ts",
  },
  deleteBeforeReplace: {
    does: "Deletes the old one before the new one is made. ImageMember and ImageTag always do, unless it is `false`. An image that its resource adopts is never deleted so: it would be lost.",
    test: replaced,
  },
  deletedWith: {
    does: "When the other resource is deleted, no request is made to delete this one. For an ImageTag or ImageMember with its Image; not for an ImageCopy that is an image of its own, which would stay.",
    test: deleted,
  },
  dependsOn: { does: "Makes it after the others, and deletes it before them.", test: engines },
  envVarMappings: { does: "An error: it is for providers.", test: refused },
  hideDiffs: { does: "Makes the changes, and doesn't show them.", test: engines },
  hooks: { does: "Run around create, update and delete.", test: engines },
  id: {
    does: "Reads it without managing it, as `get` does; an error where there is nothing to read.",
    test: "says that there is nothing to read, of each kind",
  },
  ignoreChanges: {
    does: 'Leaves it as the state has it, by any name that a diff shows: `name`, `properties.os_distro`, `properties["hw:x"]`, `content` (other data), an ImageCopy\'s `metadata` or `metadata.properties.os_distro`; `["*"]` for all. With `source`, or anything in it, the data isn\'t looked at either, and need not be readable. A replacement for another reason takes what the program says then, the data included: the engine has it so.',
    test: ignored,
  },
  import: {
    does: "An error: importing isn't possible for dynamic resources. Declare an Image with `adopt: { id }`; a member, tag or copy that is there already is taken as it is.",
    test: refused,
  },
  parent: {
    does: "Any component or resource. No resource waits for its siblings.",
    test: "names each resource as before, and adds no dependency: below components, in components, and below resources of this package",
    file: "test/engine/components.test.ts",
  },
  pluginDownloadURL: { does: "Nothing: there is no plugin.", test: engines },
  protect: {
    does: "No run deletes or replaces it. (An Image's argument `protected` is the service's own.)",
    test: deleted,
  },
  provider: {
    does: "An error where it is of another package: `connection` names the account. An explicit provider of dynamic resources doesn't get the stack's configuration, so that `clouds.yaml` and the environment have to name the connection.",
    test: refused,
  },
  replacementTrigger: { does: "Replaces it when the value changes.", test: replaced },
  replaceOnChanges: {
    does: 'Makes a new one for what would be changed in place, by the same names as `ignoreChanges`; `["*"]` for all. An order that means nothing, as that of tags, is no change.',
    test: replaced,
  },
  replaceWith: {
    does: "Replaces it whenever one of the others is replaced. Where the other one has `deleteBeforeReplace`, a warning calls the old image one that the state doesn't have: it is deleted.",
    test: replaced,
  },
  retainOnDelete: {
    does: "What is no longer declared, or destroyed, leaves the state and stays on the service.",
    test: deleted,
  },
  stateMigrations: {
    does: "An experiment of Pulumi's that only newer CLIs know; with one that doesn't, an error of Pulumi's own says so.",
    test: refused,
  },
  transformations: {
    does: "As `transforms`, for what the program declares below a resource.",
    test: "takes what the transforms of a component add, and names its resources as before",
    file: "test/engine/components.test.ts",
  },
  transforms: {
    does: "May change arguments and options. Of `ignoreChanges`, a path into `metadata` has no effect there; `metadata` has.",
    test: ignored,
  },
  urn: {
    does: "Gets what this run has registered under this URN; an error of Pulumi's own where that is nothing.",
    test: refused,
  },
  version: {
    does: "Leave it out: it would be the version of Pulumi's own process for dynamic providers, and the engine warns where that is another one. The version of this package is the one in `node_modules`.",
    test: engines,
  },
};

const edited = "goes on after the state's own commands";
const wholeStates = "goes on after a stack is renamed, exported, lost and imported, and a resource moved";
const imported = "can't import, and leaves the state as it was";
const parts = "does a part of the program, or only looks";

/** The commands that change a state, and the flags that leave something out. */
export const commands: Record<string, Row> = {
  "pulumi state rename": {
    does: "Declare it under the new name: nothing changes, and it keeps its owner tag.",
    test: edited,
  },
  "pulumi state delete": {
    does: "The resource is forgotten and stays on the service. Declared again, an Image is made anew, with a warning that names the old one (`adopt: { id }` takes that instead); a member or tag is taken as it is.",
    test: edited,
  },
  "pulumi state protect, unprotect": {
    does: "As the option `protect`, until the next `up`, which sets what the program says.",
    test: edited,
  },
  "pulumi state taint": {
    does: "The next `up` replaces it. Before, a warning calls the old image one that the state doesn't have: it is deleted at the end.",
    test: edited,
  },
  "pulumi state move": {
    does: "Declare it in the other stack: nothing changes, and it keeps its owner tag.",
    test: wholeStates,
  },
  "pulumi stack rename": { does: "Nothing changes; images keep their owner tags.", test: wholeStates },
  "pulumi stack export, import": {
    does: "A state that is imported again goes on where it was. With an older one, run `up --refresh`: what was changed since is seen, and what was replaced since is made again, with a warning that names the image that the older state doesn't have.",
    test: wholeStates,
  },
  "--target": {
    does: "Only these are worked on. What refers to an image that was replaced so follows with the next `up` without it.",
    test: parts,
  },
  "--exclude": { does: "All others are worked on.", test: parts },
  "--replace": {
    does: "Makes a new one. A warning calls the old image one that the state doesn't have: it is deleted at the end.",
    test: parts,
  },
  "refresh --preview-only": { does: "Shows drift, and writes neither to the service nor to the state.", test: parts },
  "refresh --run-program, destroy --run-program": {
    does: "As without the flag.",
    test: parts,
  },
  "pulumi import": {
    does: "Fails with “code must be a string, not undefined”: Pulumi can't import dynamic resources. Use `adopt: { id }`; [`pulumi-images adopt`](cli.md) writes the program.",
    test: imported,
  },
};
