// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhci_hcd copies transfers by the CPU. This tells the cache model of bench/plugin/cache.c which
 * buffers a host controller with DMA would have mapped and unmapped: on machines whose DMA is not
 * coherent both drop the buffer's lines from the caches.
 */

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/usb.h>

#include "vm_mark.h"

static void announce(const struct urb *urb, unsigned int len)
{
	const u8 *at = urb->transfer_buffer;
	unsigned int i;

	if (usb_urb_dir_in(urb) && at)
		for (i = 0; i < len; i += 64)
			VM_MARK_LINE(at + i);
}

static int submitting(struct kprobe *p, struct pt_regs *regs)
{
	const struct urb *urb = (const struct urb *)regs_get_kernel_argument(regs, 0);

	announce(urb, urb->transfer_buffer_length);
	return 0;
}

static int giving_back(struct kprobe *p, struct pt_regs *regs)
{
	const struct urb *urb = (const struct urb *)regs_get_kernel_argument(regs, 1);

	announce(urb, urb->actual_length);
	return 0;
}

static struct kprobe map = {
	.symbol_name = "usb_submit_urb",
	.pre_handler = submitting,
};

static struct kprobe unmap = {
	.symbol_name = "usb_hcd_giveback_urb",
	.pre_handler = giving_back,
};

static struct kprobe *probes[] = {&map, &unmap};

static int __init usb_dma_init(void)
{
	return register_kprobes(probes, ARRAY_SIZE(probes));
}

static void __exit usb_dma_exit(void)
{
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

module_init(usb_dma_init);
module_exit(usb_dma_exit);
MODULE_DESCRIPTION("Announces buffers of USB to a model of caches");
MODULE_LICENSE("GPL");
