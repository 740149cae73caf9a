#!/usr/bin/env node
// hello - greets its first argument.
//
// SPDX-License-Identifier: ISC
const args = JSON.parse(require("fs").readFileSync(0, "utf8"));

if (args.length !== 1) {
  console.error("one name is expected");
  process.exitCode = 65; // no retry will mend it
} else {
  console.log(`hello, ${args[0]}`);
}
