/**
 * Mocha's own report, and below it one plain line with the counts, which scripts can read whatever the terminal.
 * CommonJS, as mocha's reporters are.
 */
const Mocha = require("mocha");

class Reporter extends Mocha.reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    Mocha.reporters.Base.consoleLog(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
  }
}

module.exports = Reporter;
