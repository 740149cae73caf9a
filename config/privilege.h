/*
 * privilege - what this process may do, by capabilities(7).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_PRIVILEGE_H
#define CONFIG_PRIVILEGE_H

#include <stdbool.h>

/* cap: CAP_SETUID and so on, of <linux/capability.h>. In doubt false. */
bool privilege_has(unsigned cap);

/* Whether the kernel can make a tree of mounts read-only (Linux 5.12). */
bool privilege_read_only_trees(void);

/* Whether the kernel has namespaces of processes, and /proc shows it. */
bool privilege_process_namespaces(void);

/* Whether systemd is this host's service manager, as sd_booted(3) finds out. */
bool privilege_service_manager(void);

#endif
