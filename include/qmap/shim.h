/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ABI and manual of the kernel shim.
 *
 * The shim (qmap_shim.ko) splits aggregates into packets and builds aggregates from packets. It
 * does not know QMAP; two BPF programs do. The receive program runs once per frame and describes
 * the frame to the shim; the transmit program runs once per packet and writes the header in front
 * of it. The shim moves a cursor, copies bytes and feeds the network stack.
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
 * TUN in tests. It takes the rx handler of that netdev, so no other driver (rmnet, bridge, bonding)
 * can use that netdev. The trunk device has no addresses and sends no packets of its own; it holds
 * the receive program, the ports, the aggregator and the counters. It disappears with the netdev
 * below, together with its ports. While it is down, the shim drops the aggregates that arrive.
 *
 * The trunk device of a modem on USB can be the modem's own netdev (link kind "qmap_usb", driver
 * qmap_usb.ko): see "USB". It is the same device in all other respects, but for what creates it and
 * deletes it.
 *
 * A port (link kind "qmap_port") is stacked with IFLA_LINK on a trunk device and carries raw IP,
 * point to point. The process that creates the port chooses its number, 1..255; the programs name
 * the port by that number, which has no meaning to the shim. A port starts without carrier. It
 * sends and receives nothing until it gets one (IFLA_CARRIER, `ip link set dev PORT carrier on`),
 * so no packet passes for a data call that is not connected. A port can be moved to another network
 * namespace.
 *
 * RTM_NEWLINK of kind "qmap_trunk", in IFLA_INFO_DATA, all optional, all changeable later:
 *
 *   IFLA_QMAP_TRUNK_FLOW_MS     u32  milliseconds after which a stopped port starts again by
 *                                    itself; 1..600000, default 5000
 *   IFLA_QMAP_TRUNK_TX_BYTES    u32  most bytes in one uplink aggregate; 0..65280. 0, the default,
 *                                    sends each frame on its own
 *   IFLA_QMAP_TRUNK_TX_FRAMES   u32  most frames in one uplink aggregate; 1..255, default 32
 *   IFLA_QMAP_TRUNK_TX_USECS    u32  longest time that a frame waits for others; 0..1000000. A
 *                                    frame after a silence of that length does not wait. 0, the
 *                                    default, sends an aggregate as soon as the stack reports that
 *                                    no packet follows at once (xmit_more)
 *
 *   IFLA_QMAP_TRUNK_VERSION     u32  QMAP_SHIM_VERSION that the caller's programs were built with;
 *                                    ERANGE if it differs from the module's. Replies carry the
 *                                    module's version
 *
 *   IFLA_QMAP_TRUNK_RX_BYTES    u32  bytes of the largest downlink aggregate; 512..65280. Kind
 *                                    "qmap_usb" only, default 31744
 *
 * On kernels with tx-aggr-* (6.3), `ethtool -C` on the trunk device sets the TX_* values, too.
 *
 * RTM_NEWLINK of kind "qmap_port", in IFLA_INFO_DATA:
 *
 *   IFLA_QMAP_PORT_NUMBER       u8   required, 1..255; cannot be changed
 *
 * Errors, each explained in the extended acknowledgement: EINVAL (attribute missing or out of
 * range, lower netdev missing or of the wrong kind), EBUSY (netdev below has an rx handler), EEXIST
 * (port number taken), EOPNOTSUPP (attribute that cannot be changed; a "qmap_usb" that a request
 * creates or deletes; RX_BYTES of a "qmap_trunk"), ENOMEM.
 *
 *
 * USB
 * ---
 *
 * qmap_usb.ko drives the QMI interface of a modem, in the place of qmi_wwan: one that has the
 * control channel (/dev/cdc-wdmN, the same as qmi_wwan's) and the data endpoints both. It binds no
 * interface unless the module's parameter `interfaces` names it, whatever driver is free to. The
 * administrator moves an interface, here 1-1:1.4, by
 *
 *   echo 1-1:1.4 >/sys/module/qmap_usb/parameters/interfaces    (several: with commas between)
 *   echo 1-1:1.4 >/sys/bus/usb/drivers/qmi_wwan/unbind
 *   echo 1-1:1.4 >/sys/bus/usb/drivers/qmap_usb/bind
 *
 * and back by the opposite, as qmapd does at attach and detach (data path usb). Its netdev, wwan0, is
 * a trunk device, which leaves with the interface, together with its ports. DTR is lowered and raised
 * when an interface moves: the modem forgets QMI client ids, and calls with them, as when qmi_wwan is
 * unbound.
 *
 * A downlink transfer is one aggregate. Requests are as large as IFLA_QMAP_TRUNK_RX_BYTES, rounded up
 * to a multiple of the endpoint's packet size, whatever MTU a device has; 8 of 31 KB are in flight
 * at SuperSpeed and 4 below, more (to 32) of smaller ones. When the size changes while the trunk is
 * up, requests in flight are taken back: a transfer that the modem is in the middle of is lost. At
 * most 16 uplink transfers are in flight and 256 wait; they end with a zero-length packet where
 * their length is a multiple of the endpoint's packet size. After an error a direction rests for 1
 * to 128 ms, the longer the more errors follow each other; a stalled endpoint is cleared. The device
 * may be suspended while nothing is sent, by the administrator's power/control.
 *
 * `ethtool -S` on the trunk device shows, behind the counters that each trunk device has:
 *
 *   usb_rx_urbs, usb_tx_urbs            requests in flight now
 *   usb_rx_urb_bytes                    their size, downlink
 *   usb_rx_empty                        downlink transfers without a byte
 *   usb_rx_overflows                    downlink transfers that were larger than a request: lost
 *   usb_rx_stalls, usb_tx_stalls        requests that found the endpoint stalled
 *   usb_halts_cleared                   stalled endpoints that were cleared
 *   usb_rx_errors, usb_tx_errors        other errors of the bus
 *   usb_rx_no_memory, usb_tx_no_memory  requests for which the host controller had no memory
 *   usb_rx_starved                      requests that waited for a buffer, because packets come
 *                                       faster than they are taken
 *   usb_rx_lent                         buffers that packets have kept
 *   usb_rx_lent_bytes                   of those that they may keep now
 *   usb_rx_not_lent                     transfers that were copied instead, for want of buffers
 *   usb_tx_dropped                      uplink transfers that an error or a full queue has cost
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
 * The program fills in the struct without calling a helper. The next frame starts at
 * data + header + length + tail, which must lie behind the cursor and not behind data_end.
 *
 *   XDP_PASS      the `length` bytes behind the `header` are an IP packet received by port `port`.
 *                 The shim drops it as unknown_mux if there is no such port, and as port_down if
 *                 the port is down or has no carrier
 *   XDP_DROP      skip the frame, count it under `drop` (enum qmap_drop), and as dropped by `port`
 *                 if that is not 0
 *   XDP_TX        send the `header` + `length` bytes at the cursor, which the program has edited in
 *                 place, back to the modem as a transfer of their own
 *   XDP_REDIRECT  redirect the packet to the target of bpf_redirect_map() or bpf_redirect(). It
 *                 gets a page of its own with XDP_PACKET_HEADROOM bytes in front, where a devmap or
 *                 cpumap program can push an Ethernet header. At most QMAP_SHIM_REDIRECT_MAX bytes
 *
 * With every verdict, QMAP_SHIM_STOP and QMAP_SHIM_START in `flags` stop and start the sending side
 * of port `port`, and QMAP_SHIM_LAST makes this frame the last of its aggregate; the shim ignores
 * the bytes behind it.
 *
 * The shim drops the rest of the aggregate and counts it once as QMAP_DROP_BAD_VERDICT if the
 * program returns any other verdict, if the cursor does not move forward or leaves the aggregate,
 * if the program leaves the struct zero (it was not written for the shim), and if there is no
 * program. The shim copies packets after the programs have run over all frames of a poll; a program
 * may write to the frame it runs on and must not write behind it. The USB driver lends its buffers:
 * payloads of a coalesced packet that fill a third of one stay there until the stack frees them.
 *
 *
 * Coalescing
 * ----------
 *
 * The shim joins consecutive TCP segments of one flow in the aggregates of one poll into one GSO
 * packet, if and only if segmenting that packet gives back the same bytes. The port must have GRO
 * on. `ethtool -K PORT rx-gro-hw off` turns off coalescing alone; the stack's own GRO then gets the
 * packets, except on a trunk with threaded NAPI, where GRO would reorder them. QMAP_SHIM_ALONE in
 * `flags` turns coalescing off for one packet. UDP datagrams of one size and flow are joined, too,
 * if the port has rx-udp-gro-forwarding on (`ethtool -K`; off by default). That helps routers; a
 * local socket gains nothing. With QMAP_SHIM_CSUM_OK the shim takes checksums as verified; without
 * it, the shim verifies every segment that it coalesces.
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
 *   data       QMAP_SHIM_TX_ROOM bytes of room right behind the struct, then the packet, of at
 *              most 65535 bytes
 *   data_end   the end of the bytes that the program sees: all headers of a segment; of another packet
 *              the contiguous part, or the first 64 bytes of it
 *
 * The program writes the header into the last bytes of the room, its length into `header`, and
 * returns
 *
 *   XDP_PASS   send: the last `header` bytes of the room, the packet, `pad` zero bytes
 *   XDP_DROP   drop, and count under `drop`
 *
 * The shim drops the packet as QMAP_DROP_BAD_VERDICT on any other verdict and while the port has no
 * program. If QMAP_SHIM_TX_CSUM is set on entry, the packet's checksum field, `csum_offset` bytes
 * behind `csum_start`, holds the folded sum of the pseudo header and must be completed. The program
 * leaves the flag set if it has asked the modem to complete the checksum; if it clears the flag,
 * the shim completes it. The program may see a copy. The checksum field, with QMAP_SHIM_TX_CSUM, is
 * all of the packet that it may change.
 *
 * `offset` serves modems that miss the zero-length packet after a transfer whose length is a
 * multiple of the endpoint's packet size. The frame leaves at the end of a transfer of `offset`
 * plus its own length, or in a transfer of its own length; the program can pad so that neither
 * length is such a multiple.
 *
 *
 * Limits
 * ------
 *
 * These bound the cost that a modem, or a LAN behind a port, can cause:
 *
 *   frames judged in one poll          256; the next poll continues inside the aggregate, after
 *                                      other NAPI instances had their turn
 *   packets for the stack in one poll  64, and those of the aggregate that goes beyond; a coalesced
 *                                      packet counts once
 *   answers (XDP_TX) in one poll       16; further frames are dropped as queue_full
 *   aggregates waiting, per CPU        256, and none is added once they take 8 MB; further ones
 *                                      are dropped as queue_full
 *   pages kept for packets, per CPU    640 KB and one page, with pages of 4 KB
 *   uplink aggregates whose memory     8, each of the largest size that the trunk allows, rounded
 *   a trunk keeps                      up to a power of two of pages
 *   one coalesced packet               64 KB, 17 page fragments. Its truesize includes the whole of
 *                                      each page that it uses. Packets share no pages, except those
 *                                      that stay in one buffer of the USB driver
 *   buffers of the USB driver that     8 MB; beyond that, packets are copied and counted
 *   packets keep                       (usb_rx_not_lent)
 *   bytes of a port that the netdev    between 16 KB (two aggregates, if that is more) and 128 KB,
 *   below has not freed yet            as byte queue limits estimate, but no more than it frees in 6 ms,
 *                                      or 8 KB; then the port's queue stops
 *   one of its aggregates              half of that, if it is less than tx_bytes
 *
 * The shim counts a transfer that the netdev below drops at once as queue_full, and as tx_dropped
 * of the ports with frames in it. If the netdev below hands a packet back to a port from within its
 * own transmit function (tc redirect, a tunnel over the port), the shim sees a loop and drops the
 * packet as redirect_failed.
 *
 *
 * Alignment
 * ---------
 *
 * On a CPU without efficient unaligned access the verifier assumes that data_meta, data and the
 * packet are aligned to two bytes (NET_IP_ALIGN), so the structs below have no larger fields. A
 * modem may still put a frame at an odd offset of its aggregate; the kernel's trap handler then
 * performs the unaligned accesses.
 */
#ifndef QMAP_SHIM_H
#define QMAP_SHIM_H

#include <linux/types.h>

/* The module only runs programs built with its own version. */
#define QMAP_SHIM_VERSION 3

#define QMAP_SHIM_TRUNK_KIND "qmap_trunk"
#define QMAP_SHIM_USB_KIND   "qmap_usb"
#define QMAP_SHIM_PORT_KIND  "qmap_port"

enum {
	IFLA_QMAP_TRUNK_UNSPEC,
	IFLA_QMAP_TRUNK_VERSION,
	IFLA_QMAP_TRUNK_FLOW_MS,
	IFLA_QMAP_TRUNK_TX_BYTES,
	IFLA_QMAP_TRUNK_TX_FRAMES,
	IFLA_QMAP_TRUNK_TX_USECS,
	IFLA_QMAP_TRUNK_RX_BYTES,
	__IFLA_QMAP_TRUNK_END,
};
#define IFLA_QMAP_TRUNK_MAX (__IFLA_QMAP_TRUNK_END - 1)

/*
 * Statistics of a trunk device, of both kinds, by RTM_GETSTATS in IFLA_STATS_LINK_XSTATS: a nest of
 * type QMAP_SHIM_XSTATS, which is far above the types that Linux has given out.
 */
#define QMAP_SHIM_XSTATS 0x2d4d

enum {
	QMAP_SHIM_XSTATS_UNSPEC,
	/*
	 * u64[QMAP_SHIM_MAX_PORTS], host byte order, by port number: frames that were dropped, for any
	 * reason, while no port had the number that the program named. A frame for which the program
	 * named none, 0, counts only if it was dropped as unknown_mux.
	 */
	QMAP_SHIM_XSTATS_UNKNOWN,
};

enum {
	IFLA_QMAP_PORT_UNSPEC,
	IFLA_QMAP_PORT_NUMBER,
	__IFLA_QMAP_PORT_END,
};
#define IFLA_QMAP_PORT_MAX (__IFLA_QMAP_PORT_END - 1)

#define QMAP_SHIM_MAX_PORTS 256 /* port numbers are below this; 0 is no port */
/* Most bytes of a redirected packet: a 4 KiB page less headroom and tailroom. */
#define QMAP_SHIM_REDIRECT_MAX 3072

/* flags of struct qmap_shim_rx */
#define QMAP_SHIM_CSUM_OK 0x01 /* the modem has verified the packet's checksums */
#define QMAP_SHIM_ALONE	  0x02 /* do not coalesce this packet */
#define QMAP_SHIM_STOP	  0x04 /* the port stops sending ... */
#define QMAP_SHIM_START	  0x08 /* ... until START, or for IFLA_QMAP_TRUNK_FLOW_MS */
#define QMAP_SHIM_LAST	  0x10 /* end the aggregate after this frame */

/* The frame word: describes the frame at the cursor. Host byte order. */
struct qmap_shim_rx {
	__u16 length; /* bytes of packet */
	__u8 header;  /* bytes in front of the packet */
	__u8 tail;    /* bytes between the packet and the next frame: pad, trailer */
	__u8 port;
	__u8 flags;
	__u8 drop; /* XDP_DROP: enum qmap_drop */
	__u8 reserved;
};

#define QMAP_SHIM_TX_CSUM 0x01 /* flag of struct qmap_shim_tx */
#define QMAP_SHIM_TX_ROOM 16   /* bytes for headers, multiple of 4 */

/* One packet to send. Host byte order. */
struct qmap_shim_tx {
	__u16 length;	   /* in: bytes of the whole packet */
	__u16 offset;	   /* in: bytes in the aggregate that the frame may join */
	__u16 csum_start;  /* in, with QMAP_SHIM_TX_CSUM: from the start of the packet */
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
