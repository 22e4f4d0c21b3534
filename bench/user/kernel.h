/* SPDX-License-Identifier: GPL-2.0-only */
/* What kmod-shim/chain.c needs of the kernel and of rx.h, for user space. */
#ifndef BENCH_USER_KERNEL_H
#define BENCH_USER_KERNEL_H
#define SHIM_RX_H /* instead of kmod-shim/rx.h */

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>

#include "qmap/shim.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#define __force
#define noinline __attribute__((noinline))
#undef __always_inline
#define __always_inline	    inline __attribute__((always_inline))
#define __packed	    __attribute__((packed))
#define likely(x)	    __builtin_expect(!!(x), 1)
#define unlikely(x)	    __builtin_expect(!!(x), 0)
#define min_t(t, a, b)	    ((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define IP_DF		    0x4000
#define IP_MF		    0x2000
#define IP_CE		    0x8000
#define IP_OFFSET	    0x1fff
#define IP_MAX_MTU	    0xffffU
#define CSUM_MANGLED_0	    ((__sum16)0xffff)
#define TCPHDR_PSH	    0x08
#define TCPHDR_ACK	    0x10
#define TCPHDR_ECE	    0x40
#define NETIF_F_GRO_UDP_FWD 1
#define get_unaligned(p)                                                                           \
	({                                                                                         \
		const struct {                                                                     \
			__typeof__(*(p)) v;                                                        \
		} __packed *u_ = (const void *)(p);                                                \
		u_->v;                                                                             \
	})

static inline u32 hash_64(u64 v, unsigned int bits)
{
	return v * 0x61C8864680B583EBull >> (64 - bits);
}

static inline bool ip_is_fragment(const struct iphdr *ip)
{
	return ip->frag_off & htons(IP_MF | IP_OFFSET);
}

static inline u16 ip_fast_csum(const void *p, unsigned int ihl)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < ihl; i++)
		sum += get_unaligned((const u32 *)p + i);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

struct net_device {
	unsigned long features;
};
struct port {
	struct net_device *dev;
	int fd;
	u8 number;
	struct net_device netdev;
};
static inline u32 shim_gro_max_size(const struct net_device *dev, bool v6)
{
	(void)dev;
	(void)v6;
	return 65535;
}

#include "kmod-shim/chain.h"

#define RX_FRAMES 256
struct rx_queue {
	struct chain *hot;
	u32 generation;
	bool started;
	unsigned int n;
	struct chain chains[1 << CHAIN_BITS];
	struct frame frames[RX_FRAMES];
};
#endif
