// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vm_bench [-q] METHOD ROUNDS [CASE...]: cost of one packet with the shim, xdp, kernel rmnet and,
 * on a modem on USB, qmimux.
 *
 * Runs inside a guest. Under QEMU's -icount shift=0 the guest's clock counts instructions, so the
 * same reading is "insns" there and "ns" elsewhere; METHOD only labels it. Paths are interleaved,
 * round by round; the cost of making and injecting an aggregate, or of sending datagrams that go
 * nowhere, is measured without a data path ("base") and subtracted. After the counted packets, the
 * same cell is probed: latencies, coalescing, memory. Prints "DATA {json}" lines, some per case and
 * path.
 *
 * -q: a few packets, only to check that all arrive. -l: names of cases and paths, nothing else.
 * CASE "cpumap", alone: see vm_scale.c.
 */
#include <json-c/json.h>
#include <sched.h>

#include "vm_probe.h"
#include "vm_results.h"
#include "vm_scale.h"

static const struct effort whole = {.warm = 100,
				    .measured = 400,
				    .probed = 40,
				    .packets = 4000,
				    .sends = 2000},
			   quick = {.warm = 2, .measured = 4, .probed = 2, .sends = 80};

char vm_bench_at[96];

static struct outcome (*outcomes)[PATHS];

static size_t case_index(const char *name)
{
	size_t i;

	for (i = 0; i < n_cases && strcmp(cases[i].name, name); i++)
		;
	return i;
}

/* The case whose base serves case @i: the first selected one with the same load. */
static size_t base_of(size_t i, const bool *wanted)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (wanted[k] && case_same_load(&cases[k], &cases[i]))
			break;
	return k;
}

/* With PATHS in the environment its names alone. */
static bool has_path(const struct bench_case *c, enum path p)
{
	const char *only = getenv("PATHS");

	return case_has_path(c, p) && (p == BASE || !only || strstr(only, path_names[p]));
}

static struct sample measure_one(size_t i, enum path p, const struct effort *e)
{
	snprintf(vm_bench_at, sizeof(vm_bench_at), "%s.%s", cases[i].name, path_names[p]);
	return case_is_uplink(&cases[i]) ? vm_uplink(&cases[i], p, e)
					 : vm_downlink(&cases[i], p, e);
}

static void measure(size_t i, enum path p, unsigned int round, const struct effort *e)
{
	struct sample s = measure_one(i, p, e);

	outcome_add(&outcomes[i][p], round, &s);
}

static void measure_round(const bool *wanted, unsigned int round, const struct effort *e)
{
	enum path p;
	size_t i;

	for (i = 0; i < n_cases; i++) {
		if (wanted[i] && base_of(i, wanted) == i)
			measure(i, BASE, round, e);
		for (p = SHIM; wanted[i] && p < PATHS; p++)
			if (has_path(&cases[i], p))
				measure(i, p, round, e);
	}
}

static void report(const bool *wanted, unsigned int rounds, const char *unit)
{
	size_t i, other;
	enum path p;

	for (i = 0; i < n_cases; i++) {
		other = cases[i].against ? case_index(cases[i].against) : i;
		for (p = SHIM; wanted[i] && p < PATHS; p++)
			if (outcomes[i][p].measured)
				results_print(&cases[i], p, &outcomes[i][p],
					      &outcomes[base_of(i, wanted)][BASE],
					      &outcomes[other][RMNET],
					      &outcomes[base_of(other, wanted)][BASE], rounds,
					      unit);
	}
}

/* First-time work and unused memory cost more. */
static void warm_up(const bool *wanted, const struct effort *e)
{
	struct sample s;
	enum path p;
	size_t i;

	for (i = 0; i < n_cases && !wanted[i]; i++)
		;
	for (p = BASE; i < n_cases && p < PATHS; p++)
		if (has_path(&cases[i], p)) {
			s = measure_one(i, p, e);
			json_object_put(s.drops);
			free(s.seen.latency);
		}
}

static bool named(const char *name, char **names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/*
 * Lets threads of the kernel (ksoftirqd, those of vhci_hcd) run before the next aggregate.
 * Otherwise ticks and random numbers would decide the order; packets that pile up are coalesced or
 * lost, and a packet is cheap by chance.
 */
static void step_aside(void)
{
	const struct sched_param none = {};

	if (sched_setscheduler(0, SCHED_IDLE, &none))
		DIE("SCHED_IDLE");
}

static void list(void)
{
	enum path p;
	size_t i;

	for (i = 0; i < n_cases; i++)
		for (p = SHIM; p < PATHS; p++)
			if (case_has_path(&cases[i], p))
				printf("vm.%s.%s\n", cases[i].name, path_names[p]);
}

int main(int argc, char **argv)
{
	const struct effort *e = argc > 1 && !strcmp(argv[1], "-q") ? &quick : &whole;
	char **arg = argv + 1 + (e == &quick);
	const char *unit = *arg ? *arg++ : "ns";
	unsigned int rounds = *arg ? strtoul(*arg++, NULL, 0) : 3, r;
	bool *wanted = calloc(n_cases, sizeof(*wanted));
	size_t i;

	if (argc > 1 && !strcmp(argv[1], "-l")) {
		list();
		free(wanted);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	outcomes = calloc(n_cases, sizeof(*outcomes));
	if (!wanted || !outcomes)
		DIE("memory");
	if (!rounds || rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	for (i = 0; i < n_cases; i++)
		wanted[i] = !*arg || named(cases[i].name, arg);
	step_aside();
	if (*arg && !strcmp(*arg, "cpumap")) {
		vm_scale(e, rounds, unit);
		free(wanted);
		return 0;
	}
	probe_open();
	warm_up(wanted, e);
	for (r = 0; r < rounds; r++)
		measure_round(wanted, r, e);
	report(wanted, rounds, unit);
	free(wanted);
	return 0;
}
