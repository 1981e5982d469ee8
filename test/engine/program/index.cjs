"use strict";
module.exports = require("./declare.cjs")(__dirname);
