// SPDX-License-Identifier: GPL-2.0-or-later
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "array.h"

/*
 * Errnos that the kernel, sockets and this program return. glibc has strerrorname_np(), musl has
 * not.
 */
#define ERRNO_LIST(X)                                                                              \
	X(E2BIG)                                                                                   \
	X(EACCES)                                                                                  \
	X(EADDRINUSE)                                                                              \
	X(EADDRNOTAVAIL)                                                                           \
	X(EAFNOSUPPORT)                                                                            \
	X(EAGAIN)                                                                                  \
	X(EALREADY)                                                                                \
	X(EBADF)                                                                                   \
	X(EBADMSG)                                                                                 \
	X(EBUSY)                                                                                   \
	X(ECANCELED)                                                                               \
	X(ECONNABORTED)                                                                            \
	X(ECONNREFUSED)                                                                            \
	X(ECONNRESET)                                                                              \
	X(EEXIST)                                                                                  \
	X(EFAULT)                                                                                  \
	X(EFBIG)                                                                                   \
	X(EHOSTUNREACH)                                                                            \
	X(EINPROGRESS)                                                                             \
	X(EINTR)                                                                                   \
	X(EINVAL)                                                                                  \
	X(EIO)                                                                                     \
	X(EISCONN)                                                                                 \
	X(EISDIR)                                                                                  \
	X(ELOOP)                                                                                   \
	X(EMFILE)                                                                                  \
	X(EMSGSIZE)                                                                                \
	X(ENAMETOOLONG)                                                                            \
	X(ENETDOWN)                                                                                \
	X(ENETRESET)                                                                               \
	X(ENETUNREACH)                                                                             \
	X(ENFILE)                                                                                  \
	X(ENOBUFS)                                                                                 \
	X(ENODATA)                                                                                 \
	X(ENODEV)                                                                                  \
	X(ENOENT)                                                                                  \
	X(ENOEXEC)                                                                                 \
	X(ENOLINK)                                                                                 \
	X(ENOMEM)                                                                                  \
	X(ENOSPC)                                                                                  \
	X(ENOSYS)                                                                                  \
	X(ENOTCONN)                                                                                \
	X(ENOTDIR)                                                                                 \
	X(ENOTEMPTY)                                                                               \
	X(ENOTSOCK)                                                                                \
	X(ENOTTY)                                                                                  \
	X(ENOTUNIQ)                                                                                \
	X(ENXIO)                                                                                   \
	X(EOPNOTSUPP)                                                                              \
	X(EOVERFLOW)                                                                               \
	X(EPERM)                                                                                   \
	X(EPIPE)                                                                                   \
	X(EPROTO)                                                                                  \
	X(EPROTONOSUPPORT)                                                                         \
	X(EPROTOTYPE)                                                                              \
	X(ERANGE)                                                                                  \
	X(EREMOTEIO)                                                                               \
	X(EROFS)                                                                                   \
	X(ESHUTDOWN)                                                                               \
	X(ESRCH)                                                                                   \
	X(ESTALE)                                                                                  \
	X(ETIME)                                                                                   \
	X(ETIMEDOUT)                                                                               \
	X(ETXTBSY)                                                                                 \
	X(EXDEV)

static const struct {
	int number;
	const char *symbol;
} errnos[] = {
#define X(e) {e, #e},
	ERRNO_LIST(X)
#undef X
};

const char *error_symbol(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (errnos[i].number == -err)
			return errnos[i].symbol;
	}
	return "EUNKNOWN";
}

int error_number(const char *symbol)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (!strcmp(errnos[i].symbol, symbol))
			return -errnos[i].number;
	}
	return 0;
}

static enum exit_code exit_for(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return EXIT_PERMISSION;
	case ENODEV:
	case ENOENT:
		return EXIT_NO_DEVICE;
	case EOPNOTSUPP:
		return EXIT_UNSUPPORTED;
	case EINVAL:
		return EXIT_USAGE;
	default:
		return EXIT_REFUSED;
	}
}

int error_set(struct error *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->err)
		return err;
	e->err = err;
	e->exit = exit_for(err);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return err;
}

void error_hint(struct error *e, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->hint[0])
		return;
	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
}

void error_exit(struct error *e, enum exit_code code)
{
	if (e)
		e->exit = code;
}

int error_pass(struct error *e, const struct error *cause)
{
	if (e && !e->err)
		*e = *cause;
	return cause->err;
}
