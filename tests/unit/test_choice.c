// SPDX-License-Identifier: GPL-2.0-or-later
/* The choice among data paths, with data paths that only say whether they work and for which version. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/datapath/choice.h"

/* One letter for each data path that works: u, s, r, q, x. "!" behind one: its probe lacks privileges. */
static const char *works;
static int rmnet_most; /* the highest version that rmnet carries */

static int probe(char name, struct error *why)
{
	const char *at = strchr(works, name);

	if (at && at[1] == '!')
		return error_set(why, -EPERM, "%c needs root", name);
	return at ? 0 : error_set(why, -EOPNOTSUPP, "%c is missing", name);
}

#define PROBE(name, letter)                                                                        \
	static int name(const char *trunk, struct error *why)                                      \
	{                                                                                          \
		return probe(letter, why);                                                         \
	}
PROBE(probe_usb, 'u')
PROBE(probe_shim, 's')
PROBE(probe_rmnet, 'r')
PROBE(probe_qmimux, 'q')
PROBE(probe_xdp, 'x')

static int rmnet_carries(int version, struct error *why)
{
	return version <= rmnet_most ? 0 : error_set(why, -EOPNOTSUPP, "no v%d", version);
}

static int qmimux_carries(int version, struct error *why)
{
	return version == QMAP_V1 ? 0 : error_set(why, -EOPNOTSUPP, "no v%d", version);
}

/* "U": a modem for which there could be data path usb */
static bool usb_fits(const char *trunk)
{
	return strpbrk(works, "uU");
}

const struct datapath_ops datapath_usb = {.name = "usb", .fits = usb_fits, .probe = probe_usb};
const struct datapath_ops datapath_shim = {.name = "shim", .probe = probe_shim};
const struct datapath_ops datapath_rmnet = {
	.name = "rmnet", .probe = probe_rmnet, .carries = rmnet_carries};
const struct datapath_ops datapath_qmimux = {
	.name = "qmimux", .probe = probe_qmimux, .carries = qmimux_carries};
const struct datapath_ops datapath_xdp = {
	.name = "xdp", .limits = {.dl_max_bytes = 15360}, .probe = probe_xdp};

static int setup(void **state)
{
	rmnet_most = QMAP_V5;
	return 0;
}

TEST_FIXTURE(setup, NULL);

static void wishes_text(const struct datapath_choice *c, char *text, size_t size)
{
	size_t n = 0;

	text[0] = 0;
	for (unsigned int i = 0; i < c->n; i++)
		n += snprintf(text + n, size - n, "%sv%d %s", i ? ", " : "", c->wish[i].version,
			      c->wish[i].ops->name);
}

/* @why: NULL if nothing cheaper is missing. */
static void expect(const char *paths, int version, const char *wishes, const char *why)
{
	struct datapath_choice c;
	struct error err = {0};
	char text[128];

	works = paths;
	assert_int_equal(datapath_choose(&c, "wwan0", version, NULL, &err), 0);
	wishes_text(&c, text, sizeof(text));
	assert_string_equal(text, wishes);
	if (why)
		assert_string_equal(c.why.text, why);
	else
		assert_int_equal(c.why.err, 0);
}

TEST(the_cheapest_that_works)
{
	expect("srqx", DATAPATH_ANY, "v5 shim, v4 shim, v1 shim", NULL);
	expect("rqx", DATAPATH_ANY, "v5 rmnet, v4 rmnet, v1 rmnet", "shim: s is missing");
	expect("x", DATAPATH_ANY, "v5 xdp, v4 xdp, v1 xdp",
	       "shim: s is missing; rmnet: r is missing; qmimux: q is missing");
}

/* A modem of qmi_wwan may be moved to the shim's own USB driver, unless that must not be. */
TEST(own_usb_driver)
{
	struct datapath_choice c;
	struct error err = {0};
	char text[128];

	expect("us", DATAPATH_ANY, "v5 usb, v4 usb, v1 usb", NULL);
	expect("Us", DATAPATH_ANY, "v5 shim, v4 shim, v1 shim", "usb: u is missing");
	works = "us";
	assert_int_equal(datapath_choose(&c, "wwan0", QMAP_V5, &datapath_usb, &err), 0);
	wishes_text(&c, text, sizeof(text));
	assert_string_equal(text, "v5 shim");
	assert_int_equal(c.why.err, 0);
}

/* A version stands with another data path where the cheapest one does not carry it. */
TEST(another_version)
{
	expect("qx", DATAPATH_ANY, "v1 qmimux, v5 xdp, v4 xdp",
	       "shim: s is missing; rmnet: r is missing");
	rmnet_most = QMAP_V4;
	expect("rx", DATAPATH_ANY, "v4 rmnet, v1 rmnet, v5 xdp", "shim: s is missing");
	expect("rx", QMAP_V5, "v5 xdp", "shim: s is missing; rmnet: no v5; qmimux: q is missing");
	expect("q", DATAPATH_ANY, "v1 qmimux", "shim: s is missing; rmnet: r is missing");
}

TEST(the_version_that_is_asked_for)
{
	expect("srqx", QMAP_V1, "v1 shim", NULL);
	expect("qx", QMAP_V5, "v5 xdp", "shim: s is missing; rmnet: r is missing; qmimux: no v5");
	expect("qx", QMAP_V1, "v1 qmimux", "shim: s is missing; rmnet: r is missing");
}

TEST(granted)
{
	struct datapath_choice c;

	works = "qx";
	assert_int_equal(datapath_choose(&c, NULL, DATAPATH_ANY, NULL, NULL), 0);
	assert_ptr_equal(datapath_granted(&c, QMAP_V1), &datapath_qmimux);
	assert_ptr_equal(datapath_granted(&c, QMAP_V4), &datapath_xdp);
	works = "q";
	assert_int_equal(datapath_choose(&c, NULL, DATAPATH_ANY, NULL, NULL), 0);
	assert_null(datapath_granted(&c, QMAP_V5));
}

TEST(none)
{
	struct datapath_choice c;
	struct error err = {0};

	works = "";
	assert_int_equal(datapath_choose(&c, "wwan0", DATAPATH_ANY, NULL, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "shim: s is missing; rmnet: r is missing; qmimux: q is "
				      "missing; xdp: x is missing");
	assert_non_null(strstr(err.hint, "qmapctl probe wwan0"));
	err = (struct error){0};
	works = "q";
	assert_int_equal(datapath_choose(&c, "wwan0", QMAP_V5, NULL, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "qmimux: no v5"));
}

/* Without privileges nothing is known of the others, unless a cheaper one works already. */
TEST(privileges)
{
	struct datapath_choice c;
	struct error err = {0};

	works = "r!x";
	assert_int_equal(datapath_choose(&c, "wwan0", DATAPATH_ANY, NULL, &err), -EPERM);
	assert_string_equal(err.text, "r needs root");
	expect("sr!", DATAPATH_ANY, "v5 shim, v4 shim, v1 shim", NULL);
}

TEST(only_one)
{
	struct datapath_choice c;
	struct error err = {0};
	char text[128];

	works = "";
	assert_int_equal(datapath_choose_only(&c, &datapath_qmimux, DATAPATH_ANY, &err), 0);
	wishes_text(&c, text, sizeof(text));
	assert_string_equal(text, "v1 qmimux");
	assert_int_equal(datapath_choose_only(&c, &datapath_qmimux, QMAP_V4, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "no v4");
}

/* The order is that of the measured figures, at the highest version that each carries. */
TEST(order_is_by_cost)
{
	const struct datapath_ops *ops;
	double before = 0;
	unsigned int i;

	for (i = 0; (ops = datapath_by_cost(i)); i++) {
		struct datapath_choice c;
		double cost;

		assert_int_equal(datapath_choose_only(&c, ops, DATAPATH_ANY, NULL), 0);
		cost = datapath_cost(ops, c.wish[0].version, 0);
		assert_true(cost >= before);
		before = cost;
	}
	assert_int_equal(i, 5);
	assert_true(datapath_cost(datapath_by_cost(0), QMAP_V5, 0) == 1);
}

/* xdp copies an aggregate once a frame: one of 31 KB, which a user may ask for, costs more. */
TEST(cost_is_that_of_the_aggregates_agreed_on)
{
	static const int versions[] = {QMAP_V1, QMAP_V5};

	for (unsigned int i = 0; i < 2; i++) {
		double asked = datapath_cost(&datapath_xdp, versions[i], 0);

		assert_true(datapath_cost(&datapath_xdp, versions[i], 15360) == asked);
		assert_true(datapath_cost(&datapath_xdp, versions[i], 31744) > asked * 1.4);
		assert_true(datapath_cost(&datapath_rmnet, versions[i], 31744) ==
			    datapath_cost(&datapath_rmnet, versions[i], 0));
	}
}
