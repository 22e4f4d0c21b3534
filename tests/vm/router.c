// SPDX-License-Identifier: GPL-2.0-or-later
#include "router.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "shim_test.h"

const uint8_t router_mac[6] = {2, 0, 0, 0, 0, 1};

/*
 * busybox's own ip knows less. $R and $H: the router's and the hosts' end. With pfifo a packet of a new flow
 * does not overtake those that wait.
 */
#define LAN                                                                                        \
	"exec >/dev/null; ip=/bin/ip; "                                                            \
	"$ip link add lan0 address 02:00:00:00:00:01 type veth peer name lan1 && "                 \
	"$ip link set lan1 up && $ip link set lan0 up && "                                         \
	"ethtool -K lan0 tx off sg off && { [ $R = lan0 ] || "                                     \
	"{ $ip link add link lan0 name $R type vlan id 7 && "                                      \
	"$ip link add link lan1 name $H type vlan id 7 && $ip link set $H up; }; } && "            \
	"cd /proc/sys/net && echo 1 >ipv4/ip_forward && echo 1 >ipv6/conf/all/forwarding && "      \
	"echo 0 >ipv6/conf/$R/disable_ipv6 && echo 0 >ipv6/conf/port1/disable_ipv6 && "            \
	"$ip link set $R mtu 1300 up && "                                                          \
	"$ip addr add 10.1.0.1/32 dev port1 && $ip route add default dev port1 && "                \
	"$ip route add 192.168.0.0/16 dev $R && $ip -6 route add fd00:30b8::/64 dev $R && "        \
	"$ip -6 route add default dev port1 && /bin/tc qdisc replace dev port1 root pfifo limit "  \
	"10000"

#define RULES                                                                                      \
	"nft 'table inet router {\n"                                                               \
	"counter slow { }\n"                                                                       \
	"chain post {\n"                                                                           \
	"type nat hook postrouting priority 100;\n"                                                \
	"meta nfproto ipv4 oifname port1 masquerade\n"                                             \
	"oifname port1 snat ip6 prefix to ip6 saddr map { fd00:30b8::/64 : 2001:db8::/64 }\n"      \
	"}\n"                                                                                      \
	"chain forward {\n"                                                                        \
	"type filter hook forward priority 0; policy drop;\n"                                      \
	"counter name slow\n"                                                                      \
	"ct state established,related accept\n"                                                    \
	"iifname \"lan0*\" accept\n"                                                               \
	"}\n"                                                                                      \
	"}' && cd /proc/sys/net/netfilter && echo 1 >nf_conntrack_tcp_be_liberal && "              \
	"echo 0 >nf_conntrack_checksum"

#define FLOWTABLE                                                                                  \
	"nft 'table inet router {\n"                                                               \
	"flowtable fast { hook ingress priority 0; devices = { lan0, port1 }; }\n"                 \
	"}\n"                                                                                      \
	"insert rule inet router forward meta l4proto { tcp, udp } flow add @fast'"

static int hosts_socket(const char *dev)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = if_nametoindex(dev)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), size = 64 << 20, on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return FAIL("packet socket on %s", dev);
	return fd;
}

int router_up(const struct router_options *o)
{
	if (system(o->vlan ? "R=lan0.7 H=lan1.7; " LAN : "R=lan0 H=lan1; " LAN))
		return FAIL("no LAN");
	if (system(RULES) || (o->flowtable && system(FLOWTABLE)))
		return FAIL("nft refuses the rules");
	return hosts_socket(o->vlan ? "lan1.7" : "lan1");
}

int router_neighbours(const char *lines)
{
	FILE *p = popen("/bin/ip -batch -", "w");

	return p && fputs(lines, p) >= 0 && !pclose(p) ? 0 : FAIL("no neighbours");
}

long long router_slow_packets(void)
{
	FILE *p = popen("nft list counter inet router slow", "r");
	long long n = -1;
	char line[128];

	while (p && fgets(line, sizeof(line), p))
		if (sscanf(line, " packets %lld", &n) == 1)
			break;
	if (p)
		pclose(p);
	return n;
}
