/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Downlink traffic out of the modem itself: UDP with the payload of pattern.h. */
#ifndef MODEM_GENERATE_H
#define MODEM_GENERATE_H

#include "modem.h"

#include <json-c/json.h>

struct generate_request {
	unsigned int pdn; /* 0: all whose call of this family is up */
	enum family family;
	uint64_t count;	   /* packets per PDN */
	unsigned int size; /* bytes of the IP packet */
	uint64_t rate;	   /* packets a second, all PDNs together; 0: as fast as it goes */
};

int generator_new(struct modem *m);
void generator_free(struct modem *m);

/*
 * Start, in the place of what may be under way. Sequence numbers begin at 0. -ENOTCONN if there is
 * no such call, -EINVAL if the size cannot be.
 */
int generate_start(struct modem *m, const struct generate_request *request);
void generate_stop(struct modem *m);

/* Some more packets, if any are due. True if there is more to do at once. */
bool generate_round(struct modem *m);

struct json_object *generate_json(const struct modem *m);

/* Smallest and largest IP packet it can make for this family. */
unsigned int generate_min_size(enum family family);

/* Lay out one packet of the pattern; `size` as above. */
void generate_packet(const struct pdn *pdn, enum family family, uint16_t stream, uint64_t sequence,
		     uint16_t port, uint8_t *packet, unsigned int size);

#endif
