/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink requests over libmnl: links, addresses, routes, rules, features, network namespaces.
 *
 * Every request waits for the kernel's acknowledgement. Errors are negative errnos; @err carries
 * the kernel's extended-ack sentence where it sent one.
 */
#ifndef QMAP_RTNL_H
#define QMAP_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct rtnl;

/*
 * Opens a request socket in network namespace @netns (name as in `ip netns`; NULL or "": the
 * current one).
 */
int rtnl_open(struct rtnl **out, const char *netns, struct error *err);
void rtnl_close(struct rtnl **nl);

/*
 * Changes between begin and send (links' flags and MTU; addresses, routes and rules added) go to the
 * kernel in one message, in that order; requests and deletions in between are sent at once. The
 * kernel executes all changes even if some fail; @err describes the first failure.
 */
void rtnl_batch_begin(struct rtnl *nl);
int rtnl_batch_send(struct rtnl *nl, struct error *err);

/* The first settings of a netdev's IPv4 and IPv6, in the kernel's order; the others are ignored. */
#define RTNL_CONF 20

struct rtnl_link {
	unsigned int ifindex;
	/* The netdev below, or the other end of a veth; 0: none, or in another namespace. */
	unsigned int lower;
	unsigned int master;	/* ifindex of the bridge, bond or VRF that it is in; 0: of none */
	unsigned int vrf_table; /* routing table of a VRF */
	char name[IFNAMSIZ];
	unsigned int flags;	   /* IFF_* */
	unsigned int mtu, max_mtu; /* max_mtu 0: the kernel reports no limit */
	unsigned int type;	   /* ARPHRD_* */
	uint8_t mac[6];
	uint8_t addrgenmode; /* IN6_ADDR_GEN_MODE_*; 0, the kernel's default, without IPv6 */
	char kind[16];	     /* "veth", "tun", ... ; empty for hardware */
	uint64_t rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped;
	uint64_t rx_errors, rx_length_errors; /* the latter among the former */
	/* net.ipv4.conf and net.ipv6.conf; 0 values: the netdev has no such IP. See sysctl.h. */
	unsigned int nconf4, nconf6;
	int32_t conf4[RTNL_CONF], conf6[RTNL_CONF];
};

/* -ENODEV if there is no such link. */
int rtnl_link_get(struct rtnl *nl, const char *name, struct rtnl_link *out, struct error *err);
int rtnl_link_get_index(struct rtnl *nl, unsigned int ifindex, struct rtnl_link *out,
			struct error *err);

/* Adds a veth pair @name/@peer, both with @mtu, IFF_NOARP and no IPv6 address generation, down. */
int rtnl_veth_add(struct rtnl *nl, const char *name, const char *peer, unsigned int mtu,
		  struct error *err);
/*
 * Adds a macvlan @name that passes all packets of @lower through, with IFF_NOARP and without IPv6
 * address generation, down. Its MTU limits packets sent; it receives packets of any size.
 */
int rtnl_macvlan_add(struct rtnl *nl, const char *name, unsigned int lower, unsigned int mtu,
		     struct error *err);
/*
 * Has @lower such a macvlan, in any namespace? It is asked by adding one more, which the kernel refuses
 * (drivers/net/macvlan.c, macvlan_common_newlink()); otherwise that is deleted again.
 */
bool rtnl_macvlan_exists(struct rtnl *nl, unsigned int lower);
/* -EOPNOTSUPP if this kernel has no macvlan. */
int rtnl_macvlan_probe(struct rtnl *nl, struct error *err);
int rtnl_link_del(struct rtnl *nl, unsigned int ifindex, struct error *err);
int rtnl_link_set_up(struct rtnl *nl, unsigned int ifindex, bool up, struct error *err);
/* The link must be down if the kernel requires that for the change. */
int rtnl_link_set_name(struct rtnl *nl, unsigned int ifindex, const char *name, struct error *err);
int rtnl_link_set_mtu(struct rtnl *nl, unsigned int ifindex, unsigned int mtu, struct error *err);
/* IN6_ADDR_GEN_MODE_*: NONE keeps the kernel from sending router solicitations of its own. */
int rtnl_link_set_addrgenmode(struct rtnl *nl, unsigned int ifindex, unsigned int mode,
			      struct error *err);
/*
 * Moves a link. Its ifindex only stays the same if it is free there, so look it up again by
 * name.
 */
int rtnl_link_set_netns(struct rtnl *nl, unsigned int ifindex, const char *netns,
			struct error *err);

/* Looks up VRF @name. -ENODEV if there is none; -EINVAL if the netdev of that name is no VRF. */
int rtnl_vrf_get(struct rtnl *nl, const char *name, struct rtnl_link *out, struct error *err);
/*
 * Puts a link into @master (0: takes it out). A VRF takes a link down and up again, and IPv6
 * addresses go with that.
 */
int rtnl_link_set_master(struct rtnl *nl, unsigned int ifindex, unsigned int master,
			 struct error *err);

/*
 * @family AF_INET or AF_INET6; addresses in network byte order. An address that exists is no error.
 * @on_link: the kernel adds a route to the prefix; a point-to-point link needs none.
 */
int rtnl_addr_add(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, bool on_link, struct error *err);
int rtnl_addr_del(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, struct error *err);
/*
 * Deletes every address of @family on the link, including IPv6 link-local ones, except
 * @keep/@prefix (NULL: none). With a primary IPv4 address the kernel deletes its secondaries: the
 * caller must add @keep and the routes again. Returns 1 if it deleted any, 0 if there were none.
 */
int rtnl_addr_flush(struct rtnl *nl, unsigned int ifindex, int family, const void *keep,
		    unsigned int prefix, struct error *err);
/* 1: the link has this address with this prefix; 0: it does not. */
int rtnl_addr_has(struct rtnl *nl, unsigned int ifindex, int family, const void *addr,
		  unsigned int prefix, struct error *err);
/* A default route through a netdev without a gateway (point to point). */
struct rtnl_route {
	unsigned int ifindex;
	int family;
	unsigned int metric;
	unsigned int table; /* 0: main */
	unsigned int mtu;   /* 0: the netdev's */
};

/*
 * Routes of other netdevs with the same table and metric stay, and go first. So does a route of this
 * netdev with another MTU, until rtnl_route_renew_mtu().
 */
int rtnl_route_add_default(struct rtnl *nl, const struct rtnl_route *r, struct error *err);
int rtnl_route_renew_mtu(struct rtnl *nl, const struct rtnl_route *r, struct error *err);
int rtnl_route_del_default(struct rtnl *nl, const struct rtnl_route *r, struct error *err);
/* Deletes the IPv6 routes through the netdev that the kernel has made of router advertisements and
 * prefixes. */
int rtnl_route_flush_made(struct rtnl *nl, unsigned int ifindex, struct error *err);

/*
 * Priorities of our routing rules: before those that are added without one (below 32766), after the kernel's
 * table of local addresses (0), and after those of system/hooks (20000 and 20001). With the protocol static
 * they tell our rules from others.
 */
#define RTNL_RULE_LOCAL_NETWORKS 20002
#define RTNL_RULE_TABLE		 20003

/* Packets from a source address, or of sockets that are bound to a netdev, use a routing table. */
struct rtnl_rule {
	int family;
	unsigned int priority; /* RTNL_RULE_* */
	unsigned int table;
	uint8_t from[16];      /* network byte order */
	unsigned int from_len; /* bits, a multiple of 8; 0: from any address */
	char oif[IFNAMSIZ];    /* empty: bound or not */
	bool no_default;       /* default routes in the table do not count */
};

/* A rule that exists is no error, nor is one to delete that does not. */
int rtnl_rule_add(struct rtnl *nl, const struct rtnl_rule *r, struct error *err);
int rtnl_rule_del(struct rtnl *nl, const struct rtnl_rule *r, struct error *err);
/*
 * Deletes ours from addresses that no netdev of the namespace has, and to netdevs that are gone or have no
 * address of the family.
 */
void rtnl_rule_sweep(struct rtnl *nl);

/*
 * Adds the qdisc clsact, which has a place for filters in either direction, unless it is there. -EBUSY:
 * the netdev has `ingress` in its place, where the kernel takes filters of outgoing packets for those of
 * incoming ones (net/sched/sch_ingress.c, ingress_tcf_block()).
 */
int rtnl_clsact_add(struct rtnl *nl, unsigned int ifindex, struct error *err);

/* Number of tc filters at TC_H_MIN_INGRESS or TC_H_MIN_EGRESS of the netdev's clsact, or -errno. */
int rtnl_filters(struct rtnl *nl, unsigned int ifindex, unsigned int block);

/* 1: a filter with this priority and handle exists; 0: none does; -errno. */
int rtnl_filter_has(struct rtnl *nl, unsigned int ifindex, unsigned int block,
		    unsigned int priority, unsigned int handle);

/*
 * Replaces a root queueing discipline chosen by the kernel by one that does not modify packets.
 * -EBUSY: a user has chosen the discipline, and it stays.
 */
int rtnl_queue_set_plain(struct rtnl *nl, unsigned int ifindex, struct error *err);
/*
 * 0: the queue does not modify packets, or a user has chosen it; @theirs then holds its name and is
 * empty otherwise. 1: rtnl_queue_set_plain() would replace it. Negative errno.
 */
int rtnl_queue_look(struct rtnl *nl, unsigned int ifindex, char *theirs, size_t size,
		    struct error *err);
/* Undoes rtnl_queue_set_plain(). */
void rtnl_queue_set_default(struct rtnl *nl, unsigned int ifindex);

/*
 * Sets an ethtool feature by its kernel name ("rx-gro", "tx-checksum-ip-generic", ...) in the
 * current namespace. -EOPNOTSUPP if the device does not know it.
 */
int rtnl_feature_set(const char *dev, const char *feature, bool on, struct error *err);

struct rtnl_feature {
	const char *name;
	bool on;
};

/* 1: one of the @n features of @dev is not as @wanted, 0: all are that the kernel knows. Negative errno. */
int rtnl_features_look(const char *dev, const struct rtnl_feature *wanted, size_t n);

/*
 * Calls @fn with the thread in namespace @netns ("": the current one) and returns its result.
 * -ENOENT.
 */
int rtnl_netns_do(const char *netns, int (*fn)(void *arg, struct error *err), void *arg,
		  struct error *err);

#endif
