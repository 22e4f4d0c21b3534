// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"
#include "command.h"
#include "netside.h"
#include "noise.h"
#include "util.h"

#include <err.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int number(const char *name, const char *text, unsigned int low, unsigned int high)
{
	char *end;
	unsigned long v = strtoul(text, &end, 0);

	if (end == text || *end || *text == '-' || v < low || v > high)
		errx(EXIT_FAILURE, "--%s %s: a number from %u to %u is wanted", name, text, low,
		     high);
	return v;
}

static void set_model(struct modem *m, const char *name)
{
	const struct model *model = model_find(name);

	if (!model)
		errx(EXIT_FAILURE, "--model %s: RG500Q, EM12, EC25 or SDX20 is wanted", name);
	m->model = *model;
}

static void set_protocols(struct modem *m, const char *list)
{
	m->model.protocols = model_protocols(list);
	if (!m->model.protocols)
		errx(EXIT_FAILURE, "--protocols %s: a list of v1, v4, v5 is wanted", list);
}

static void set_refusal(struct modem *m, const char *how)
{
	if (!strcmp(how, "error"))
		m->model.refusal = REFUSE_ERROR;
	else if (!strcmp(how, "off"))
		m->model.refusal = REFUSE_OFF;
	else if (!strcmp(how, "lower"))
		m->model.refusal = REFUSE_LOWER;
	else
		errx(EXIT_FAILURE, "--refuse %s: error, off or lower is wanted", how);
}

static void set_inject(struct modem *m, const char *how)
{
	struct options *o = &m->options;

	o->linear = !strcmp(how, "linear");
	if (!o->linear && strcmp(how, "tun"))
		errx(EXIT_FAILURE, "--inject %s: linear or tun is wanted", how);
}

static void set_usb(struct modem *m, const char *how)
{
	m->options.usb = !strcmp(how, "vhci");
	if (!m->options.usb)
		errx(EXIT_FAILURE, "--usb %s: vhci is wanted", how);
}

static void set_usb_speed(struct modem *m, const char *speed)
{
	m->options.high_speed = !strcmp(speed, "high");
	if (!m->options.high_speed && strcmp(speed, "super"))
		errx(EXIT_FAILURE, "--usb-speed %s: super or high is wanted", speed);
}

static void help(struct modem *m, const char *arg);

static void version(struct modem *m, const char *arg)
{
	puts("qmap-modem " QMAP_VERSION);
	exit(EXIT_SUCCESS);
}

enum option_kind {
	TEXT,
	NUMBER, /* from @low to @high */
	FLAG,
	CALL, /* set() */
};

#define IN(k, member) .kind = (k), .offset = offsetof(struct options, member)
#define RANGE(l, h)   .low = (l), .high = (h)

/* One table for parsing and for --help. */
/* clang-format off */
static const struct {
	const char *name;
	const char *arg;
	const char *help;
	enum option_kind kind;
	size_t offset; /* in struct options */
	unsigned int low, high;
	void (*set)(struct modem *m, const char *arg);
} table[] = {
	{"model", "NAME", "RG500Q (default), EM12, EC25 or SDX20; see below", .kind = CALL, .set = set_model},
	{"protocols", "LIST", "QMAP versions it has instead, like v5,v4,v1", IN(TEXT, protocols)},
	{"refuse", "HOW", "answer to others: error, off or lower (echoed)", IN(TEXT, refuse)},
	{"control", "PATH", "unix stream socket that speaks QMUX; @NAME: abstract", IN(TEXT, control)},
	{"qmi-proxy", NULL, "also listen where libqmi expects its proxy", IN(FLAG, qmi_proxy)},
	{"faults", "PATH", "unix stream socket for commands; see below", IN(TEXT, faults)},
	{"trunk", "NAME", "name of the trunk (wwan0)", IN(TEXT, trunk)},
	{"trunk-netns", "NAME", "make the trunk in this network namespace", IN(TEXT, trunk_netns)},
	{"trunk-mtu", "BYTES", "MTU of the trunk to begin with (65535)", IN(NUMBER, trunk_mtu), RANGE(68, 65535)},
	{"urb-mtu", NULL, "lose downlink beyond the trunk's MTU, as qmi_wwan does", IN(FLAG, urb_mtu)},
	{"usb", "HOW", "on USB as a Quectel RG500Q, no trunk of its own; HOW: vhci", .kind = CALL, .set = set_usb},
	{"usb-speed", "SPEED", "super (default) or high", .kind = CALL, .set = set_usb_speed},
	{"ul-rate", "KBIT", "on USB: take uplink transfers at so many kbit/s (0: at once)", IN(NUMBER, ul_rate), RANGE(0, 10000000)},
	{"net-netns", "NAME", "network side here (default: one of its own)", IN(TEXT, net_netns)},
	{"inject", "HOW", "downlink as linear (default) or paged (tun) packets", .kind = CALL, .set = set_inject},
	{"hold", "USEC", "wait so long for an aggregate to fill (0: do not wait)", IN(NUMBER, hold_us), RANGE(0, 1000000)},
	{"pdns", "N", "PDN contexts, 1 to 64 (4)", IN(NUMBER, pdns), RANGE(1, MAX_PDNS)},
	{"apn", "TABLE", "APNs it knows and their PDNs, like internet=1,ims=2", IN(TEXT, apns)},
	{"clients", "N", "client ids per service, 1 to 254 (16)", IN(NUMBER, clients), RANGE(1, MAX_CLIENTS)},
	{"latency", "MSEC", "time that every answer takes (0)", IN(NUMBER, latency_ms), RANGE(0, 600000)},
	{"interface", "N", "USB interface number that endpoints must name (4)", IN(NUMBER, interface), RANGE(0, 255)},
	{"pin", "DIGITS", "the SIM asks for this PIN", IN(TEXT, pin)},
	{"without", "LIST", "QMI services that it does not have, of nas,uim", IN(TEXT, without)},
	{"ready-fd", "N", "write a line there when ready, instead of stdout", IN(NUMBER, ready_fd), RANGE(0, 65535)},
	{"help", NULL, "this text", .kind = CALL, .set = help},
	{"version", NULL, "version", .kind = CALL, .set = version},
};
/* clang-format on */

static const char explanation[] =
	"\nAddresses. PDN n (n in hex for IPv6), network side in --net-netns on device pdn<n>:\n"
	"  host 10.64.n.2/30, gateway 10.64.n.1, DNS 10.64.n.53 and 10.64.n.54\n"
	"  host 2001:db8:64:n::2/64, gateway ::1, DNS ::53 and ::54 of the same prefix\n"
	"  On lo there, for all PDNs: " NETSIDE_SERVER4 " and " NETSIDE_SERVER6 ".\n"
	"\nWhich PDN a call is on: that of its APN if there is an --apn table (other APNs are\n"
	"refused, 3GPP cause 27); else that of the 3GPP profile asked for, profile n being PDN n;\n"
	"else by mux id: 0x80 + n is PDN n, any other gets the PDN it had, or the first free one.\n"
	"A PDN is on one mux id at a time. With QMAP off, calls are those of unbound clients.\n"
	"\nAggregates are sent when full (negotiated bytes or datagrams), when the network side "
	"has\n"
	"nothing more to read just now, or, with --hold, when that time is over.\n"
	"\nqmicli works with --qmi-proxy, in the modem's network namespace:\n"
	"  qmicli -p --device-open-qmi -d CONTROL-SOCKET ...\n";

static void help_models(void)
{
	const struct model *m;

	puts("\nModels:");
	for (unsigned int i = 0; (m = model_at(i)); i++) {
		static const char *const refusals[] = {"refused", "answered \"off\"",
						       "answered with the best"};

		printf("  %-8s %s%s%s, %u bytes, %s; other versions are %s\n", m->name,
		       m->protocols & 1u << WDA_QMAP_V5 ? "v5 " : "",
		       m->protocols & 1u << WDA_QMAP_V4 ? "v4 " : "",
		       m->protocols & 1u << WDA_QMAP_V1 ? "v1" : "", m->dl_max_size,
		       m->forced ? "always QMAP" : "QMAP or raw IP", refusals[m->refusal]);
	}
}

static void help_commands(void)
{
	const struct command *c;

	puts("\nCommands to the --faults socket, one a line, the answer one line of JSON:");
	for (unsigned int i = 0; (c = command_at(i)); i++)
		printf("  %s %s\n      %s\n", c->verb, c->synopsis, c->help);
	printf("SERVICE and MESSAGE by name or number, or *. KIND: %s.\n", noise_kinds());
}

static void help(struct modem *m, const char *arg)
{
	puts("Usage: qmap-modem --control PATH|--usb vhci [OPTION]...");
	puts("       qmap-modem replay FILE OPTION...  answer as the modem that qmapctl recorded");
	puts("       qmap-modem ctl PATH COMMAND...\n");
	puts("A cellular modem in software, as the host sees it.\n");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", table[i].name, table[i].arg ? " " : "",
			 table[i].arg ?: "");
		printf("  %-20s %s\n", left, table[i].help);
	}
	help_models();
	fputs(explanation, stdout);
	help_commands();
	exit(EXIT_SUCCESS);
}

static void set(struct modem *m, int i, const char *arg)
{
	void *member = (char *)&m->options + table[i].offset;

	switch (table[i].kind) {
	case TEXT:
		*(const char **)member = arg;
		break;
	case NUMBER:
		*(unsigned int *)member = number(table[i].name, arg, table[i].low, table[i].high);
		break;
	case FLAG:
		*(bool *)member = true;
		break;
	case CALL:
		table[i].set(m, arg);
		break;
	}
}

void options_parse(struct modem *m, int argc, char **argv)
{
	struct option longs[ARRAY_SIZE(table) + 1] = {0};
	int c, index;

	m->options = (struct options){
		.trunk = "wwan0",
		.linear = true,
		.pdns = 4,
		.clients = 16,
		.trunk_mtu = 65535,
		.interface = 4,
		.ready_fd = -1,
	};
	set_model(m, "RG500Q");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		longs[i] = (struct option){table[i].name,
					   table[i].arg ? required_argument : no_argument, NULL, 0};
	while ((c = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (c == '?')
			exit(EXIT_FAILURE);
		set(m, index, optarg);
	}
	if (optind < argc)
		errx(EXIT_FAILURE, "%s: not an option; try --help", argv[optind]);
	if (m->options.protocols)
		set_protocols(m, m->options.protocols);
	if (m->options.refuse)
		set_refusal(m, m->options.refuse);
	if (!m->options.control && !m->options.usb)
		errx(EXIT_FAILURE, "--control PATH is missing; try --help");
	if (strlen(m->options.trunk) >= IFNAMSIZ)
		errx(EXIT_FAILURE, "--trunk %s: a device name is shorter", m->options.trunk);
}
