/**
 * Preloaded by Node. Pulumi's SDK loads TypeScript and npm's own library at its start, half of the time that it takes, and needs them only to write
 * a function of a program into the state, which no program here does. They are loaded when they are first used.
 * CommonJS, as what it intercepts.
 */
const Module = require("node:module");

const lazy = ["typescript", "@npmcli/arborist"];
const load = Module._load;

Module._load = (request, parent, isMain) => {
  if (!lazy.includes(request) || !parent?.filename.includes("/@pulumi/pulumi/")) return load(request, parent, isMain);
  let loaded;
  const real = () => {
    loaded ??= load(request, parent, isMain);
    return loaded;
  };
  return new Proxy(() => {}, {
    // Asked for by what compilers make of `import *`, which would copy all the rest of another module.
    get: (_, name) => name === "__esModule" || real()[name],
    has: (_, name) => name in real(),
    apply: (_, self, args) => Reflect.apply(real(), self, args),
    construct: (_, args) => Reflect.construct(real(), args),
  });
};
