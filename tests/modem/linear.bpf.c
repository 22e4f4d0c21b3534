// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redirects packets sent on the injecting device so that the trunk receives them.
 *
 * A packet from AF_PACKET is one linear buffer, as a URB of usbnet is; a TUN write of that size is
 * paged. XDP programs and drivers see the difference.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 trunk_ifindex = 0;

SEC("tc")
int inject(struct __sk_buff *skb)
{
	/*
	 * Drop packets that the kernel sends here by itself (IPv6 router solicitations and the
	 * like).
	 */
	if (skb->mark != 0x716d6170)
		return TC_ACT_SHOT;
	skb->mark = 0;
	return bpf_redirect(trunk_ifindex, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
