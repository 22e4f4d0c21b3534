// SPDX-License-Identifier: GPL-2.0-or-later
/* shim_test [TEST...]: the tests of the kernel shim, run inside a guest. */
#include "shim_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packets.h"

const char *skipped;

bool test_has_usb(void)
{
	if (!access("/sys/bus/usb/drivers/qmap_usb", F_OK) &&
	    !access("/sys/bus/usb/drivers/qmi_wwan", F_OK) &&
	    !access("/sys/devices/platform/vhci_hcd.0", F_OK))
		return true;
	skipped = "this kernel has no vhci_hcd, qmi_wwan or qmap_usb";
	return false;
}

static const struct test {
	const char *name;
	int (*run)(void);
} tests[] = {
	{"links", test_links},
	{"rx_v1", test_rx_v1},
	{"rx_v4", test_rx_v4},
	{"rx_v5", test_rx_v5},
	{"fixtures", test_fixtures},
	{"coalesce_v1", test_coalesce_v1},
	{"coalesce_v5", test_coalesce_v5},
	{"no_coalesce", test_no_coalesce},
	{"switch_v1", test_switch_v1},
	{"switch_v5", test_switch_v5},
	{"switch_skbs", test_switch_skbs},
	{"udp_v1", test_udp_v1},
	{"udp_v5", test_udp_v5},
	{"udp_unasked", test_udp_unasked},
	{"trailer_sums", test_trailer_sums},
	{"alignment", test_alignment},
	{"plain_programs", test_plain_programs},
	{"no_program", test_no_program},
	{"redirect", test_redirect},
	{"cpumap", test_cpumap},
	{"flow", test_flow},
	{"flow_timeout", test_flow_timeout},
	{"uplink_v1", test_uplink_v1},
	{"uplink_v4", test_uplink_v4},
	{"uplink_v5", test_uplink_v5},
	{"uplink_alone", test_uplink_alone},
	{"uplink_timer", test_uplink_timer},
	{"uplink_sparse", test_uplink_sparse},
	{"uplink_avoid", test_uplink_avoid},
	{"uplink_memory", test_uplink_memory},
	{"fair", test_fair},
	{"tcp", test_tcp},
	{"tcp6", test_tcp6},
	{"peers_v1", test_peers_v1},
	{"peers_v4", test_peers_v4},
	{"peers_v5", test_peers_v5},
	{"short_transfers", test_short_transfers},
	{"mutated", test_mutated},
	{"teardown", test_teardown},
	{"swap", test_swap},
	{"unplug", test_unplug},
	{"single_pages", test_single_pages},
	{"fragmented_memory", test_fragmented_memory},
	{"large_payloads_v1", test_large_payloads_v1},
	{"large_payloads_v4", test_large_payloads_v4},
	{"large_payloads_v5", test_large_payloads_v5},
	{"group_delete", test_group_delete},
	{"namespaces", test_namespaces},
	{"group_load", test_group_load},
	{"loops", test_loops},
	{"stacked", test_stacked},
	{"lock_classes", test_lock_classes},
	{"packet_sockets", test_packet_sockets},
	{"netpoll", test_netpoll},
	{"poll_frames", test_poll_frames},
	{"answers", test_answers},
	{"waiting", test_waiting},
	{"truesize", test_truesize},
	{"below", test_below},
	{"drops_below", test_drops_below},
	{"order_below", test_order_below},
	{"bulk", test_bulk},
	{"held_by_gro", test_held_by_gro},
	{"drop_monitor", test_drop_monitor},
	{"segments", test_segments},
	{"checksums", test_checksums},
	{"usb_rx_v1", test_usb_rx_v1},
	{"usb_rx_v4", test_usb_rx_v4},
	{"usb_rx_v5", test_usb_rx_v5},
	{"usb_uplink_v1", test_usb_uplink_v1},
	{"usb_uplink_v4", test_usb_uplink_v4},
	{"usb_uplink_v5", test_usb_uplink_v5},
	{"usb_sizes", test_usb_sizes},
	{"usb_errors", test_usb_errors},
	{"usb_uplink_errors", test_usb_uplink_errors},
	{"usb_unplug", test_usb_unplug},
	{"usb_device", test_usb_device},
	{"usb_sleep", test_usb_sleep},
	{"chaos", test_chaos},
	{"mutated_large", test_mutated_large},
};

/* Run only if named: they take long and need the debug kernel. */
static const char *const on_demand[] = {"chaos", "mutated_large"};

static bool wanted(const char *name, int argc, char **argv)
{
	size_t i;

	for (i = 1; i < (size_t)argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	for (i = 0; i < sizeof(on_demand) / sizeof(*on_demand); i++)
		if (!strcmp(on_demand[i], name))
			return false;
	return argc == 1;
}

static bool exists(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (!strcmp(tests[i].name, name))
			return true;
	printf("FAIL %s: no such test\n", name);
	return false;
}

int main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	int failed = 0;
	size_t i;

	for (i = 1; i < (size_t)argc; i++)
		failed |= !exists(argv[i]);

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		if (!wanted(tests[i].name, argc, argv))
			continue;
		random_seed(seed ? strtoull(seed, NULL, 0) : 1);
		skipped = NULL;
		if (tests[i].run()) {
			printf("FAIL %s\n", tests[i].name);
			failed = 1;
		} else if (skipped) {
			printf("SKIP %s: %s\n", tests[i].name, skipped);
		} else {
			printf("PASS %s\n", tests[i].name);
		}
	}
	return failed;
}
