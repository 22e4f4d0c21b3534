// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fixture_tool SOCKET xdp|shim VERSION DEV=MUX...
 *
 * Sends the table of fixtures through the software modem (its command `inject`), compares the
 * packets that arrive at the ports, and prints the expected counters as JSON.
 *
 * A transfer with one good packet behind each fixture shows when the fixture has been handled.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fixture_check.h"
#include "shim_test.h"

#define WAIT_MS 60000
#define SHORT	14 /* usbnet drops shorter transfers (usbnet.c, rx_process()) */

struct tool {
	FILE *modem;
	int version;
	unsigned int sent, too_short;
	struct fixture_check check;
};

static FILE *connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (!f || connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		err(EXIT_FAILURE, "%s", path);
	return f;
}

static void inject(FILE *modem, const struct fixture *f)
{
	char answer[256];
	uint32_t i;

	fputs("inject hex=", modem);
	for (i = 0; i < f->size; i++)
		fprintf(modem, "%02x", f->bytes[i]);
	putc('\n', modem);
	fflush(modem);
	if (!fgets(answer, sizeof(answer), modem) || strstr(answer, "error"))
		errx(EXIT_FAILURE, "%s: the modem does not inject it", f->name);
}

static int one(struct tool *t, const struct fixture *f)
{
	struct fixture *last = fixture_uniform(t->version, 1, 40);
	int ret = 0;

	inject(t->modem, f);
	inject(t->modem, last);
	t->sent++;
	if (f->size < SHORT) {
		t->too_short++;
	} else {
		fixture_expect(&t->check, f);
		ret = fixture_packets(&t->check, f, WAIT_MS);
	}
	fixture_expect(&t->check, last);
	ret = ret || fixture_packets(&t->check, last, WAIT_MS) ||
	      fixture_nothing_more(&t->check, f);
	fixture_free(&last);
	return ret;
}

static int table(struct tool *t)
{
	unsigned int row, i;
	struct fixture *f;
	int ret = 0;

	for (row = 0; !ret && row < fixture_rows(); row++) {
		for (i = 0; !ret && (f = fixture_new(row, i)); i++) {
			if (f->version == t->version)
				ret = one(t, f);
			fixture_free(&f);
		}
	}
	return ret;
}

static void print_drops(const __u64 *drops)
{
	static const char *const names[QMAP_DROP_MAX] = {
#define X(sym, name, text) [QMAP_DROP_##sym] = name,
		QMAP_DROP_REASONS(X)
#undef X
	};
	const char *comma = "";
	unsigned int i;

	printf("\"drops\":{");
	for (i = 0; i < QMAP_DROP_MAX; i++) {
		printf("%s\"%s\":%llu", comma, names[i], drops[i]);
		comma = ",";
	}
	printf("},");
}

static void print_ports(const struct qmap_port_stats *ports)
{
	unsigned int i;

	printf("\"ports\":[");
	for (i = 0; i < fixture_mux_count; i++) {
		const struct qmap_port_stats *s = &ports[fixture_muxes[i]];

		printf("%s{\"mux\":%u,\"rx_packets\":%llu,\"rx_bytes\":%llu,\"rx_csum_ok\":%llu,"
		       "\"rx_csum_none\":%llu,\"rx_dropped\":%llu,\"commands\":%llu}",
		       i ? "," : "", fixture_muxes[i], s->rx_packets, s->rx_bytes, s->rx_csum_ok,
		       s->rx_csum_none, s->rx_dropped, s->commands);
	}
	printf("],");
}

static bool has_port(unsigned int mux)
{
	return memchr(fixture_muxes, mux, fixture_mux_count);
}

static void print_unknown(const struct qmap_port_stats *ports)
{
	const char *comma = "";
	unsigned int mux;

	printf("\"unknown\":[");
	for (mux = 0; mux < QMAP_MAX_MUX; mux++) {
		if (has_port(mux) || !ports[mux].rx_dropped)
			continue;
		printf("%s{\"mux\":%u,\"rx_dropped\":%llu}", comma, mux, ports[mux].rx_dropped);
		comma = ",";
	}
	printf("]}\n");
}

static void print_expected(const struct tool *t)
{
	const struct qmap_trunk_stats *ts = &t->check.expected.trunk;

	printf("{\"sent\":%u,\"too_short\":%u,\"aggregates\":%llu,\"bytes\":%llu,\"frames\":%llu,"
	       "\"commands\":%llu,",
	       t->sent, t->too_short, ts->aggregates, ts->bytes, ts->frames, ts->commands);
	print_drops(ts->drops);
	print_ports(t->check.expected.port);
	print_unknown(t->check.expected.port);
}

static int open_taps(struct tool *t, int n, char **ports)
{
	for (; n; n--, ports++) {
		char *equals = strchr(*ports, '=');

		if (!equals)
			errx(EXIT_FAILURE, "%s: DEV=MUX is wanted", *ports);
		*equals = 0;
		if (fixture_tap(&t->check, strtoul(equals + 1, NULL, 0), *ports))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct tool t = {0};
	int ret;

	if (argc < 5)
		errx(EXIT_FAILURE, "usage: fixture_tool SOCKET xdp|shim VERSION DEV=MUX...");
	t.modem = connect_to(argv[1]);
	t.version = atoi(argv[3]);
	fixture_check_init(&t.check, strcmp(argv[2], "shim") ? FIXTURE_XDP : FIXTURE_SHIM);
	ret = open_taps(&t, argc - 4, argv + 4) || table(&t);
	if (!ret)
		print_expected(&t);
	fixture_check_close(&t.check);
	fclose(t.modem);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
