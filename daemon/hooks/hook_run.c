// SPDX-License-Identifier: GPL-2.0-or-later
#include "hook_run.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/trusted.h"

/* of all trunks; a hook that hangs is killed long before there are so many */
#define MAX_QUEUED 256
#define MAX_LINE   512
#define MAX_LINES  200 /* lines of output per run: a hook must not fill the log */
#define MAX_READS  16  /* reads until a pipe is empty */
#define MAX_ENV	   32

/* Runs that are left get so much time when qmapd ends. */
#define LAST_MS 10000
#define LOOK_US 10000

struct run {
	TAILQ_ENTRY(run) entry;
	struct hook_runner *runner;
	char dev[IFNAMSIZ];
	char *program, *env;
	unsigned int seconds, lines;
	pid_t pid; /* 0: waiting for its turn */
	int fd;
	struct event *output, *deadline;
	struct evbuffer *said;
};

struct hook_runner {
	struct event_base *base;
	struct event *sigchld;
	unsigned int n;
	TAILQ_HEAD(runs, run) runs;
};

/* --- programs that root may trust --- */

static int check_program(int fd, const char *program, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_set(err, -errno, "cannot run %s: %s", program, strerror(errno));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))
		return error_set(err, -EACCES, "%s is not a program", program);
	return 0;
}

static int distrusted(int ret, const char *program, const struct error *why, struct error *err)
{
	if (ret == -EACCES)
		error_set(err, ret, "%s is not run: %s", program, why->text);
	else
		error_set(err, ret, "cannot run %s: %s", program, strerror(-ret));
	if (why->hint[0])
		error_hint(err, "%s", why->hint);
	return ret;
}

int hook_check(const char *program, char *real, struct error *err)
{
	struct error why = {0};
	int fd = trusted_open(program, real, &why), ret;

	if (fd < 0)
		return distrusted(fd, program, &why, err);
	ret = check_program(fd, program, err);
	close(fd);
	return ret;
}

static void warn_of_refused(const char *dev, const char *programs)
{
	char *copy = strdup(programs), *save = NULL, real[PATH_MAX];

	for (char *p = copy ? strtok_r(copy, " ", &save) : NULL; p;
	     p = strtok_r(NULL, " ", &save)) {
		struct error err = {0};

		if (hook_check(p, real, &err))
			log_warning("%s: hook: %s%s%s", dev, err.text, err.hint[0] ? "; " : "",
				    err.hint);
	}
	free(copy);
}

static void warn_without_hook(const char *dev, const struct config_pdn *p)
{
	if (p->lan[0])
		log_warning("%s: PDN %u: lan=%s does nothing without a hook, such as lan-radvd",
			    dev, p->number, p->lan);
	if (p->passthrough[0])
		log_warning("%s: PDN %u: passthrough=%s takes the address from the port, and no "
			    "hook brings it to the host; see passthrough-dnsmasq",
			    dev, p->number, p->passthrough);
}

void hook_warn(const struct config_trunk *config)
{
	warn_of_refused(config->dev, config->hook);
	for (unsigned int i = 0; i < config->npdns && !config->hook[0]; i++)
		warn_without_hook(config->dev, &config->pdns[i]);
}

/* --- one run --- */

static void run_free(struct run *r)
{
	TAILQ_REMOVE(&r->runner->runs, r, entry);
	r->runner->n--;
	if (r->output)
		event_free(r->output);
	if (r->deadline)
		event_free(r->deadline);
	if (r->said)
		evbuffer_free(r->said);
	if (r->fd >= 0)
		close(r->fd);
	free(r->program);
	free(r->env);
	free(r);
}

static void log_line(struct run *r, char *line)
{
	if (r->lines++ < MAX_LINES)
		log_info("%s: %s: %.*s", r->dev, r->program, MAX_LINE, line);
	else if (r->lines == MAX_LINES + 1)
		log_warning("%s: %s says too much: the rest is left out", r->dev, r->program);
}

static void log_output(struct run *r, bool all)
{
	char *line, rest[MAX_LINE + 1];
	int n;

	while ((line = evbuffer_readln(r->said, NULL, EVBUFFER_EOL_LF))) {
		log_line(r, line);
		free(line);
	}
	if (!all && evbuffer_get_length(r->said) < MAX_LINE)
		return;
	while ((n = evbuffer_remove(r->said, rest, MAX_LINE)) > 0) {
		rest[n] = '\0';
		log_line(r, rest);
	}
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	if (evbuffer_read(r->said, fd, 4096) > 0)
		log_output(r, false);
	else if (errno != EAGAIN)
		event_del(r->output);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	log_warning("%s: %s has not ended after %u s: it is killed", r->dev, r->program,
		    r->seconds);
	kill(-r->pid, SIGKILL);
}

/*
 * @real is the path that was checked; links in the configured path could have changed since. Starts
 * it in a process group of its own, with default signals and an empty standard input; closes all
 * our descriptors.
 */
static int spawn_to(struct run *r, const char *real, int fd)
{
	char *argv[] = {r->program, NULL}, *env[MAX_ENV + 1];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int ret;
	char *save = NULL, *line = strtok_r(r->env, "\n", &save);
	size_t n = 0;

	sigfillset(&all);
	sigemptyset(&none);
	for (; line && n < MAX_ENV; line = strtok_r(NULL, "\n", &save))
		env[n++] = line;
	env[n] = NULL;
	if (posix_spawn_file_actions_init(&files))
		return -ENOMEM;
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	ret = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
		      ?: posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO)
		      ?: posix_spawn_file_actions_adddup2(&files, fd, STDERR_FILENO)
		      ?: posix_spawn(&r->pid, real, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (ret)
		r->pid = 0;
	return -ret;
}

static int watch(struct run *r)
{
	struct event_base *base = r->runner->base;
	struct timeval limit = {.tv_sec = r->seconds};

	r->said = evbuffer_new();
	r->output = event_new(base, r->fd, EV_READ | EV_PERSIST, on_output, r);
	r->deadline = evtimer_new(base, on_deadline, r);
	if (!r->said || !r->output || !r->deadline || event_add(r->output, NULL) ||
	    event_add(r->deadline, &limit))
		return -ENOMEM;
	return 0;
}

static int start(struct run *r, struct error *err)
{
	char real[PATH_MAX];
	int fds[2], ret = hook_check(r->program, real, err);

	if (ret)
		return ret;
	if (pipe2(fds, O_CLOEXEC))
		return error_set(err, -errno, "cannot run %s: %s", r->program, strerror(errno));
	r->fd = fds[0];
	fcntl(r->fd, F_SETFL, O_NONBLOCK);
	ret = watch(r) ?: spawn_to(r, real, fds[1]);
	close(fds[1]);
	if (ret)
		return error_set(err, ret, "cannot run %s: %s", r->program, strerror(-ret));
	log_debug("%s: %s runs as process %d", r->dev, r->program, (int)r->pid);
	return 0;
}

/* --- all runs --- */

static bool is_first(const struct run *r)
{
	const struct run *p;

	TAILQ_FOREACH(p, &r->runner->runs, entry)
	{
		if (!strcmp(p->dev, r->dev))
			return p == r;
	}
	return false;
}

static void start_all(struct hook_runner *runner)
{
	struct run *r = TAILQ_FIRST(&runner->runs), *next;

	for (; r; r = next) {
		struct error err = {0};

		next = TAILQ_NEXT(r, entry);
		if (r->pid || !is_first(r) || !start(r, &err))
			continue;
		log_failure(r->dev, &err);
		run_free(r);
		next = TAILQ_FIRST(&runner->runs); /* it may be another run's turn now */
	}
}

static void ended(struct run *r, int status)
{
	for (int i = 0; i < MAX_READS && evbuffer_read(r->said, r->fd, 4096) > 0; i++)
		log_output(r, false);
	log_output(r, true);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		log_warning("%s: %s ended with status %d", r->dev, r->program, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		log_warning("%s: %s was ended by signal %d", r->dev, r->program, WTERMSIG(status));
	run_free(r);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
	struct hook_runner *runner = arg;
	struct run *r, *next;
	int status;

	for (r = TAILQ_FIRST(&runner->runs); r; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (r->pid && waitpid(r->pid, &status, WNOHANG) == r->pid)
			ended(r, status);
	}
	start_all(runner);
}

static struct run *run_new(const char *dev, const char *program, const char *env)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fd = -1;
	snprintf(r->dev, sizeof(r->dev), "%s", dev);
	r->program = strdup(program);
	r->env = strdup(env);
	if (r->program && r->env)
		return r;
	free(r->program);
	free(r->env);
	free(r);
	return NULL;
}

void hook_run(struct hook_runner *runner, const char *dev, const char *program, const char *env,
	      unsigned int seconds)
{
	struct run *r = runner->n < MAX_QUEUED ? run_new(dev, program, env) : NULL;

	if (!r) {
		log_error("%s: %s is not run: too many hooks are waiting", dev, program);
		return;
	}
	r->runner = runner;
	r->seconds = seconds;
	TAILQ_INSERT_TAIL(&runner->runs, r, entry);
	runner->n++;
	start_all(runner);
}

int hook_runner_new(struct hook_runner **out, struct event_base *base, struct error *err)
{
	struct hook_runner *r = calloc(1, sizeof(*r));

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	r->base = base;
	TAILQ_INIT(&r->runs);
	r->sigchld = evsignal_new(base, SIGCHLD, on_child, r);
	if (r->sigchld && !event_add(r->sigchld, NULL)) {
		*out = r;
		return 0;
	}
	hook_runner_free(&r);
	return error_set(err, -ENOMEM, "out of memory");
}

void hook_runner_finish(struct hook_runner *r)
{
	static const struct timeval look = {.tv_usec = LOOK_US};
	int64_t end = clock_ms() + LAST_MS;

	while (r->n && clock_ms() < end) {
		event_base_loopexit(r->base, &look);
		event_base_dispatch(r->base);
	}
	if (r->n)
		log_warning("%u runs of hooks have not ended: those that have not begun are lost",
			    r->n);
}

void hook_runner_free(struct hook_runner **rp)
{
	struct hook_runner *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	while (!TAILQ_EMPTY(&r->runs))
		run_free(TAILQ_FIRST(&r->runs));
	if (r->sigchld)
		event_free(r->sigchld);
	free(r);
}
