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

enum option_id {
	OPT_MODEL = 256,
	OPT_PROTOCOLS,
	OPT_REFUSE,
	OPT_CONTROL,
	OPT_QMI_PROXY,
	OPT_FAULTS,
	OPT_TRUNK,
	OPT_TRUNK_NETNS,
	OPT_TRUNK_MTU,
	OPT_URB_MTU,
	OPT_USB,
	OPT_USB_SPEED,
	OPT_NET_NETNS,
	OPT_INJECT,
	OPT_HOLD,
	OPT_PDNS,
	OPT_APN,
	OPT_CLIENTS,
	OPT_LATENCY,
	OPT_INTERFACE,
	OPT_PIN,
	OPT_WITHOUT,
	OPT_READY_FD,
	OPT_HELP,
	OPT_VERSION,
};

/* One table for parsing and for --help. */
static const struct {
	enum option_id id;
	const char *name;
	const char *arg;
	const char *help;
} table[] = {
	{OPT_MODEL, "model", "NAME", "RG500Q (default), EM12, EC25 or SDX20; see below"},
	{OPT_PROTOCOLS, "protocols", "LIST", "QMAP versions it has instead, like v5,v4,v1"},
	{OPT_REFUSE, "refuse", "HOW", "answer to others: error, off or lower (echoed)"},
	{OPT_CONTROL, "control", "PATH", "unix stream socket that speaks QMUX; @NAME: abstract"},
	{OPT_QMI_PROXY, "qmi-proxy", NULL, "also listen where libqmi expects its proxy"},
	{OPT_FAULTS, "faults", "PATH", "unix stream socket for commands; see below"},
	{OPT_TRUNK, "trunk", "NAME", "name of the trunk (wwan0)"},
	{OPT_TRUNK_NETNS, "trunk-netns", "NAME", "make the trunk in this network namespace"},
	{OPT_TRUNK_MTU, "trunk-mtu", "BYTES", "MTU of the trunk to begin with (65535)"},
	{OPT_URB_MTU, "urb-mtu", NULL, "lose downlink beyond the trunk's MTU, as qmi_wwan does"},
	{OPT_USB, "usb", "HOW", "on USB as a Quectel RG500Q, no trunk of its own; HOW: vhci"},
	{OPT_USB_SPEED, "usb-speed", "SPEED", "super (default) or high"},
	{OPT_NET_NETNS, "net-netns", "NAME", "network side here (default: one of its own)"},
	{OPT_INJECT, "inject", "HOW", "downlink as linear (default) or paged (tun) packets"},
	{OPT_HOLD, "hold", "USEC", "wait so long for an aggregate to fill (0: do not wait)"},
	{OPT_PDNS, "pdns", "N", "PDN contexts, 1 to 64 (4)"},
	{OPT_APN, "apn", "TABLE", "APNs it knows and their PDNs, like internet=1,ims=2"},
	{OPT_CLIENTS, "clients", "N", "client ids per service, 1 to 254 (16)"},
	{OPT_LATENCY, "latency", "MSEC", "time that every answer takes (0)"},
	{OPT_INTERFACE, "interface", "N", "USB interface number that endpoints must name (4)"},
	{OPT_PIN, "pin", "DIGITS", "the SIM asks for this PIN"},
	{OPT_WITHOUT, "without", "LIST", "QMI services that it does not have, of nas,uim"},
	{OPT_READY_FD, "ready-fd", "N", "write a line there when ready, instead of stdout"},
	{OPT_HELP, "help", NULL, "this text"},
	{OPT_VERSION, "version", NULL, "version"},
};

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

static void __attribute__((noreturn)) help(void)
{
	puts("Usage: qmap-modem --control PATH|--usb vhci [OPTION]...");
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

static void set_inject(struct options *o, const char *how)
{
	o->linear = !strcmp(how, "linear");
	if (!o->linear && strcmp(how, "tun"))
		errx(EXIT_FAILURE, "--inject %s: linear or tun is wanted", how);
}

static void set_usb(struct options *o, enum option_id id, const char *arg)
{
	if (id == OPT_USB) {
		o->usb = !strcmp(arg, "vhci");
		if (!o->usb)
			errx(EXIT_FAILURE, "--usb %s: vhci is wanted", arg);
		return;
	}
	o->high_speed = !strcmp(arg, "high");
	if (!o->high_speed && strcmp(arg, "super"))
		errx(EXIT_FAILURE, "--usb-speed %s: super or high is wanted", arg);
}

static void set_names(struct options *o, enum option_id id, const char *arg)
{
	switch (id) {
	case OPT_CONTROL:
		o->control = arg;
		break;
	case OPT_FAULTS:
		o->faults = arg;
		break;
	case OPT_TRUNK:
		o->trunk = arg;
		break;
	case OPT_TRUNK_NETNS:
		o->trunk_netns = arg;
		break;
	case OPT_NET_NETNS:
		o->net_netns = arg;
		break;
	case OPT_APN:
		o->apns = arg;
		break;
	case OPT_PIN:
		o->pin = arg;
		break;
	case OPT_WITHOUT:
		o->without = arg;
		break;
	default:
		break;
	}
}

static void set_numbers(struct options *o, enum option_id id, const char *name, const char *arg)
{
	switch (id) {
	case OPT_TRUNK_MTU:
		o->trunk_mtu = number(name, arg, 68, 65535);
		break;
	case OPT_HOLD:
		o->hold_us = number(name, arg, 0, 1000000);
		break;
	case OPT_PDNS:
		o->pdns = number(name, arg, 1, MAX_PDNS);
		break;
	case OPT_CLIENTS:
		o->clients = number(name, arg, 1, MAX_CLIENTS);
		break;
	case OPT_LATENCY:
		o->latency_ms = number(name, arg, 0, 600000);
		break;
	case OPT_INTERFACE:
		o->interface = number(name, arg, 0, 255);
		break;
	case OPT_READY_FD:
		o->ready_fd = number(name, arg, 0, 65535);
		break;
	default:
		set_names(o, id, arg);
	}
}

static void set(struct modem *m, enum option_id id, const char *name, const char *arg)
{
	switch (id) {
	case OPT_MODEL:
		set_model(m, arg);
		break;
	case OPT_PROTOCOLS:
		m->options.protocols = arg;
		break;
	case OPT_REFUSE:
		m->options.refuse = arg;
		break;
	case OPT_INJECT:
		set_inject(&m->options, arg);
		break;
	case OPT_USB:
	case OPT_USB_SPEED:
		set_usb(&m->options, id, arg);
		break;
	case OPT_URB_MTU:
		m->options.urb_mtu = true;
		break;
	case OPT_QMI_PROXY:
		m->options.qmi_proxy = true;
		break;
	case OPT_HELP:
		help();
	case OPT_VERSION:
		puts("qmap-modem " QMAP_VERSION);
		exit(EXIT_SUCCESS);
	default:
		set_numbers(&m->options, id, name, arg);
	}
}

void options_parse(struct modem *m, int argc, char **argv)
{
	struct option longs[ARRAY_SIZE(table) + 1] = {0};
	int id, index;

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
					   table[i].arg ? required_argument : no_argument, NULL,
					   table[i].id};
	while ((id = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (id == '?')
			exit(EXIT_FAILURE);
		set(m, id, table[index].name, optarg);
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
