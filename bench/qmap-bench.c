// SPDX-License-Identifier: GPL-2.0-or-later
/* qmap-bench: measures, prints a table, appends JSON lines. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "machine.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct bench *const benches[] = {&bench_split, &bench_path};

static const char usage[] =
	"usage: qmap-bench [-o FILE] [-r ROUNDS] [-c COMMIT] list | run [NAME...]\n"
	"  -o FILE     append results to FILE, one JSON object a line (default: /dev/null)\n"
	"  -r ROUNDS   samples of each result (default: 15)\n"
	"  -c COMMIT   what is measured, for the record (default: unknown)\n"
	"`run` without names runs all that `list` lists. Needs root.\n";

static void list(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(benches); i++)
		printf("%-8s %s\n", benches[i]->name, benches[i]->what);
}

/* In a child: a level takes itself to namespaces of its own. */
static int run(const struct bench *b, const struct report *r)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (!pid)
		exit(b->run(r) ? EXIT_FAILURE : EXIT_SUCCESS);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(EXIT_FAILURE, "waitpid");
	return status;
}

static const struct bench *find(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(benches); i++)
		if (!strcmp(benches[i]->name, name))
			return benches[i];
	errx(EXIT_FAILURE, "no such level: %s (see `qmap-bench list`)", name);
}

static int run_all(const struct report *r, char **names, int n)
{
	int failed = 0;

	for (int i = 0; i < n; i++)
		find(names[i]);
	printf("%-34s %9s %9s %7s %-10s %s\n", "NAME", "MEDIAN", "MIN", "SPREAD", "UNIT", "TARGET");
	for (int i = 0; i < n; i++)
		failed |= run(find(names[i]), r);
	for (unsigned int i = 0; !n && i < ARRAY_SIZE(benches); i++)
		failed |= run(benches[i], r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static unsigned int parse_rounds(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < 1 || n > 1000)
		errx(EXIT_FAILURE, "-r %s: a number from 1 to 1000 is wanted", text);
	return n;
}

int main(int argc, char **argv)
{
	struct report r = {.rounds = 15, .commit = "unknown"};
	const char *file = "/dev/null";
	int c;

	while ((c = getopt(argc, argv, "o:r:c:h")) != -1) {
		if (c == 'o')
			file = optarg;
		else if (c == 'r')
			r.rounds = parse_rounds(optarg);
		else if (c == 'c')
			r.commit = optarg;
		else
			return fputs(usage, c == 'h' ? stdout : stderr), c != 'h';
	}
	if (optind < argc && !strcmp(argv[optind], "list"))
		return list(), EXIT_SUCCESS;
	if (optind == argc || strcmp(argv[optind], "run"))
		return fputs(usage, stderr), EXIT_FAILURE;
	if (geteuid())
		errx(EXIT_FAILURE, "needs root: sudo make bench");
	r.json = fopen(file, "ae");
	if (!r.json)
		err(EXIT_FAILURE, "%s", file);
	r.machine = json_object_new_object();
	machine_describe(r.machine);
	return run_all(&r, argv + optind + 1, argc - optind - 1);
}
