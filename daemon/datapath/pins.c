// SPDX-License-Identifier: GPL-2.0-or-later
#include "pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/lock.h"
#include "util/log.h"
#include "util/trusted.h"

#define BPFFS "/sys/fs/bpf"

static int need_bpffs(struct error *err)
{
	struct stat ours, init;
	struct statfs fs;

	if (!statfs(BPFFS, &fs) && (uint32_t)fs.f_type == BPF_FS_MAGIC)
		return 0;
	/* the mounts of this process may be private, as those of a unit are */
	if (!stat("/proc/self/ns/mnt", &ours) && !stat("/proc/1/ns/mnt", &init) &&
	    ours.st_ino != init.st_ino) {
		error_set(err, -EOPNOTSUPP,
			  "no BPF file system on %s, and one mounted here would go with qmapd",
			  BPFFS);
		error_hint(err, "mount it for all: mount -t bpf -o mode=0700 bpf %s", BPFFS);
		return -EOPNOTSUPP;
	}
	if (!mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return 0;
	if (errno == EPERM || errno == EACCES) {
		error_set(err, -EPERM, "no permission to use %s", BPFFS);
		error_hint(err, "run as root");
		return -EPERM;
	}
	error_set(err, -errno, "no BPF file system on %s and mounting one failed: %s", BPFFS,
		  strerror(errno));
	error_hint(err, "the kernel needs CONFIG_BPF_SYSCALL; then: mount -t bpf bpf %s", BPFFS);
	return -errno;
}

/*
 * @fd: of a directory of pins, or negative. If bpffs is mounted with the kernel's default mode, 1777,
 * any user can have created a directory of our name, and could remove it, or put other maps into it,
 * at any time.
 */
static int check_dir(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (trusted_stat(&st, false))
		return 0;
	error_set(err, -EACCES, "%s is not used: another user has made it, or can write to it",
		  path);
	error_hint(err, "rm -r %s; and mount bpffs with mode=0700", path);
	return -EACCES;
}

/*
 * All pins are under PINS_ROOT: while only root can change that directory, paths below it are
 * ours.
 */
static int check_root(struct error *err)
{
	int fd = open(PINS_ROOT, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret = check_dir(fd, PINS_ROOT, err);

	if (fd >= 0)
		close(fd);
	return ret;
}

static int need_dir(const char *path, struct error *err)
{
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	return error_set(err, -errno, "cannot make %s: %s", path, strerror(errno));
}

const char *pins_path(const struct pins *p, const char *name, char *buf)
{
	snprintf(buf, PINS_PATH, "%s/%s", p->dir, name);
	return buf;
}

static int lock_dir(struct pins *p, struct error *err)
{
	int ret;

	p->lock = open(p->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	ret = check_dir(p->lock, p->dir, err);
	if (!ret && !lock_exclusive(p->lock))
		return 0;
	if (!ret)
		ret = error_set(err, -EBUSY, "another process is working on %s", p->dir);
	if (p->lock >= 0)
		close(p->lock);
	p->lock = -1;
	return ret;
}

/*
 * Removes the description last: without it, a process that dies here would leave pins without an
 * owner.
 */
static void unlink_all(const struct pins *p)
{
	char path[PINS_PATH];
	struct dirent *e;
	DIR *d = opendir(p->dir);

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "meta"))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", p->dir, e->d_name) < (int)sizeof(path))
			unlink(path);
	}
	closedir(d);
	unlink(pins_path(p, "meta", path));
}

static int read_meta(const struct pins *p, struct qmap_meta *meta)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(p->meta, &zero, meta) ? -errno : 0;
}

static int write_meta(const struct pins *p, const struct qmap_meta *meta, struct error *err)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(p->meta, &zero, meta, BPF_ANY))
		return error_set(err, -errno, "cannot write %s/meta: %s", p->dir, strerror(errno));
	return 0;
}

/* struct qmap_meta has 192 KiB: too much for the stack of a small machine. */
static int make_meta(struct pins *p, const char *trunk, struct error *err)
{
	struct qmap_meta *meta = calloc(1, sizeof(*meta));
	int ret;

	if (!meta)
		return error_set(err, -ENOMEM, "out of memory");
	meta->abi_version = QMAP_ABI_VERSION;
	meta->trunk_ifindex = p->ifindex;
	snprintf(meta->trunk, sizeof(meta->trunk), "%s", trunk);
	p->meta = bpf_map_create(BPF_MAP_TYPE_ARRAY, "qmap_meta", sizeof(__u32), sizeof(*meta), 1,
				 NULL);
	if (p->meta < 0) {
		ret = error_set(err, -errno, "cannot make a BPF map: %s", strerror(errno));
		if (ret == -EPERM)
			error_hint(err, "run as root, on a kernel with the bpf() system call");
	} else {
		ret = write_meta(p, meta, err);
	}
	free(meta);
	return ret ?: pins_put(p, "meta", p->meta, err);
}

static void set_dir(struct pins *p, unsigned int ifindex)
{
	*p = PINS_INIT;
	p->ifindex = ifindex;
	snprintf(p->dir, sizeof(p->dir), PINS_ROOT "/%u", ifindex);
}

int pins_create(struct pins *p, unsigned int ifindex, const char *trunk, struct error *err)
{
	struct error why = {0};
	int ret;

	set_dir(p, ifindex);
	snprintf(p->trunk, sizeof(p->trunk), "%s", trunk);
	ret = need_bpffs(err) ?: need_dir(PINS_ROOT, err)
				   ?: check_root(err)
				   ?: need_dir(p->dir, err);
	if (ret)
		return ret;
	ret = lock_dir(p, err);
	if (ret)
		return ret == -EBUSY ? ret : error_set(err, ret, "cannot open %s", p->dir);
	p->meta = pins_get_map(p, "meta", sizeof(struct qmap_meta), &why);
	if (why.err == -EPROTO) {
		ret = error_pass(err, &why);
		goto close;
	}
	if (p->meta >= 0) {
		ret = error_set(err, -EEXIST, "%s is attached already", trunk);
		error_hint(err, "see `qmapctl show %s`; detach it first to change how", trunk);
		goto close;
	}
	unlink_all(p);
	ret = make_meta(p, trunk, err);
	if (!ret)
		return 0;
	pins_remove(p);
	return ret;
close:
	pins_close(p);
	return ret;
}

static int check_abi(struct pins *p, struct error *err)
{
	struct qmap_meta *meta = calloc(1, sizeof(*meta));
	int ret = meta ? read_meta(p, meta) : -ENOMEM;

	if (ret) {
		error_set(err, ret, "cannot read %s/meta: %s", p->dir, strerror(-ret));
	} else if (meta->abi_version != QMAP_ABI_VERSION) {
		ret = error_set(err, -EPROTO,
				"%s was attached by another version (ABI %u, ours is %u)",
				meta->trunk, meta->abi_version, QMAP_ABI_VERSION);
		error_hint(err, "detach it with the version that attached it");
	} else {
		memcpy(p->trunk, meta->trunk, sizeof(p->trunk));
		p->trunk[sizeof(p->trunk) - 1] = 0;
		memcpy(p->datapath, meta->datapath, sizeof(p->datapath));
		p->datapath[sizeof(p->datapath) - 1] = 0;
	}
	free(meta);
	return ret;
}

int pins_open(struct pins *p, unsigned int ifindex, enum pins_mode mode, struct error *err)
{
	struct error why = {0};
	int ret = check_root(err);

	set_dir(p, ifindex);
	if (!ret && mode == PINS_WRITE)
		ret = lock_dir(p, err);
	if (!ret) {
		p->meta = pins_get_map(p, "meta", sizeof(struct qmap_meta), &why);
		ret = p->meta < 0 ? p->meta : check_abi(p, err);
	}
	if (!ret)
		return 0;
	pins_close(p);
	if (ret == -ENOENT)
		error_set(err, ret, "nothing is attached there");
	if (ret == -EPROTO)
		error_pass(err, &why);
	return error_set(err, ret, "cannot open %s: %s", p->dir, strerror(-ret));
}

void pins_close(struct pins *p)
{
	if (p->meta >= 0)
		close(p->meta);
	if (p->lock >= 0)
		close(p->lock);
	p->meta = p->lock = -1;
}

void pins_remove(struct pins *p)
{
	unlink_all(p);
	if (rmdir(p->dir) && errno != ENOENT)
		log_warning("Cannot remove %s: %s", p->dir, strerror(errno));
	rmdir(PINS_ROOT);
	pins_close(p);
}

int pins_put(const struct pins *p, const char *name, int fd, struct error *err)
{
	char path[PINS_PATH];

	if (!bpf_obj_pin(fd, pins_path(p, name, path)))
		return 0;
	return error_set(err, -errno, "cannot pin %s: %s", path, strerror(errno));
}

int pins_get(const struct pins *p, const char *name, struct error *err)
{
	char path[PINS_PATH];
	int fd = bpf_obj_get(pins_path(p, name, path));

	if (fd >= 0)
		return fd;
	return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
}

/* The kernel copies as many bytes as the map's values have, beyond the end of a smaller buffer. */
static int check_map(const struct pins *p, const char *name, int fd, size_t value_size,
		     struct error *err)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return error_set(err, -errno, "cannot look at %s/%s: %s", p->dir, name,
				 strerror(errno));
	if (info.key_size == sizeof(__u32) && info.value_size == value_size && info.max_entries)
		return 0;
	error_set(err, -EPROTO,
		  "%s was pinned by another version: values of %s have %u bytes, not %zu", p->dir,
		  name, info.value_size, value_size);
	error_hint(err, "detach it with the version that attached it, or rm -r %s", p->dir);
	return -EPROTO;
}

int pins_get_map(const struct pins *p, const char *name, size_t value_size, struct error *err)
{
	int fd = pins_get(p, name, err);
	int ret = fd < 0 ? fd : check_map(p, name, fd, value_size, err);

	if (ret && fd >= 0)
		close(fd);
	return ret ?: fd;
}

/* Writes all of it: reading back and comparing would cost as much. */
int pins_set_state(struct pins *p, struct json_object *state, struct error *err)
{
	const char *text = json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN);
	size_t len = strlen(text);
	struct qmap_meta *meta;
	int ret;

	if (len > sizeof(meta->state))
		return error_set(err, -E2BIG, "the state of %s does not fit into %s/meta", p->trunk,
				 p->dir);
	meta = calloc(1, sizeof(*meta));
	if (!meta)
		return error_set(err, -ENOMEM, "out of memory");
	meta->abi_version = QMAP_ABI_VERSION;
	meta->trunk_ifindex = p->ifindex;
	memcpy(meta->trunk, p->trunk, sizeof(meta->trunk));
	memcpy(meta->datapath, p->datapath, sizeof(meta->datapath));
	memcpy(meta->state, text, len);
	meta->state_len = len;
	ret = write_meta(p, meta, err);
	free(meta);
	return ret;
}

int pins_set_datapath(struct pins *p, const char *datapath, struct error *err)
{
	struct qmap_meta *meta = calloc(1, sizeof(*meta));
	int ret = meta ? read_meta(p, meta) : -ENOMEM;

	if (ret) {
		error_set(err, ret, "cannot change %s/meta: %s", p->dir, strerror(-ret));
	} else {
		snprintf(p->datapath, sizeof(p->datapath), "%s", datapath);
		memcpy(meta->datapath, p->datapath, sizeof(meta->datapath));
		ret = write_meta(p, meta, err);
	}
	free(meta);
	return ret;
}

static struct json_object *parse_state(const struct qmap_meta *meta)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *state = NULL;

	if (tok && meta->state_len <= sizeof(meta->state))
		state = json_tokener_parse_ex(tok, meta->state, meta->state_len);
	if (tok)
		json_tokener_free(tok);
	return state;
}

int pins_get_meta(const struct pins *p, struct qmap_meta *meta, struct json_object **state,
		  struct error *err)
{
	struct qmap_meta *m = calloc(1, sizeof(*m));
	int ret = m ? read_meta(p, m) : -ENOMEM;

	if (ret)
		error_set(err, ret, "cannot read %s/meta: %s", p->dir, strerror(-ret));
	if (!ret && meta)
		*meta = *m;
	if (!ret && state)
		*state = m->state_len ? parse_state(m) : NULL;
	free(m);
	return ret;
}

unsigned int pins_list(unsigned int *ifindexes, unsigned int max)
{
	DIR *d = opendir(PINS_ROOT);
	unsigned int n = 0;
	struct dirent *e;

	if (!d)
		return 0;
	while (n < max && (e = readdir(d))) {
		unsigned long i = strtoul(e->d_name, NULL, 10);

		if (i && i <= INT32_MAX)
			ifindexes[n++] = i;
	}
	closedir(d);
	return n;
}
