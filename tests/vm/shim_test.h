/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A test is a function that returns 0, or reports a fault by FAIL(). */
#ifndef VM_SHIM_TEST_H
#define VM_SHIM_TEST_H

#include <stdbool.h>
#include <stdio.h>

#define FAIL(...)                                                                                  \
	({                                                                                         \
		printf("  %s:%d: ", __func__, __LINE__);                                           \
		printf(__VA_ARGS__);                                                               \
		putchar('\n');                                                                     \
		-1;                                                                                \
	})

/* Reason why the current test cannot run here; it then returns 0. */
extern const char *skipped;
/* False where the kernel lacks USB or our driver for it; `skipped` says so then. */
bool test_has_usb(void);

int test_links(void);
int test_rx_v1(void);
int test_rx_v4(void);
int test_rx_v5(void);
int test_fixtures(void);
int test_coalesce_v1(void);
int test_coalesce_v5(void);
int test_no_coalesce(void);
int test_switch_v1(void);
int test_switch_v5(void);
int test_switch_skbs(void);
int test_udp_v1(void);
int test_udp_v5(void);
int test_udp_unasked(void);
int test_trailer_sums(void);
int test_alignment(void);
int test_plain_programs(void);
int test_no_program(void);
int test_redirect(void);
int test_cpumap(void);
int test_flow(void);
int test_flow_timeout(void);
int test_uplink_v1(void);
int test_uplink_v4(void);
int test_uplink_v5(void);
int test_uplink_alone(void);
int test_uplink_timer(void);
int test_uplink_sparse(void);
int test_uplink_avoid(void);
int test_uplink_memory(void);
int test_fair(void);
int test_tcp(void);
int test_tcp6(void);
int test_peers_v1(void);
int test_peers_v4(void);
int test_peers_v5(void);
int test_short_transfers(void);
int test_mutated(void);
int test_teardown(void);
int test_swap(void);
int test_unplug(void);
int test_single_pages(void);
int test_fragmented_memory(void);
int test_large_payloads_v1(void);
int test_large_payloads_v4(void);
int test_large_payloads_v5(void);
int test_group_delete(void);
int test_namespaces(void);
int test_group_load(void);
int test_loops(void);
int test_stacked(void);
int test_lock_classes(void);
int test_packet_sockets(void);
int test_netpoll(void);
int test_poll_frames(void);
int test_answers(void);
int test_waiting(void);
int test_truesize(void);
int test_below(void);
int test_drops_below(void);
int test_order_below(void);
int test_bulk(void);
int test_held_by_gro(void);
int test_drop_monitor(void);
int test_segments(void);
int test_checksums(void);
int test_usb_rx_v1(void);
int test_usb_rx_v4(void);
int test_usb_rx_v5(void);
int test_usb_uplink_v1(void);
int test_usb_uplink_v4(void);
int test_usb_uplink_v5(void);
int test_usb_sizes(void);
int test_usb_errors(void);
int test_usb_uplink_errors(void);
int test_usb_unplug(void);
int test_usb_device(void);
int test_usb_sleep(void);
int test_chaos(void);
int test_mutated_large(void);

#endif
