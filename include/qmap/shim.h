/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The kernel shim: its ABI, and its manual.
 *
 * The shim (qmap_shim.ko) turns aggregates into packets and packets into aggregates without knowing
 * what QMAP is. Two BPF programs know: one runs at each frame of an aggregate that came in and says
 * what stands there, the other runs at each packet that goes out and writes the header in front of
 * it. The shim moves a cursor, copies bytes and feeds the network stack.
 *
 *      wwan0 --- aggregates ---> trunk device --- program per frame ---> port, port, port
 *      wwan0 <-- aggregates ---- aggregator <---- program per packet --- port, port, port
 *
 *
 * Devices
 * -------
 *
 * A trunk device (link kind "qmap_trunk") is stacked with IFLA_LINK on the netdev that delivers
 * aggregates as packets of protocol ETH_P_MAP: qmi_wwan with raw_ip and pass_through, mhi_net, a
 * TUN in tests. It takes the rx handler of that netdev, so nothing else (rmnet, bridge, bonding)
 * may have it. It carries no addresses and sends nothing itself; it exists to hold the receive
 * program, the ports, the aggregator and the counters. It disappears with the netdev below, and
 * takes its ports along. Only aggregates that arrive while it is up are looked at; others are
 * dropped.
 *
 * A port (link kind "qmap_port") is stacked with IFLA_LINK on a trunk device and carries raw IP,
 * point to point. It has a number, 1..255, chosen by whoever creates it, by which the programs name
 * it; the shim gives the number no meaning. It starts without carrier, and sends nothing before it
 * is given one (IFLA_CARRIER, `ip link set dev PORT carrier on`): nothing goes out for a data call
 * that is not connected. It may be moved to another network namespace.
 *
 * RTM_NEWLINK of kind "qmap_trunk", in IFLA_INFO_DATA, all optional, all changeable later:
 *
 *   IFLA_QMAP_TRUNK_FLOW_MS     u32  milliseconds after which a port that was told to stop starts
 *                                    again by itself; 1..600000, default 5000
 *   IFLA_QMAP_TRUNK_TX_BYTES    u32  most bytes in one uplink aggregate; 0..65535. 0, the default,
 *                                    sends each frame on its own
 *   IFLA_QMAP_TRUNK_TX_FRAMES   u32  most frames in one uplink aggregate; 1..255, default 32
 *   IFLA_QMAP_TRUNK_TX_USECS    u32  how long a frame may wait for company; 0..1000000. 0, the
 *                                    default: an aggregate leaves as soon as the stack says that
 *                                    nothing follows at once (xmit_more)
 *
 *   IFLA_QMAP_TRUNK_VERSION     u32  QMAP_SHIM_VERSION that the caller's programs were built with:
 *                                    ERANGE unless it is the module's; in replies, the module's
 *
 * Where the kernel has tx-aggr-* (6.3), `ethtool -C` on the trunk device sets the TX_* values too.
 *
 * RTM_NEWLINK of kind "qmap_port", in IFLA_INFO_DATA:
 *
 *   IFLA_QMAP_PORT_NUMBER       u8   required, 1..255; cannot be changed
 *
 * Errors, each with a sentence in the extended acknowledgement: EINVAL (attribute missing or out of
 * range, lower netdev missing or of the wrong kind), EBUSY (netdev below has an rx handler), EEXIST
 * (port number taken), EOPNOTSUPP (attribute that cannot be changed).
 *
 *
 * The receive program
 * -------------------
 *
 * Native XDP on the trunk device (bpf_link or netlink). It runs once per frame, with
 *
 *   data       the cursor: the first byte of the frame
 *   data_end   the end of the aggregate
 *   data_meta  a struct qmap_shim_rx, all zero, right in front of data
 *
 * and fills in the struct; no helper call is needed for it. The next frame starts at
 * data + header + length + tail, which must lie behind the cursor and not behind data_end.
 *
 *   XDP_PASS      the `length` bytes behind the `header` are an IP packet received by port `port`
 *   XDP_DROP      skip the frame, count it under `drop` (enum qmap_drop); `port`, if not 0, is
 *                 charged too
 *   XDP_TX        send the `header` + `length` bytes from the cursor on back to the modem, as a
 *                 transfer of their own; the program has edited them in place
 *   XDP_REDIRECT  the packet goes where bpf_redirect_map() or bpf_redirect() said, in a page of its
 *                 own with XDP_PACKET_HEADROOM bytes in front, where a devmap or cpumap program can
 *                 push an Ethernet header. At most QMAP_SHIM_REDIRECT_MAX bytes
 *
 * In every case QMAP_SHIM_STOP and QMAP_SHIM_START in `flags` stop and start the sending side of
 * port `port`, and QMAP_SHIM_LAST ends the aggregate after this frame, whatever is left of it.
 *
 * Every other verdict, a cursor that does not move forward or leaves the aggregate, and a program
 * that leaves the struct zero because it knows nothing of all this: the rest of the aggregate is
 * dropped and counted once as QMAP_DROP_BAD_VERDICT. The same without a program. Packets are copied
 * after the programs have run over all frames of a poll; a program may write to the frame it was
 * called for, and must not write behind it.
 *
 *
 * Coalescing
 * ----------
 *
 * TCP segments of one flow that follow each other in the aggregates of one poll are given to the
 * stack as one GSO packet, if and only if cutting that packet again gives back the same bytes. That
 * needs GRO on the port. `ethtool -K PORT rx-gro-hw off` turns coalescing alone off: the stack's own
 * GRO gets the packets then, but for a trunk with threaded NAPI, where it would reorder them.
 * QMAP_SHIM_ALONE in `flags` turns coalescing off for one packet. UDP datagrams of one size and flow
 * become one GSO packet too where the port has rx-udp-gro-forwarding on (`ethtool -K`; off by
 * default): that is for routers, a socket gains nothing by it. With QMAP_SHIM_CSUM_OK checksums are
 * taken as verified; without, the shim verifies every segment that it coalesces.
 * A coalesced packet is at most as long as the port's gro_max_size (gro_ipv4_max_size) allows.
 *
 *
 * The transmit program
 * --------------------
 *
 * Native XDP on each port; the same program may sit on all of them. It runs once per packet, after
 * segmentation, with
 *
 *   data_meta  a struct qmap_shim_tx
 *   data       QMAP_SHIM_TX_ROOM bytes of room, right behind it, and behind them the packet, of at
 *              most 65535 bytes
 *   data_end   the end of what of the packet is contiguous: its headers at least
 *
 * It writes the header into the last bytes of the room, its length into `header`, and returns
 *
 *   XDP_PASS   send: the last `header` bytes of the room, the packet, `pad` zero bytes
 *   XDP_DROP   drop, and count under `drop`
 *
 * Everything else is a drop counted as QMAP_DROP_BAD_VERDICT, and so is everything while a port has
 * no program. If QMAP_SHIM_TX_CSUM is set on entry, the packet's checksum field, `csum_offset`
 * bytes behind `csum_start`, holds the folded sum of the pseudo header and waits to be filled in. A
 * program that asks the modem to do it leaves the flag set; one that clears it makes the shim do
 * it.
 *
 * `offset` is there for modems that miss the zero-length packet behind a transfer whose length is a
 * multiple of the endpoint's packet size: the frame leaves at the end of a transfer of `offset`
 * plus its own length, or of its own length alone, and the program can pad so that neither is such
 * a size.
 *
 *
 * Limits
 * ------
 *
 * A modem, or a LAN behind a port, can cost no more than this:
 *
 *   frames judged in one poll          256, wherever in an aggregate that is; the next poll goes on
 *                                      there, after others had their turn
 *   answers (XDP_TX) in one poll       16; frames beyond are dropped as queue_full
 *   aggregates waiting, per CPU        256, and no more begins to wait once they take 8 MB; dropped
 *                                      as queue_full
 *   pages kept for packets, per CPU    512 KB and one page, where a page has 4 KB
 *   one coalesced packet               64 KB, 17 page fragments. It is charged (truesize) all of
 *                                      the pages that it has a part of; no other packet has one
 *   bytes of a port that the netdev    between 16 KB (two aggregates, if that is more) and 128 KB,
 *   below has not freed yet            as byte queue limits estimate; then the port's queue waits
 *
 * A transfer that the netdev below drops at once is counted as queue_full, and as tx_dropped of the
 * ports that have frames in it. A packet that the netdev below gives to a port while a port gives
 * it one (tc redirect, a tunnel over the port) is a loop: it is dropped as redirect_failed.
 *
 *
 * Alignment
 * ---------
 *
 * On a CPU without efficient unaligned access the verifier takes data_meta, data and the packet to
 * be aligned to two bytes (NET_IP_ALIGN), so the structs below have no larger fields. A modem may
 * still put a frame at an odd offset of its aggregate; there the kernel's handler of unaligned
 * accesses carries them out.
 */
#ifndef QMAP_SHIM_H
#define QMAP_SHIM_H

#include <linux/types.h>

/* A module runs programs that were built with its own version. */
#define QMAP_SHIM_VERSION 2

#define QMAP_SHIM_TRUNK_KIND "qmap_trunk"
#define QMAP_SHIM_PORT_KIND  "qmap_port"

enum {
	IFLA_QMAP_TRUNK_UNSPEC,
	IFLA_QMAP_TRUNK_VERSION,
	IFLA_QMAP_TRUNK_FLOW_MS,
	IFLA_QMAP_TRUNK_TX_BYTES,
	IFLA_QMAP_TRUNK_TX_FRAMES,
	IFLA_QMAP_TRUNK_TX_USECS,
	__IFLA_QMAP_TRUNK_END,
};
#define IFLA_QMAP_TRUNK_MAX (__IFLA_QMAP_TRUNK_END - 1)

enum {
	IFLA_QMAP_PORT_UNSPEC,
	IFLA_QMAP_PORT_NUMBER,
	__IFLA_QMAP_PORT_END,
};
#define IFLA_QMAP_PORT_MAX (__IFLA_QMAP_PORT_END - 1)

#define QMAP_SHIM_MAX_PORTS 256 /* port numbers are below this; 0 is no port */
#define QMAP_SHIM_REDIRECT_MAX                                                                     \
	3072 /* bytes of a redirected packet: a 4 KiB page less its rooms                          \
	      */

/* flags of struct qmap_shim_rx */
#define QMAP_SHIM_CSUM_OK 0x01 /* the modem has verified the packet's checksums */
#define QMAP_SHIM_ALONE	  0x02 /* do not coalesce this packet */
#define QMAP_SHIM_STOP	  0x04 /* the port's sending side waits ... */
#define QMAP_SHIM_START	  0x08 /* ... until this, or for IFLA_QMAP_TRUNK_FLOW_MS */
#define QMAP_SHIM_LAST	  0x10 /* nothing behind this frame can be read */

/* The frame word: what stands at the cursor. Host byte order. */
struct qmap_shim_rx {
	__u16 length; /* bytes of packet */
	__u8 header;  /* bytes in front of it */
	__u8 tail;    /* bytes behind it, to the next frame: pad, trailer */
	__u8 port;
	__u8 flags;
	__u8 drop; /* XDP_DROP: enum qmap_drop */
	__u8 reserved;
};

#define QMAP_SHIM_TX_CSUM 0x01 /* flag of struct qmap_shim_tx */
#define QMAP_SHIM_TX_ROOM 16   /* bytes for headers, multiple of 4 */

/* One packet on its way out. Host byte order. */
struct qmap_shim_tx {
	__u16 length;	   /* in: bytes of packet, all of it */
	__u16 offset;	   /* in: bytes in the aggregate that the frame may join */
	__u16 csum_start;  /* in: with QMAP_SHIM_TX_CSUM; from the start of the packet */
	__u16 csum_offset; /* in: from csum_start */
	__u8 port;	   /* in */
	__u8 flags;	   /* in and out: QMAP_SHIM_TX_CSUM */
	__u8 header;	   /* out: 1..QMAP_SHIM_TX_ROOM */
	__u8 pad;	   /* out: at most 63 */
	__u8 drop;	   /* out, XDP_DROP: enum qmap_drop */
	__u8 reserved[3];
};

_Static_assert(sizeof(struct qmap_shim_rx) == 8, "qmap_shim_rx");
_Static_assert(sizeof(struct qmap_shim_tx) == 16, "qmap_shim_tx");

#endif
