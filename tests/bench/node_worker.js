// node_worker CONCURRENCY - the worker that somebody would write in Node to
// run a program for each job.
//
// SPDX-License-Identifier: ISC
"use strict";

const { spawn } = require("node:child_process");
const faktory = require("faktory-worker");

faktory.register("bench", () => new Promise((done, failed) => {
  const child = spawn("/bin/true", { stdio: "ignore" });
  child.on("error", failed);
  child.on("exit", (status) => (status === 0 ? done() : failed(new Error(`status ${status}`))));
}));
faktory.work({ concurrency: Number(process.argv[2]), queues: ["bench"] }).catch((trouble) => {
  console.error(trouble);
  process.exit(1);
});
