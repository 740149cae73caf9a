/*
 * A certificate or key that cannot be used is told by the name of its file,
 * before anybody is spoken to.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/tls.h"

#include <unistd.h>

#include "tests/unit/certificates.h"

static char dir[] = "/tmp/test_tls.XXXXXX";
static struct authority ca;

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	ca = authority_make(dir, "ca");
	authority_issue(&ca, dir, "good", "DNS:here", -60, 3600);
	authority_issue(&ca, dir, "other", "DNS:here", -60, 3600);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	write_pem(in_dir(dir, "locked", "key"), NULL, key, "secret");
	EVP_PKEY_free(key);
	FILE *f = fopen(in_dir(dir, "text", "pem"), "we");
	assert_non_null(f);
	fputs("just text\n", f);
	fclose(f);
	chmod(in_dir(dir, "text", "pem"), 0600);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "ca.pem", "good.pem", "good.key",
		"other.pem", "other.key", "locked.key", "text.pem" };
	char name[300];

	(void)state;
	authority_clear(&ca);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(name, sizeof name, "%s/%s", dir, files[i]);
		unlink(name);
	}
	return rmdir(dir);
}

static void
good_files_are_taken_at_both_ends(void **state)
{
	const struct tls_plan plan = { .ca = in_dir(dir, "ca", "pem"),
		.cert = in_dir(dir, "good", "pem"),
		.key = in_dir(dir, "good", "key"),
		.name = "here" };
	const struct tls_plan nothing = { 0 };
	struct err e;

	(void)state;
	struct tls *t = tls_client(&plan, NULL, &e);
	assert_non_null(t);
	tls_drop(tls_hold(t));
	tls_drop(t);
	t = tls_server(&plan, NULL, &e);
	assert_non_null(t);
	tls_drop(t);
	t = tls_client(&nothing, NULL, &e);
	assert_non_null(t);
	tls_drop(t);
	tls_drop(NULL);
}

static void
a_file_that_cannot_be_used_is_named(void **state)
{
	static const struct {
		const char *ca, *cert, *key;
		enum tls_file at_fault;
		const char *why;
	} cases[] = {
		{ "gone", NULL, NULL, TLS_FILE_CA,
		    "gone: No such file or directory" },
		{ "text.pem", NULL, NULL, TLS_FILE_CA,
		    "text.pem has no certificates that can be used, expected "
		    "a PEM file" },
		{ NULL, "gone", "good.key", TLS_FILE_CERT,
		    "gone: No such file or directory" },
		{ NULL, "text.pem", "good.key", TLS_FILE_CERT,
		    "text.pem has no certificate that can be used, expected a "
		    "PEM file" },
		{ NULL, "good.pem", "gone", TLS_FILE_KEY,
		    "gone: No such file or directory" },
		{ NULL, "good.pem", "text.pem", TLS_FILE_KEY,
		    "text.pem has no key that can be used, expected a PEM "
		    "file" },
		{ NULL, "good.pem", "other.key", TLS_FILE_KEY,
		    "other.key is not the key of the certificate" },
		{ NULL, "good.pem", "locked.key", TLS_FILE_KEY,
		    "locked.key is locked by a passphrase, expected a key "
		    "without one" },
	};
	char name[3][300], want[400];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *given[] = { cases[i].ca, cases[i].cert,
			cases[i].key };
		enum tls_file at_fault = TLS_FILE_NONE;
		struct err e = { 0 };

		for (size_t k = 0; k < 3; k++)
			if (given[k] != NULL)
				snprintf(name[k], sizeof name[k], "%s/%s", dir,
				    given[k]);
		const struct tls_plan plan = { .ca = given[0] != NULL ? name[0]
								      : NULL,
			.cert = given[1] != NULL ? name[1] : NULL,
			.key = given[2] != NULL ? name[2] : NULL };
		assert_null(tls_client(&plan, &at_fault, &e));
		assert_int_equal(at_fault, cases[i].at_fault);
		snprintf(want, sizeof want, "%s/%s", dir, cases[i].why);
		assert_string_equal(e.text, want);
	}
}

static void
a_key_that_others_can_read_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = { { 0600, true }, { 0400, true }, { 0640, true },
		{ 0644, false }, { 0604, false }, { 0602, false },
		{ 0660, false } };
	const char *key = in_dir(dir, "good", "key");
	const struct tls_plan plan = { .cert = in_dir(dir, "good", "pem"),
		.key = key };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum tls_file at_fault = TLS_FILE_NONE;
		struct err e;

		assert_int_equal(chmod(key, cases[i].mode), 0);
		struct tls *t = tls_server(&plan, &at_fault, &e);
		assert_int_equal(t != NULL, cases[i].good);
		if (t == NULL) {
			assert_int_equal(at_fault, TLS_FILE_KEY);
			assert_non_null(strstr(e.text, "is open to others"));
		}
		tls_drop(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_taken_at_both_ends),
		cmocka_unit_test(a_file_that_cannot_be_used_is_named),
		cmocka_unit_test(a_key_that_others_can_read_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
