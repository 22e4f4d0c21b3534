// SPDX-License-Identifier: GPL-2.0-or-later
/* qmap-bench: measures, keeps results as JSON lines, compares them and makes a report of them. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "compare.h"
#include "machine.h"
#include "modem.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define EXIT_REGRESSION 1
#define EXIT_ERROR	2

#define QUICK_SCALE 0.02

static const struct bench bench_demo = {
	.name = "demo",
	.what = "TCP and UDP throughput of the set-up of `make demo`",
	.script = "demo.sh",
};

static const struct bench bench_system = {
	.name = "system",
	.what = "throughput, CPU, RTT, attach, reconnect, adoption, memory, wake-ups; four PDNs",
	.script = "system.sh",
};

static const struct bench *const benches[] = {&bench_programs, &bench_demo, &bench_system};

static const char usage[] =
	"usage: qmap-bench list\n"
	"       qmap-bench [-o FILE] [-r ROUNDS] [-c COMMIT] [-q] run [NAME...]\n"
	"       qmap-bench [-o FILE] [-r ROUNDS] [-c COMMIT] [-q] modem [OPTION]... DEV\n"
	"       qmap-bench [-o FILE] [-c COMMIT] add\n"
	"       qmap-bench [-s SIGMA] [-p PERCENT] [-a] [-j] compare BEFORE AFTER\n"
	"       qmap-bench [-o FILE.html] [-m FILE.md] report RESULTS...\n"
	"\n"
	"list     the levels of measurements\n"
	"run      measures: all levels, or those named; needs root\n"
	"modem    measures a trunk that qmapd has attached, with its own modem: `modem --help`\n"
	"add      keeps results that another program prints: reads them from standard input\n"
	"compare  exits with 1 if AFTER is worse than BEFORE, with 2 if they cannot be compared\n"
	"report   one HTML file with plots, and a Markdown table\n"
	"\n"
	"  -o FILE     run, modem, add: append results to FILE, one JSON object a line (default: "
	"none);\n"
	"              report: write FILE (default: report.html)\n"
	"  -m FILE     report: write the table to FILE (default: standard output)\n"
	"  -r ROUNDS   samples of each result (default: 15)\n"
	"  -c COMMIT   what is measured, for the record (default: unknown)\n"
	"  -q          quick: see that everything runs and no packet is lost; the numbers mean "
	"little\n"
	"  -s SIGMA    a change counts if it exceeds so many times the noise (default: 3) ...\n"
	"  -p PERCENT  ... and so many percent (default: 5)\n"
	"  -a          results that are missing from AFTER count as regressions\n"
	"  -j          JSON\n";

struct options {
	struct recorder recorder;
	struct compare_options compare;
	const char *file, *markdown;
	bool rounds_given;
};

/* ---- run ---- */

static void list(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(benches); i++)
		if (bench_is_here(benches[i]))
			printf("%-8s %s\n", benches[i]->name, benches[i]->what);
}

/* Runs in a child process, because a level enters namespaces of its own. */
static int run_level(const struct bench *b, const struct recorder *r)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		err(EXIT_ERROR, "fork");
	if (!pid)
		exit((b->script ? bench_run_script(b, r) : b->run(r)) ? EXIT_FAILURE
								      : EXIT_SUCCESS);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			err(EXIT_ERROR, "waitpid");
	return status;
}

static const struct bench *find(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(benches); i++)
		if (!strcmp(benches[i]->name, name)) {
			if (!bench_is_here(benches[i]))
				errx(EXIT_ERROR, "%s needs the source tree of qmap", name);
			return benches[i];
		}
	errx(EXIT_ERROR, "no such level: %s (see `qmap-bench list`)", name);
}

/* The levels named, or all. Returns their number. */
static int choose(const struct bench **chosen, char **names, int n)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		chosen[count++] = find(names[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(benches) && !n; i++)
		if (bench_is_here(benches[i]))
			chosen[count++] = benches[i];
	return count;
}

static int run(const struct recorder *r, char **names, int n)
{
	const struct bench *chosen[n + ARRAY_SIZE(benches)];
	int levels = choose(chosen, names, n), failed = 0;
	time_t start = time(NULL);

	if (geteuid())
		errx(EXIT_ERROR, "measuring needs root");
	for (int i = 0; i < levels; i++) {
		const struct bench *b = chosen[i];

		printf("\n[%d of %d, %ld s] %s: %s\n", i + 1, levels, (long)(time(NULL) - start),
		       b->name, b->what);
		record_heading();
		if (run_level(b, r)) {
			warnx("%s has failed", b->name);
			failed = 1;
		}
	}
	return failed;
}

static int add(const struct recorder *r)
{
	record_heading();
	return record_add_stream(r, stdin) ? EXIT_ERROR : EXIT_SUCCESS;
}

static void open_results(struct options *o)
{
	o->recorder.file = o->file ?: "/dev/null";
	o->recorder.json = fopen(o->recorder.file, "ae");
	if (!o->recorder.json)
		err(EXIT_ERROR, "%s", o->recorder.file);
	o->recorder.machine = json_object_new_object();
	machine_describe(o->recorder.machine);
}

/* ---- compare, report ---- */

static int compare(const struct options *o, char **files, int n)
{
	struct comparison c;
	int ret;

	if (n != 2)
		return fputs(usage, stderr), EXIT_ERROR;
	if (compare_files(&c, files[0], files[1], &o->compare))
		return EXIT_ERROR;
	compare_print(&c, &o->compare, stdout);
	ret = c.regressions ? EXIT_REGRESSION : EXIT_SUCCESS;
	if (!c.common) {
		warnx("%s and %s have no result in common", files[0], files[1]);
		ret = EXIT_ERROR;
	}
	compare_free(&c);
	return ret;
}

static int report(const struct options *o, char **files, int n)
{
	char *argv[n + 7], path[PATH_MAX + 128];
	int c = 0;

	if (!n)
		return fputs(usage, stderr), EXIT_ERROR;
	snprintf(path, sizeof(path), "%s/report.py", bench_directory());
	argv[c++] = path;
	argv[c++] = (char *)"--html";
	argv[c++] = (char *)(o->file ?: "report.html");
	argv[c++] = (char *)"--markdown";
	argv[c++] = (char *)(o->markdown ?: "-");
	for (int i = 0; i < n; i++)
		argv[c++] = files[i];
	argv[c] = NULL;
	execv(path, argv);
	err(EXIT_ERROR, "%s", path);
}

/* ---- command line ---- */

static unsigned int parse_rounds(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < 1 || n > 1000)
		errx(EXIT_ERROR, "-r %s: a number from 1 to 1000 is wanted", text);
	return n;
}

static double parse_threshold(char option, const char *text)
{
	char *end;
	double d = strtod(text, &end);

	if (*end || end == text || !(d >= 0 && d < 1e6))
		errx(EXIT_ERROR, "-%c %s: a number from 0 is wanted", option, text);
	return d;
}

static void parse_option(struct options *o, int c)
{
	switch (c) {
	case 'o':
		o->file = optarg;
		break;
	case 'm':
		o->markdown = optarg;
		break;
	case 'r':
		o->recorder.rounds = parse_rounds(optarg);
		o->rounds_given = true;
		break;
	case 'c':
		o->recorder.commit = optarg;
		break;
	case 'q':
		o->recorder.scale = QUICK_SCALE;
		break;
	case 's':
		o->compare.sigma = parse_threshold('s', optarg);
		break;
	case 'p':
		o->compare.percent = parse_threshold('p', optarg);
		break;
	case 'a':
		o->compare.complete = true;
		break;
	case 'j':
		o->compare.json = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	default:
		fputs(usage, stderr);
		exit(EXIT_ERROR);
	}
}

static char *join(int argc, char **argv)
{
	size_t size = 1;
	char *line;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	line = calloc(1, size);
	if (!line)
		err(EXIT_ERROR, "command line");
	for (int i = 0; i < argc; i++) {
		strcat(line, i ? " " : "");
		strcat(line, argv[i]);
	}
	return line;
}

static int dispatch(struct options *o, const char *command, char **args, int n)
{
	if (!strcmp(command, "list"))
		return list(), EXIT_SUCCESS;
	if (!strcmp(command, "compare"))
		return compare(o, args, n);
	if (!strcmp(command, "report"))
		return report(o, args, n);
	if (!strcmp(command, "run"))
		return open_results(o), run(&o->recorder, args, n);
	if (!strcmp(command, "modem"))
		return open_results(o), bench_modem(&o->recorder, n + 1, args - 1);
	if (!strcmp(command, "add") && !n)
		return open_results(o), add(&o->recorder);
	return fputs(usage, stderr), EXIT_ERROR;
}

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
	struct options o = {
		.recorder = {.rounds = 15, .scale = 1, .commit = "unknown"},
		.compare = {.sigma = 3, .percent = 5},
	};
	int c;

	o.recorder.command = join(argc, argv);
	while ((c = getopt_long(argc, argv, "+o:m:r:c:qs:p:ajh", long_options, NULL)) != -1)
		parse_option(&o, c);
	if (o.recorder.scale < 1 && !o.rounds_given)
		o.recorder.rounds = 1;
	if (optind == argc)
		return fputs(usage, stderr), EXIT_ERROR;
	return dispatch(&o, argv[optind], argv + optind + 1, argc - optind - 1);
}
