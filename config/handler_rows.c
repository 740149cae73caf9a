/*
 * handler_rows - the settings of a job, row by row.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/clock.h"
#include "config/breaker_settings.h"
#include "config/confinement.h"
#include "config/handler.h"
#include "config/handler_draft.h"
#include "config/handler_env.h"
#include "config/handler_queues.h"
#include "config/grants.h"
#include "config/job_files.h"
#include "config/metric_names.h"
#include "config/output_settings.h"
#include "config/patterns.h"
#include "config/permissions.h"
#include "config/place.h"
#include "config/slice.h"

static const struct field_choice inputs[] = {
	{ "job", INPUT_JOB },
	{ "args", INPUT_ARGS },
	{ "arg0", INPUT_ARG0 },
	{ "raw", INPUT_RAW },
	{ "none", INPUT_NONE },
	{ NULL, 0 },
};

static const struct field_choice bytes[] = {
	{ "utf8", 0 },
	{ "any", 1 },
	{ NULL, 0 },
};

static const struct field_choice misfits[] = {
	{ "retry", 0 },
	{ "dead", 1 },
	{ NULL, 0 },
};

static const struct field_choice switches[] = {
	{ "off", 0 },
	{ "on", 1 },
	{ NULL, 0 },
};

static const struct field_choice actions[] = {
	{ "cut", OUTPUT_CUT },
	{ "kill", OUTPUT_KILL },
	{ NULL, 0 },
};

static const struct field_choice leftovers[] = {
	{ "kill", LEFTOVER_KILL },
	{ "wait", LEFTOVER_WAIT },
	{ "warn", LEFTOVER_WARN },
	{ NULL, 0 },
};

static const struct field_choice isolations[] = {
	{ "none", ISOLATE_NONE },
	{ "process", ISOLATE_PROCESS },
	{ "transient-unit", ISOLATE_UNIT },
	{ NULL, 0 },
};

static const struct field_choice io_classes[] = {
	{ "inherit", IO_AS_WE_ARE },
	{ "realtime", IO_REALTIME },
	{ "best-effort", IO_BEST_EFFORT },
	{ "idle", IO_IDLE },
	{ NULL, 0 },
};

static const struct field_choice protections[] = {
	{ "off", PROTECT_OFF },
	{ "yes", PROTECT_YES },
	{ "full", PROTECT_FULL },
	{ "strict", PROTECT_STRICT },
	{ NULL, 0 },
};

static const struct field_choice uses[] = {
	{ "log", 0 },
	{ "result", 1 },
	{ NULL, 0 },
};

static const struct field_choice parsers[] = {
	{ "none", PARSE_NONE },
	{ "python", PARSE_PYTHON },
	{ "java", PARSE_JAVA },
	{ "ruby", PARSE_RUBY },
	{ "go", PARSE_GO },
	{ "node", PARSE_NODE },
	{ "php", PARSE_PHP },
	{ NULL, 0 },
};

#define AT(member) offsetof(struct handler_draft, member)
#define HOUR       (3600 * CLOCK_NS_PER_S)

const struct field handler_fields[] = {
	{ .name = "exec",
	    .kind = FIELD_NODE,
	    .offset = AT(argv.exec),
	    .expected = "a list, the program first",
	    .help = "The program and its arguments. The program is an absolute "
		    "path, or a bare name that is looked for along `path`; the "
		    "arguments are templates." },
	{ .name = "shell",
	    .kind = FIELD_NODE,
	    .offset = AT(argv.shell),
	    .expected = "text",
	    .help = "Instead of `exec`: a text for `/bin/sh -c`. Neither "
		    "templates nor `${NAME}` are filled in here; a job's data "
		    "arrives as `\"$1\"`." },
	{ .name = "args",
	    .kind = FIELD_NODE,
	    .offset = AT(argv.args),
	    .expected = "a list of templates",
	    .help =
		"With `shell`: what becomes `\"$1\"`, `\"$2\"` and so on." },
	{ .name = "env",
	    .kind = FIELD_NODE,
	    .offset = AT(env),
	    .expected = "a mapping of names to templates",
	    .help = "Variables for the program." },
	{ .name = "wrap",
	    .kind = FIELD_NODE,
	    .offset = AT(argv.wrap),
	    .expected = "a list, a program first",
	    .help = "A program in front of the program, with its arguments: "
		    "`[nice, -n, \"10\"]`. It runs what follows it in its "
		    "arguments. No templates here." },
	{ .name = "input",
	    .kind = FIELD_CHOICE,
	    .offset = AT(h.input),
	    .choices = inputs,
	    .dflt = "job",
	    .help =
		"What the program reads on its standard input: the whole job "
		"as a line of JSON, its `args`, the first of them as JSON, the "
		"same as raw bytes, or nothing." },
	{ .name = "timeout",
	    .kind = FIELD_DURATION,
	    .offset = AT(h.timeout),
	    .min = 0,
	    .max = 24 * HOUR,
	    .dflt = "0",
	    .help = "How long the program may run. It is always stopped before "
		    "the job's reservation ends; 0 sets no other limit." },
	{ .name = "grace",
	    .kind = FIELD_DURATION,
	    .offset = AT(h.grace),
	    .min = 0,
	    .max = HOUR,
	    .dflt = "10s",
	    .help =
		"Time between TERM and KILL when the program is stopped; at "
		"most `shutdown.grace`." },
	{ .name = "concurrency",
	    .kind = FIELD_INTEGER,
	    .offset = AT(h.concurrency),
	    .min = 0,
	    .max = 10000,
	    .dflt = "0",
	    .help = "How many of it may run at once on this host; 0 sets no "
		    "other limit than the supervisor's own." },
	{ .name = "cwd",
	    .kind = FIELD_OTHER,
	    .decode = place_workdir,
	    .offset = AT(h.cwd),
	    .dflt = "/",
	    .expected = "an absolute path or private",
	    .help =
		"The directory it starts in; `private` is a new one for each "
		"run, removed afterwards." },
	{ .name = "umask",
	    .kind = FIELD_OTHER,
	    .decode = permissions_decode,
	    .offset = AT(h.umask),
	    .dflt = "022",
	    .expected = "octal digits such as 022",
	    .help = "Permissions that new files do not get." },
	{ .name = "env_pass",
	    .kind = FIELD_OTHER,
	    .decode = handler_env_pass,
	    .offset = AT(h),
	    .dflt = "[]",
	    .expected = "a list of names",
	    .help = "Variables of the supervisor's own environment that the "
		    "program gets too." },
	{ .name = "files",
	    .kind = FIELD_OTHER,
	    .decode = job_files_decode,
	    .offset = AT(h.files),
	    .dflt = "[]",
	    .expected = "a list of {env: NAME, from: \"{args.0}\"}",
	    .help = "Values of the job that are written into files of the "
		    "private directory: `env` is the variable that holds the "
		    "file's path, `from` the value, `decode: base64` what is "
		    "to be undone, `mode` the permissions (0600), `name` the "
		    "file's name." },
	{ .name = "credentials",
	    .kind = FIELD_OTHER,
	    .decode = grants_decode,
	    .offset = AT(h.credentials),
	    .dflt = "[]",
	    .expected = "a list of credentials",
	    .help = "Files of the service's `$CREDENTIALS_DIRECTORY` that the "
		    "program may read, as copies in the directory that "
		    "`FAKTORY_CREDENTIALS` names. They are read for each job. "
		    "The server's password cannot be among them." },
	{ .name = "allow_dash",
	    .kind = FIELD_BOOL,
	    .offset = AT(h.allow_dash),
	    .dflt = "false",
	    .help =
		"Lets a job's value that begins with `-` begin an argument, "
		"where it could be taken for an option." },
	{ .name = "bytes",
	    .kind = FIELD_BOOL,
	    .offset = AT(h.any_bytes),
	    .choices = bytes,
	    .dflt = "utf8",
	    .help = "Whether arguments must be UTF-8." },
	{ .name = "bad_argument",
	    .kind = FIELD_BOOL,
	    .offset = AT(h.misfit_is_dead),
	    .choices = misfits,
	    .dflt = "dead",
	    .help = "What becomes of a job whose data do not fit the "
		    "program's arguments, variables, files or input: it is "
		    "dead at once, since the same data will not fit the next "
		    "time, or its own `retry` decides." },
	{ .name = "output_limit",
	    .kind = FIELD_SIZE,
	    .offset = AT(h.output_limit),
	    .min = 0,
	    .max = INT64_C(1) << 40,
	    .dflt = "0",
	    .help = "How much the program may write to standard output and "
		    "standard error together; 0 sets no limit." },
	{ .name = "output_action",
	    .kind = FIELD_CHOICE,
	    .offset = AT(h.output_action),
	    .choices = actions,
	    .dflt = "cut",
	    .help = "What happens above `output_limit`: the rest is read and "
		    "dropped, or the program is stopped and the job fails." },
	{ .name = "leftover",
	    .kind = FIELD_CHOICE,
	    .offset = AT(h.leftover),
	    .choices = leftovers,
	    .dflt = "kill",
	    .help = "What becomes of processes that the program leaves running "
		    "when it ends: they are killed, waited for as long as the "
		    "program itself might have run, or left alone with a "
		    "warning." },
	{ .name = "stdout",
	    .kind = FIELD_BOOL,
	    .offset = AT(h.stdout_result),
	    .choices = uses,
	    .dflt = "log",
	    .help = "What the program's standard output is: lines for the log, "
		    "or its result; then only standard error is logged." },
	{ .name = "result_limit",
	    .kind = FIELD_SIZE,
	    .offset = AT(h.result_limit),
	    .min = 0,
	    .max = 1 << 20,
	    .dflt = "64K",
	    .help = "How large a result may be, as JSON. A larger one is not "
		    "kept, which is told; the job ends as it would have." },
	{ .name = "output",
	    .kind = FIELD_GROUP,
	    .rows = output_settings_fields,
	    .help = "Files of what the program prints." },
	{ .name = "log_rate",
	    .kind = FIELD_INTEGER,
	    .offset = AT(h.log_rate),
	    .min = 1,
	    .max = 1000000,
	    .dflt = "1000",
	    .help = "How many of its lines a second reach the log; the others "
		    "are counted." },
	{ .name = "control",
	    .kind = FIELD_BOOL,
	    .offset = AT(h.control),
	    .choices = switches,
	    .dflt = "on",
	    .help = "Whether descriptor 3 of the program is open for messages "
		    "to the supervisor." },
	{ .name = "message_max",
	    .kind = FIELD_SIZE,
	    .offset = AT(h.message_max),
	    .min = 256,
	    .max = 1 << 20,
	    .dflt = "64K",
	    .help = "The longest message on descriptor 3; longer ones are "
		    "ignored." },
	{ .name = "push_max",
	    .kind = FIELD_INTEGER,
	    .offset = AT(h.push_max),
	    .min = 0,
	    .max = 1000,
	    .dflt = "100",
	    .help =
		"How many follow-up jobs the program may ask for by `push`; "
		"one more, and its own job fails." },
	{ .name = "push_size",
	    .kind = FIELD_SIZE,
	    .offset = AT(h.push_size),
	    .min = 1024,
	    .max = 2 << 20,
	    .dflt = "1M",
	    .help = "How large they may be together; likewise." },
	{ .name = "metrics",
	    .kind = FIELD_OTHER,
	    .decode = metric_names_decode,
	    .offset = AT(h.metrics),
	    .dflt = "{}",
	    .expected = "a mapping of names to counter or gauge",
	    .help =
		"The metrics that the program may report by `metric`; they "
		"stand among the supervisor's own with the label `jobtype`. "
		"At most 64 for a job; a name is of one kind in all jobs." },
	{ .name = "stall_timeout",
	    .kind = FIELD_DURATION,
	    .offset = AT(h.stall_timeout),
	    .min = 0,
	    .max = 24 * HOUR,
	    .dflt = "0",
	    .help = "The program is stopped when it sends neither `heartbeat` "
		    "nor `progress` for so long; 0: it need not." },
	{ .name = "max_timeout",
	    .kind = FIELD_DURATION,
	    .offset = AT(h.max_timeout),
	    .min = 0,
	    .max = 24 * HOUR,
	    .dflt = "0",
	    .help = "How long the program may run after it has asked for more "
		    "time than `timeout` by `extend`; never beyond the job's "
		    "reservation. 0 refuses every such request." },
	{ .name = "exit_codes",
	    .kind = FIELD_OTHER,
	    .decode = exit_codes_decode,
	    .offset = AT(h.exit_codes),
	    .dflt = "default",
	    .expected = "a profile or a mapping of exit codes",
	    .help = "What the program's exit status means: a profile "
		    "(`default`, `plain`, `sysexits`, `qmail`, "
		    "`rabbitmq-strict`, `airflow`), or a mapping of codes and "
		    "ranges to `ok`, `retry`, `later`, `dead`, `discard` or "
		    "`{retry_in: TIME}`." },
	{ .name = "later",
	    .kind = FIELD_DURATION,
	    .offset = AT(h.later),
	    .min = 0,
	    .max = INT64_C(30) * 24 * HOUR,
	    .dflt = "1m",
	    .help = "When a job whose exit code means `later` is tried again, "
		    "where the server lets a worker say so; a stock server "
		    "decides by itself." },
	{ .name = "error_parser",
	    .kind = FIELD_CHOICE,
	    .offset = AT(h.error_parser),
	    .choices = parsers,
	    .dflt = "none",
	    .help = "Looks for this language's stack trace on standard error "
		    "of a program that failed: its error's own type, message "
		    "and trace are reported." },
	{ .name = "redact",
	    .kind = FIELD_OTHER,
	    .decode = patterns_decode,
	    .offset = AT(h.redact),
	    .dflt = "[]",
	    .expected = "a list of POSIX extended regular expressions",
	    .help = "What an error's text must not contain when it leaves this "
		    "host: a match, or its first group, is replaced." },
#include "config/confinement_rows.inc"
	{ .name = "queues",
	    .kind = FIELD_OTHER,
	    .decode = handler_queues_decode,
	    .offset = AT(h),
	    .dflt = "[]",
	    .expected = "a list of queues",
	    .help = "The queues that bring its jobs. A queue that any job "
		    "names here is taken to bring only jobs that name it, and "
		    "is left alone while the breakers of all of those are "
		    "open." },
	{ .name = "breaker",
	    .kind = FIELD_GROUP,
	    .rows = breaker_fields,
	    .help = "When it is left alone because it does not work." },
	{ .name = "crash_limit",
	    .kind = FIELD_INTEGER,
	    .offset = AT(h.crash_limit),
	    .min = 0,
	    .max = 1000,
	    .dflt = "3",
	    .help = "How often a job may end its program by a signal before "
		    "it is dead; 0: as often as it is retried." },
	{ 0 },
};
