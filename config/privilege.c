/*
 * privilege - what this process may do, by capabilities(7).
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

bool
privilege_has(unsigned cap)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
		0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return false;
	return (data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap)) != 0;
}

bool
privilege_read_only_trees(void)
{
#ifdef SYS_mount_setattr
	return syscall(SYS_mount_setattr, -1, "", 0, NULL, (size_t)0) < 0 &&
	    errno != ENOSYS;
#else
	return false;
#endif
}

bool
privilege_process_namespaces(void)
{
	return access("/proc/thread-self/ns/pid_for_children", F_OK) == 0;
}

bool
privilege_service_manager(void)
{
	return faccessat(AT_FDCWD, "/run/systemd/system/", F_OK,
		   AT_SYMLINK_NOFOLLOW) == 0;
}
