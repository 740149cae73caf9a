/*
 * worker_steps - what both ends of the wire and the supervisor do with a job.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/log_line.h"
#include "config/template.h"
#include "handlers/verdict.h"
#include "protocol/command.h"
#include "protocol/hello.h"
#include "protocol/job.h"
#include "protocol/outcome.h"
#include "protocol/resp.h"
#include "tests/bench/steps.h"

enum { ROOM = 64 * 1024 };

#define JOB                                                                    \
	"{\"jid\":\"0123456789abcdef01234567\",\"jobtype\":\"resize\","        \
	"\"queue\":\"images\",\"args\":[17,\"a name with \\\"quotes\\\"\","    \
	"{\"w\":640,\"h\":480}],\"retry\":25,\"reserve_for\":600,"             \
	"\"created_at\":\"2026-11-23T21:56:35.867012345Z\","                   \
	"\"custom\":{\"trace\":\"0af7651916cd43dd8448eb211c80319c\"}}"

static struct buf *
scratch(void)
{
	struct buf *b = buf_new(ROOM);

	must(b != NULL, "no memory");
	return b;
}

static void
empty(struct buf *b)
{
	buf_drop(b, buf_len(b));
}

static void
decode_replies(long n)
{
	struct buf *wire = scratch();
	struct resp r;

	must(resp_put_bulk(wire, JOB, strlen(JOB)) == 0 &&
		resp_put_simple(wire, "OK") == 0,
	    "resp_put");
	for (long i = 0; i < n; i++) {
		size_t at = 0;

		while (at < buf_len(wire)) {
			must(resp_decode(buf_front(wire) + at,
				 buf_len(wire) - at, ROOM, &r) == RESP_OK,
			    "resp_decode");
			at += r.size;
		}
	}
	buf_free(wire);
}

static void
decode_commands(long n)
{
	static const char line[] = "PUSH " JOB "\r\n";
	struct command_line c;

	for (long i = 0; i < n; i++) {
		size_t scanned = 0;

		must(command_decode(line, sizeof line - 1, ROOM, &scanned,
			 &c) == COMMAND_OK &&
			command_is(&c, "PUSH"),
		    "command_decode");
	}
}

static void
parse_jobs(long n)
{
	struct job j;
	struct err e;

	for (long i = 0; i < n; i++) {
		must(job_parse(JOB, strlen(JOB), &j, &e) == 0 &&
			job_check(&j, &e) == 0,
		    "job_parse");
		job_clear(&j);
	}
}

static void
store_and_deliver(long n)
{
	struct buf *stored = scratch(), *out = scratch();
	struct job j;
	struct err e;

	must(job_parse(JOB, strlen(JOB), &j, &e) == 0, "job_parse");
	for (long i = 0; i < n; i++) {
		must(job_put_stored(stored, &j, 1795608000) == 0 &&
			job_put_delivery(out, buf_front(stored),
			    buf_len(stored), 1795608000, NULL, 0) == 0,
		    "job_put");
		empty(stored);
		empty(out);
	}
	job_clear(&j);
	buf_free(stored);
	buf_free(out);
}

static void
say_hello(long n)
{
	static const char greeting[] = "HI {\"v\":2,\"s\":\"0123456789abcdef\","
				       "\"i\":1}";
	static char wid[] = "0123456789abcdef", host[] = "worker.example";
	struct buf *out = scratch();
	struct hello me = { .version = HELLO_VERSION,
		.wid = wid,
		.hostname = host,
		.pid = 4711 };
	struct err e;

	for (long i = 0; i < n; i++) {
		struct greeting g;
		struct hello h;

		must(greeting_parse(greeting, sizeof greeting - 1, &g, &e) ==
			    0 &&
			hello_put(out, &me, &g, "secret") == 0,
		    "hello_put");
		const char *json = memchr(buf_front(out), '{', buf_len(out));
		const char *end = memchr(buf_front(out), '\r', buf_len(out));
		if (end == NULL)
			end = buf_front(out) + buf_len(out);
		must(json != NULL &&
			hello_parse(json, (size_t)(end - json), &h, &e) == 0 &&
			password_proved(&h, &g, "secret"),
		    "hello_parse");
		hello_clear(&h);
		empty(out);
	}
	buf_free(out);
}

static void
encode_outcomes(long n)
{
	static const char jid[] = "0123456789abcdef01234567";
	static const char *const trace[] = { "main.py:10 in main",
		"main.py:20 in resize" };
	const struct failure f = { .errtype = "ValueError",
		.message = "exit 1: the width is 0",
		.backtrace = trace,
		.nlines = 2 };
	struct buf *out = scratch();

	for (long i = 0; i < n; i++) {
		must(ack_put(out, jid, sizeof jid - 1) == 0 &&
			fail_put(out, jid, sizeof jid - 1, &f) == 0,
		    "ack_put");
		empty(out);
	}
	buf_free(out);
}

static void
judge_runs(long n)
{
	static const char tail[] = "resizing 640 by 0\nthe width is 0\n";
	const struct run_facts good = { .started = true, .tail = "" },
			       bad = { .started = true,
				       .status = 1 << 8,
				       .elapsed = 2540000000,
				       .tail = tail,
				       .tail_len = sizeof tail - 1 };
	struct verdict v;

	for (long i = 0; i < n; i++) {
		verdict_reach(&v, &good, "/usr/bin/resize",
		    (struct verdict_exit){ VERDICT_DONE, 0 });
		must(v.kind == VERDICT_DONE, "verdict_reach");
		verdict_clear(&v);
		verdict_reach(&v, &bad, "/usr/bin/resize",
		    (struct verdict_exit){ VERDICT_RETRY, 0 });
		must(v.kind == VERDICT_RETRY, "verdict_reach");
		verdict_clear(&v);
	}
}

static void
write_log_lines(long n)
{
	const struct log_tag tags[] = { { "jid", "0123456789abcdef01234567" },
		{ "type", "resize" } };
	const struct log_event ev = { .level = LOG_LEVEL_INFO,
		.tags = tags,
		.ntags = 2,
		.message = "done after 1.2 s, exit status 0",
		.len = 31 };
	struct buf *line = scratch();

	for (long i = 0; i < n; i++) {
		must(log_line_text(line, &ev) == 0 &&
			log_line_json(line, &ev) == 0,
		    "log_line");
		empty(line);
	}
	buf_free(line);
}

static int
count_bytes(void *ctx, const char *bytes, size_t len, bool from_data)
{
	size_t *all = ctx;

	(void)bytes;
	(void)from_data;
	*all += len;
	return 0;
}

static void
fill_templates(long n)
{
	static const char *const texts[] = { "--width={args.2.w}",
		"--name={args.1}", "--job={jid}", "{args.0}" };
	struct template *t[4];
	struct template_data d = { .jid = "0123456789abcdef01234567",
		.jobtype = "resize",
		.queue = "images" };
	struct job j;
	struct err e;
	size_t bytes = 0;

	must(job_parse(JOB, strlen(JOB), &j, &e) == 0, "job_parse");
	d.args = j.args;
	d.custom = j.custom;
	for (size_t i = 0; i < 4; i++) {
		t[i] = template_parse(texts[i], &e);
		must(t[i] != NULL, "template_parse");
	}
	for (long i = 0; i < n; i++)
		for (size_t k = 0; k < 4; k++)
			must(template_fill(
				 t[k], &d, false, count_bytes, &bytes, &e) == 0,
			    "template_fill");
	for (size_t i = 0; i < 4; i++)
		template_free(t[i]);
	job_clear(&j);
}

int
main(int argc, char **argv)
{
	static const struct step steps[] = {
		{ "resp decode", decode_replies },
		{ "command decode", decode_commands },
		{ "job parse", parse_jobs },
		{ "job stored and delivered", store_and_deliver },
		{ "HELLO with a password", say_hello },
		{ "ACK and FAIL encode", encode_outcomes },
		{ "verdicts", judge_runs },
		{ "log lines", write_log_lines },
		{ "argv templates", fill_templates },
	};

	return steps_main(steps, sizeof steps / sizeof steps[0], argc, argv);
}
