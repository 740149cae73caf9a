/*
 * exit_status - the exit status of what went wrong with a data directory.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/exit_status.h"

#include <errno.h>
#include <sysexits.h>

int
exit_status_of_store(int code)
{
	switch (code) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOENT:
	case ENOTDIR:
		return EX_CANTCREAT;
	case ENOMEM:
		return EX_OSERR;
	default:
		return EX_IOERR;
	}
}
