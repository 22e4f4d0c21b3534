// SPDX-License-Identifier: GPL-2.0-or-later
/* `qmapctl top`: rates, again and again, on the whole terminal. */
#include <curses.h>
#include <errno.h>
#include <json-c/json.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "output/top.h"
#include "util/printable.h"

struct top {
	struct cli *cli;
	const char *dev;
	struct json_object *show, *stats, *before;
	struct timespec at, before_at; /* of the numbers */
	struct timespec tried;	       /* the last attempt */
	struct error err;	       /* of it; the numbers are then those before */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = 1;
}

static double seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) + (double)(b->tv_nsec - a->tv_nsec) / 1e9;
}

static int sample(struct top *t)
{
	struct json_object *show = NULL, *stats = NULL;

	memset(&t->err, 0, sizeof(t->err));
	clock_gettime(CLOCK_MONOTONIC, &t->tried);
	if (cli_show_and_stats(t->cli, t->dev, &show, &stats, &t->err)) {
		json_object_put(show);
		return t->err.err;
	}
	printable_json(show);
	json_object_put(t->show);
	json_object_put(t->before);
	t->before = t->stats;
	t->before_at = t->at;
	t->show = show;
	t->stats = stats;
	clock_gettime(CLOCK_MONOTONIC, &t->tried);
	t->at = t->tried;
	return 0;
}

/* New memory; NULL: there is none. */
static char *text_of(const struct top *t)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (t->err.err)
		fprintf(f, "%s\n\n", t->err.text);
	else if (!json_object_array_length(t->show))
		fputs("Nothing is attached.\n", f);
	output_top(f, t->show, t->before, t->stats,
		   t->before ? seconds_between(&t->before_at, &t->at) : 0);
	fclose(f);
	return text;
}

/* curses reads the size before it handles SIGWINCH: a change in between stays unnoticed. */
static void take_size(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col &&
	    is_term_resized(size.ws_row, size.ws_col))
		resizeterm(size.ws_row, size.ws_col);
}

static void draw(const struct top *t)
{
	char *text = text_of(t), *rest = text, *line, now[32] = "";
	time_t clock = time(NULL);
	int row = 0;

	take_size();
	strftime(now, sizeof(now), "%H:%M:%S", localtime(&clock));
	erase();
	attron(A_REVERSE);
	mvprintw(row++, 0, "%-*.*s", COLS, COLS, "");
	mvprintw(0, 0, "%.*s", COLS, "qmapctl top");
	mvprintw(0, COLS > 40 ? COLS - 24 : 14, "%.*s", COLS > 15 ? COLS - 14 : 0, now);
	if (COLS > 40)
		mvprintw(0, COLS - 9, "q: quit");
	attroff(A_REVERSE);
	while (rest && row < LINES && (line = strsep(&rest, "\n")))
		mvaddnstr(row++, 0, line, COLS);
	refresh();
	free(text);
}

/* Reads keys until the next sample is due. False: the user has had enough. */
static bool wait_for_key(const struct top *t, double seconds)
{
	struct timespec now;
	double left;

	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = seconds - seconds_between(&t->tried, &now);
		timeout(left > 0 ? (int)(left * 1000) + 1 : 0);
		switch (getch()) {
		case 'q':
		case 'Q':
			return false;
		case KEY_RESIZE:
			draw(t);
			break;
		}
	} while (left > 0 && !interrupted);
	return !interrupted;
}

static void loop(struct top *t, unsigned int interval)
{
	do {
		draw(t);
		if (!wait_for_key(t, interval))
			break;
		sample(t);
	} while (true);
}

int cli_top(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct top t = {.cli = cli};
	struct sigaction action = {.sa_handler = on_signal};
	int ret = cli_optional_dev(argc, argv, &t.dev, err);

	if (ret)
		return ret;
	if (cli->output.json || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		error_set(err, -EINVAL, "top needs a terminal, and prints no JSON");
		error_hint(err, "`qmapctl stats` and `qmapctl metrics` are for programs");
		return -EINVAL;
	}
	if (sample(&t))
		return error_pass(err, &t.err);
	setlocale(LC_CTYPE, "");
	if (!newterm(NULL, stdout, stdin))
		return error_set(err, -EOPNOTSUPP, "the terminal $TERM is not known here");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	cbreak();
	noecho();
	curs_set(0);
	loop(&t, cli->interval ? cli->interval : 1);
	endwin();
	json_object_put(t.show);
	json_object_put(t.stats);
	json_object_put(t.before);
	return 0;
}
