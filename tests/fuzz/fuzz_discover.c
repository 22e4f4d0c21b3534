// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Discovery in a hostile /sys: the device's manufacturer chooses its USB strings, ids and
 * descriptors, and users choose the names of netdevs. The input is a list of operations that create
 * folders, files and links. Discovery must end for any of them, and its result must be valid JSON
 * text.
 */
#include <fcntl.h>
#include <ftw.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/output/output.h"
#include "daemon/discover/discover.h"
#include "daemon/discover/probe_modem.h"
#include "daemon/output/output.h"
#include "daemon/util/log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const folders[] = {
	"bus/usb/devices/1-1",
	"bus/usb/devices/1-1:1.4/net/wwan0",
	"bus/usb/devices/1-1:1.4/usbmisc/cdc-wdm0",
	"bus/usb/devices/1-1:1.4/GobiQMI/qcqmi0",
	"bus/usb/devices/1-1:1.2",
	"bus/usb/drivers/qmi_wwan",
	"bus/pci/devices/0000:01:00.0/mhi0/net/rmnet_mhi0",
	"bus/pci/devices/0000:01:00.0/mhi0/wwan/wwan0/wwan0qmi0",
	"class/net/wwan0/qmi",
	"class/net/tun0",
	"class/wwan",
};

static const char *const files[] = {
	"bus/usb/devices/1-1/idVendor",
	"bus/usb/devices/1-1/idProduct",
	"bus/usb/devices/1-1/manufacturer",
	"bus/usb/devices/1-1/product",
	"bus/usb/devices/1-1/serial",
	"bus/usb/devices/1-1:1.4/bInterfaceNumber",
	"bus/usb/devices/1-1:1.4/bInterfaceClass",
	"bus/usb/devices/1-1:1.4/bInterfaceSubClass",
	"bus/usb/devices/1-1:1.4/bInterfaceProtocol",
	"bus/usb/devices/1-1:1.2/bInterfaceNumber",
	"bus/usb/devices/1-1:1.2/bInterfaceClass",
	"class/net/wwan0/uevent",
	"class/net/wwan0/type",
	"class/net/wwan0/iflink",
	"class/net/wwan0/ifindex",
	"class/net/wwan0/qmi/raw_ip",
	"class/net/tun0/type",
	"class/net/tun0/iflink",
	"class/net/tun0/ifindex",
	"class/net/tun0/tun_flags",
	"bus/pci/devices/0000:01:00.0/vendor",
	"bus/pci/devices/0000:01:00.0/device",
};

static const struct {
	const char *name, *towards;
} links[] = {
	{"bus/usb/devices/1-1:1.4/driver", "../../../drivers/"},
	{"bus/usb/devices/1-1:1.2/driver", "../../../drivers/"},
	{"class/net/wwan0/device", "../../../bus/usb/devices/"},
	{"class/net/rmnet_mhi0/device", "../../../bus/pci/devices/0000:01:00.0/"},
	{"class/wwan/wwan0qmi0", "../../bus/pci/devices/0000:01:00.0/"},
	{"bus/pci/devices/0000:01:00.0/driver", "/"},
	{"class/net/self", "../"},
};

/* Folders in which the input may create folders of any name. */
static const char *const parents[] = {
	"bus/usb/devices",
	"bus/pci/devices",
	"class/net",
	"class/wwan",
	"bus/usb/devices/1-1:1.4/net",
	"bus/usb/devices/1-1:1.4/usbmisc",
};

static char root[] = "/dev/shm/qmap-fuzz-XXXXXX";
static FILE *null;

static void must(bool what)
{
	if (!what)
		abort();
}

static int delete (const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (ftw->level)
		remove(path);
	return 0;
}

static void clean_up(void)
{
	nftw(root, delete, 16, FTW_DEPTH | FTW_PHYS);
	rmdir(root);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	log_set_level(LOG_LEVEL_ERROR);
	null = fopen("/dev/null", "we");
	must(null && mkdtemp(root));
	atexit(clean_up);
	return 0;
}

static void make_folder(const char *rel)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	for (char *s = strchr(path + strlen(root) + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		mkdir(path, 0755);
		*s = '/';
	}
	mkdir(path, 0755);
}

static void write_to(const char *rel, const char *text, size_t len)
{
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	must(write(fd, text, len) == (ssize_t)len);
	close(fd);
}

static void link_to(unsigned int n, const char *text)
{
	char path[400], target[400];

	snprintf(path, sizeof(path), "%s/%s", root, links[n].name);
	snprintf(target, sizeof(target), "%s%s", links[n].towards, text);
	if (symlink(target, path))
		return; /* it exists already, or its parent is missing */
}

static void make_any(const char *parent, const char *text)
{
	char rel[400];

	if (!text[0] || strchr(text, '/') || !strcmp(text, ".") || !strcmp(text, ".."))
		return;
	snprintf(rel, sizeof(rel), "%s/%.200s", parent, text);
	make_folder(rel);
}

/* Executes one operation: kind and place, length, text. Returns the number of bytes left. */
static size_t make(const uint8_t *data, size_t size)
{
	unsigned int where = data[0] >> 2;
	size_t len = data[1] < size - 2 ? data[1] : size - 2;
	char text[256] = "";

	memcpy(text, data + 2, len);
	switch (data[0] & 3) {
	case 0:
		make_folder(folders[where % COUNT(folders)]);
		break;
	case 1:
		write_to(files[where % COUNT(files)], text, len);
		break;
	case 2:
		link_to(where % COUNT(links), text);
		break;
	case 3:
		make_any(parents[where % COUNT(parents)], text);
		break;
	}
	return size - 2 - len;
}

static void look_at(const struct modem *m, struct json_object *list)
{
	struct json_object *o = probe_modem_json(root, m), *again;
	char sentence[512];

	modem_next_step(root, m, false, sentence, sizeof(sentence));
	must(memchr(sentence, '\0', sizeof(sentence)));
	again = json_tokener_parse(json_object_to_json_string(o));
	must(again);
	json_object_put(again);
	json_object_array_add(list, o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *list = json_object_new_array();
	struct output output = {0};
	struct modem *modems;
	size_t n;

	nftw(root, delete, 16, FTW_DEPTH | FTW_PHYS);
	while (size >= 2) {
		size_t rest = make(data, size);

		data += size - rest;
		size = rest;
	}
	if (!modems_find(root, &modems, &n)) {
		for (size_t i = 0; i < n; i++)
			look_at(&modems[i], list);
		free(modems);
	}
	output_probe(&output, null, list);
	json_object_put(list);
	return 0;
}
