// SPDX-License-Identifier: GPL-2.0-or-later
/* Levels that are scripts: measurements of qmap as a whole. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* In the source tree, and installed. */
static const char *const directories[] = {"/../bench", "/../libexec/qmap-bench"};

static const char *find_directory(void)
{
	static char path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *end;

	if (n < 0)
		return "bench";
	path[n] = 0;
	end = strrchr(path, '/');
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(end, 64, "%s/report.py", directories[i]);
		n = strlen(path) - strlen("/report.py");
		if (!access(path, X_OK))
			break;
	}
	path[n] = 0;
	return path;
}

const char *bench_directory(void)
{
	static const char *found;

	if (!found)
		found = find_directory();
	return found;
}

bool bench_is_here(const struct bench *b)
{
	char path[PATH_MAX + 128];

	if (!b->script)
		return true;
	snprintf(path, sizeof(path), "%s/%s", bench_directory(), b->script);
	return !access(path, X_OK);
}

static void child(const struct bench *b, const struct recorder *r, int out)
{
	char path[PATH_MAX + 128], number[32];

	snprintf(path, sizeof(path), "%s/%s", bench_directory(), b->script);
	snprintf(number, sizeof(number), "%u", r->rounds);
	setenv("ROUNDS", number, 1);
	snprintf(number, sizeof(number), "%g", r->scale);
	setenv("SCALE", number, 1);
	dup2(out, STDOUT_FILENO);
	execl(path, path, NULL);
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

int bench_run_script(const struct bench *b, const struct recorder *r)
{
	int fds[2], status, ret;
	FILE *in;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		child(b, r, fds[1]);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	if (pid < 0 || !in)
		return -errno;
	ret = record_add_stream(r, in);
	fclose(in);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return ret ?: WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}
