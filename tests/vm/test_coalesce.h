/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random flows through the shim, compared byte for byte behind a device without segmentation. */
#ifndef VM_TEST_COALESCE_H
#define VM_TEST_COALESCE_H

#include <stdbool.h>

#define MOSTLY_TCP 11
#define MOSTLY_UDP 1

struct coalesce_options {
	int version;	     /* of QMAP */
	bool csum_ok;	     /* v4: frames have their sum; v5: checksums are marked as verified */
	unsigned int udp;    /* one in so many flows is UDP */
	const char *feature; /* feature to switch on on the ports; NULL: none */
	bool steady;	     /* flows do not change */
	/* feature to switch off, so that no packet may be coalesced; NULL: none */
	const char *off;
};

/*
 * 0, or -1 with a message: bytes or order differ, hardly any packet was coalesced, or any although
 * that was switched off.
 */
int coalesce_run(const struct coalesce_options *o);

#endif
