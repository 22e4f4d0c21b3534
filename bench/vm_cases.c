// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of cases measured in guests. */
#include "vm_bench.h"

const char *const path_names[PATHS] = {
	"base", "shim", "xdp", "rmnet", "qmimux", "rmnet-observed", "qmimux-observed",
	"usb",	"user"};

#define CASE(n, v, u, f, p, m, s, ...)                                                             \
	{                                                                                          \
		.name = (n), .version = (v), .udp = (u), .frames = (f), .packet = (p),             \
		.ports = (m), .sink = (s), __VA_ARGS__                                             \
	}
/* 21 x 1400 B of one TCP flow, v5, dropped at tc or forwarded, except where stated. */
#define GRID(what, value, v, u, f, p, m, ...)                                                      \
	CASE(what "-" #value, v, u, f, p, m, SINK_TC, .factor = (what), .x = (value),              \
	     __VA_ARGS__),                                                                         \
		CASE("forward-" what "-" #value, v, u, f, p, m, SINK_FORWARD,                      \
		     .direction = "forwarded", .factor = (what), .x = (value), __VA_ARGS__)
/* UDP datagrams of 1400 B, v5, one PDN and one socket, one per send(). */
#define UPLINK(what, value, v, p, m, ...)                                                          \
	CASE("ul-" what "-" #value, v, true, 1, p, m, SINK_SEND, .direction = "uplink",            \
	     .factor = (what), .x = (value), __VA_ARGS__)

/* Aggregates of as many bytes at most, and transfers made for them. */
#define USB_SIZE(bytes, frames)                                                                    \
	CASE("usb-aggregate-bytes-" #bytes, 5, false, frames, 1400, 1, SINK_SOCKET, .usb = true,   \
	     .rx_bytes = (bytes), .direction = "usb", .factor = "aggregate-bytes", .x = (bytes))

const struct bench_case cases[] = {
	CASE("tcp-socket-v5", 5, false, 21, 1400, 1, SINK_SOCKET),
	CASE("tcp-socket-v1", 1, false, 21, 1400, 1, SINK_SOCKET),
	/* as many as fit the aggregates that xdp asks for */
	CASE("tcp-socket-v5-10", 5, false, 10, 1400, 1, SINK_SOCKET),
	CASE("tcp-socket-v1-10", 1, false, 10, 1400, 1, SINK_SOCKET),
	CASE("tcp-forward-v5", 5, false, 21, 1400, 1, SINK_FORWARD),
	CASE("tcp-forward-v1", 1, false, 21, 1400, 1, SINK_FORWARD),
	CASE("tcp6-socket-v5", 5, false, 21, 1400, 1, SINK_SOCKET, .v6 = true),
	CASE("tcp6-socket-v1", 1, false, 21, 1400, 1, SINK_SOCKET, .v6 = true),
	CASE("tcp6-forward-v5", 5, false, 21, 1400, 1, SINK_FORWARD, .v6 = true),
	CASE("tcp6-forward-v1", 1, false, 21, 1400, 1, SINK_FORWARD, .v6 = true),
	CASE("udp6-forward", 5, true, 21, 1400, 1, SINK_FORWARD, .v6 = true),
	CASE("tcp-forward-1000", 5, false, 21, 1400, 1, SINK_FORWARD, .flows = 1000),
	CASE("ack-downlink", 5, false, 21, 40, 1, SINK_FORWARD),
	CASE("ack-drop", 5, false, 21, 40, 1, SINK_TC),
	CASE("single-forward", 5, false, 1, 1400, 1, SINK_FORWARD),
	CASE("single-socket", 5, false, 1, 1400, 1, SINK_SOCKET),
	CASE("udp-forward", 1, true, 21, 1400, 1, SINK_FORWARD),
	CASE("udp-forward-gro", 1, true, 21, 1400, 1, SINK_FORWARD,
	     .feature = "rx-udp-gro-forwarding"),
	CASE("tcp-nat-v5", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT),
	CASE("tcp-nat-v5-8", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT, .flows = 8),
	CASE("tcp-nat-v5-8-steered", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT,
	     .flows = 8, .steered = true),
	CASE("tcp-drop-v5-8-steered", 5, false, 21, 1400, 1, SINK_TC, .flows = 8, .steered = true),
	CASE("tcp-nat-v5-32", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT, .flows = 32),
	CASE("tcp-nat-v5-1000", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT, .flows = 1000),
	CASE("tcp-nat-flowtable-v5", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_FLOWTABLE),
	CASE("tcp-nat-flowtable-v5-32", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_FLOWTABLE,
	     .flows = 32),
	CASE("tcp-nat-flowtable-v5-1000", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_FLOWTABLE,
	     .flows = 1000),
	CASE("tcp-nat-flowtable-v5-burst", 5, false, 21, 1400, 1, SINK_LAN,
	     .rules = RULES_FLOWTABLE, .burst = 8),
	CASE("tcp-nat-v5-burst", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT, .burst = 8),
	CASE("tcp-nat-flowtable-v5-32-burst", 5, false, 21, 1400, 1, SINK_LAN,
	     .rules = RULES_FLOWTABLE, .flows = 32, .burst = 8),
	CASE("tcp-nat-flowtable-v5-1000-burst", 5, false, 21, 1400, 1, SINK_LAN,
	     .rules = RULES_FLOWTABLE, .flows = 1000, .burst = 8),
	CASE("udp1350-nat", 5, true, 21, 1350, 1, SINK_LAN, .rules = RULES_NAT, .flows = 8,
	     .feature = "rx-udp-gro-forwarding"),
	CASE("udp1350-nat-burst", 5, true, 21, 1350, 1, SINK_LAN, .rules = RULES_NAT, .flows = 8,
	     .burst = 8, .feature = "rx-udp-gro-forwarding"),
	CASE("imix-nat", 5, true, 36, 0, 1, SINK_LAN, .rules = RULES_NAT),
	CASE("tcp-nat-v5-vlan", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT, .vlan = true),
	CASE("tcp-nat-v5-fq-codel", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT,
	     .qdisc = "fq_codel"),
	CASE("tcp-nat-v5-cake", 5, false, 21, 1400, 1, SINK_LAN, .rules = RULES_NAT,
	     .qdisc = "cake"),
	CASE("download-full-v4", 5, false, 21, 1400, 1, SINK_LAN, .host_packets = 10,
	     .host_bytes = 40),
	CASE("download-full-v6", 5, false, 21, 1400, 1, SINK_LAN, .v6 = true, .host_packets = 10,
	     .host_bytes = 60),
	CASE("download-full-v4-burst", 5, false, 21, 1400, 1, SINK_LAN, .host_packets = 10,
	     .host_bytes = 40, .burst = 8),
	CASE("download-full-v6-burst", 5, false, 21, 1400, 1, SINK_LAN, .v6 = true,
	     .host_packets = 10, .host_bytes = 60, .burst = 8),
	CASE("upload-full", 5, false, 10, 40, 1, SINK_LAN, .host_packets = 20, .host_bytes = 1400),
	CASE("upload-full-fq-codel", 5, false, 10, 40, 1, SINK_LAN, .host_packets = 20,
	     .host_bytes = 1400, .qdisc = "fq_codel"),
	CASE("upload-full-cake", 5, false, 10, 40, 1, SINK_LAN, .host_packets = 20,
	     .host_bytes = 1400, .qdisc = "cake"),
	CASE("tcp-drop-4mux", 1, false, 21, 1400, 4, SINK_TC),
	CASE("tcp-drop-v5", 5, false, 21, 1400, 1, SINK_TC),
	CASE("udp-drop", 1, true, 21, 1400, 1, SINK_TC),
	CASE("udp-drop-64mux", 1, true, 21, 1400, 64, SINK_TC),
	CASE("udp100-drop", 1, true, 50, 100, 1, SINK_TC),
	CASE("redirect-veth", 1, true, 21, 1400, 1, SINK_VETH, .against = "udp-drop"),
	CASE("ul-gso", 5, true, 1, 1400, 1, SINK_SEND_GSO),
	CASE("ul-single", 5, true, 1, 1400, 1, SINK_SEND),
	CASE("ul-sparse", 5, true, 1, 128, 1, SINK_SEND, .pause = 2000),
	CASE("usb-tcp-socket", 1, false, 21, 1400, 1, SINK_SOCKET, .usb = true),
	CASE("usb-tcp-forward", 1, false, 21, 1400, 1, SINK_FORWARD, .usb = true),
	CASE("usb-tcp-socket-v5", 5, false, 21, 1400, 1, SINK_SOCKET, .usb = true),
	CASE("usb-tcp-forward-v5", 5, false, 21, 1400, 1, SINK_FORWARD, .usb = true),
	CASE("usb-ul-gso", 5, true, 1, 1400, 1, SINK_SEND_GSO, .usb = true),
	CASE("usb-ul-single", 5, true, 1, 1400, 1, SINK_SEND, .usb = true),
	CASE("usb-tcp-drop", 1, false, 21, 1400, 1, SINK_TC, .usb = true),
	CASE("usb-tcp-drop-4mux", 1, false, 21, 1400, 4, SINK_TC, .usb = true),
	CASE("usb-udp-drop", 1, true, 21, 1400, 1, SINK_TC, .usb = true),
	USB_SIZE(3584, 2),
	USB_SIZE(4096, 2),
	USB_SIZE(7680, 5),
	USB_SIZE(8192, 5),
	USB_SIZE(15360, 10),
	USB_SIZE(16384, 11),
	USB_SIZE(31744, 22),
	CASE("imix-udp", 5, true, 36, 0, 1, SINK_TC),
	CASE("imix-tcp", 5, false, 36, 0, 1, SINK_TC),
	CASE("forward-imix-udp", 5, true, 36, 0, 1, SINK_FORWARD),
	CASE("forward-imix-tcp", 5, false, 36, 0, 1, SINK_FORWARD),
	GRID("aggregate-kb", 4, 5, false, 2, 1400, 1),
	GRID("aggregate-kb", 8, 5, false, 5, 1400, 1),
	GRID("aggregate-kb", 16, 5, false, 11, 1400, 1),
	GRID("aggregate-kb", 31, 5, false, 22, 1400, 1),
	GRID("packet-bytes", 40, 5, true, 21, 40, 1),
	GRID("packet-bytes", 128, 5, true, 21, 128, 1),
	GRID("packet-bytes", 576, 5, true, 21, 576, 1),
	GRID("packet-bytes", 1500, 5, true, 21, 1500, 1),
	GRID("tcp-packet-bytes", 80, 5, false, 21, 80, 1),
	GRID("tcp-packet-bytes", 576, 5, false, 21, 576, 1),
	GRID("tcp-packet-bytes", 1500, 5, false, 21, 1500, 1),
	GRID("pdns", 1, 5, false, 21, 1400, 1),
	GRID("pdns", 4, 5, false, 21, 1400, 4),
	GRID("pdns", 16, 5, false, 21, 1400, 16),
	GRID("pdns", 64, 5, false, 64, 400, 64),
	GRID("flows", 1, 5, false, 21, 1400, 1),
	GRID("flows", 10, 5, false, 21, 1400, 1, .flows = 10),
	GRID("flows", 100, 5, false, 21, 1400, 1, .flows = 100),
	GRID("flows", 1000, 5, false, 21, 1400, 1, .flows = 1000),
	GRID("version", 1, 1, false, 21, 1400, 1),
	GRID("version", 4, 4, false, 21, 1400, 1),
	GRID("version", 5, 5, false, 21, 1400, 1),
	UPLINK("aggregate-kb", 4, 5, 1400, 1, .tx_bytes = 4096),
	UPLINK("aggregate-kb", 16, 5, 1400, 1),
	UPLINK("aggregate-kb", 31, 5, 1400, 1, .tx_bytes = 31744),
	UPLINK("packet-bytes", 40, 5, 40, 1),
	UPLINK("packet-bytes", 128, 5, 128, 1),
	UPLINK("packet-bytes", 576, 5, 576, 1),
	UPLINK("packet-bytes", 1500, 5, 1500, 1),
	UPLINK("pdns", 1, 5, 1400, 1),
	UPLINK("pdns", 4, 5, 1400, 4),
	UPLINK("pdns", 16, 5, 1400, 16),
	UPLINK("pdns", 64, 5, 1400, 64),
	UPLINK("flows", 1, 5, 1400, 1),
	UPLINK("flows", 10, 5, 1400, 1, .flows = 10),
	UPLINK("flows", 100, 5, 1400, 1, .flows = 100),
	UPLINK("flows", 1000, 5, 1400, 1, .flows = 1000),
	UPLINK("version", 1, 1, 1400, 1),
	UPLINK("version", 4, 4, 1400, 1),
	UPLINK("version", 5, 5, 1400, 1),
};
const size_t n_cases = sizeof(cases) / sizeof(*cases);

bool case_same_load(const struct bench_case *a, const struct bench_case *b)
{
	if (case_is_uplink(a) || case_is_uplink(b))
		return a->sink == b->sink && a->packet == b->packet && a->ports == b->ports &&
		       a->flows == b->flows && a->pause == b->pause && a->usb == b->usb;
	return a->version == b->version && a->udp == b->udp && a->v6 == b->v6 &&
	       a->frames == b->frames && a->packet == b->packet && a->ports == b->ports &&
	       a->flows == b->flows && a->usb == b->usb && a->burst == b->burst &&
	       a->host_packets == b->host_packets && a->host_bytes == b->host_bytes;
}

bool case_has_path(const struct bench_case *c, enum path p)
{
	switch (p) {
	case XDP:
		/* UDP_SEGMENT is refused on netdevs without checksums (net/ipv4/udp.c,
		 * udp_send_skb()) */
		if (c->sink == SINK_SEND_GSO)
			return false;
		/* fall through */
	case RMNET:
	case RMNET_OBSERVED:
		if (c->sink == SINK_VETH)
			return false; /* XDP for other programs is missing */
		/* xdp does not aggregate, and rmnet's sizes are compiled in */
		return !c->tx_bytes;
	case QMIMUX:
	case QMIMUX_OBSERVED:
		return c->usb && c->version == 1; /* it is part of qmi_wwan */
	case USB:
		return c->usb;
	case USER:
		/* a prototype: no grids, no router */
		return !c->usb && !c->factor && !c->v6 && !c->steered && c->sink != SINK_VETH &&
		       c->sink != SINK_LAN;
	default:
		return true;
	}
}
