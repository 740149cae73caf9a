/*
 * settings_rows - the supervisor's top-level settings, row by row.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stddef.h>

#include "base/clock.h"
#include "config/control_settings.h"
#include "config/http_settings.h"
#include "config/labels.h"
#include "config/log_fields.h"
#include "config/place.h"
#include "config/queue_list.h"
#include "config/secret.h"
#include "config/server_list.h"
#include "config/settings_draft.h"
#include "config/settings_fields.h"
#include "config/unknown.h"

#define AT(member) offsetof(struct settings_draft, member)

static const struct field_choice ephemeral_actions[] = {
	{ "repush", EPHEMERAL_REPUSH },
	{ "wait", EPHEMERAL_WAIT },
	{ "fail", EPHEMERAL_FAIL },
	{ NULL, 0 },
};

static const struct field shutdown_fields[] = {
	{ .name = "grace",
	    .kind = FIELD_DURATION,
	    .offset = AT(s.shutdown_grace),
	    .min = 0,
	    .max = 3600 * CLOCK_NS_PER_S,
	    .dflt = "25s",
	    .help = "How long running programs may go on after the supervisor "
		    "was told to stop, before they are stopped too." },
	{ .name = "ephemeral",
	    .kind = FIELD_CHOICE,
	    .offset = AT(s.shutdown_ephemeral),
	    .choices = ephemeral_actions,
	    .dflt = "repush",
	    .help =
		"What becomes of a job with `retry: 0` that is still running "
		"then; its failure would delete it. It is given back or pushed "
		"once more, its program may finish, or it fails and is gone." },
	{ 0 },
};

static const struct field log_fields[] = {
	LOG_FIELDS(AT(s.log_format), AT(s.log_level)),
	{ 0 },
};

static const struct field_choice cgroup_uses[] = {
	{ "auto", CGROUP_AUTO },
	{ "on", CGROUP_ON },
	{ "off", CGROUP_OFF },
	{ NULL, 0 },
};

static const struct field_choice upgrades[] = {
	{ "auto", UPGRADE_AUTO },
	{ "on", UPGRADE_ON },
	{ "off", UPGRADE_OFF },
	{ NULL, 0 },
};

static const struct field_choice checks[] = {
	{ "file", 0 },
	{ "path", 1 },
	{ NULL, 0 },
};

const struct field settings_fields[] = {
	{ .name = "server",
	    .kind = FIELD_OTHER,
	    .decode = server_list_decode,
	    .offset = AT(s),
	    .expected = "a URL such as tcp://127.0.0.1:7419, or a list of at "
			"most 8",
	    .help = "Where the job server is. Of several the first that "
		    "answers gives the jobs, see operations.md. Without it "
		    "the environment says: `FAKTORY_PROVIDER`, else "
		    "`FAKTORY_URL`, else the local host." },
	{ .name = "password",
	    .kind = FIELD_OTHER,
	    .decode = secret_decode,
	    .offset = AT(s.password),
	    .expected = SECRET_EXPECTED,
	    .help = "The server's password, unless the URL has one. A line end "
		    "at the end of the file is dropped. Without it the file "
		    "`faktory-password` in `$CREDENTIALS_DIRECTORY` says, "
		    "when it is there and not empty." },
	{ .name = "tls",
	    .kind = FIELD_GROUP,
	    .rows = tls_settings_fields,
	    .help = "For servers at `tcp+tls://`. TLS 1.2 at least." },
	{ .name = "concurrency",
	    .kind = FIELD_INTEGER,
	    .offset = AT(s.concurrency),
	    .min = 1,
	    .max = 10000,
	    .dflt = "10",
	    .help = "How many programs may run at once on this host." },
	{ .name = "queues",
	    .kind = FIELD_OTHER,
	    .decode = queue_list_decode,
	    .offset = AT(s),
	    .dflt = "[default]",
	    .expected = "a list of names, or a mapping of names to weights "
			"from 1 to 1000",
	    .help =
		"The queues to work on. A list is in strict order: the first "
		"that has a job is served. With weights, each fetch draws." },
	{ .name = "queue_concurrency",
	    .kind = FIELD_NODE,
	    .offset = AT(queue_limits),
	    .expected = "a mapping of queues to numbers from 1 to 10000",
	    .help = "How many jobs of a queue may be here at once. A queue "
		    "that has reached its number is left out of FETCH, so its "
		    "jobs stay in the server, for other workers." },
	{ .name = "labels",
	    .kind = FIELD_OTHER,
	    .decode = labels_decode,
	    .offset = AT(s),
	    .dflt = "[]",
	    .expected = "a list of at most 64 texts",
	    .help = "What the server shows beside this worker." },
	{ .name = "shutdown",
	    .kind = FIELD_GROUP,
	    .rows = shutdown_fields,
	    .help = "How the supervisor ends." },
	{ .name = "beat",
	    .kind = FIELD_DURATION,
	    .offset = AT(s.beat),
	    .min = CLOCK_NS_PER_S,
	    .max = 30 * CLOCK_NS_PER_S,
	    .dflt = "15s",
	    .help =
		"Time between two signs of life. The server forgets a worker "
		"that is silent for a minute." },
	{ .name = "emulate_dead",
	    .kind = FIELD_BOOL,
	    .offset = AT(s.emulate_dead),
	    .dflt = "true",
	    .help = "A stock server knows no failure that is final: a job "
		    "that must never run again is moved from its retries to "
		    "its dead afterwards. Jobs without retries left need no "
		    "such move." },
	{ .name = "emulate_retry_in",
	    .kind = FIELD_BOOL,
	    .offset = AT(s.emulate_retry_in),
	    .dflt = "false",
	    .help = "A stock server decides by itself when a failed job is "
		    "tried again. With true, one that asks for a time of its "
		    "own is pushed once more with that time and then "
		    "acknowledged; when an answer is lost it can be there "
		    "twice." },
	{ .name = "unknown",
	    .kind = FIELD_OTHER,
	    .decode = unknown_decode,
	    .offset = AT(s),
	    .dflt = "fail",
	    .expected = "fail, dead or handler:JOBTYPE",
	    .help = "What becomes of a job whose jobtype `jobs` does not name: "
		    "it fails with errtype `UnknownJobtype`, is dead at once, "
		    "or is run by the handler of that jobtype." },
	{ .name = "log",
	    .kind = FIELD_GROUP,
	    .rows = log_fields,
	    .help = "The supervisor's own log." },
	{ .name = "http",
	    .kind = FIELD_GROUP,
	    .rows = http_settings_fields,
	    .help = "Health, readiness and metrics, for those who watch." },
	{ .name = "control",
	    .kind = FIELD_GROUP,
	    .rows = control_settings_fields,
	    .help = "Orders from the operators of this host." },
	{ .name = "path",
	    .kind = FIELD_OTHER,
	    .decode = place_path,
	    .offset = AT(s.path),
	    .dflt = "/usr/local/bin:/usr/bin:/bin",
	    .expected = "absolute directories with colons between",
	    .help =
		"`PATH` of every program, and where a bare name in `exec` is "
		"looked for." },
	{ .name = "program_checks",
	    .kind = FIELD_BOOL,
	    .offset = AT(s.whole_way),
	    .choices = checks,
	    .dflt = "path",
	    .help = "What is looked at before a program is taken: the file "
		    "alone, or the whole `path` to it. Every directory and "
		    "link must then belong to root, to the supervisor's user "
		    "or to the job's `user`, and be writable by nobody else; "
		    "sticky ones such as `/tmp` may be." },
	{ .name = "tmpdir",
	    .kind = FIELD_OTHER,
	    .decode = place_directory,
	    .offset = AT(s.tmpdir),
	    .dflt = "/tmp",
	    .expected = "an absolute path of a directory",
	    .help = "Where the private directories of programs are made." },
	{ .name = "state_dir",
	    .kind = FIELD_OTHER,
	    .decode = place_directory,
	    .offset = AT(s.state_dir),
	    .expected = "an absolute path of a directory",
	    .help = "Where outcomes are kept until the server has confirmed "
		    "them, so that a crash of the supervisor does not make a "
		    "job that had succeeded run again. Each supervisor needs "
		    "its own. Without it nothing is kept." },
	{ .name = "cgroup",
	    .kind = FIELD_CHOICE,
	    .offset = AT(s.cgroup),
	    .choices = cgroup_uses,
	    .dflt = "auto",
	    .help = "Whether each program gets a control group (version 2) of "
		    "its own, in which it can be limited and from which "
		    "nothing escapes. `auto`: where a service manager has "
		    "delegated the supervisor's group (`Delegate=`); `on`: "
		    "wherever it can be written to, else that is an error." },
	{ .name = "upgrade",
	    .kind = FIELD_CHOICE,
	    .offset = AT(s.upgrade),
	    .choices = upgrades,
	    .dflt = "auto",
	    .help = "Whether the supervisor can become a newer version of "
		    "itself while programs run. They then do not end when it "
		    "is killed. `auto`: under a service manager, which ends "
		    "them in that case." },
	{ .name = "defaults",
	    .kind = FIELD_NODE,
	    .offset = AT(defaults),
	    .expected = "a mapping",
	    .help = "Settings for every job that does not have its own." },
	{ .name = "jobs",
	    .kind = FIELD_NODE,
	    .offset = AT(jobs),
	    .expected = "a mapping of jobtypes to settings",
	    .help = "What runs for each jobtype." },
	{ 0 },
};
