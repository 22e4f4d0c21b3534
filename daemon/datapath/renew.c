// SPDX-License-Identifier: GPL-2.0-or-later
#include "renew.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xdp_link.h"

#define CONFIG_PIN "config"
#define TEMP_PIN   "renewed" /* until it is renamed */

int renew_put_config(const struct pins *pins, const struct qmap_config *config, struct error *err)
{
	__u32 zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "qmap_config", sizeof(zero), sizeof(*config), 1,
				NULL),
	    ret;

	if (fd < 0)
		return error_set(err, -errno, "cannot make a BPF map: %s", strerror(errno));
	if (bpf_map_update_elem(fd, &zero, config, BPF_ANY))
		ret = error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
	else
		ret = pins_put(pins, CONFIG_PIN, fd, err);
	close(fd);
	return ret;
}

void renew_remove_config(const struct pins *pins)
{
	char path[PINS_PATH];

	unlink(pins_path(pins, CONFIG_PIN, path));
}

int renew_get_config(const struct pins *pins, struct qmap_config *config, struct error *err)
{
	__u32 zero = 0;
	int fd = pins_get_map(pins, CONFIG_PIN, sizeof(*config), err), ret = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, config))
		ret = error_set(err, -errno, "cannot read a BPF map: %s", strerror(errno));
	close(fd);
	return ret;
}

static int get_tag(int prog, __u8 tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		return -errno;
	memcpy(tag, info.tag, BPF_TAG_SIZE);
	return 0;
}

bool renew_same_program(int running, int prog)
{
	__u8 a[BPF_TAG_SIZE], b[BPF_TAG_SIZE];

	return !get_tag(running, a) && !get_tag(prog, b) && !memcmp(a, b, sizeof(a));
}

bool renew_same_link(int link, int prog)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);
	bool same;
	int fd;

	if (bpf_obj_get_info_by_fd(link, &info, &len))
		return false;
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (fd < 0)
		return false;
	same = renew_same_program(fd, prog);
	close(fd);
	return same;
}

int renew_link(int link, int prog, struct error *err)
{
	if (!bpf_link_update(link, prog, NULL))
		return 0;
	return error_set(err, -errno, "cannot replace an XDP program: %s", strerror(errno));
}

/* Replaces the pin by rename, so that there is one at every moment. */
int renew_pin(const struct pins *pins, const char *name, int fd, int *kept, struct error *err)
{
	char temp[PINS_PATH], path[PINS_PATH];
	int ret;

	unlink(pins_path(pins, TEMP_PIN, temp)); /* left by a process that died here */
	ret = pins_put(pins, TEMP_PIN, fd, err);
	if (ret)
		return ret;
	if (rename(temp, pins_path(pins, name, path)))
		return error_set(err, -errno, "cannot pin %s: %s", path, strerror(errno));
	return bpf_replace_fd(kept, fd, err);
}

void renew_add_name(char *detail, const char *name)
{
	size_t len = strlen(detail);

	snprintf(detail + len, KEEP_DETAIL - len, "%s%s", len ? ", " : "", name);
}

/* A detached link is on no netdev, but keeps its program. */
enum keep_look renew_look(int link)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &len))
		return KEEP_UNKNOWN;
	return info.xdp.ifindex ? KEEP_FINE : KEEP_WRONG;
}

int renew_attach(const struct pins *pins, const struct renew_place *place, int *link,
		 struct error *err)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);
	int prog = bpf_obj_get_info_by_fd(*link, &info, &len) ? -1
							      : bpf_prog_get_fd_by_id(info.prog_id),
	    fresh, ret;

	if (prog < 0)
		return error_set(err, -errno, "cannot find an XDP program: %s", strerror(errno));
	ret = fresh = xdp_link_attach(prog, place->ifindex, place->flags, err);
	close(prog);
	if (fresh < 0)
		return ret;
	ret = renew_pin(pins, place->pin, fresh, link, err);
	close(fresh);
	return ret;
}
