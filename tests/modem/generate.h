/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Downlink traffic made by the modem itself: UDP with the payload of pattern.h. */
#ifndef MODEM_GENERATE_H
#define MODEM_GENERATE_H

#include "modem.h"

#include <json-c/json.h>

struct generate_request {
	unsigned int pdn; /* 0: all PDNs whose call of this family is up */
	enum family family;
	uint64_t count;	   /* packets per PDN */
	unsigned int size; /* bytes of the IP packet */
	uint64_t rate;	   /* packets a second, all PDNs together; 0: unlimited */
};

int generator_new(struct modem *m);
void generator_free(struct modem *m);

/*
 * Starts a generator and replaces a running one. Sequence numbers begin at 0. -ENOTCONN if there is
 * no such call, -EINVAL if the size is not possible.
 */
int generate_start(struct modem *m, const struct generate_request *request);
void generate_stop(struct modem *m);

/* Sends packets that are due. True if more are due at once. */
bool generate_round(struct modem *m);

struct json_object *generate_json(const struct modem *m);

/* Smallest and largest IP packet that it can make for this family. */
unsigned int generate_min_size(enum family family);

/* Builds one packet of the pattern; `size` as above. */
void generate_packet(const struct pdn *pdn, enum family family, uint16_t stream, uint64_t sequence,
		     uint16_t port, uint8_t *packet, unsigned int size);

#endif
