/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory /sys/fs/bpf/qmap/<ifindex>/ in which a trunk's state outlives its daemon.
 *
 * It holds programs, links and maps, and the map `meta` (struct qmap_meta) that describes them and
 * contains the session's state as JSON. The directory is named by ifindex because bpffs allows no
 * dots in names. A process that changes anything holds an exclusive flock on the directory; a
 * daemon holds it as long as it lives.
 */
#ifndef QMAP_PINS_H
#define QMAP_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "qmap/abi.h"

struct json_object;

#define PINS_ROOT "/sys/fs/bpf/qmap"

struct pins {
	unsigned int ifindex; /* of the trunk */
	char trunk[16];	      /* its name when it was attached */
	char datapath[16];    /* empty: not built yet */
	int lock;	      /* the directory, locked; -1 if opened for reading only */
	int meta;	      /* fd of the meta map */
	char dir[64];
};

#define PINS_INIT ((struct pins){.lock = -1, .meta = -1})

enum pins_mode {
	PINS_READ,  /* no lock: reads counters and state */
	PINS_WRITE, /* locked; -EBUSY if another process has it */
};

/*
 * Creates the directory for @ifindex, mounts bpffs if necessary, and locks it. Removes a directory
 * without a readable meta map, which a crash left in the middle of this function. -EEXIST if the
 * trunk is attached, -EBUSY if another process uses it, -EACCES if other users can write there,
 * -EPERM.
 */
int pins_create(struct pins *p, unsigned int ifindex, const char *trunk, struct error *err);

/* -ENOENT if the trunk is not attached, -EBUSY, -EPROTO if pinned by another ABI version, -EACCES
 * if other users can write there. */
int pins_open(struct pins *p, unsigned int ifindex, enum pins_mode mode, struct error *err);

/* Frees the object; the pins stay. */
void pins_close(struct pins *p);

/* Removes all pins and the directory, then as pins_close(). */
void pins_remove(struct pins *p);

/* Path of pin @name; @buf holds at least PINS_PATH bytes. Returns @buf. */
#define PINS_PATH 128
const char *pins_path(const struct pins *p, const char *name, char *buf);

/* Pins @fd as @name. */
int pins_put(const struct pins *p, const char *name, int fd, struct error *err);
/* Opens the pin @name. Returns a descriptor or a negative errno. */
int pins_get(const struct pins *p, const char *name, struct error *err);
/* The same for a map whose values are read here: -EPROTO unless they have @value_size bytes. */
int pins_get_map(const struct pins *p, const char *name, size_t value_size, struct error *err);

/* A pin of a data path. */
struct pins_entry {
	const char *name;
	size_t value_size; /* of a map that the daemon reads; 0: no map, or only programs read it */
	bool follows;	   /* a map that is replaced together with the programs that use it */
};

/* Writes the data path's name, and the state as JSON text; -E2BIG if it does not fit. */
int pins_set_datapath(struct pins *p, const char *datapath, struct error *err);
int pins_set_state(struct pins *p, struct json_object *state, struct error *err);

/* @meta may be NULL; *state (may be NULL) gets a new reference, or NULL if there is none. */
int pins_get_meta(const struct pins *p, struct qmap_meta *meta, struct json_object **state,
		  struct error *err);

/* Ifindexes of all directories, at most @max; returns their number. None is no error. */
unsigned int pins_list(unsigned int *ifindexes, unsigned int max);

#endif
