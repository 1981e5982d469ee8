// What require("pulumi-images") gives: Node 22.12 warns of an ES module that a program requires, but not of one that a package does.
module.exports = require("./index.js");
