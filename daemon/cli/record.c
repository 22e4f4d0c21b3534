// SPDX-License-Identifier: GPL-2.0-or-later
/* The command `record`: QMI of qmapd, packets of the trunk, both without identities. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmap/abi.h"
#include "record/recording.h"
#include "record/mask.h"
#include "util/hex.h"
#include "util/json_get.h"
#include "daemon.h"

/* Aggregates of each direction, and bytes of each: enough for a test, and little to read. */
#define MAX_AGGREGATES 64
#define MAX_BYTES      2048

struct recording {
	FILE *out;
	char dev[64]; /* empty: the first trunk that there is a message of */
	struct record_mask mask;
	int packets; /* socket on the trunk's netdev; -1: none */
	int64_t ifindex;
	int version;		 /* enum qmap_version */
	unsigned int written[2]; /* aggregates, by from_modem */
};

static bool enough(const struct recording *r)
{
	return r->written[0] == MAX_AGGREGATES && r->written[1] == MAX_AGGREGATES;
}

static void close_packets(struct recording *r)
{
	if (r->packets >= 0)
		close(r->packets);
	r->packets = -1;
}

/* Without packets a recording is still of use: failures are a remark in it. */
static void open_packets(struct recording *r, int64_t ifindex, int version)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	if (ifindex == r->ifindex && version == r->version)
		return;
	close_packets(r);
	r->ifindex = ifindex;
	r->version = version;
	if (!ifindex || version == QMAP_OFF || enough(r))
		return;
	to.sll_ifindex = ifindex;
	/* Protocol 0: no packet of another netdev before bind(). */
	r->packets = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->packets >= 0 && !bind(r->packets, (struct sockaddr *)&to, sizeof(to)))
		return;
	fprintf(r->out, "# no aggregates: %s\n", strerror(errno));
	close_packets(r);
}

static void write_aggregate(struct recording *r, bool from_modem, uint8_t *data, size_t len)
{
	char kind[16];

	if (r->written[from_modem] == MAX_AGGREGATES)
		return;
	r->written[from_modem]++;
	snprintf(kind, sizeof(kind), "qmap-v%d", r->version);
	len = record_mask_qmap(&r->mask, data, len, r->version, MAX_BYTES);
	record_write(r->out, from_modem, kind, data, len);
}

static void take_packets(struct recording *r)
{
	static uint8_t data[65536];
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t n = 0;

	while (!enough(r) && n >= 0) {
		n = recvfrom(r->packets, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
		if (n > 0)
			write_aggregate(r, from.sll_pkttype != PACKET_OUTGOING, data, n);
	}
	if (enough(r) || errno != EAGAIN)
		close_packets(r);
}

static void write_message(struct recording *r, struct json_object *line)
{
	const char *hex = json_get_string(line, "bytes");
	uint8_t *data;
	size_t len;

	if (!hex || hex_parse(hex, strlen(hex), &data, &len, NULL))
		return;
	record_mask_qmi(&r->mask, data, len);
	record_write(r->out, json_get_bool(line, "from_modem"), "qmi", data, len);
	free(data);
}

/* qmapd answers: a file that was there is replaced now, and is for its owner alone as a new one. */
static int begin(const struct recording *r, const char *version)
{
	int fd = fileno(r->out);
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && r->out != stdout &&
	    (fchmod(fd, 0600) || ftruncate(fd, 0)))
		return -errno;
	fprintf(r->out, "# recorded by qmapctl " QMAP_VERSION " from qmapd %s\n", version);
	return 0;
}

static int on_line(void *arg, struct json_object *line)
{
	struct recording *r = arg;
	const char *dev = json_get_string(line, "dev");
	int ret = 0;

	if (!line) {
		take_packets(r);
	} else if (json_object_object_get_ex(line, "gap", NULL)) {
		fprintf(r->out, "# %lld messages are missing\n",
			(long long)json_get_int(line, "gap"));
	} else if (!dev) {
		ret = begin(r, json_get_string(line, "version"));
	} else {
		if (!r->dev[0])
			snprintf(r->dev, sizeof(r->dev), "%s", dev);
		if (!strcmp(r->dev, dev)) {
			write_message(r, line);
			open_packets(r, json_get_int(line, "ifindex"), json_get_int(line, "qmap"));
		}
	}
	return ret || !fflush(r->out) ? ret : -errno;
}

/* The file is for its owner alone until he has looked at it. */
static FILE *open_file(const char *path, struct error *err)
{
	int fd;

	if (!strcmp(path, "-"))
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		error_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
		return NULL;
	}
	return fdopen(fd, "w");
}

int cli_record(struct cli *cli, int argc, char **argv, struct error *err)
{
	struct recording r = {.packets = -1, .mask.hide_apn = cli->hide_apn};
	const char *dev;
	int ret;

	if (!argc)
		return error_set(err, -EINVAL, "the name of the file to write is missing");
	ret = cli_optional_dev(argc - 1, argv + 1, &dev, err);
	if (ret)
		return ret;
	snprintf(r.dev, sizeof(r.dev), "%s", dev ? dev : "");
	r.out = open_file(argv[0], err);
	if (!r.out)
		return err->err;
	ret = cli_stream(cli, cli_request("record", dev), &r.packets, on_line, &r, err);
	close_packets(&r);
	if (r.out != stdout && fclose(r.out) && !ret)
		ret = error_set(err, -errno, "cannot write %s: %s", argv[0], strerror(errno));
	return ret;
}
