// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The observer in front of the kernel's rmnet: whatever a modem sends, rmnet gets only frames that
 * lie within the transfer, and delivers as many packets as the observer has counted.
 *
 * tests/vm/control.sh runs it on the debug kernel with an rmnet that has CVE-2026-64550, and without
 * the observer, to see that the kernel reports what the modem sends.
 *
 *   AGGREGATES=100000      on the kernel's command line, their number
 *   GUARD=off              without the observer
 */
#include "shim_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "observe.h"
#include "proc.h"
#include "rmnet.h"
#include "world.h"

#define PORTS	   4
#define AGGREGATES 20000
#define ROUND	   2500
#define TINY	   64

struct format {
	int version;
	bool split;
};

static unsigned long long all_good;

static unsigned long long delivered(unsigned int ports)
{
	unsigned long long sum = 0;
	char path[64], text[32];
	unsigned int i;

	for (i = 1; i <= ports; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/rm%u/statistics/rx_packets", i);
		if (proc_read(path, text, sizeof(text)) > 0)
			sum += strtoull(text, NULL, 10);
	}
	return sum;
}

static int send_mutated(const struct world *w, int version, unsigned int n)
{
	static struct aggregate a;

	while (n--) {
		a = (struct aggregate){.version = version, .csum_ok = chance(50)};
		a.max = random_in(1600, chance(5) ? AGGREGATE_MAX : 5000);
		load_fill(&a, PORTS);
		if (chance(70))
			load_mutate(&a);
		if (chance(20))
			a.len = random_in(1, a.len < TINY ? a.len : TINY);
		if (world_send(w, a.data, a.len))
			return FAIL("%zu bytes: %s", a.len, strerror(errno));
	}
	return 0;
}

/* Is the number of packets right? A transfer that rmnet takes for one frame may hold more of them. */
static bool is_right(const struct format *f, unsigned long long good, unsigned long long came)
{
	return f->split ? came && came == good : came && came <= good;
}

static int compare(const struct observer *o, const struct format *f)
{
	unsigned long long good, came;
	unsigned int tries;

	for (tries = 0; tries < 3000; tries++) {
		good = observer_good(o);
		came = delivered(f->split ? PORTS : 1);
		if (is_right(f, good, came)) {
			all_good += good;
			return 0;
		}
		usleep(10000);
	}
	return FAIL("v%d%s: %llu packets came, %llu were good", f->version,
		    f->split ? "" : ", not split", came, good);
}

static int links(struct world *w, const struct format *f)
{
	unsigned int i;
	char name[16];
	int err = rmnet_up_observed("modem1", "rm", PORTS, f->version, f->split);

	if (err == -EOPNOTSUPP)
		skipped = "this kernel has no rmnet";
	else if (err)
		return FAIL("rmnet: %d %s", err, nl_error());
	if (skipped)
		return 0;
	if (world_extra(w, 0))
		return -1;
	for (i = 1; i <= (f->split ? PORTS : 1); i++) {
		snprintf(name, sizeof(name), "rm%u", i);
		if (world_tc_ingress(w, name, "drop"))
			return -1;
	}
	return 0;
}

static int guarded(const struct format *f, unsigned int aggregates)
{
	const char *guard = getenv("GUARD");
	bool on = !guard || strcmp(guard, "off");
	struct world w = {.modem = -1, .second = -1};
	struct observer *o = NULL;
	int err;

	w.modem = world_tun("modem1", 0, &w.modem_ifindex);
	if (w.modem < 0)
		return -1;
	err = links(&w, f);
	if (!err && !skipped && on) {
		o = observer_up("modem1", f->split ? PORTS : 1, f->version, false);
		err = o ? 0 : FAIL("observer");
	}
	if (!err && !skipped)
		err = send_mutated(&w, f->version, aggregates);
	if (!err && o)
		err = compare(o, f);
	observer_down(&o);
	rmnet_down("rm", PORTS);
	world_free(&w);
	return err;
}

/* Only on request: without the observer, or where it fails, rmnet may do anything. */
TEST_ON_DEMAND(guarded)
{
	static const struct format formats[] = {
		/* the one in which rmnet reads farthest comes first */
		{4, false}, {1, true}, {4, true}, {5, false}, {5, true}, {1, false},
	};
	const char *text = getenv("AGGREGATES");
	unsigned int left = text ? strtoul(text, NULL, 0) : AGGREGATES, i, n;

	for (i = 0; left && !skipped; i++) {
		n = left < ROUND ? left : ROUND;
		if (guarded(&formats[i % 6], n))
			return -1;
		left -= n;
		printf("  %u aggregates are left, %llu frames were good\n", left, all_good);
	}
	return 0;
}
