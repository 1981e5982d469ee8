// What require("pulumi-images/provider") gives, see sdk/require.cts: the provider in one file, as `npm run bundle` makes it.
module.exports = require("./bundled/index.js");
