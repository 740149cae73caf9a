/*
 * exit - in the build that counts lines, a child's _exit(2) keeps its counts.
 *
 * gcc writes what a process has counted when it ends by exit(3), and before
 * fork and exec, which it replaces by its own functions; _exit(2) it leaves
 * alone. Linked in by `make coverage` alone, with --wrap=_exit.
 *
 * execve(2) must stay the system's there (-fno-builtin-execve): the child of
 * handlers/spawn shares its memory with us, and gcc's execve would mark our
 * counts as written.
 *
 * SPDX-License-Identifier: ISC
 */
/* <gcov.h> is found by gcc alone. */
void __gcov_dump(void);

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void
__wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
