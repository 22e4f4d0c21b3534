// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded library: a kernel without TCX, as before Linux 6.6. bpf(2) refuses its attach types with EINVAL,
 * as kernels do that do not know them (kernel/bpf/syscall.c, bpf_prog_attach(), bpf_prog_query()).
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* BPF_TCX_INGRESS and BPF_TCX_EGRESS of Linux 6.6. */
#define FIRST 46
#define LAST  47

static int is_tcx(long command, const union bpf_attr *attr)
{
	if (command == BPF_PROG_ATTACH || command == BPF_PROG_DETACH)
		return attr->attach_type >= FIRST && attr->attach_type <= LAST;
	if (command == BPF_PROG_QUERY)
		return attr->query.attach_type >= FIRST && attr->query.attach_type <= LAST;
	return 0;
}

/* The wrapper of the C library takes as many arguments as any system call has. */
long syscall(long number, ...)
{
	static long (*next)(long, ...);
	long a[6];
	va_list ap;

	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (unsigned int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && is_tcx(a[0], (const union bpf_attr *)a[1])) {
		errno = EINVAL;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
