/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct error carries a failure from its origin to the user. */
#ifndef QMAP_ERROR_H
#define QMAP_ERROR_H

/* Exit codes of qmapctl, documented in qmapctl(8). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_USAGE = 1,	      /* the command line is wrong */
	EXIT_REFUSED = 2,     /* the kernel, the modem or the daemon refused */
	EXIT_UNSUPPORTED = 3, /* this machine cannot do it */
	EXIT_NO_DEVICE = 4,   /* no such device, or not attached */
	EXIT_PERMISSION = 5,
};

struct error {
	int err;	     /* negative errno, 0: no error */
	enum exit_code exit; /* exit code of qmapctl */
	char text[512];	     /* one sentence: the cause */
	char hint[256];	     /* one sentence: the next step; may be empty */
};

/*
 * Fills in @e (may be NULL) and returns @err, so that `return error_set(...)` reads well. The exit
 * code follows from the errno (EPERM, EACCES: permission; ENODEV, ENOENT: no device; EOPNOTSUPP:
 * unsupported; EINVAL: usage; else refused) until error_exit() sets another. The first cause wins:
 * a set error is not overwritten.
 */
int error_set(struct error *e, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void error_hint(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void error_exit(struct error *e, enum exit_code code);

/*
 * Passes the error of an inner call on, unless @e (may be NULL) is set already. Returns
 * cause->err.
 */
int error_pass(struct error *e, const struct error *cause);

/* "ENODEV" for -ENODEV; "EUNKNOWN" for a number without a name. */
const char *error_symbol(int err);

/* The reverse: -ENODEV for "ENODEV", 0 for an unknown symbol. */
int error_number(const char *symbol);

#endif
