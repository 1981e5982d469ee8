#!/usr/bin/env node
import { run } from "./program.ts";
import { leaveReaders } from "./terminal.ts";

leaveReaders();
process.exitCode = await run(process.argv.slice(2));
