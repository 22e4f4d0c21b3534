// SPDX-License-Identifier: GPL-2.0-or-later
#include "recording.h"

#include <time.h>

#define BYTES_PER_LINE 32

void record_write(FILE *f, bool from_modem, const char *kind, const uint8_t *data, size_t len)
{
	struct timespec now;
	char when[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	fprintf(f, "%c %s.%06ld %s\n", from_modem ? 'I' : 'O', when, now.tv_nsec / 1000, kind);
	for (size_t i = 0; i < len; i++) {
		if (i % BYTES_PER_LINE == 0)
			fprintf(f, "%06zx", i);
		fprintf(f, " %02x%s", data[i],
			i % BYTES_PER_LINE == BYTES_PER_LINE - 1 || i == len - 1 ? "\n" : "");
	}
	fflush(f);
}
