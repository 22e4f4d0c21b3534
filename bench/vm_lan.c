// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm_lan.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vm_cell.h"

#define VLAN	    7
#define VLAN_NETDEV "lan0.7"
#define FLUSHED	    10 /* ms after which an aggregator has sent all its frames */

static const uint8_t router_mac[] = {0x02, 0, 0, 0, 0, 0x01}, host_mac[] = {0x02, 0, 0, 0, 0, 0x02};

/* NOARP: the host need not answer, and the router asks for none of the flows' addresses. */
static void ethernet_up(const char *dev, const uint8_t mac[ETHER_ADDR_LEN])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	memcpy(ifr.ifr_hwaddr.sa_data, mac, ETHER_ADDR_LEN);
	if (ioctl(fd, SIOCSIFHWADDR, &ifr) || ioctl(fd, SIOCGIFFLAGS, &ifr))
		DIE("%s", dev);
	ifr.ifr_flags |= IFF_NOARP | IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		DIE("%s", dev);
	close(fd);
}

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[128];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		DIE("%s", command);
}

const char *lan_netdev(const struct bench_case *c)
{
	return c->vlan ? VLAN_NETDEV : "lan0";
}

static void add_vlan(void)
{
	run("/bin/ip link add link lan0 name " VLAN_NETDEV " type vlan id %u", VLAN);
	if (nl_multicast(VLAN_NETDEV, false))
		DIE("VLAN");
}

static void add_qdiscs(const struct cell *cell)
{
	run("/bin/tc qdisc add dev %s root %s", lan_netdev(cell->c), cell->c->qdisc);
	for (unsigned int i = 1; i <= cell->ports; i++)
		run("/bin/tc qdisc replace dev %s root %s", cell->port[i], cell->c->qdisc);
}

void lan_up(struct cell *cell)
{
	const char *router = lan_netdev(cell->c);

	/* An Ethernet that forwards joins a group, and reports when it leaves that. */
	cell_sysctl6("default", "forwarding", "0");
	if (nl_add_veth("lan0", "lan1") || nl_multicast("lan0", false))
		DIE("veth");
	if (cell->c->vlan)
		add_vlan();
	cell_sysctl6("default", "forwarding", "1");
	cell_sysctl6(router, "forwarding", "1");
	ethernet_up("lan0", router_mac);
	ethernet_up("lan1", host_mac);
	if (cell->c->vlan)
		ethernet_up(router, router_mac);
	if (cell->c->qdisc)
		add_qdiscs(cell);
	if (nl_wait_running("lan0") || world_tc_ingress(&cell->w, "lan1", "drop") ||
	    (cell->path == BASE && world_tc_ingress(&cell->w, "lan0", "drop")))
		DIE("LAN");
}

void lan_down(void)
{
	nl_del("lan0");
}

/* ---- rules ---- */

__attribute__((format(printf, 1, 2))) static void nft(const char *rules, ...)
{
	FILE *p = popen("nft -f -", "w");
	va_list args;

	va_start(args, rules);
	if (!p || vfprintf(p, rules, args) < 0 || pclose(p))
		DIE("nft");
	va_end(args);
}

/* As a router's firewall; on the port of the first PDN. */
#define MASQUERADE                                                                                 \
	"table ip router {\n"                                                                      \
	"	chain postrouting {\n"                                                                   \
	"		type nat hook postrouting priority srcnat;\n"                                           \
	"		oifname %s masquerade\n"                                                                \
	"	}\n"                                                                                     \
	"	chain forward {\n"                                                                       \
	"		type filter hook forward priority filter; policy drop;\n"                               \
	"		ct state established,related accept\n"                                                  \
	"		iifname \"lan0*\" accept\n"                                                             \
	"	}\n"                                                                                     \
	"}\n"
#define FLOWTABLE                                                                                  \
	"table ip router {\n"                                                                      \
	"	flowtable fast { hook ingress priority filter; devices = { lan0, %s }; }\n"              \
	"}\n"                                                                                      \
	"insert rule ip router forward meta l4proto tcp flow add @fast\n"

/*
 * Connections of the last cell would meet those of the next one, which have the same addresses and
 * ports.
 */
static void forget_connections(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg->nfgen_family = AF_INET;
	if (!nl || mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ||
	    mnl_cb_run(buf, mnl_socket_recvfrom(nl, buf, sizeof(buf)), 0, 0, NULL, NULL) < 0)
		DIE("connections");
	mnl_socket_close(nl);
}

static void rules_up(const struct cell *cell)
{
	nft(MASQUERADE, cell->port[1]);
	if (cell->c->rules == RULES_FLOWTABLE)
		nft(FLOWTABLE, cell->port[1]);
}

static void rules_down(void)
{
	nft("delete table ip router\n");
	forget_connections();
}

/* ---- packets of the host ---- */

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	uint8_t kept[16];

	memcpy(kept, a, n);
	memcpy(a, b, n);
	memcpy(b, kept, n);
}

/* Turns the direction of a packet from packet_make(); no checksum changes. */
static void turn(const struct bench_case *c, uint8_t *packet)
{
	uint8_t *l4 = packet + case_ip_header(c);

	if (c->v6)
		swap(packet + 8, packet + 24, 16);
	else
		swap(packet + 12, packet + 16, 4);
	swap(l4, l4 + 2, 2);
}

static void host_send(const struct lan *lan, uint8_t *packet, size_t len)
{
	uint16_t type = htons(lan->load.v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP),
		 tag[] = {htons(ETHERTYPE_VLAN), htons(VLAN)};
	size_t tag_len = lan->cell->c->vlan ? sizeof(tag) : 0;
	struct iovec parts[] = {{(void *)router_mac, ETHER_ADDR_LEN},
				{(void *)host_mac, ETHER_ADDR_LEN},
				{tag, tag_len},
				{&type, sizeof(type)},
				{packet, len}};

	if (writev(lan->sock, parts, 5) != (ssize_t)(ETHER_HDR_LEN + tag_len + len))
		DIE("LAN host");
}

/* The kernel reports a port's multicast groups, too. */
static bool is_from_host(const struct lan *lan, const uint8_t *packet)
{
	uint8_t protocol = lan->load.v6 ? packet[6] : packet[9];

	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static void read_modem(struct lan *lan, int ms)
{
	static uint8_t buf[AGGREGATE_MAX];
	const uint8_t *at, *packet;
	size_t n;

	while ((n = cell_recv(lan->cell, buf, sizeof(buf), ms)))
		for (at = buf; (packet = cell_frame(&at, buf + n));)
			lan->arrived += is_from_host(lan, packet);
}

/* ---- connections ---- */

#define WINDOW_SCALE "\x03\x03\x0e\x00" /* window of 1 GB: the host acknowledges nothing */

/* The host opens a flow with one packet of UDP, or TCP's handshake. */
static void open_flow(struct lan *lan, unsigned int flow)
{
	const struct bench_case *c = lan->cell->c;
	struct packet_spec host = {.udp = c->udp,
				   .v6 = c->v6,
				   .flow = flow,
				   .sport = generator_sport(flow),
				   .ttl = 64,
				   .window = 0xffff},
			   modem = {.v6 = c->v6,
				    .flow = flow,
				    .sport = generator_sport(flow),
				    .daddr = case_destination(c),
				    .ttl = 64,
				    .flags = 0x12,
				    .window = 0xffff,
				    .seq = 1000,
				    .ack = 1,
				    .options = WINDOW_SCALE,
				    .options_len = 4};
	unsigned long long answered;
	uint8_t packet[PACKET_MAX];
	size_t len;

	if (c->udp) {
		host.payload = 8;
	} else {
		host.flags = 0x02;
		host.options_len = 4;
		memcpy(host.options, WINDOW_SCALE, 4);
	}
	len = packet_make(packet, &host);
	turn(c, packet);
	host_send(lan, packet, len);
	read_modem(lan, 0);
	if (c->udp)
		return;
	answered = cell_statistic("lan0", "tx_packets") + 1;
	cell_send(lan->cell, &modem);
	while (cell_statistic("lan0", "tx_packets") < answered) /* left to ksoftirqd */
		sched_yield();
	host.flags = 0x10;
	host.seq = 1;
	host.ack = 1001;
	host.options_len = 0;
	len = packet_make(packet, &host);
	turn(c, packet);
	host_send(lan, packet, len);
	read_modem(lan, 0);
}

static void open_flows(struct lan *lan)
{
	const struct bench_case *c = lan->cell->c;
	unsigned int flows = c->flows ?: 1, i;

	for (i = 1; i <= flows; i++)
		open_flow(lan, i);
	read_modem(lan, FLUSHED);
	if (lan->arrived != flows * (c->udp ? 1 : 2))
		DIE("%llu packets of the LAN arrive", lan->arrived);
	/* A packet that takes another way than the flow table is lost. */
	if (c->rules == RULES_FLOWTABLE)
		nft("insert rule ip router forward drop\n");
}

static int host_socket(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("lan1")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0: receives nothing */

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		DIE("packet socket");
	return fd;
}

/* An aggregate of any version carries what the host sends without one. */
static void prepare_load(struct lan *lan)
{
	const struct bench_case *c = lan->cell->c;
	unsigned int i;

	lan->load = (struct bench_case){.version = 1,
					.v6 = c->v6,
					.frames = c->host_packets,
					.packet = c->host_bytes,
					.ports = 1,
					.sink = SINK_LAN};
	generator_init(&lan->g, &lan->load, 1, 1001);
	for (i = 0; i < c->host_packets; i++)
		turn(c, lan->g.slots[i].packet);
}

void lan_open(struct lan *lan, struct cell *cell)
{
	memset(lan, 0, sizeof(*lan));
	lan->cell = cell;
	lan->load.v6 = cell->c->v6;
	lan->sock = host_socket();
	if (cell->c->rules && cell->path != BASE) {
		rules_up(cell);
		open_flows(lan);
	}
	lan->arrived = 0;
	if (cell->c->host_packets)
		prepare_load(lan);
}

void lan_close(struct lan *lan)
{
	close(lan->sock);
	if (lan->cell->c->rules && lan->cell->path != BASE)
		rules_down();
}

void lan_answer(struct lan *lan)
{
	unsigned int i;

	if (!lan->load.frames)
		return;
	generator_next(&lan->g);
	for (i = 0; i < lan->load.frames; i++) {
		const struct generator_slot *s = &lan->g.slots[i];

		host_send(lan, s->packet, s->payload + case_headers(&lan->load));
		lan->sent++;
	}
	read_modem(lan, 0);
}

unsigned long long lan_lost(struct lan *lan)
{
	if (lan->cell->path == BASE || !lan->load.frames)
		return 0;
	read_modem(lan, FLUSHED);
	return lan->sent - lan->arrived;
}
