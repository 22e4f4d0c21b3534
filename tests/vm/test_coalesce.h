/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random flows through the shim, compared byte for byte behind a device without segmentation. */
#ifndef VM_TEST_COALESCE_H
#define VM_TEST_COALESCE_H

#include <stdbool.h>

#define MOSTLY_TCP 11
#define MOSTLY_UDP 1

struct coalesce_options {
	int version;	     /* of QMAP */
	bool csum_ok;	     /* v4: frames have their sum; v5: checksums are vouched for */
	unsigned int udp;    /* one flow in so many is UDP */
	const char *feature; /* of the ports, to be switched on; NULL: none */
	bool steady;	     /* each flow goes on as it began */
	const char *off;     /* to be switched off, so that nothing may be coalesced; NULL: none */
};

/*
 * 0, or -1 with a message: bytes or order differ, or hardly anything was coalesced, or anything
 * although that was switched off.
 */
int coalesce_run(const struct coalesce_options *o);

#endif
