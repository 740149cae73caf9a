/*
 * fuzz_json - our scanner and jansson accept the same documents and read the
 * same values from them.
 *
 * They differ where they may: jansson refuses numbers that no double holds,
 * lone surrogates and NUL in keys; we refuse more than JSON_DEPTH_MAX levels
 * and a NUL byte outside strings.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <string.h>

/* Both name their kinds alike; theirs are called JANSSON_ here. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE   JANSSON_TRUE
#define JSON_FALSE  JANSSON_FALSE
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "base/json.h"
#include "tests/fuzz/must.h"

static char *
decoded(const struct json *string, size_t *len)
{
	char *text = malloc(string->len);

	must(text != NULL);
	ssize_t n = json_decode_string(string, text, string->len);
	must(n >= 0 && (size_t)n <= string->len - 2);
	must(json_utf8_valid(text, (size_t)n));
	must(json_string_is(string, text, (size_t)n));
	must(n == 0 ||
	    json_decode_string(string, text, (size_t)n - 1) == -ENOBUFS);
	*len = (size_t)n;
	return text;
}

/* What we would write for the decoded text must mean the same. */
static void
string_comes_back(const char *text, size_t len)
{
	struct buf *b = buf_new(6 * len + 2);
	struct json again;

	must(b != NULL && json_put_string(b, text, len) == 0);
	must(json_check(buf_front(b), buf_len(b), &again, NULL) == 0);
	must(json_string_is(&again, text, len));
	buf_free(b);
}

static void
string_agrees(const struct json *ours, const json_t *theirs)
{
	size_t len;
	char *text = decoded(ours, &len);

	must(len == json_string_length(theirs));
	must(memcmp(text, json_string_value(theirs), len) == 0);
	string_comes_back(text, len);
	free(text);
}

/* jansson holds what is not a small integer as a double. */
static void
number_agrees(const struct json *ours, const json_t *theirs)
{
	int64_t n;
	double d;

	if (json_is_integer(theirs)) {
		must(json_int(ours, &n) == 0);
		must(n == json_integer_value(theirs));
		return;
	}
	must(json_int(ours, &n) != 0);
	int r = json_double(ours, &d);
	must(r == 0 || (r == -ERANGE && ours->len > 512));
	if (r == 0)
		must(memcmp(&d, &(double){ json_real_value(theirs) },
			 sizeof d) == 0);
}

static void agrees(const struct json *ours, const json_t *theirs);

static void
object_agrees(const struct json *ours, const json_t *theirs)
{
	struct json_walk w = json_walk(ours);
	struct json key, value;
	size_t members = 0, kept = 0;

	while (json_next_member(&w, &key, &value)) {
		size_t len;
		char *name = decoded(&key, &len);
		char *terminated = realloc(name, len + 1);

		must(terminated != NULL && memchr(terminated, 0, len) == NULL);
		terminated[len] = '\0';
		members++;
		/* Of equal keys both keep the last. */
		if (json_get(ours, terminated).text == value.text) {
			agrees(&value, json_object_get(theirs, terminated));
			kept++;
		}
		free(terminated);
	}
	must(members == json_count(ours));
	must(kept == json_object_size(theirs));
}

static void
array_agrees(const struct json *ours, const json_t *theirs)
{
	struct json_walk w = json_walk(ours);
	struct json value;
	size_t i = 0;

	while (json_next_element(&w, &value)) {
		must(json_at(ours, i).text == value.text);
		agrees(&value, json_array_get(theirs, i++));
	}
	must(i == json_array_size(theirs) && i == json_count(ours));
}

static void
agrees(const struct json *ours, const json_t *theirs)
{
	static const enum json_kind kinds[] = {
		[JANSSON_OBJECT] = JSON_OBJECT,
		[JANSSON_ARRAY] = JSON_ARRAY,
		[JANSSON_STRING] = JSON_STRING,
		[JSON_INTEGER] = JSON_NUMBER,
		[JSON_REAL] = JSON_NUMBER,
		[JANSSON_TRUE] = JSON_TRUE,
		[JANSSON_FALSE] = JSON_FALSE,
		[JANSSON_NULL] = JSON_NULL,
	};

	must(theirs != NULL);
	must(ours->kind == kinds[json_typeof(theirs)]);
	if (ours->kind == JSON_OBJECT)
		object_agrees(ours, theirs);
	else if (ours->kind == JSON_ARRAY)
		array_agrees(ours, theirs);
	else if (ours->kind == JSON_STRING)
		string_agrees(ours, theirs);
	else if (ours->kind == JSON_NUMBER)
		number_agrees(ours, theirs);
}

/* Without its white space a document says what it said. */
static void
compact_agrees(const struct json *ours, const json_t *theirs)
{
	struct buf *b = buf_new(ours->len);
	struct json again;

	must(b != NULL && json_put_compact(b, ours) == 0);
	must(json_check(buf_front(b), buf_len(b), &again, NULL) == 0);
	must(again.len == buf_len(b));
	agrees(&again, theirs);
	buf_free(b);
}

/* What jansson cannot hold, though it is JSON. */
static bool
is_beyond_jansson(const char *bytes, size_t size, const json_error_t *why)
{
	switch (json_error_code(why)) {
	case json_error_numeric_overflow:
	case json_error_null_byte_in_key:
		return true;
	case json_error_invalid_syntax:
		break;
	default:
		return false;
	}
	for (size_t i = 0; i + 3 < size; i++)
		if (memcmp(bytes + i, "\\u", 2) == 0 &&
		    (bytes[i + 2] | 0x20) == 'd' &&
		    strchr("89abcdefABCDEF", bytes[i + 3]) != NULL)
			return true;
	return false;
}

/* What jansson takes and we do not: it overlooks a NUL behind a number. */
static bool
is_beyond_us(const char *bytes, size_t size, const struct json_fault *f)
{
	if (f->at < size && bytes[f->at] == '\0')
		return true;
	return strcmp(f->why, "nested deeper than 64 levels") == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct json_fault fault;
	struct json ours;
	json_error_t why;

	int r = json_check(bytes, size, &ours, &fault);
	json_t *theirs =
	    json_loadb(bytes, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (r == 0 && theirs != NULL) {
		agrees(&ours, theirs);
		compact_agrees(&ours, theirs);
	} else if (r == 0) {
		must(is_beyond_jansson(bytes, size, &why));
	} else {
		must(fault.at <= size);
		must(theirs == NULL || is_beyond_us(bytes, size, &fault));
	}
	json_decref(theirs);
	return 0;
}
