/*
 * settings - the supervisor's configuration, checked and typed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "config/control_settings.h"
#include "config/handler.h"
#include "config/handler_queues.h"
#include "config/http_settings.h"
#include "config/labels.h"
#include "config/log_fields.h"
#include "config/metric_names.h"
#include "config/place.h"
#include "config/queue_limits.h"
#include "config/queue_list.h"
#include "config/secret.h"
#include "config/server_list.h"
#include "config/settings_fields.h"
#include "config/sources.h"
#include "config/tls_settings.h"
#include "config/units.h"
#include "config/unknown.h"

/* The file while it is read: the rows fill this. */
struct draft {
	struct settings s;
	const struct node *root;
	const struct node *defaults;
	const struct node *jobs;
	const struct node *queue_limits;
};

#define AT(member) offsetof(struct draft, member)

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

static const char *
scalar_text(const struct node *n)
{
	return n != NULL && n->kind == NODE_SCALAR ? n->text : NULL;
}

static void
read_all_jobs(
    struct reader *r, struct draft *d, const struct handler_context *c)
{
	struct settings *s = &d->s;
	const struct node *jobs = d->jobs;

	field_no_repeats(r, jobs, "jobs.");
	s->handlers = calloc(jobs->count, sizeof *s->handlers);
	s->index = map_new();
	if (s->handlers == NULL || s->index == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < jobs->count; i++) {
		struct handler *h = &s->handlers[s->nhandlers++];

		handler_read(r, jobs->keys[i], jobs->items[i], c, h);
		/* A repeated jobtype has been told. */
		if (h->jobtype != NULL &&
		    map_put(s->index, h->jobtype, strlen(h->jobtype), h) ==
			-ENOMEM)
			reader_no_memory(r);
	}
}

static void
read_jobs(struct reader *r, struct draft *d)
{
	const char *expected = "at least one jobtype below it";
	const struct node *password = node_get(d->root, "password");
	struct handler_context c = {
		.path = d->s.path != NULL ? d->s.path : "/usr/bin:/bin",
		.whole_way = d->s.whole_way,
		.secrets = { r->lookup("FAKTORY_PROVIDER"),
		    password != NULL ? scalar_text(node_get(password, "env"))
				     : NULL },
	};

	if (d->defaults != NULL &&
	    reader_wants(r, d->defaults, NODE_MAPPING, "defaults", "a mapping"))
		c.defaults = d->defaults;
	handler_check_defaults(r, &c);

	if (d->jobs == NULL)
		reader_complain(
		    r, d->root->at, "jobs: missing, expected %s", expected);
	else if (reader_wants(r, d->jobs, NODE_MAPPING, "jobs", expected) &&
	    d->jobs->count == 0)
		reader_complain(
		    r, d->jobs->at, "jobs: empty, expected %s", expected);
	else if (d->jobs->kind == NODE_MAPPING)
		read_all_jobs(r, d, &c);
}

/* Where a handler's grace was set: its own, the defaults', else ours. */
static struct mark
grace_mark(const struct draft *d, size_t i)
{
	const struct node *groups[] = { d->jobs->items[i], d->defaults,
		node_get(d->root, "shutdown") };

	for (size_t k = 0; k < sizeof groups / sizeof groups[0]; k++) {
		const struct node *n =
		    groups[k] != NULL ? node_get(groups[k], "grace") : NULL;
		if (n != NULL)
			return n->at;
	}
	return d->s.handlers[i].at;
}

/*
 * A program must be able to end within its own grace before the supervisor
 * has to: two nested times, the inner one never the longer.
 */
static void
check_graces(struct reader *r, const struct draft *d)
{
	char own[UNITS_SHOWN_MAX], ours[UNITS_SHOWN_MAX];

	units_show_duration(d->s.shutdown_grace, ours);
	for (size_t i = 0; i < d->s.nhandlers; i++) {
		const struct handler *h = &d->s.handlers[i];

		if (h->grace <= d->s.shutdown_grace)
			continue;
		units_show_duration(h->grace, own);
		reader_complain(r, grace_mark(d, i),
		    "jobs.%.100s.grace: %s is "
		    "longer than shutdown.grace, expected at most %s",
		    h->jobtype, own, ours);
	}
}

static void
read_root(struct reader *r, struct draft *d)
{
	struct field_given given = { 0 };

	field_read(r, d->root, "", settings_fields, &given, d);
	field_defaults(r, "", settings_fields, &given, d);
	if (node_get(d->root, "password") == NULL)
		d->s.password = secret_credential(r);
	d->s.password_file = secret_file(r, node_get(d->root, "password"));
	if (node_get(d->root, "tmpdir") != NULL)
		d->s.tmpdir_at = node_get(d->root, "tmpdir")->at;
	if (node_get(d->root, "state_dir") != NULL)
		d->s.state_dir_at = node_get(d->root, "state_dir")->at;
	tls_settings_check(r, node_get(d->root, "tls"), &d->s.tls);
	control_settings_marks(node_get(d->root, "control"), &d->s);
	http_settings_check(r, node_get(d->root, "http"), &d->s);
	queue_limits_read(r, d->queue_limits, &d->s);
	read_jobs(r, d);
	if (node_get(d->root, "unknown") != NULL && d->s.index != NULL)
		unknown_check(r, node_get(d->root, "unknown")->at, &d->s);
	handler_queues_check(r, &d->s);
	metric_names_check(r, &d->s);
	if (r->count == 0)
		check_graces(r, d);
}

/* The names stay with the settings: their marks refer to them. */
static int
keep_names(struct settings *s, const struct sources *src)
{
	s->file = strdup(src->name);
	s->files = calloc(src->nfiles + 1, sizeof *s->files);
	if (s->file == NULL || s->files == NULL)
		return -ENOMEM;
	for (; s->nfiles < src->nfiles; s->nfiles++) {
		s->files[s->nfiles] = strdup(src->files[s->nfiles].name);
		if (s->files[s->nfiles] == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct settings *
settings_make(const struct sources *src,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx)
{
	struct draft *d = calloc(1, sizeof *d);

	if (d == NULL || keep_names(&d->s, src) < 0) {
		tell(ctx, "not enough memory");
		settings_free(d != NULL ? &d->s : NULL);
		return NULL;
	}
	struct reader r = {
		.file = d->s.file, .files = d->s.files, .lookup = lookup
	};
	struct node *root = sources_tree(src, &r);
	if (root != NULL) {
		d->root = root;
		read_root(&r, d);
		document_free(root);
	}

	/* The settings are the first member: the rest is left to them. */
	if (reader_finish(&r, tell, ctx) == 0)
		return &d->s;
	settings_free(&d->s);
	return NULL;
}

struct settings *
settings_read(const char *file, const char *text, size_t len,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx)
{
	/* Only read: nothing of it is freed or changed. */
	struct source one = { (char *)(uintptr_t)file, (char *)(uintptr_t)text,
		len };
	const struct sources src = {
		.name = one.name, .files = &one, .nfiles = 1
	};

	return settings_make(&src, lookup, tell, ctx);
}

struct settings *
settings_load(const char *path, const char *(*lookup)(const char *name),
    settings_tell *tell, void *ctx)
{
	struct sources src;
	struct err e = { 0 };

	if (sources_load(&src, path, &e) < 0) {
		tell(ctx, e.text);
		return NULL;
	}
	struct settings *s = settings_make(&src, lookup, tell, ctx);
	sources_clear(&src);
	return s;
}

const char *
settings_place(
    const struct settings *s, struct mark at, char out[SETTINGS_PLACE_MAX])
{
	snprintf(out, SETTINGS_PLACE_MAX, "%.*s:%zu:%zu",
	    SETTINGS_PLACE_MAX - 48,
	    at.file < s->nfiles ? s->files[at.file] : s->file, at.line,
	    at.column);
	return out;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nhandlers; i++)
		handler_clear(&s->handlers[i]);
	for (size_t i = 0; i < s->nqueues; i++)
		free(s->queues[i].name);
	for (size_t i = 0; i < s->nlabels; i++)
		free(s->labels[i]);
	free(s->handlers);
	map_free(s->index);
	free(s->queues);
	free(s->labels);
	for (size_t i = 0; i < s->nfiles; i++)
		free(s->files[i]);
	free(s->files);
	free(s->file);
	for (size_t i = 0; i < s->nservers; i++)
		free(s->servers[i]);
	free(s->servers);
	free(s->servers_at);
	if (s->password != NULL)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s->password_file);
	tls_settings_clear(&s->tls);
	free(s->path);
	free(s->tmpdir);
	free(s->state_dir);
	free(s->unknown_jobtype);
	free(s->http_listen);
	free(s->control_socket);
	free(s->control_group);
	free(s);
}

const struct handler *
settings_handler(const struct settings *s, const char *jobtype, size_t len)
{
	return map_get(s->index, jobtype, len);
}

const struct handler *
settings_choose(const struct settings *s, const char *jobtype, size_t len)
{
	const struct handler *own = settings_handler(s, jobtype, len);

	return own != NULL ? own : s->unknown_handler;
}
