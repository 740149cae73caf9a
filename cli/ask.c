/*
 * ask - what the verbs have in common that give a server orders.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/log_line.h"

enum { TEXT_MAX = 1024 * 1024 };

enum {
	OPT_JSON = 256,
	OPT_ALL,
	OPT_LABEL,
	OPT_TYPE,
	OPT_MATCH,
	OPT_HELP = 'h',
};

static const struct option options[] = {
	SERVER_OPTION_ROWS,
	{ "json", no_argument, NULL, OPT_JSON },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "label", required_argument, NULL, OPT_LABEL },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "match", required_argument, NULL, OPT_MATCH },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

int
ask_misuse(const struct ask *a, const char *text)
{
	fprintf(stderr, "faktotum %s: %s\nfaktotum %s --help tells more\n",
	    a->verb, text, a->verb);
	return EX_USAGE;
}

static void
take(struct ask *a, int option, char *value)
{
	switch (option) {
	case OPT_JSON:
		a->json = true;
		break;
	case OPT_ALL:
		a->given |= ASK_ALL;
		break;
	case OPT_LABEL:
		a->given |= ASK_LABEL;
		a->label = value;
		break;
	case OPT_TYPE:
		a->given |= ASK_TYPE;
		a->type = value;
		break;
	case OPT_MATCH:
		a->given |= ASK_MATCH;
		a->match = value;
		break;
	default:
		(void)server_options_take(&a->server, option, value);
	}
}

int
ask_read(struct ask *a, int argc, char **argv)
{
	int option;

	a->server.verb = a->verb;
	opterr = 0; /* the messages below name the verb */
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == OPT_HELP) {
			fputs(a->usage, stdout);
			return EX_OK;
		}
		if (option == ':')
			return ask_misuse(a, "an option needs a value");
		if (option == '?')
			return ask_misuse(a, "an option is unknown");
		take(a, option, optarg);
	}
	const char *mistake = server_options_mistake(&a->server);
	if (mistake != NULL)
		return ask_misuse(a, mistake);
	if (optind == argc)
		return ask_misuse(a, "what is to be done?");
	a->action = argv[optind];
	a->words = argv + optind + 1;
	a->nwords = (size_t)(argc - optind - 1);
	return -1;
}

int
ask_takes(const struct ask *a, unsigned allowed)
{
	unsigned wrong = a->given & ~allowed;

	if (wrong == 0)
		return 0;
	return ask_misuse(a,
	    wrong & ASK_ALL         ? "--all does not go with this"
		: wrong & ASK_LABEL ? "--label does not go with this"
		: wrong & ASK_TYPE  ? "--type does not go with this"
				    : "--match does not go with this");
}

void
ask_put(FILE *out, const char *bytes, size_t len)
{
	struct buf *text = buf_new(TEXT_MAX);

	if (text != NULL && log_line_escape(text, bytes, len) == 0)
		(void)fwrite(buf_front(text), 1, buf_len(text), out);
	buf_free(text);
}

int
ask_refused(const struct ask *a, const struct resp *reply)
{
	fprintf(stderr, "faktotum %s: ", a->verb);
	ask_put(stderr, reply->text, reply->len);
	fputc('\n', stderr);
	return 1;
}

int
ask_bad_answer(const struct ask *a)
{
	fprintf(
	    stderr, "faktotum %s: the server's answer is no object\n", a->verb);
	return EX_PROTOCOL;
}

/* A stock server says it with a capital letter. */
static bool
is_unknown(const struct resp *reply)
{
	static const char text[] = "unknown command";
	const size_t len = sizeof text - 1;

	return reply->len >= len && strncasecmp(reply->text, text, len) == 0;
}

static int
tell_unknown(const struct ask *a, const char *verb)
{
	fprintf(stderr,
	    "faktotum %s: this server does not know %s; faktotum-server "
	    "does\n",
	    a->verb, verb);
	return EX_PROTOCOL;
}

int
ask_send(
    struct ask *a, const char *verb, const struct buf *arg, struct resp *reply)
{
	struct err e = { 0 };
	int status = EX_UNAVAILABLE;

	if (a->connection == NULL)
		a->connection = server_options_reach(&a->server, &status);
	if (a->connection == NULL)
		return status;
	if (connection_ask(a->connection, verb, buf_front(arg), buf_len(arg),
		reply, &e) < 0) {
		fprintf(stderr,
		    "faktotum %s: %s; whether it was done is not known\n",
		    a->verb, e.text);
		return EX_TEMPFAIL;
	}
	if (reply->kind != RESP_ERROR)
		return 0;
	if (reply->len >= 4 && memcmp(reply->text, "ERR ", 4) == 0) {
		reply->text += 4;
		reply->len -= 4;
	}
	return is_unknown(reply) ? tell_unknown(a, verb) : 1;
}

int
ask_end(struct ask *a, int status)
{
	connection_close(a->connection);
	a->connection = NULL;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "faktotum %s: the answer cannot be printed: %s\n",
	    a->verb, strerror(errno));
	return status != EX_OK ? status : EX_IOERR;
}
