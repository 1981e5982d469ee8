/** A change of one of the provider's compiled modules. */
export interface Mutation {
  /** Below dist/provider. */
  file: string;
  /** What stands there; every place of it is changed. */
  from: RegExp;
  to: string;
}

const ensureImage = "reconcile/ensureImage.js";

/** Has a function begin with a return. */
function returns(file: string, name: string, value: string): Mutation {
  return { file, from: new RegExp(`(function ${name}\\(.*?\\) \\{\\n)`, "s"), to: `$1    return ${value};\n` };
}

/**
 * What each rule of docs/reliability.md ("Whose image is it?") comes down to in the code, switched off: the model has to fail then. The switch is
 * in a copy, so the product has none. A change of the code that a mutation doesn't find any more has to change it here, too.
 */
export const mutations: Record<string, { rule: string; changes: Mutation[] }> = {
  "1": {
    rule: "only unfinished images are resumed or removed",
    changes: [
      { file: ensureImage, from: /\(await adapter\.ownershipOf\(image\)\)\.unfinished/g, to: "true" },
      { file: ensureImage, from: /\(unfinished \|\| known\.wrong\)/g, to: "true" },
      {
        file: ensureImage,
        from: /isUnfinishedOf\(order, ownership\)/g,
        to: "ownership.resource === order.ownerTag.resource",
      },
    ],
  },
  "2": {
    rule: "a finished image that is left alone is named",
    changes: [returns("reconcile/warnings.js", "finishedImage", '"an image is left alone"')],
  },
  "3": {
    rule: "delete leaves what carries another resource's owner tag",
    changes: [returns("reconcile/ownership.js", "isAnothers", "false")],
  },
  "4": {
    rule: "adoption writes the owner tag",
    changes: [{ file: "reconcile/adoptImage.js", from: /isOwn\(owner, tag\) \? image :/g, to: "true ? image :" }],
  },
  "4b": {
    rule: "another stack's image is adopted only with takeOver",
    changes: [returns("reconcile/adoptImage.js", "whyNotAdoptable", "undefined")],
  },
  "5": {
    rule: "a part that another resource of the program declares isn't removed",
    changes: [
      { file: "reconcile/claims.js", from: /(\n {4}keeper\(.*\) \{\n)/, to: "$1        return undefined;\n" },
      returns("resources/imageClaims.js", "isAdoptedAgain", "false"),
    ],
  },
  "5b": {
    rule: "two resources that declare the same are an error",
    changes: [
      { file: "reconcile/claims.js", from: /(\n {4}#conflicting\(.*\) \{\n)/, to: "$1        return undefined;\n" },
    ],
  },
  "6": {
    rule: "another project's image is never ours",
    changes: [
      {
        file: "services/glance/owned.js",
        from: /image\.owner === owner && ownershipOf/g,
        to: "ownershipOf",
      },
      {
        file: "services/glance/image.js",
        from: /ownershipOf\(image\)\.resource === order\.ownerTag\.resource && image\.owner === \(await cloud\.projectId\(\)\)/g,
        to: "ownershipOf(image).resource === order.ownerTag.resource",
      },
    ],
  },
  "6b": {
    rule: "names resolve to the project's own images first",
    changes: [
      { file: "services/glance/service.js", from: /own\.length > 0 \? own : offered/g, to: "images" },
      {
        file: "services/glance/service.js",
        from: /client\.list\(Object\.fromEntries\(exactly\)\)/g,
        to: 'client.list({ ...Object.fromEntries(exactly), visibility: "all" })',
      },
      { file: "resources/image.js", from: /await ownOf\(service, seen\)/g, to: "seen" },
    ],
  },
  "7": {
    rule: "what another account can't see isn't gone",
    changes: [returns("resources/sameAccount.js", "differenceOf", "undefined")],
  },
  "7b": {
    rule: "a 404 counts only if it is the service's own",
    changes: [
      {
        file: "http/ownAnswers.js",
        from: /(return async \(answer, request\) => \{\n)/,
        to: "$1        return undefined;\n",
      },
    ],
  },
  "8": {
    rule: "where properties are forbidden, image tags carry the owner tag",
    changes: [
      {
        file: "services/glance/ownerWrites.js",
        from: /weaker = \{ properties: "tags"/g,
        to: "weaker = { properties: undefined",
      },
    ],
  },
  "9": {
    rule: "a stack of the same name makes images of its own",
    changes: [
      {
        file: ensureImage,
        from: /(function ensureImage\(adapter, order, job\) \{\n {4}const work = [^\n]*\n)/,
        to: `$1    for (const image of await adapter.findOwned(order, true))
        if (!(await adapter.ownershipOf(image)).unfinished && (await adapter.holds(image, order, job)))
            return await result(work, image);
`,
      },
    ],
  },
};

/** @throws Error where what is to be changed isn't there */
export function mutated(file: string, text: string, changes: readonly Mutation[]): string {
  return changes
    .filter(change => change.file === file)
    .reduce((before, { from, to }) => {
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${file} has no ${from} any more`);
      return after;
    }, text);
}
