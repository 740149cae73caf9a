/*
 * replay - a fuzz target over files that are given by name.
 *
 * Stands in for libFuzzer's main, so that `make test` can run every corpus
 * with any compiler. Names each file before it is used: when the target
 * aborts, the last name is the culprit's.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20 };

/* Returns 0, or -1 when the file cannot be read or is too large. */
static int
replay_file(const char *name)
{
	FILE *f = fopen(name, "rb");
	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}

	int result = -1;
	uint8_t *data = malloc(FILE_MAX);
	if (data == NULL)
		goto close;
	size_t size = fread(data, 1, FILE_MAX, f);
	if (ferror(f) || size == FILE_MAX) {
		fprintf(stderr, "%s: cannot be read or is too large\n", name);
		goto release;
	}

	/* An exact-size copy lets a sanitizer see one byte too far. */
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		goto release;
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	result = 0;
release:
	free(data);
close:
	fclose(f);
	return result;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 64;
	}
	for (int i = 1; i < argc; i++) {
		fprintf(stderr, "%s\n", argv[i]);
		if (replay_file(argv[i]) < 0)
			return 1;
	}
	return 0;
}
