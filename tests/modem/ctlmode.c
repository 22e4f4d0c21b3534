// SPDX-License-Identifier: GPL-2.0-or-later
/* `qmap-modem ctl`: sends one command to a running modem and prints its answer. */
#include "listener.h"
#include "options.h"
#include "util.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_COMMAND 65536

static size_t join(char *line, int argc, char **argv)
{
	size_t len = 0;

	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (len + n + 2 > MAX_COMMAND)
			errx(EXIT_FAILURE, "the command is too long");
		memcpy(line + len, argv[i], n);
		len += n;
		line[len++] = i + 1 < argc ? ' ' : '\n';
	}
	return len;
}

/* The answer is one line of JSON; "error" at its start means that the command failed. */
static int print_answer(int fd)
{
	static const char failed[] = "{ \"error\"";
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	int status;

	if (!f)
		err(EXIT_FAILURE, "fdopen");
	if (getline(&line, &size, f) < 0)
		errx(EXIT_FAILURE, "the modem went away without an answer");
	status = strncmp(line, failed, sizeof(failed) - 1) ? EXIT_SUCCESS : EXIT_FAILURE;
	fputs(line, stdout);
	free(line);
	fclose(f);
	return status;
}

int ctl_main(int argc, char **argv)
{
	static char line[MAX_COMMAND];
	size_t len, done = 0;
	int fd;

	if (argc < 3)
		errx(EXIT_FAILURE, "usage: qmap-modem ctl PATH COMMAND...");
	len = join(line, argc - 2, argv + 2);
	fd = listener_connect(argv[1]);
	if (fd < 0)
		errx(EXIT_FAILURE, "%s: %s", argv[1], strerror(-fd));
	while (done < len) {
		ssize_t n = send(fd, line + done, len - done, MSG_NOSIGNAL);

		if (n < 0)
			err(EXIT_FAILURE, "%s", argv[1]);
		done += n;
	}
	return print_answer(fd);
}
