// SPDX-License-Identifier: GPL-2.0-or-later
/* Discovery in sysfs trees that the test builds as the kernel lays them out. */
#include "test.h"

#include <ftw.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/discover/discover.h"
#include "daemon/util/json_get.h"
#include "daemon/discover/probe_modem.h"
#include "daemon/util/sysfs.h"

static char root[64];

/* --- building --- */

static void path_of(char path[400], const char *fmt, va_list ap)
{
	int n = snprintf(path, 400, "%s/", root);

	vsnprintf(path + n, 400 - n, fmt, ap);
}

static void make_dirs(char *path)
{
	for (char *c = path + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = 0;
		mkdir(path, 0755);
		*c = '/';
	}
}

/* Makes an empty directory and its parents. */
static void dir(const char *fmt, ...)
{
	char path[400];
	va_list ap;

	va_start(ap, fmt);
	path_of(path, fmt, ap);
	va_end(ap);
	make_dirs(path);
	mkdir(path, 0755);
}

static void file(const char *text, const char *fmt, ...)
{
	char path[400];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	path_of(path, fmt, ap);
	va_end(ap);
	make_dirs(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

/* @to is below the root. */
static void link_to(const char *to, const char *fmt, ...)
{
	char path[400], target[400];
	va_list ap;

	va_start(ap, fmt);
	path_of(path, fmt, ap);
	va_end(ap);
	make_dirs(path);
	snprintf(target, sizeof(target), "%s/%s", root, to);
	assert_return_code(symlink(target, path), 0);
}

#define USB "bus/usb/devices/%s"

static void usb_device(const char *name, const char *vendor, const char *product)
{
	file(vendor, USB "/idVendor", name);
	file(product, USB "/idProduct", name);
}

/* @class: "ff/ff/ff"; @driver may be NULL. */
static void usb_interface(const char *name, const char *number, const char *class,
			  const char *driver)
{
	char part[3][3] = {{0}}, to[80];

	memcpy(part[0], class, 2);
	memcpy(part[1], class + 3, 2);
	memcpy(part[2], class + 6, 2);
	file(number, USB "/bInterfaceNumber", name);
	file(part[0], USB "/bInterfaceClass", name);
	file(part[1], USB "/bInterfaceSubClass", name);
	file(part[2], USB "/bInterfaceProtocol", name);
	if (!driver)
		return;
	snprintf(to, sizeof(to), "bus/usb/drivers/%s", driver);
	dir("%s", to);
	link_to(to, USB "/driver", name);
}

static void netdev(const char *interface, const char *name, const char *devtype)
{
	char device[80], type[80];

	dir(USB "/net/%s", interface, name);
	snprintf(device, sizeof(device), USB, interface);
	link_to(device, "class/net/%s/device", name);
	snprintf(type, sizeof(type), "DEVTYPE=%s", devtype);
	file(type, "class/net/%s/uevent", name);
	file("65534", "class/net/%s/type", name);
	file("7", "class/net/%s/ifindex", name);
	file("7", "class/net/%s/iflink", name);
}

/* The RG500Q as Linux enumerates it, its data interface with @driver. */
static void rg500q(const char *driver)
{
	usb_device("1-1.2", "2c7c", "0800");
	file("Quectel", USB "/manufacturer", "1-1.2");
	file("RG500Q-EA", USB "/product", "1-1.2");
	file("0123456789ABCDEF", USB "/serial", "1-1.2");
	usb_interface("1-1.2:1.0", "00", "ff/ff/30", "option");
	usb_interface("1-1.2:1.2", "02", "ff/00/00", "option");
	usb_interface("1-1.2:1.4", "04", "ff/ff/ff", driver);
}

/* --- asking --- */

static struct modem *list;
static size_t count;

static void find(size_t expected)
{
	free(list);
	list = NULL;
	assert_int_equal(modems_find(root, &list, &count), 0);
	assert_int_equal(count, expected);
}

static void next_is(const struct modem *m, const char *expected)
{
	char next[256];

	modem_next_step(root, m, false, next, sizeof(next));
	assert_string_equal(next, expected);
}

static int set_up(void **state)
{
	strcpy(root, "/tmp/qmap-sysfs.XXXXXX");
	list = NULL;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int tear_down(void **state)
{
	free(list);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TEST_FIXTURE(set_up, tear_down);

/* --- USB --- */

TEST(nothing)
{
	find(0);
	dir("bus/usb/devices");
	dir("class/net");
	find(0);
}

TEST(qmi_wwan)
{
	rg500q("qmi_wwan");
	netdev("1-1.2:1.4", "wwan0", "wwan");
	dir(USB "/usbmisc/cdc-wdm0", "1-1.2:1.4");
	find(1);
	assert_int_equal(list->bus, MODEM_USB);
	assert_string_equal(list->device, "1-1.2");
	assert_string_equal(list->interface_name, "1-1.2:1.4");
	assert_int_equal(list->vendor, 0x2c7c);
	assert_int_equal(list->product, 0x0800);
	assert_string_equal(list->manufacturer, "Quectel");
	assert_string_equal(list->product_name, "RG500Q-EA");
	assert_string_equal(list->serial, "0123456789ABCDEF");
	assert_int_equal(list->interface, 4);
	assert_string_equal(list->netdev, "wwan0");
	assert_string_equal(list->control, "/dev/cdc-wdm0");
	assert_string_equal(list->driver, "qmi_wwan");
	assert_int_equal(list->mode, MODEM_MODE_QMI);
	assert_int_equal(list->model->dl_max_bytes, 31744);
	next_is(list, "`qmapctl attach wwan0`");
}

/* Bound to the shim's own USB driver by hand, or by a qmapd that has just died. */
TEST(driver_of_the_shim)
{
	rg500q("qmap_usb");
	netdev("1-1.2:1.4", "wwan0", "wwan");
	dir(USB "/usbmisc/cdc-wdm0", "1-1.2:1.4");
	find(1);
	assert_int_equal(list->mode, MODEM_MODE_QMI);
	assert_string_equal(list->control, "/dev/cdc-wdm0");
	next_is(list, "`qmapctl attach wwan0`");
}

TEST(missing_parts)
{
	rg500q("qmi_wwan");
	find(1);
	assert_string_equal(list->netdev, "");
	next_is(list, "its netdev is not in this network namespace: `ip netns` lists others");
	netdev("1-1.2:1.4", "wwan0", "wwan");
	find(1);
	next_is(list,
		"it has no control device: `qmapctl attach wwan0 --control none` if something "
		"else dials");
}

TEST(no_driver)
{
	rg500q(NULL);
	find(1);
	assert_int_equal(list->interface, 4);
	assert_int_equal(list->mode, MODEM_MODE_QMI);
	assert_string_equal(list->driver, "");
	next_is(list, "load its driver: modprobe qmi_wwan");
	dir("bus/usb/drivers/qmi_wwan");
	next_is(list, "qmi_wwan is loaded and has not bound: "
		      "echo 2c7c 0800 >/sys/bus/usb/drivers/qmi_wwan/new_id");
}

TEST(drivers_in_the_way)
{
	rg500q("option");
	find(1);
	next_is(list, "driver option holds the data interface: "
		      "echo 1-1.2:1.4 >/sys/bus/usb/drivers/option/unbind, then modprobe qmi_wwan");
	usb_device("2-1", "2c7c", "0125");
	usb_interface("2-1:1.4", "04", "ff/ff/ff", "GobiNet");
	netdev("2-1:1.4", "usb0", "wwan");
	dir(USB "/GobiQMI/qcqmi0", "2-1:1.4");
	usb_device("3-1", "2c7c", "0512");
	usb_interface("3-1:1.4", "04", "ff/ff/ff", "qmi_wwan_q");
	netdev("3-1:1.4", "wwan3", "wwan");
	find(3);
	assert_string_equal(list[1].control, "/dev/qcqmi0");
	assert_int_equal(list[1].mode, MODEM_MODE_QMI);
	next_is(&list[1],
		"driver GobiNet does QMAP by itself: rmmod GobiNet && modprobe qmi_wwan, and "
		"keep it from loading by a blacklist line in /etc/modprobe.d");
	assert_string_equal(list[2].driver, "qmi_wwan_q");
}

TEST(other_modes)
{
	static const struct {
		const char *class, *driver, *name;
		int usbnet;
	} table[] = {
		{"02/06/00", "cdc_ether", "ECM", 1},	{"02/0e/00", "cdc_mbim", "MBIM", 2},
		{"e0/01/03", "rndis_host", "RNDIS", 3}, {"02/0d/00", "cdc_ncm", "NCM", 5},
		{"02/06/00", NULL, "ECM", 1},		{"02/0e/00", NULL, "MBIM", 2},
		{"02/02/ff", NULL, "RNDIS", 3},		{"02/0d/00", NULL, "NCM", 5},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char device[24], interface[32], data[32], net[24];

		snprintf(device, sizeof(device), "1-%zu", i + 1);
		snprintf(interface, sizeof(interface), "%s:1.4", device);
		snprintf(data, sizeof(data), "%s:1.5", device);
		snprintf(net, sizeof(net), "usb%zu", i);
		usb_device(device, "2c7c", "0125");
		usb_interface(interface, "04", table[i].class, table[i].driver);
		usb_interface(data, "05", "0a/00/00", table[i].driver);
		if (table[i].driver)
			netdev(interface, net, "wwan");
	}
	find(sizeof(table) / sizeof(table[0]));
	for (size_t i = 0; i < count; i++) {
		char next[256];

		assert_string_equal(modem_mode_name(list[i].mode), table[i].name);
		assert_int_equal(modem_mode_usbnet(list[i].mode), table[i].usbnet);
		assert_string_equal(list[i].driver, table[i].driver ? table[i].driver : "");
		snprintf(next, sizeof(next),
			 "%s has no QMAP: AT+QCFG=\"usbnet\",0 and AT+CFUN=1,1 on the modem's AT "
			 "port "
			 "change it to QMI",
			 table[i].name);
		next_is(&list[i], next);
	}
}

/* Modems of one maker that no command switches to QMI, with a driver and without. */
TEST(modems_without_qmi)
{
	static const struct {
		const char *product, *class, *driver;
	} table[] = {
		{"0900", "02/0e/00", "cdc_mbim"},   {"0900", "02/0d/00", "cdc_ncm"},
		{"0900", "ff/ff/ff", NULL},	    {"0901", "02/06/00", "cdc_ether"},
		{"6002", "e0/01/03", "rndis_host"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char device[24], interface[32], net[24];

		snprintf(device, sizeof(device), "1-%zu", i + 1);
		snprintf(interface, sizeof(interface), "%s:1.4", device);
		snprintf(net, sizeof(net), "usb%zu", i);
		usb_device(device, "2c7c", table[i].product);
		usb_interface(interface, "04", table[i].class, table[i].driver);
		if (table[i].driver)
			netdev(interface, net, "wwan");
	}
	find(sizeof(table) / sizeof(table[0]));
	for (size_t i = 0; i < count; i++)
		next_is(&list[i],
			"it speaks no QMI in any mode, so qmap is of no use with it: its netdev "
			"takes DHCP, or another program dials by AT commands");
}

/* An Ethernet adapter and a phone have drivers that modems use, too; a hub and a disk do not. */
TEST(no_modems)
{
	usb_device("1-1", "0bda", "8153");
	usb_interface("1-1:2.0", "00", "02/06/00", "cdc_ether");
	netdev("1-1:2.0", "eth1", "");
	usb_device("1-2", "18d1", "4eec");
	usb_interface("1-2:1.0", "00", "e0/01/03", "rndis_host");
	netdev("1-2:1.0", "usb0", "");
	usb_device("usb1", "1d6b", "0002");
	usb_interface("1-0:1.0", "00", "09/00/00", "hub");
	usb_device("1-3", "xyz", "");
	find(0);
	usb_device("1-4", "19d2", "1405");
	usb_interface("1-4:1.0", "00", "02/06/00", "cdc_ether");
	netdev("1-4:1.0", "wwan1", "wwan");
	find(1);
	assert_string_equal(list->netdev, "wwan1");
	assert_null(list->model);
	next_is(list, "ECM has no QMAP: if it is a modem and no Ethernet adapter or phone, "
		      "switch it to QMI by its maker's AT command");
}

TEST(unknown_models)
{
	usb_device("1-1", "2c7c", "7777");
	usb_interface("1-1:1.0", "00", "ff/ff/30", NULL);
	usb_device("1-2", "1234", "5678");
	usb_interface("1-2:1.8", "08", "ff/ff/ff", "qmi_wwan");
	netdev("1-2:1.8", "wwan0", "wwan");
	dir(USB "/usbmisc/cdc-wdm5", "1-2:1.8");
	find(2);
	assert_null(list->model);
	assert_int_equal(list->interface, -1);
	next_is(list,
		"it shows no data interface that is known: a [model 2c7c:7777] section in the "
		"configuration can name it");
	assert_null(list[1].model);
	assert_int_equal(list[1].interface, 8);
	next_is(&list[1], "`qmapctl attach wwan0`");
}

/* 1-10 after 1-9, and both data interfaces of one modem. */
TEST(order)
{
	for (unsigned int i = 10; i > 8; i--) {
		char device[16], interface[32];

		snprintf(device, sizeof(device), "1-%u", i);
		usb_device(device, "2c7c", "0800");
		snprintf(interface, sizeof(interface), "%s:1.5", device);
		usb_interface(interface, "05", "ff/ff/ff", "qmi_wwan");
		snprintf(interface, sizeof(interface), "%s:1.4", device);
		usb_interface(interface, "04", "ff/ff/ff", "qmi_wwan");
	}
	find(4);
	assert_string_equal(list[0].interface_name, "1-9:1.4");
	assert_string_equal(list[1].interface_name, "1-9:1.5");
	assert_string_equal(list[2].interface_name, "1-10:1.4");
}

/* Strings come from the device: no byte of them may control a terminal. */
TEST(hostile_strings)
{
	char text[301];

	memset(text, 'x', sizeof(text) - 1);
	text[300] = 0;
	rg500q("qmi_wwan");
	file("\033]0;owned\007Que\tctel\177\302\233\233", USB "/manufacturer", "1-1.2");
	file(text, USB "/product", "1-1.2");
	find(1);
	assert_string_equal(list->manufacturer, "?]0;owned?Que?ctel????");
	assert_int_equal(strlen(list->product_name), sizeof(list->product_name) - 1);
}

/* --- PCIe --- */

#define BRIDGE "devices/pci0000:00/0000:00:1c.0"
#define MODEM  BRIDGE "/0000:01:00.0"

static void pci_device(const char *path, const char *vendor, const char *device)
{
	const char *name = strrchr(path, '/') + 1;

	file(vendor, "%s/vendor", path);
	file(device, "%s/device", path);
	link_to(path, "bus/pci/devices/%s", name);
}

TEST(pcie)
{
	pci_device(BRIDGE, "0x8086", "0xa33c");
	pci_device(MODEM, "0x1eac", "0x1004");
	find(1);
	assert_int_equal(list->bus, MODEM_PCIE);
	assert_string_equal(list->device, "0000:01:00.0");
	next_is(list, "load its driver: modprobe mhi_pci_generic");
	dir("bus/pci/drivers/mhi-pci-generic");
	link_to("bus/pci/drivers/mhi-pci-generic", MODEM "/driver");
	find(1);
	next_is(list, "load what makes its netdev and control device: "
		      "modprobe -a mhi_net mhi_wwan_ctrl");

	dir(MODEM "/mhi0/mhi0_IP_HW0/net/mhi_hwip0");
	dir("bus/mhi/drivers/mhi_net");
	link_to("bus/mhi/drivers/mhi_net", MODEM "/mhi0/mhi0_IP_HW0/driver");
	link_to(MODEM "/mhi0/mhi0_IP_HW0", MODEM "/mhi0/mhi0_IP_HW0/net/mhi_hwip0/device");
	link_to(MODEM "/mhi0/mhi0_IP_HW0/net/mhi_hwip0", "class/net/mhi_hwip0");
	dir(MODEM "/mhi0/wwan/wwan0/wwan0at0");
	link_to(MODEM "/mhi0/wwan/wwan0/wwan0at0", "class/wwan/wwan0at0");
	dir(MODEM "/mhi0/wwan/wwan0/wwan0qmi0");
	link_to(MODEM "/mhi0/wwan/wwan0/wwan0qmi0", "class/wwan/wwan0qmi0");
	find(1);
	assert_string_equal(list->device, "0000:01:00.0");
	assert_string_equal(list->netdev, "mhi_hwip0");
	assert_string_equal(list->control, "/dev/wwan0qmi0");
	assert_string_equal(list->driver, "mhi_net");
	assert_int_equal(list->mode, MODEM_MODE_QMI);
	assert_int_equal(list->model->dl_max_bytes, 15360);
	next_is(list, "`qmapctl attach mhi_hwip0 --control /dev/wwan0qmi0`");
}

/* A USB modem is below a PCI device, too: that of the host controller. */
TEST(usb_below_pci)
{
	pci_device(BRIDGE, "0x8086", "0xa36d");
	usb_device("1-1", "2c7c", "0800");
	usb_interface("1-1:1.4", "04", "ff/ff/ff", "qmi_wwan");
	dir(USB "/net/wwan0", "1-1:1.4");
	dir(BRIDGE "/usb1/1-1/1-1:1.4/net/wwan0");
	link_to("bus/usb/devices/1-1:1.4", BRIDGE "/usb1/1-1/1-1:1.4/net/wwan0/device");
	link_to(BRIDGE "/usb1/1-1/1-1:1.4/net/wwan0", "class/net/wwan0");
	find(1);
	assert_int_equal(list->bus, MODEM_USB);
}

/* --- netdevs without a device --- */

static void raw_ip(const char *name, const char *ifindex, const char *iflink, const char *type)
{
	file(type, "class/net/%s/type", name);
	file(ifindex, "class/net/%s/ifindex", name);
	file(iflink, "class/net/%s/iflink", name);
}

TEST(virtual_netdevs)
{
	raw_ip("wwan0", "3", "3", "65534");
	file("0x1001", "class/net/wwan0/tun_flags");
	raw_ip("wwan0.se", "4", "4", "65534"); /* of data path xdp */
	raw_ip("wwan0.1", "5", "3", "519");    /* a port of shim, or a link of rmnet */
	raw_ip("wwan0.1q", "6", "7", "1");     /* a veth */
	raw_ip("eth0", "2", "2", "1");
	raw_ip("wg0", "8", "8", "65534");
	file("DEVTYPE=wireguard", "class/net/wg0/uevent");
	find(1);
	assert_int_equal(list->bus, MODEM_VIRTUAL);
	assert_string_equal(list->netdev, "wwan0");
	assert_string_equal(list->driver, "tun");
	next_is(list, "`qmapctl attach wwan0 --control PATH` if a modem is behind it");
}

/* --- additions to the table, and JSON --- */

TEST(overrides)
{
	struct qmi_model m;

	usb_device("1-1", "2c7c", "7777");
	usb_interface("1-1:1.3", "03", "ff/ff/ff", NULL);
	qmi_model_builtin(&m, 0x2c7c, 0x7777);
	m.names = "RG777";
	m.interface = 3;
	m.qmap = 5;
	assert_int_equal(qmi_model_override(&m), 0);
	find(1);
	assert_int_equal(list->interface, 3);
	assert_string_equal(list->model->names, "RG777");
	next_is(list, "load its driver: modprobe qmi_wwan");
	qmi_model_forget_overrides();
}

TEST(json)
{
	struct json_object *o;

	rg500q("qmi_wwan");
	netdev("1-1.2:1.4", "wwan0", "wwan");
	find(1);
	o = probe_modem_json(root, list);
	assert_string_equal(
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE),
		"{\"dev\":\"wwan0\",\"bus\":\"usb\",\"device\":\"1-1.2\","
		"\"id\":\"2c7c:0800\",\"manufacturer\":\"Quectel\","
		"\"product\":\"RG500Q-EA\",\"serial\":\"0123456789ABCDEF\","
		"\"model\":\"RG500\",\"qmap\":\"v5\",\"dl_max_bytes\":31744,"
		"\"forces_qmap\":true,\"note\":\"RG502Q activates profile 2 by itself\","
		"\"interface\":4,\"control\":null,\"driver\":\"qmi_wwan\","
		"\"mode\":\"QMI\",\"usbnet\":0,\"attached\":false,"
		"\"next\":\"it has no control device: `qmapctl attach wwan0 --control "
		"none` if something else dials\"}");
	json_object_put(o);
}

TEST(json_of_little)
{
	struct json_object *o;

	usb_device("1-1", "2c7c", "7777");
	find(1);
	o = probe_modem_json(root, list);
	assert_null(json_get_string(o, "dev"));
	assert_null(json_get_string(o, "model"));
	assert_null(json_get_string(o, "mode"));
	assert_true(json_object_object_get_ex(o, "usbnet", NULL));
	json_object_put(o);
}
