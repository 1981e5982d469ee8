/**
 * What `npm run test:fast` runs: tests that need no engine, no OpenStack and no build, in less than a minute. A file that comes to need one of
 * them doesn't belong here any more: test/tools/fast.test.ts looks at what they import.
 */
const base = require("../.mocharc.cjs");

module.exports = {
  ...base,
  parallel: true,
  jobs: 3,
  spec: [
    "test/reconcile/*.test.ts",
    "test/resources/*.test.ts",
    "test/reads/{reads,services}.test.ts",
    "test/content/{checksums,identify,openFile,openUrl,source}.test.ts",
    "test/http/{budget,notFound,redaction,requests,trust}.test.ts",
    "test/cli/{comment,driftClasses}.test.ts",
    "test/cloud/{cloud,digitalocean/*,divvycloud/*}.test.ts",
    "test/functions/services.test.ts",
    "test/shared/*.test.ts",
    "test/tools/cache.test.ts",
  ],
};
