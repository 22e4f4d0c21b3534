// SPDX-License-Identifier: GPL-2.0-or-later
#include "usb_desc.h"
#include "util.h"

#include <linux/usb/ch9.h>
#include <stdbool.h>

#define VENDOR	0x2c7c
#define PRODUCT 0x0800

#define BULK_SUPER  1024
#define BULK_HIGH   512
#define NO_ENDPOINT 0

/* DIAG has no notifications; NMEA, AT and modem are serial ports with CDC ACM's descriptors. */
static const struct {
	uint8_t subclass, protocol;
	bool acm;
	uint8_t notify, notify_size, in, out;
} interfaces[] = {
	{0xff, 0x30, false, NO_ENDPOINT, 0, 1, 1},
	{0x00, 0x00, true, 3, 10, 2, 2},
	{0x00, 0x00, true, 5, 10, 4, 3},
	{0x00, 0x00, true, 7, 10, 6, 4},
	{0xff, 0xff, false, USB_EP_NOTIFY, 8, USB_EP_DOWNLINK, USB_EP_UPLINK},
};

/* CDC: header 1.10, call management, ACM, and a union that is its own master and slave. */
static const uint8_t acm_descriptors[] = {
	0x05, 0x24, 0x00, 0x10, 0x01, 0x05, 0x24, 0x01, 0x00, 0x00,
	0x04, 0x24, 0x02, 0x02, 0x05, 0x24, 0x06, 0x00, 0x00,
};

static size_t put(uint8_t *buf, const void *desc, size_t len)
{
	memcpy(buf, desc, len);
	return len;
}

static size_t put_endpoint(uint8_t *buf, enum usb_speed speed, uint8_t address, uint8_t type,
			   uint16_t size)
{
	struct usb_endpoint_descriptor ep = {
		.bLength = USB_DT_ENDPOINT_SIZE,
		.bDescriptorType = USB_DT_ENDPOINT,
		.bEndpointAddress = address,
		.bmAttributes = type,
		.wMaxPacketSize = htole16(size),
		.bInterval = type == USB_ENDPOINT_XFER_INT ? 9 : 0,
	};
	struct usb_ss_ep_comp_descriptor companion = {
		.bLength = USB_DT_SS_EP_COMP_SIZE,
		.bDescriptorType = USB_DT_SS_ENDPOINT_COMP,
		.wBytesPerInterval = htole16(type == USB_ENDPOINT_XFER_INT ? size : 0),
	};
	size_t n = put(buf, &ep, USB_DT_ENDPOINT_SIZE);

	if (speed == USB_SUPER)
		n += put(buf + n, &companion, USB_DT_SS_EP_COMP_SIZE);
	return n;
}

static size_t put_interface(uint8_t *buf, enum usb_speed speed, unsigned int i)
{
	uint16_t bulk = speed == USB_SUPER ? BULK_SUPER : BULK_HIGH;
	struct usb_interface_descriptor desc = {
		.bLength = USB_DT_INTERFACE_SIZE,
		.bDescriptorType = USB_DT_INTERFACE,
		.bInterfaceNumber = i,
		.bNumEndpoints = interfaces[i].notify ? 3 : 2,
		.bInterfaceClass = USB_CLASS_VENDOR_SPEC,
		.bInterfaceSubClass = interfaces[i].subclass,
		.bInterfaceProtocol = interfaces[i].protocol,
	};
	size_t n = put(buf, &desc, USB_DT_INTERFACE_SIZE);

	if (interfaces[i].acm) {
		n += put(buf + n, acm_descriptors, sizeof(acm_descriptors));
		buf[n - 2] = buf[n - 1] = i;
	}
	if (interfaces[i].notify)
		n += put_endpoint(buf + n, speed, USB_DIR_IN | interfaces[i].notify,
				  USB_ENDPOINT_XFER_INT, interfaces[i].notify_size);
	n += put_endpoint(buf + n, speed, USB_DIR_IN | interfaces[i].in, USB_ENDPOINT_XFER_BULK,
			  bulk);
	return n + put_endpoint(buf + n, speed, interfaces[i].out, USB_ENDPOINT_XFER_BULK, bulk);
}

static size_t configuration(enum usb_speed speed, uint8_t *buf)
{
	struct usb_config_descriptor desc = {
		.bLength = USB_DT_CONFIG_SIZE,
		.bDescriptorType = USB_DT_CONFIG,
		.bNumInterfaces = ARRAY_SIZE(interfaces),
		.bConfigurationValue = 1,
		.bmAttributes = USB_CONFIG_ATT_ONE | USB_CONFIG_ATT_WAKEUP,
		.bMaxPower = speed == USB_SUPER ? 896 / 8 : 500 / 2,
	};
	size_t n = USB_DT_CONFIG_SIZE;

	for (unsigned int i = 0; i < ARRAY_SIZE(interfaces); i++)
		n += put_interface(buf + n, speed, i);
	desc.wTotalLength = htole16(n);
	memcpy(buf, &desc, USB_DT_CONFIG_SIZE);
	return n;
}

static size_t device(enum usb_speed speed, uint8_t *buf)
{
	bool super = speed == USB_SUPER;
	struct usb_device_descriptor desc = {
		.bLength = USB_DT_DEVICE_SIZE,
		.bDescriptorType = USB_DT_DEVICE,
		.bcdUSB = htole16(super ? 0x0320 : 0x0210),
		.bMaxPacketSize0 = super ? 9 : 64, /* at SuperSpeed an exponent of two */
		.idVendor = htole16(VENDOR),
		.idProduct = htole16(PRODUCT),
		.bcdDevice = htole16(0x0414),
		.iManufacturer = 1,
		.iProduct = 2,
		.iSerialNumber = 3,
		.bNumConfigurations = 1,
	};

	return put(buf, &desc, USB_DT_DEVICE_SIZE);
}

static size_t device_qualifier(uint8_t *buf)
{
	struct usb_qualifier_descriptor desc = {
		.bLength = sizeof(desc),
		.bDescriptorType = USB_DT_DEVICE_QUALIFIER,
		.bcdUSB = htole16(0x0210),
		.bMaxPacketSize0 = 64,
		.bNumConfigurations = 1,
	};

	return put(buf, &desc, sizeof(desc));
}

/* The kernel requests it if bcdUSB is above 2.00; this device offers no link power management. */
static size_t binary_object_store(uint8_t *buf)
{
	struct usb_ext_cap_descriptor ext = {
		.bLength = USB_DT_USB_EXT_CAP_SIZE,
		.bDescriptorType = USB_DT_DEVICE_CAPABILITY,
		.bDevCapabilityType = USB_CAP_TYPE_EXT,
	};
	struct usb_ss_cap_descriptor ss = {
		.bLength = USB_DT_USB_SS_CAP_SIZE,
		.bDescriptorType = USB_DT_DEVICE_CAPABILITY,
		.bDevCapabilityType = USB_SS_CAP_TYPE,
		.wSpeedSupported = htole16(USB_HIGH_SPEED_OPERATION | USB_5GBPS_OPERATION),
		.bFunctionalitySupport = 2,
	};
	struct usb_bos_descriptor bos = {
		.bLength = USB_DT_BOS_SIZE,
		.bDescriptorType = USB_DT_BOS,
		.bNumDeviceCaps = 2,
	};
	size_t n = USB_DT_BOS_SIZE;

	n += put(buf + n, &ext, USB_DT_USB_EXT_CAP_SIZE);
	n += put(buf + n, &ss, USB_DT_USB_SS_CAP_SIZE);
	bos.wTotalLength = htole16(n);
	memcpy(buf, &bos, USB_DT_BOS_SIZE);
	return n;
}

static size_t string(uint8_t index, uint8_t *buf)
{
	static const char *const texts[] = {NULL, "Quectel", "RG500Q-EA", "0123456789ABCDEF"};
	static const uint8_t english[] = {4, USB_DT_STRING, 0x09, 0x04};
	size_t len;

	if (!index)
		return put(buf, english, sizeof(english));
	if (index >= ARRAY_SIZE(texts))
		return 0;
	len = strlen(texts[index]);
	buf[0] = 2 + 2 * len;
	buf[1] = USB_DT_STRING;
	for (size_t i = 0; i < len; i++)
		put_le16(buf + 2 + 2 * i, texts[index][i]);
	return buf[0];
}

size_t usb_descriptor(enum usb_speed speed, uint8_t type, uint8_t index, uint8_t *buf)
{
	switch (type) {
	case USB_DT_DEVICE:
		return device(speed, buf);
	case USB_DT_CONFIG:
		return index ? 0 : configuration(speed, buf);
	case USB_DT_STRING:
		return string(index, buf);
	case USB_DT_DEVICE_QUALIFIER:
		return speed == USB_SUPER ? 0 : device_qualifier(buf);
	case USB_DT_BOS:
		return binary_object_store(buf);
	default:
		return 0;
	}
}
