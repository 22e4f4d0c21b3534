// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Throughput of a real or software modem's trunk, and its cost to this machine. The modem loops
 * packets back, or a server behind the network answers; data paths are measured in turn, round by
 * round.
 */
#include "modem.h"

#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cpu.h"
#include "daemon/util/json_get.h"
#include "echo.h"
#include "iperf.h"
#include "loopback.h"
#include "modem_trunk.h"

#define MAX_PATHS  8
#define MAX_ROUNDS 1000

/* X(symbol, name, unit, method, better, how) */
#define METRICS(X)                                                                                 \
	X(DOWN, "down", "Mbit/s", METHOD_WALL, "higher", "IP packets that came out of the ports")  \
	X(DOWN_PACKETS, "down_packets", "packets/s", METHOD_WALL, "higher", "the same, counted")   \
	X(UP, "up", "Mbit/s", METHOD_WALL, "higher", "IP packets that went into the ports")        \
	X(GOODPUT, "goodput", "Mbit/s", METHOD_WALL, "higher", "payload, as iperf3 has it")        \
	X(CPU, "cpu_per_gbit", "ms/s per Gbit/s", METHOD_CPU_TIME, "lower",                        \
	  "busy time of all CPUs, whatever made them busy, by traffic of both directions")         \
	X(OWN, "generator", "ms/s per Gbit/s", METHOD_CPU_TIME, "lower",                           \
	  "part of cpu_per_gbit that generator and sink, or iperf3, have used")                    \
	X(SOFTIRQ, "softirq", "ms/s per Gbit/s", METHOD_CPU_TIME, "lower",                         \
	  "part of cpu_per_gbit that was spent in soft interrupts")                                \
	X(NET_SOFTIRQS, "net_softirqs", "per s", METHOD_WALL, "lower", "NET_RX and NET_TX")        \
	X(AGGREGATES, "aggregates", "per s", METHOD_WALL, "lower", "downlink transfers")           \
	X(FRAMES, "frames_per_aggregate", "frames", METHOD_WALL, "higher", "downlink")             \
	X(DROPPED, "dropped", "packets", METHOD_WALL, "lower", "frames dropped under a reason")

enum metric {
#define X(symbol, ...) symbol,
	METRICS(X)
#undef X
	N_METRICS
};

static const struct {
	const char *name, *unit, *method, *better, *how;
} metrics[] = {
#define X(symbol, ...) {__VA_ARGS__},
	METRICS(X)
#undef X
};

enum test {
	LOOPBACK,
	TCP_DOWN,
	TCP_UP,
	N_TESTS
};

static const char *const test_names[] = {"loopback", "tcp_down", "tcp_up"};

/* All samples of one test with one data path. */
struct series {
	double *samples[N_METRICS];
	unsigned int n;
	uint64_t sent, lost;
	struct cpu_times cpu;	   /* of all rounds */
	struct json_object *drops; /* of all rounds */
};

struct measurement {
	const struct recorder *r;
	const char *socket, *dev, *server;
	const char *paths[MAX_PATHS]; /* NULL: the data path in use */
	unsigned int npaths;
	struct echo_options echo;
	unsigned int size; /* 0: the MTU */
	struct modem_trunk trunk;
	struct series series[MAX_PATHS][N_TESTS];
	const char *names[MAX_PATHS]; /* names of the data paths after attaching */
	bool gone[MAX_PATHS];	      /* not available on this machine */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

/* --- one sample --- */

struct sample {
	double seconds, goodput, own;
	struct echo_counts echo;
	struct modem_counters counters;
	struct cpu_times cpu;
};

/* CPU seconds of this process and of children that it has waited for. */
static double own_seconds(void)
{
	static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	double sum = 0;

	for (unsigned int i = 0; i < 2; i++) {
		struct rusage u;

		getrusage(whose[i], &u);
		sum += u.ru_utime.tv_sec + u.ru_stime.tv_sec +
		       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

static int load_loopback(struct measurement *m, struct sample *s)
{
	struct echo_options *o = &m->echo;
	struct loopback *l = NULL;
	struct error err = {0};
	int ret = loopback_on(&l, json_get_string(m->trunk.show, "control") ?: "", o->factor, &err);

	if (ret) {
		fprintf(stderr, "no loopback: %s\n", err.text);
		if (!m->server)
			fputs("--server HOST measures with iperf3 instead\n", stderr);
		return ret;
	}
	ret = echo_run(o, &s->echo);
	loopback_off(&l);
	s->seconds = s->echo.seconds;
	return ret;
}

static int load_tcp(struct measurement *m, enum test test, struct sample *s)
{
	const struct iperf_options o = {.server = m->server,
					.source = modem_trunk_address(&m->trunk) ?: "0.0.0.0",
					.seconds = m->echo.seconds,
					.download = test == TCP_DOWN};
	struct iperf_result res;
	int ret = iperf_run(&o, &res);

	if (!ret) {
		s->seconds = res.seconds;
		s->goodput = res.bits / 1e6 / res.seconds;
	}
	return ret;
}

static int measure(struct measurement *m, enum test test, struct sample *s, struct error *err)
{
	struct modem_counters before;
	struct cpu_times cpu;
	int ret = modem_trunk_counters(&m->trunk, &before, err) ?: cpu_read(&cpu);

	s->own = own_seconds();
	if (!ret)
		ret = test == LOOPBACK ? load_loopback(m, s) : load_tcp(m, test, s);
	s->own = own_seconds() - s->own;
	if (!ret)
		ret = cpu_read(&s->cpu) ?: modem_trunk_counters(&m->trunk, &s->counters, err);
	if (!ret) {
		cpu_since(&s->cpu, &cpu);
		modem_counters_since(&s->counters, &before);
	}
	modem_counters_free(&before);
	return ret;
}

/* --- recording --- */

static double net_softirqs(const struct cpu_times *t)
{
	double sum = 0;

	for (unsigned int i = 0; i < t->n; i++)
		sum += t->net_softirqs[i];
	return sum;
}

static void reckon(const struct sample *s, double v[N_METRICS])
{
	const struct modem_counters *c = &s->counters;
	double gbit = (c->rx_bytes + c->tx_bytes) * 8 / 1e9, per_gbit = gbit > 0 ? 1000 / gbit : 0;

	v[DOWN] = c->rx_bytes * 8 / 1e6 / s->seconds;
	v[DOWN_PACKETS] = c->rx_packets / s->seconds;
	v[UP] = c->tx_bytes * 8 / 1e6 / s->seconds;
	v[GOODPUT] = s->goodput;
	v[CPU] = cpu_sum(s->cpu.busy, s->cpu.n) * per_gbit;
	v[OWN] = s->own * per_gbit;
	v[SOFTIRQ] = cpu_sum(s->cpu.softirq, s->cpu.n) * per_gbit;
	v[NET_SOFTIRQS] = net_softirqs(&s->cpu) / s->seconds;
	v[AGGREGATES] = c->aggregates / s->seconds;
	v[FRAMES] = c->aggregates ? (double)c->frames / c->aggregates : 0;
	v[DROPPED] = c->dropped;
}

static void add_cpu(struct series *to, const struct cpu_times *t)
{
	to->cpu.n = t->n;
	for (unsigned int i = 0; i < t->n; i++) {
		to->cpu.busy[i] += t->busy[i];
		to->cpu.softirq[i] += t->softirq[i];
	}
}

static void add_drops(struct series *to, struct json_object *drops)
{
	if (!to->drops)
		to->drops = json_object_new_object();
	json_object_object_foreach (drops, name, value) {
		int64_t n = json_get_int(to->drops, name) + json_object_get_int64(value);

		json_object_object_add(to->drops, name, json_object_new_int64(n));
	}
}

/* Number of packets missing without a drop counted. */
static uint64_t lost(const struct measurement *m, const struct sample *s)
{
	uint64_t expected = s->echo.sent * m->echo.factor;
	uint64_t known = s->echo.arrived + s->echo.unread + s->counters.dropped;

	return s->echo.bad + (expected > known + s->echo.bad ? expected - known - s->echo.bad : 0);
}

static int keep(struct measurement *m, struct series *to, const struct sample *s)
{
	double v[N_METRICS];

	reckon(s, v);
	for (int i = 0; i < N_METRICS; i++) {
		if (!to->samples[i])
			to->samples[i] = calloc(MAX_ROUNDS, sizeof(double));
		if (!to->samples[i])
			return -ENOMEM;
		to->samples[i][to->n] = v[i];
	}
	to->n++;
	to->sent += s->echo.sent;
	to->lost += lost(m, s);
	add_cpu(to, &s->cpu);
	add_drops(to, s->counters.drops);
	return 0;
}

/* --- rounds --- */

static int sample(struct measurement *m, unsigned int path, enum test test, struct error *err)
{
	struct sample s = {0};
	int ret = measure(m, test, &s, err);

	if (!ret && s.seconds > 0)
		ret = keep(m, &m->series[path][test], &s);
	modem_counters_free(&s.counters);
	return ret;
}

static int choose_size(struct measurement *m, struct error *err)
{
	unsigned int mtu;
	int ret = modem_trunk_ports(&m->trunk, &m->echo, &mtu, err);

	m->echo.size = m->size && m->size < mtu ? m->size : mtu;
	return ret;
}

static int use_path(struct measurement *m, unsigned int path, struct error *err)
{
	int ret = m->paths[path] ? modem_trunk_use(&m->trunk, m->paths[path], err) : 0;

	if (ret)
		return ret;
	if (!m->names[path])
		m->names[path] = strdup(json_get_string(m->trunk.show, "datapath") ?: "unknown");
	return choose_size(m, err);
}

static int all_tests(struct measurement *m, unsigned int path, struct error *err)
{
	int ret;

	if (!m->server)
		return sample(m, path, LOOPBACK, err);
	ret = sample(m, path, TCP_DOWN, err);
	return ret || stop ? ret : sample(m, path, TCP_UP, err);
}

static int round_of(struct measurement *m, struct error *err)
{
	unsigned int left = 0;
	int ret = 0;

	for (unsigned int i = 0; i < m->npaths && !ret && !stop; i++) {
		struct error why = {0};

		if (m->gone[i])
			continue;
		ret = use_path(m, i, &why);
		if (ret == -EOPNOTSUPP && m->npaths > 1) {
			fprintf(stderr, "SKIP %s: %s\n", m->paths[i], why.text);
			m->gone[i] = true;
			ret = 0;
			continue;
		}
		left++;
		ret = ret ? error_pass(err, &why) : all_tests(m, i, err);
	}
	return ret || left || stop ? ret : error_set(err, -EOPNOTSUPP, "no data path is left");
}

static int rounds(struct measurement *m, struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < m->r->rounds && !ret && !stop; i++) {
		fprintf(stderr, "round %u of %u\n", i + 1, m->r->rounds);
		ret = round_of(m, err);
	}
	return ret;
}

/* --- results --- */

static void add_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, text ? json_object_new_string(text) : NULL);
}

static struct json_object *array_of(const double *v, unsigned int n)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_double(v[i]));
	return a;
}

/* Adds properties of the modem and the data path. */
static void add_modem(const struct measurement *m, struct json_object *o, const char *path)
{
	static const char *const keys[] = {"model", "revision", "qmap", "dl_max_bytes"};
	struct json_object *v;

	add_text(o, "path", path);
	for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_object_get_ex(m->trunk.show, keys[i], &v))
			json_object_object_add(o, keys[i], json_object_get(v));
	json_object_object_add(o, "packet_bytes", json_object_new_int(m->echo.size));
	json_object_object_add(o, "ports", json_object_new_int(m->echo.nports));
}

static void add_detail(struct json_object *o, enum metric metric, struct series *s)
{
	if (metric == CPU)
		json_object_object_add(o, "cpu_seconds", array_of(s->cpu.busy, s->cpu.n));
	if (metric == SOFTIRQ)
		json_object_object_add(o, "cpu_seconds", array_of(s->cpu.softirq, s->cpu.n));
	if (metric == DROPPED)
		json_object_object_add(o, "drops", json_object_get(s->drops));
}

static void result(const struct measurement *m, unsigned int path, enum test test,
		   enum metric metric, struct series *s)
{
	struct json_object *o = json_object_new_object();
	char name[96];

	snprintf(name, sizeof(name), "modem.%s.%s.%s", m->names[path], test_names[test],
		 metrics[metric].name);
	add_text(o, "name", name);
	add_text(o, "unit", metrics[metric].unit);
	add_text(o, "method", metrics[metric].method);
	add_text(o, "better", metrics[metric].better);
	add_text(o, "how", metrics[metric].how);
	json_object_object_add(o, "samples", array_of(s->samples[metric], s->n));
	if (test == LOOPBACK) {
		json_object_object_add(o, "sent", json_object_new_int64(s->sent));
		json_object_object_add(o, "lost", json_object_new_int64(s->lost));
	}
	add_detail(o, metric, s);
	add_modem(m, o, m->names[path]);
	record_add_json(m->r, json_object_to_json_string(o));
	json_object_put(o);
}

static void results(struct measurement *m)
{
	record_heading();
	for (unsigned int p = 0; p < m->npaths; p++)
		for (int t = 0; t < N_TESTS; t++)
			for (int i = 0; m->series[p][t].n && i < N_METRICS; i++)
				if (i != GOODPUT || t != LOOPBACK)
					result(m, p, t, i, &m->series[p][t]);
}

static void free_all(struct measurement *m)
{
	for (unsigned int p = 0; p < m->npaths; p++) {
		for (int t = 0; t < N_TESTS; t++) {
			json_object_put(m->series[p][t].drops);
			for (int i = 0; i < N_METRICS; i++)
				free(m->series[p][t].samples[i]);
		}
		free((char *)m->names[p]);
	}
	modem_trunk_close(&m->trunk);
}

/* --- command line --- */

static const char usage[] =
	"usage: qmap-bench [-o FILE] [-r ROUNDS] [-c COMMIT] [-q] modem [OPTION]... DEV\n"
	"\n"
	"Measures DEV, which qmapd has attached, with its own modem: by the modem's WDA loopback, "
	"or,\n"
	"with --server, by iperf3 through the network.\n"
	"\n"
	"  --server HOST      where `iperf3 -s` runs; its TCP, down and up\n"
	"  --datapath A,B...  attach by each of these in turn: shim, xdp, rmnet, qmimux; dials "
	"again\n"
	"                     each time\n"
	"                     (default: as it is attached)\n"
	"  --seconds N        of load in a sample (default: 5)\n"
	"  --size BYTES       loopback: of an IP packet (default: the MTU)\n"
	"  --factor N         loopback: each packet comes back N times (default: 1)\n"
	"  --window N         loopback: packets on their way at once (default: 128)\n"
	"  --check            loopback: compare every byte\n"
	"  --socket PATH      of qmapd's control socket\n";

static unsigned long parse(const char *option, const char *text, unsigned long max)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || end == text || !v || v > max) {
		fprintf(stderr, "--%s %s: a number from 1 to %lu is wanted\n", option, text, max);
		exit(2);
	}
	return v;
}

static void parse_paths(struct measurement *m, char *list)
{
	m->npaths = 0;
	for (char *p = strtok(list, ","); p && m->npaths < MAX_PATHS; p = strtok(NULL, ","))
		m->paths[m->npaths++] = p;
}

static void parse_option(struct measurement *m, const char *name, char *value)
{
	if (!strcmp(name, "server"))
		m->server = value;
	else if (!strcmp(name, "datapath"))
		parse_paths(m, value);
	else if (!strcmp(name, "seconds"))
		m->echo.seconds = parse(name, value, 3600);
	else if (!strcmp(name, "size"))
		m->size = parse(name, value, 9000);
	else if (!strcmp(name, "factor"))
		m->echo.factor = parse(name, value, 16);
	else if (!strcmp(name, "window"))
		m->echo.window = parse(name, value, 65536);
	else if (!strcmp(name, "socket"))
		m->socket = value;
	else
		m->echo.check = true;
}

static const struct option options[] = {
	{"server", required_argument, NULL, 'x'},  {"datapath", required_argument, NULL, 'x'},
	{"seconds", required_argument, NULL, 'x'}, {"size", required_argument, NULL, 'x'},
	{"factor", required_argument, NULL, 'x'},  {"window", required_argument, NULL, 'x'},
	{"socket", required_argument, NULL, 'x'},  {"check", no_argument, NULL, 'x'},
	{"help", no_argument, NULL, 'h'},	   {0},
};

/* Returns 0, or 1 + an exit code. */
static int parse_all(struct measurement *m, int argc, char **argv)
{
	int c, index;

	optind = 0; /* glibc: start again, with other options */
	while ((c = getopt_long(argc, argv, "h", options, &index)) != -1) {
		if (c != 'x') {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 1 : 3;
		}
		parse_option(m, options[index].name, optarg);
	}
	if (optind + 1 != argc || m->echo.factor > m->echo.window ||
	    (m->size && m->size < 48 + 16)) {
		fputs(usage, stderr);
		return 3;
	}
	m->dev = argv[optind];
	return 0;
}

static int complain(const struct error *err)
{
	if (err->text[0])
		fprintf(stderr, "qmap-bench: %s\n", err->text);
	if (err->hint[0])
		fprintf(stderr, "qmap-bench: %s\n", err->hint);
	return 2;
}

static int run(struct measurement *m)
{
	struct error err = {0}, again = {0};
	int ret = modem_trunk_open(&m->trunk, m->socket, m->dev, &err);

	if (ret)
		return complain(&err);
	ret = rounds(m, &err);
	results(m);
	if (m->paths[0] && modem_trunk_use(&m->trunk, NULL, &again))
		ret = complain(&again);
	return ret ? complain(&err) : stop ? 2 : 0;
}

int bench_modem(const struct recorder *r, int argc, char **argv)
{
	static struct measurement m;
	struct sigaction end = {.sa_handler = on_signal};
	int ret;

	m = (struct measurement){.r = r,
				 .npaths = 1,
				 .echo = {.factor = 1,
					  .window = 128,
					  .seconds = r->scale < 1 ? 1 : 5,
					  .stop = &stop}};
	ret = parse_all(&m, argc, argv);
	if (ret)
		return ret - 1;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	ret = run(&m);
	free_all(&m);
	return ret;
}
