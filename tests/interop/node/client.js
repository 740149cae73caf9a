// client.js CASE - one promise about the Node client and worker, checked
// through their public interface against the server at FAKTORY_URL. Silent
// and 0 when it holds; status 1 with the reason when it does not.
//
// SPDX-License-Identifier: ISC
"use strict";

const assert = require("node:assert").strict;
const fs = require("node:fs");
const faktory = require("faktory-worker");

const retry = 5;
const long = 90; // seconds for what needs no time of its own, on a busy machine
const pause = () => new Promise((done) => setTimeout(done, 20));

async function until(seconds, what, holds) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`gave up after ${seconds} s waiting for ${what}`);
    await pause();
  }
}

const info = async (client) => (await client.info()).faktory;
const fetch = (client) => until(long, "a job", () => client.fetch("default"));

async function push(client) {
  await client.push({ jobtype: "note", args: [1], retry });
  assert.equal((await info(client)).queues.default, 1);
}

async function bulkPush(client) {
  const jobs = Array.from({ length: 1000 }, (_, i) => ({ jobtype: "note", args: [i], retry }));
  const bad = { jobtype: "", args: [], retry, jid: "bad-job-0001" };
  const refused = await client.pushBulk([...jobs, bad]);
  assert.deepEqual(Object.keys(refused), [bad.jid]);
  assert.match(refused[bad.jid].reason, /jobtype/);
  assert.equal((await info(client)).queues.default, 1000);
}

async function scheduled(client) {
  // Of two: one to be seen waiting, however long that takes, one to come.
  const push = (at) => client.push({ jobtype: "later", args: [], retry, at: at.toISOString() });
  await push(new Date(Date.now() + 3600000));
  assert.equal((await info(client)).sets.scheduled, 1);
  const at = new Date(Date.now() + 1500);
  const jid = await push(at);
  const job = await fetch(client);
  assert.equal(job.jid, jid);
  assert(Date.now() >= at, "the job came before its time");
  assert.equal((await info(client)).sets.scheduled, 1);
}

async function fetchAndAck(client) {
  const args = ["grün <&>", 2.5, Number.MAX_SAFE_INTEGER, null, [{ a: true }]];
  const custom = { tenant: "a b" };
  const jid = await client.push({ jobtype: "shapes", args, custom, retry });
  const job = await fetch(client);
  assert.equal(job.jid, jid);
  assert.equal(job.jobtype, "shapes");
  assert.deepEqual(job.args, args);
  assert.deepEqual(job.custom, custom);
  assert(!Number.isNaN(Date.parse(job.enqueued_at)), `enqueued_at: ${job.enqueued_at}`);
  assert.equal((await info(client)).sets.working, 1);
  await client.ack(jid);
  const after = await info(client);
  assert.equal(after.sets.working, 0);
  assert.equal(after.total_processed, 1);
  assert.equal(await client.fetch("default"), null);
}

async function fail(client) {
  const jid = await client.push({ jobtype: "breaks", args: [], retry });
  await fetch(client);
  await client.fail(jid, new Error("broken: ä"));
  const after = await info(client);
  assert.equal(after.sets.retries, 1);
  assert.equal(after.sets.working, 0);
  assert.equal(after.total_failures, 1);
  await assert.rejects(client.fail("no-such-job", new Error("x")));
}

async function retryCase(client) {
  const jid = await client.push({ jobtype: "breaks", args: [], retry });
  await fetch(client);
  await client.fail(jid, new Error("not yet"));
  // The first retry is due after 15 to 44 s.
  const again = await until(44 + long, "the retry", async () => {
    await client.beat();
    return client.fetch("default");
  });
  assert.equal(again.jid, jid);
  assert.equal(again.failure.retry_count, 0);
  assert.equal(again.failure.message, "not yet");
  await client.ack(jid);
  assert.equal((await info(client)).sets.retries, 0);
}

async function beat(client) {
  await client.push({ jobtype: "note", args: [], retry });
  await client.fetch("default");
  assert.equal(await client.beat(), "OK");
}

function newWorker(wid) {
  const worker = new faktory.Worker({
    wid, concurrency: 4, queues: ["critical", "default"], beatInterval: 1, labels: ["interop"],
  });
  worker.register("fine", async () => {});
  worker.register("breaks", async () => { throw new Error("as asked"); });
  return worker;
}

async function work(client) {
  for (let i = 0; i < 40; i++) {
    await client.push({
      jobtype: i % 10 === 0 ? "breaks" : "fine", args: [i], retry,
      queue: i % 2 === 0 ? "critical" : "default",
    });
  }
  const worker = newWorker("node-work-12345");
  await worker.work();
  const after = await until(long, "40 jobs to end", async () => {
    const now = await info(client);
    return now.total_processed === 40 && now;
  });
  assert.equal(after.total_failures, 4);
  assert.equal(after.sets.retries, 4);
  assert.equal(after.sets.working, 0);
  await worker.stop();
}

// Runs until the server says terminate, and tells when it has heard quiet.
// The driver decides when that is.
async function obey() {
  const worker = newWorker("node-obey-12345");
  await worker.work();
  await until(long, "quiet", () => worker.quieted);
  console.log("quiet");
}

async function wrongPassword(client) {
  await assert.rejects(client.connect(), /Invalid password/);
}

async function mutate(client) {
  const at = new Date(Date.now() + 3600000).toISOString();
  const push = (jobtype) => client.push({ jobtype, args: [], retry, at });
  const first = await push("note");
  await push("note");
  await push("other");
  await client.scheduled.ofType("other").discard();
  assert.equal((await info(client)).sets.scheduled, 2);
  await client.scheduled.withJids(first).kill();
  assert.equal((await info(client)).sets.dead, 1);
  await client.scheduled.matching("*").requeue();
  assert.equal((await info(client)).queues.default, 1);
  await client.dead.clear();
  assert.equal((await info(client)).sets.dead, 0);
}

async function unknownCertificate(client) {
  await assert.rejects(client.connect(), /certificate/);
}

const cases = {
  push, "bulk push": bulkPush, scheduled, "fetch and ack": fetchAndAck, fail,
  retry: retryCase, beat, work, obey, password: push, "wrong password": wrongPassword,
  mutate, "unknown certificate": unknownCertificate,
};

// The library does not look at the URL's scheme.
function tlsOptions() {
  if (!process.env.FAKTORY_URL.startsWith("tcp+tls:")) return undefined;
  const file = process.env.SSL_CERT_FILE;
  return file ? { ca: fs.readFileSync(file) } : {};
}

(async () => {
  const client = new faktory.Client({ wid: `node-${process.pid}-client`, poolSize: 4, tlsOptions: tlsOptions() });
  await cases[process.argv[2]](client);
  await client.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
