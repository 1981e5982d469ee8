"use strict";
const { readFileSync } = require("node:fs");

const { outputs } = process.env.NOOP_LIKE ? JSON.parse(readFileSync(process.env.NOOP_LIKE, "utf8")) : {};

module.exports = {
  check: async (_olds, news) => ({ inputs: news }),
  diff: async () => ({ changes: false }),
  create: async inputs => ({ id: inputs.name, outs: { ...outputs, ...inputs } }),
  read: async (id, props) => ({ id, props }),
  update: async (_id, _olds, news) => ({ outs: { ...outputs, ...news } }),
  delete: async () => {},
};
