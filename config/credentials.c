/*
 * credentials - the directory of a service's credentials, where it can be seen
 * and where not.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/credentials.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Below what is no directory: whoever opens it after all is told so. */
#define ELSEWHERE "/dev/null/credentials"

const char *
credentials_lookup(const char *name)
{
	const char *value = getenv(name);

	if (strcmp(name, CREDENTIALS_VARIABLE) != 0 ||
	    (value != NULL && (access(value, X_OK) == 0 || errno != EACCES)))
		return value;
	return ELSEWHERE;
}

bool
credentials_are_elsewhere(const char *path)
{
	size_t n = sizeof ELSEWHERE - 1;

	return path != NULL && strncmp(path, ELSEWHERE, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0');
}
