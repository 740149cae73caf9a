/*
 * server_settings - the job server's configuration, checked and typed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/server_settings.h"

#include <stdlib.h>
#include <string.h>

#include "config/address.h"
#include "config/log_fields.h"
#include "config/place.h"
#include "config/secret.h"
#include "config/settings_fields.h"
#include "config/units.h"
#include "config/web_settings.h"

#define AT(member) offsetof(struct server_settings, member)
#define SECOND     INT64_C(1000000000)
#define KILO       (INT64_C(1) << 10)
#define GIGA       (INT64_C(1) << 30)

static const struct field limits_fields[] = {
	{ .name = "connections",
	    .kind = FIELD_INTEGER,
	    .offset = AT(limits.connections),
	    .min = 1,
	    .max = 100000,
	    .dflt = "2000",
	    .help = "How many clients may be connected at once." },
	{ .name = "line",
	    .kind = FIELD_SIZE,
	    .offset = AT(limits.line),
	    .min = 4 * KILO,
	    .max = GIGA,
	    .dflt = "64M",
	    .help =
		"The longest command, and so the largest job or bulk push." },
	{ .name = "job",
	    .kind = FIELD_SIZE,
	    .offset = AT(limits.job),
	    .min = 0,
	    .max = GIGA,
	    .dflt = "0",
	    .help = "The largest job, in bytes of its JSON as it is pushed. A "
		    "larger one is refused, and its client may go on; 0 sets "
		    "no limit but `limits.line`." },
	{ .name = "memory",
	    .kind = FIELD_SIZE,
	    .offset = AT(limits.memory),
	    .min = 4 * KILO,
	    .max = 1024 * GIGA,
	    .dflt = "512M",
	    .help =
		"What all connections together may hold in buffers; at least "
		"`limits.line`." },
	{ .name = "jobs",
	    .kind = FIELD_INTEGER,
	    .offset = AT(limits.jobs),
	    .min = 0,
	    .max = 1000000000,
	    .dflt = "10000000",
	    .help = "How many jobs may be here, waiting, scheduled, reserved, "
		    "to be retried or dead. Each takes about 130 bytes of "
		    "memory. Further pushes are refused; 0 sets no limit." },
	{ .name = "disk",
	    .kind = FIELD_SIZE,
	    .offset = AT(limits.disk),
	    .min = 0,
	    .max = 1024 * GIGA,
	    .dflt = "0",
	    .help = "What jobs may take of the disk, beside a log of some 64M "
		    "at most. Above it pushes are refused, and what makes room "
		    "goes on; 0 sets no limit." },
	{ 0 },
};

static const struct field log_fields[] = {
	LOG_FIELDS(AT(log_format), AT(log_level)),
	{ 0 },
};

static const struct field tls_fields[] = {
	{ .name = "cert",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(tls.cert),
	    .expected = "an absolute path of a PEM file",
	    .help = "The server's certificate, and those that signed it." },
	{ .name = "key",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(tls.key),
	    .expected = "an absolute path of a PEM file",
	    .help = "The key of `cert`, without a passphrase. Others must not "
		    "be able to read it." },
	{ .name = "ca",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(tls.ca),
	    .expected = "an absolute path of a PEM file",
	    .help = "With it clients need a certificate, signed by one of "
		    "these." },
	{ 0 },
};

const struct field server_settings_fields[] = {
	{ .name = "listen",
	    .kind = FIELD_OTHER,
	    .decode = address_decode,
	    .offset = AT(listen),
	    .dflt = "127.0.0.1:7419",
	    .expected = ADDRESS_EXPECTED,
	    .help = "Where clients connect." },
	{ .name = "data",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = AT(data),
	    .dflt = "/var/lib/faktotum",
	    .expected = "an absolute path",
	    .help = "The directory that holds every job." },
	{ .name = "password",
	    .kind = FIELD_OTHER,
	    .decode = secret_decode,
	    .offset = AT(password),
	    .expected = SECRET_EXPECTED,
	    .help =
		"What clients must know. Without it the file "
		"`faktory-password` in `$CREDENTIALS_DIRECTORY` says, else "
		"`FAKTORY_PASSWORD` in the environment; without any of them "
		"nothing is asked for." },
	{ .name = "result_retention",
	    .kind = FIELD_DURATION,
	    .offset = AT(result_retention),
	    .max = INT64_C(366) * 24 * 3600 * SECOND,
	    .dflt = "1d",
	    .help = "How long the results of jobs are kept, the last 100000 at "
		    "most, each of at most 64K; with 0s none." },
	{ .name = "push_window",
	    .kind = FIELD_DURATION,
	    .offset = AT(push_window),
	    .max = INT64_C(24) * 3600 * SECOND,
	    .dflt = "0s",
	    .help = "For so long after a PUSH another one of the same jid is "
		    "answered as the first was and makes no second job: for "
		    "clients that push again when an answer was lost." },
	{ .name = "tls",
	    .kind = FIELD_GROUP,
	    .rows = tls_fields,
	    .help = "With it clients must speak TLS, 1.2 at least." },
	{ .name = "worker_grace",
	    .kind = FIELD_DURATION,
	    .offset = AT(worker_grace),
	    .max = INT64_C(24) * 3600 * SECOND,
	    .dflt = "15s",
	    .help =
		"How long a worker may stay away whose host has closed all its "
		"connections. Then it is taken for dead, and its jobs go to "
		"other workers. A worker that is only silent keeps its jobs "
		"until their reservations end, or for `worker_silence`." },
	{ .name = "worker_silence",
	    .kind = FIELD_DURATION,
	    .offset = AT(worker_silence),
	    .max = INT64_C(24) * 3600 * SECOND,
	    .dflt = "0s",
	    .help =
		"How long after its last beat a worker is taken for dead "
		"whose connections were not closed by its host, as behind a "
		"broken network; 1m at least. It may still be at work: its "
		"jobs can then run twice at once. With 0s its jobs stay "
		"reserved until their time is over, as with a stock server." },
	{ .name = "restart_grace",
	    .kind = FIELD_DURATION,
	    .offset = AT(restart_grace),
	    .max = INT64_C(24) * 3600 * SECOND,
	    .dflt = "2m",
	    .help =
		"How long a worker that holds jobs may stay away after a "
		"start of the server, which has seen nothing of what "
		"happened meanwhile; at least `worker_grace`. Then it is "
		"taken for dead. A worker that is alive must have found the "
		"server again by then: `faktotum` tries every 30 s at least. "
		"With 0s only those whose death was seen before are taken "
		"for dead, and the others keep their jobs until the "
		"reservations end, as with a stock server." },
	{ .name = "worker_deaths",
	    .kind = FIELD_INTEGER,
	    .offset = AT(worker_deaths),
	    .max = 1000,
	    .dflt = "3",
	    .help =
		"So many workers may die with a job, the last one counted as "
		"a failure of the job; 1 counts every death, 0 none." },
	{ .name = "jobtypes",
	    .kind = FIELD_OTHER,
	    .decode = jobtypes_decode,
	    .offset = AT(jobtypes),
	    .expected = "a mapping of jobtypes",
	    .help = "The jobtypes that may be pushed, and what their args look "
		    "like: below each, what stands in the next table. Without "
		    "it every job is taken." },
	{ .name = "jobtypes_mode",
	    .kind = FIELD_CHOICE,
	    .choices = jobtype_modes,
	    .offset = AT(jobtypes.mode),
	    .dflt = "strict",
	    .help = "What becomes of a job whose jobtype is not in `jobtypes` "
		    "or whose args do not fit: refused (`strict`), or logged, "
		    "counted and taken (`warn`)." },
	{ .name = "queue_weights",
	    .kind = FIELD_OTHER,
	    .decode = queue_weights_decode,
	    .offset = AT(queue_weights),
	    .expected = "a mapping of queues to weights, 1 to 1000",
	    .help = "`{critical: 5, default: 2}`: a FETCH that names several "
		    "of these queues gets their jobs in this proportion. "
		    "Without it queues are served in the order that the client "
		    "gives." },
	{ .name = "web",
	    .kind = FIELD_GROUP,
	    .rows = web_settings_fields,
	    .help = "Answers over HTTP." },
	{ .name = "log",
	    .kind = FIELD_GROUP,
	    .rows = log_fields,
	    .help = "The server's own log." },
	{ .name = "limits",
	    .kind = FIELD_GROUP,
	    .rows = limits_fields,
	    .help = "What clients may use." },
	{ 0 },
};

static void
password_from_environment(struct reader *r, struct server_settings *s)
{
	const char *value = r->lookup("FAKTORY_PASSWORD");

	s->password = secret_credential(r);
	if (s->password != NULL || value == NULL)
		return;
	if (*value == '\0') {
		reader_complain(r, (struct mark){ 0 },
		    "FAKTORY_PASSWORD is empty, "
		    "expected a password, or no such variable");
		return;
	}
	s->password = strdup(value);
	if (s->password == NULL)
		reader_no_memory(r);
}

static struct mark
place_of(const struct node *root, const struct node *limits, const char *name)
{
	const struct node *n = limits != NULL ? node_get(limits, name) : NULL;

	return n != NULL ? n->at : limits != NULL ? limits->at : root->at;
}

static void
check_limits(
    struct reader *r, const struct server_settings *s, const struct node *root)
{
	const struct node *limits = node_get(root, "limits");
	char size[UNITS_SHOWN_MAX], line[UNITS_SHOWN_MAX];

	if (r->count > 0)
		return;
	units_show_size(s->limits.line, line);
	if (s->limits.memory < s->limits.line) {
		units_show_size(s->limits.memory, size);
		reader_complain(r, place_of(root, limits, "memory"),
		    "limits.memory: %s is less than limits.line, "
		    "expected at least %s",
		    size, line);
	}
	if (s->limits.job > s->limits.line) {
		units_show_size(s->limits.job, size);
		reader_complain(r, place_of(root, limits, "job"),
		    "limits.job: %s is more than limits.line, expected at "
		    "most %s",
		    size, line);
	}
}

/* Before that the server does not know that a worker is silent. */
static void
check_silence(
    struct reader *r, const struct server_settings *s, const struct node *given)
{
	char shown[UNITS_SHOWN_MAX];

	if (given == NULL || s->worker_silence == 0 ||
	    s->worker_silence >= 60 * SECOND)
		return;
	units_show_duration(s->worker_silence, shown);
	reader_complain(r, given->at,
	    "worker_silence: %s is less than a worker may take between two "
	    "beats, expected 0s or at least 1m",
	    shown);
}

static void
check_tls(struct reader *r, struct server_settings *s, const struct node *tls)
{
	tls_settings_check(r, tls, &s->tls);
	if (tls != NULL && node_get(tls, "cert") == NULL &&
	    node_get(tls, "key") == NULL)
		reader_complain(r, tls->at,
		    "tls: there is no certificate, expected cert and key");
}

static void
read_root(struct reader *r, const struct node *root, struct server_settings *s)
{
	struct field_given given = { 0 };

	if (!reader_wants(r, root, NODE_MAPPING, "the file", "a mapping"))
		return;
	field_read(r, root, "", server_settings_fields, &given, s);
	field_defaults(r, "", server_settings_fields, &given, s);
	if (node_get(root, "password") == NULL)
		password_from_environment(r, s);
	jobtypes_settle(&s->jobtypes);
	if (node_get(root, "jobtypes") == NULL &&
	    node_get(root, "jobtypes_mode") != NULL)
		reader_complain(r, node_get(root, "jobtypes_mode")->at,
		    "jobtypes_mode: every job is taken, expected jobtypes too");
	check_limits(r, s, root);
	check_silence(r, s, node_get(root, "worker_silence"));
	check_tls(r, s, node_get(root, "tls"));
	web_settings_check(r, node_get(root, "web"), s);
}

struct server_settings *
server_settings_read(const char *file, const char *text, size_t len,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx)
{
	struct server_settings *s = calloc(1, sizeof *s);
	struct reader r = { .file = file, .lookup = lookup };
	struct err e = { 0 };
	struct node *root = document_read(file, text, len, &e);

	if (root == NULL || s == NULL) {
		tell(ctx, root == NULL ? e.text : "not enough memory");
		document_free(root);
		free(s);
		return NULL;
	}
	s->file = strdup(file);
	if (s->file == NULL)
		reader_no_memory(&r);
	read_root(&r, root, s);
	document_free(root);
	if (reader_finish(&r, tell, ctx) == 0)
		return s;
	server_settings_free(s);
	return NULL;
}

struct server_settings *
server_settings_load(const char *file, const char *(*lookup)(const char *name),
    settings_tell *tell, void *ctx)
{
	struct err e = { 0 };
	size_t len;

	if (file == NULL)
		return server_settings_read(
		    "the settings", "", 0, lookup, tell, ctx);
	char *text = document_load(file, &len, &e);
	if (text == NULL) {
		tell(ctx, e.text);
		return NULL;
	}
	struct server_settings *s =
	    server_settings_read(file, text, len, lookup, tell, ctx);
	free(text);
	return s;
}

static void
forget_secret(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void
swap(char **a, char **b)
{
	char *old = *a;

	*a = *b;
	*b = old;
}

void
server_settings_renew(struct server_settings *s, struct server_settings *next)
{
	struct tls_settings before = s->tls;
	struct jobtypes jobtypes = s->jobtypes;
	struct queue_weights weights = s->queue_weights;

	s->queue_weights = next->queue_weights;
	next->queue_weights = weights;
	s->jobtypes = next->jobtypes;
	next->jobtypes = jobtypes;
	swap(&s->password, &next->password);
	swap(&s->web_password, &next->web_password);
	if (next->tls.given) {
		s->tls = next->tls;
		next->tls = before;
	}
}

void
server_settings_free(struct server_settings *s)
{
	if (s == NULL)
		return;
	free(s->file);
	tls_settings_clear(&s->tls);
	jobtypes_clear(&s->jobtypes);
	queue_weights_clear(&s->queue_weights);
	free(s->listen);
	free(s->data);
	free(s->web_listen);
	forget_secret(s->password);
	forget_secret(s->web_password);
	free(s);
}
