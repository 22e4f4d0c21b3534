// SPDX-License-Identifier: GPL-2.0-or-later
/* Creating, refusing and removing links. */
#include "shim_test.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include "qmap/shim.h"

#include "world.h"

static int expect(const char *what, int err, int want)
{
	if (err != want)
		return FAIL("%s: %d (%s), expected %d", what, err, nl_error(), want);
	/* daemon/rtnl names the errno behind a sentence of the kernel */
	if (want && !strstr(nl_error(), " (E"))
		return FAIL("%s: refused without a sentence: %s", what, nl_error());
	return 0;
}

static int refusals(const struct world *w)
{
	const struct nl_trunk none = {}, frames = {.tx_frames = 256}, bytes = {.tx_bytes = 65536},
			      newer = {.version = QMAP_SHIM_VERSION + 1};

	if (expect("second trunk", nl_add_trunk("t1", w->modem_ifindex, &none), -EBUSY) ||
	    expect("trunk without lower", nl_add_trunk("t1", 0, &none), -EINVAL) ||
	    expect("trunk on nothing", nl_add_trunk("t1", 9999, &none), -ENODEV) ||
	    expect("trunk on trunk", nl_add_trunk("t1", w->trunk_ifindex, &none), -EINVAL) ||
	    expect("trunk on lo", nl_add_trunk("t1", if_nametoindex("lo"), &none), -EINVAL) ||
	    expect("newer programs", nl_change_trunk("trunk0", &newer), -ERANGE) ||
	    expect("256 frames", nl_change_trunk("trunk0", &frames), -ERANGE) ||
	    expect("65536 bytes", nl_change_trunk("trunk0", &bytes), -ERANGE))
		return -1;
	if (expect("port without number", nl_add_port("p", w->trunk_ifindex, -1), -EINVAL) ||
	    expect("port 0", nl_add_port("p", w->trunk_ifindex, 0), -ERANGE) ||
	    expect("port twice", nl_add_port("p", w->trunk_ifindex, 1), -EEXIST) ||
	    expect("port on TUN", nl_add_port("p", w->modem_ifindex, 9), -EINVAL))
		return -1;
	return 0;
}

TEST(links)
{
	const struct world_options o = {.version = 1, .ports = 2};
	const struct nl_trunk good = {
		.version = QMAP_SHIM_VERSION, .flow_ms = 100, .tx_bytes = 16384, .tx_usecs = 500};
	struct world w;
	int err;

	if (world_new(&w, &o))
		return -1;
	err = refusals(&w) || expect("change", nl_change_trunk("trunk0", &good), 0) ||
	      expect("delete port", nl_del("port1"), 0) ||
	      expect("again", nl_add_port("port1", w.trunk_ifindex, 1), 0);
	/* The netdev below takes trunk and ports along. */
	close(w.modem);
	w.modem = -1;
	if (!err &&
	    (if_nametoindex("trunk0") || if_nametoindex("port1") || if_nametoindex("port2")))
		err = FAIL("links are left behind");
	world_free(&w);
	return err;
}
