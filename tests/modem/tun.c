// SPDX-License-Identifier: GPL-2.0-or-later
#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int tun_set_mtu(int sock, const char *name, unsigned int mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	return ioctl(sock, SIOCSIFMTU, &ifr) ? -errno : 0;
}

int tun_get_mtu(int sock, const char *name)
{
	struct ifreq ifr = {0};

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	return ioctl(sock, SIOCGIFMTU, &ifr) ? -errno : ifr.ifr_mtu;
}

static int ifreq_configure(int sock, const char *name, unsigned int mtu, bool up)
{
	struct ifreq ifr = {0};
	int ifindex;

	strcpy(ifr.ifr_name, name);
	if (ioctl(sock, SIOCGIFINDEX, &ifr))
		return -errno;
	ifindex = ifr.ifr_ifindex;
	if (mtu) {
		int err = tun_set_mtu(sock, name, mtu);

		if (err)
			return err;
	}
	if (!up)
		return ifindex;
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		return -errno;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr) ? -errno : ifindex;
}

int tun_configure(const char *name, unsigned int mtu, bool up)
{
	int ret, sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -errno;
	ret = ifreq_configure(sock, name, mtu, up);
	close(sock);
	return ret;
}

void tun_quiet(const char *name)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/addr_gen_mode", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* a kernel without IPv6 sends nothing by itself */
	if (write(fd, "1", 1) < 0)
		perror(path);
	close(fd);
}

static int talk(struct mnl_socket *nl, struct nlmsghdr *nlh)
{
	char buf[4096]; /* MNL_SOCKET_BUFFER_SIZE is not a constant; an acknowledgement is short */
	ssize_t n;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0)
		return -errno;
	return mnl_cb_run(buf, n, nlh->nlmsg_seq, 0, NULL, NULL) < 0 ? -errno : 0;
}

static int request(struct nlmsghdr *nlh)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int err;

	if (!nl)
		return -errno;
	err = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ? -errno : talk(nl, nlh);
	mnl_socket_close(nl);
	return err;
}

static int add_address(int ifindex, uint8_t family, const void *address, size_t size,
		       unsigned int prefix)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_prefixlen = prefix;
	ifa->ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD;
	ifa->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, size, address);
	mnl_attr_put(nlh, IFA_ADDRESS, size, address);
	return request(nlh);
}

int tun_address4(int ifindex, struct in_addr address, unsigned int prefix)
{
	return add_address(ifindex, AF_INET, &address, sizeof(address), prefix);
}

int tun_address6(int ifindex, const struct in6_addr *address, unsigned int prefix)
{
	return add_address(ifindex, AF_INET6, address, sizeof(*address), prefix);
}

int netns_current(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int netns_enter(const char *name)
{
	char path[300];
	int err = 0, fd;

	if (!name)
		return unshare(CLONE_NEWNET) ? -errno : 0;
	if (snprintf(path, sizeof(path), "/run/netns/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (setns(fd, CLONE_NEWNET))
		err = -errno;
	close(fd);
	return err;
}

int netns_return(int fd)
{
	return setns(fd, CLONE_NEWNET) ? -errno : 0;
}
