// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport alone, for measurements: a USB driver that receives transfers and throws them away,
 * and sends one prepared transfer as often as it is told. Its cost is that of the host controller
 * and the emulated modem, which every driver of a modem's data interface pays.
 *
 * It binds the interface that its parameter `interface` names. /dev/usb_bare: write() prepares the
 * transfer, ioctl() sends its first ARG bytes; EBUSY while all requests are in flight.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/usb.h>

#define RX_URBS	 8
#define TX_URBS	 16
#define RX_BYTES 31744
#define TX_BYTES 65536

static char interface[64];
module_param_string(interface, interface, sizeof(interface), 0644);

struct bare {
	struct usb_device *udev;
	unsigned int out;
	struct usb_anchor flying;
	struct urb *rx[RX_URBS], *tx[TX_URBS];
	u8 *data;	    /* to send */
	unsigned long busy; /* bits of tx */
	unsigned int next;
};

static struct bare *bare; /* the one interface */

static void rx_done(struct urb *urb)
{
	if (urb->status)
		return;
	usb_anchor_urb(urb, &bare->flying);
	if (usb_submit_urb(urb, GFP_ATOMIC))
		usb_unanchor_urb(urb);
}

static void tx_done(struct urb *urb)
{
	clear_bit((unsigned long)urb->context, &bare->busy);
}

static ssize_t bare_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	if (!bare || len > TX_BYTES)
		return -EINVAL;
	return copy_from_user(bare->data, from, len) ? -EFAULT : len;
}

static long bare_ioctl(struct file *file, unsigned int command, unsigned long len)
{
	unsigned long i;
	struct urb *urb;
	int err;

	if (!bare || len > TX_BYTES)
		return -EINVAL;
	i = bare->next++ % TX_URBS;
	if (test_and_set_bit(i, &bare->busy))
		return -EBUSY;
	urb = bare->tx[i];
	usb_fill_bulk_urb(urb, bare->udev, bare->out, bare->data, len, tx_done, (void *)i);
	urb->transfer_flags |= URB_ZERO_PACKET;
	usb_anchor_urb(urb, &bare->flying);
	err = usb_submit_urb(urb, GFP_KERNEL);
	if (err) {
		usb_unanchor_urb(urb);
		clear_bit(i, &bare->busy);
	}
	return err;
}

static const struct file_operations bare_fops = {
	.owner = THIS_MODULE,
	.write = bare_write,
	.unlocked_ioctl = bare_ioctl,
};

static struct miscdevice bare_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "usb_bare",
	.fops = &bare_fops,
};

static void bare_free(struct bare *b)
{
	unsigned int i;

	for (i = 0; i < RX_URBS; i++) {
		if (b->rx[i])
			kfree(b->rx[i]->transfer_buffer);
		usb_free_urb(b->rx[i]);
	}
	for (i = 0; i < TX_URBS; i++)
		usb_free_urb(b->tx[i]);
	kfree(b->data);
	kfree(b);
}

static struct bare *bare_new(struct usb_device *udev)
{
	struct bare *b = kzalloc(sizeof(*b), GFP_KERNEL);
	unsigned int i;
	bool ok;

	if (!b)
		return NULL;
	b->udev = udev;
	init_usb_anchor(&b->flying);
	b->data = kzalloc(TX_BYTES, GFP_KERNEL);
	ok = b->data;
	for (i = 0; i < TX_URBS; i++) {
		b->tx[i] = usb_alloc_urb(0, GFP_KERNEL);
		ok = ok && b->tx[i];
	}
	for (i = 0; i < RX_URBS; i++) {
		b->rx[i] = usb_alloc_urb(0, GFP_KERNEL);
		ok = ok && b->rx[i];
		if (ok)
			b->rx[i]->transfer_buffer = kmalloc(RX_BYTES, GFP_KERNEL);
		ok = ok && b->rx[i]->transfer_buffer;
	}
	if (ok)
		return b;
	bare_free(b);
	return NULL;
}

static int bare_probe(struct usb_interface *intf, const struct usb_device_id *id)
{
	struct usb_endpoint_descriptor *in, *out;
	struct urb *urb;
	unsigned int i;

	if (bare || strcmp(dev_name(&intf->dev), interface) ||
	    usb_find_common_endpoints(intf->cur_altsetting, &in, &out, NULL, NULL))
		return -ENODEV;
	bare = bare_new(interface_to_usbdev(intf));
	if (!bare)
		return -ENOMEM;
	bare->out = usb_sndbulkpipe(bare->udev, usb_endpoint_num(out));
	for (i = 0; i < RX_URBS; i++) {
		urb = bare->rx[i];
		usb_fill_bulk_urb(urb, bare->udev,
				  usb_rcvbulkpipe(bare->udev, usb_endpoint_num(in)),
				  urb->transfer_buffer, RX_BYTES, rx_done, NULL);
		usb_anchor_urb(urb, &bare->flying);
		if (usb_submit_urb(urb, GFP_KERNEL))
			usb_unanchor_urb(urb);
	}
	return 0;
}

static void bare_disconnect(struct usb_interface *intf)
{
	usb_kill_anchored_urbs(&bare->flying);
	bare_free(bare);
	bare = NULL;
}

static const struct usb_device_id bare_ids[] = {
	{.match_flags = USB_DEVICE_ID_MATCH_INT_CLASS, .bInterfaceClass = USB_CLASS_VENDOR_SPEC},
	{}};

static struct usb_driver bare_driver = {
	.name = "usb_bare",
	.id_table = bare_ids,
	.probe = bare_probe,
	.disconnect = bare_disconnect,
};

static int __init bare_init(void)
{
	int err = misc_register(&bare_misc);

	if (err)
		return err;
	err = usb_register(&bare_driver);
	if (err)
		misc_deregister(&bare_misc);
	return err;
}

static void __exit bare_exit(void)
{
	usb_deregister(&bare_driver);
	misc_deregister(&bare_misc);
}

module_init(bare_init);
module_exit(bare_exit);
MODULE_DESCRIPTION("USB transfers without a driver's own work, for measurements");
MODULE_LICENSE("GPL");
