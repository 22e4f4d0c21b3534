// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns what is sent on the injecting device into what is received on the trunk.
 *
 * A packet from AF_PACKET is one linear buffer, as a URB of usbnet is; a TUN write of that size
 * is paged. XDP programs and drivers see the difference.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 trunk_ifindex = 0;

SEC("tc")
int inject(struct __sk_buff *skb)
{
	/* Everything else that the kernel may want to send here (IPv6 chatter) ends here. */
	if (skb->mark != 0x716d6170)
		return TC_ACT_SHOT;
	skb->mark = 0;
	return bpf_redirect(trunk_ifindex, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
