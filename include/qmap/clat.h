/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/*
 * 464XLAT on a port (RFC 6877): the constants and counters of bpf/qmap_clat.bpf.c. They stay with the
 * programs in the kernel; a daemon that starts reads them from there.
 */
#ifndef QMAP_CLAT_H
#define QMAP_CLAT_H

#include <linux/types.h>

/*
 * Ordinary packets are read in place, which needs a prefix of 96 bits, neutral checksums, and the length of
 * the link header when the programs are loaded. A CPU that has to align its accesses does it on Ethernet.
 */
enum qmap_clat_fast {
	QMAP_CLAT_HELPERS,
	QMAP_CLAT_ETHERNET,
	QMAP_CLAT_RAW
};

struct qmap_clat_config {
	__be32 prefix[4]; /* NAT64 prefix; zero behind its length */
	__be32 local6[4]; /* the port's IPv6 address for translated packets */
	__be32 local4;	  /* the port's IPv4 address */
	__u32 prefix_len; /* RFC 6052: 32, 40, 48, 56, 64, 96 bits */
	__u32 l2_len;	  /* bytes of the link header: 14 (Ethernet) or 0 (raw IP) */
	/*
	 * The checksum over local4 and any IPv4 address is the one over their IPv6 addresses: those of
	 * TCP and UDP stay as they are.
	 */
	__u32 neutral;
	/* The driver sets the MAC header somewhere in front of the packet (qmi_wwan's multiplexer). */
	__u32 odd_mac;
	__u32 fast; /* enum qmap_clat_fast */
};

/* Packets as the stack has them: one that stands for many (GSO) counts once. */
struct qmap_clat_stats {
	__u64 to_v6, to_v4;		    /* translated */
	__u64 dropped_to_v6, dropped_to_v4; /* RFC 7915 does not translate them */
};

#endif
