const { join } = require("node:path");
const { cacheFolder } = require("./tools/cache.ts");

// Tests start hundreds of Node processes that load the same modules. All of them take them from here, compiled, types stripped.
process.env.NODE_COMPILE_CACHE ??= join(cacheFolder(), "node-compile-cache");

module.exports = {
  reporter: "tools/mocha/reporter.cjs",
  timeout: 120_000,
  "forbid-only": true,
  require: ["./test/hooks.ts"],
};
