// SPDX-License-Identifier: GPL-2.0-or-later
#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <qmap/abi.h>

#include "util/log.h"
#include "endpoint.h"
#include "hints.h"
#include "qmi/names.h"

/* Frames per aggregate to request by default, as ModemManager does. */
#define DL_MAX_DATAGRAMS 32

/* Quectel's own connection manager requests these, and notes that more frames gain nothing. */
#define UL_MAX_DATAGRAMS 11
#define UL_MAX_BYTES	 8192

/* One packet of 1500 bytes with the longest header and pad. */
#define UL_LEAST_BYTES (8 + 1500 + 3)

struct format {
	struct clients *clients;
	const struct session_setup *setup;
	const struct qmi_model *model;
	struct qmi_endpoint endpoint;
	struct data_format agreed;
	bool is_agreed;
	unsigned int step; /* wish that is being asked for */
	struct {
		uint16_t qmi_error; /* answer to the last version refused */
		uint32_t echoed;    /* or the aggregation echoed instead */
	} refusal;
};

/* Values of the TLVs for uplink and downlink aggregation, by version. */
static uint32_t aggregation(const struct session_wish *w)
{
	switch (w->version) {
	case QMAP_V5:
		return QMI_AGGREGATION_QMAP_V5;
	case QMAP_V4:
		return QMI_AGGREGATION_QMAP_V4;
	case QMAP_V1:
		return QMI_AGGREGATION_QMAP_V1;
	}
	return QMI_AGGREGATION_OFF;
}

static const struct session_wish *wish(const struct format *f)
{
	return &f->setup->wish[f->step];
}

/* A limit of the model's applies unless the user asks for a version. */
static bool next_step(struct format *f, unsigned int from)
{
	bool limited = f->setup->qmap == CONFIG_QMAP_AUTO && f->model->limits_qmap;

	for (f->step = from; f->step < f->setup->nwishes; f->step++)
		if (!limited || wish(f)->version <= (int)f->model->qmap)
			return true;
	return false;
}

void format_identify(struct format *f, const char *model, const char *revision)
{
	const struct qmi_channel *ch = clients_channel(f->clients);

	f->model = endpoint_model(ch, model, revision);
	f->endpoint = endpoint_find(ch, f->model);
}

static int none_accepted(const struct format *f, struct error *err);

int format_first(struct format *f, const char *model, struct error *err)
{
	if (f->setup->qmap == CONFIG_QMAP_OFF && f->model->forces_qmap) {
		error_set(err, -EOPNOTSUPP, "%s sends QMAP whatever it is told, so %s", model,
			  "it cannot be used with qmap=off");
		error_exit(err, EXIT_REFUSED);
		error_hint(err, "leave qmap at auto; one PDN over QMAP does the same");
		return -EOPNOTSUPP;
	}
	return next_step(f, 0) ? 0 : none_accepted(f, err);
}

static unsigned int smaller(unsigned int a, unsigned int limit)
{
	return limit && limit < a ? limit : a;
}

void format_request(const struct format *f, struct qmi_request *r)
{
	const struct qmi_wda_format asked = {
		.link_protocol = QMI_LINK_RAW_IP,
		.ul_aggregation = aggregation(wish(f)),
		.dl_aggregation = aggregation(wish(f)),
		.dl_max_datagrams = wish(f)->dl_max_datagrams ?: DL_MAX_DATAGRAMS,
		.dl_max_bytes = smaller(f->model->dl_max_bytes, wish(f)->dl_max_bytes),
		.ul_max_datagrams = UL_MAX_DATAGRAMS,
		.ul_max_bytes = UL_MAX_BYTES,
	};

	qmi_wda_set_data_format(r, &asked, &f->endpoint);
}

static bool agrees(const struct format *f, const struct qmi_wda_format *echoed)
{
	uint32_t asked = aggregation(wish(f));

	if (echoed->link_protocol != QMI_WDA_NOT_TOLD && echoed->link_protocol != QMI_LINK_RAW_IP)
		return false;
	if (asked == QMI_AGGREGATION_OFF)
		return echoed->dl_aggregation == QMI_WDA_NOT_TOLD ||
		       echoed->dl_aggregation == asked;
	return echoed->dl_aggregation == asked && echoed->ul_aggregation == asked &&
	       echoed->dl_max_bytes != QMI_WDA_NOT_TOLD && echoed->dl_max_bytes;
}

static unsigned int reported(uint32_t v)
{
	return v == QMI_WDA_NOT_TOLD ? 0 : v;
}

/* A modem that takes less than one packet at a time could not send a packet of full size. */
static unsigned int reported_uplink(uint32_t v)
{
	unsigned int bytes = reported(v);

	if (!bytes || bytes >= UL_LEAST_BYTES)
		return bytes;
	log_warning(
		"modem says that it takes %u bytes of uplink at most, which is less than a packet: "
		"taken for no limit",
		bytes);
	return 0;
}

static void agree(struct format *f, const struct qmi_wda_format *echoed)
{
	f->agreed = (struct data_format){
		.version = wish(f)->version,
		.dl_max_bytes = reported(echoed->dl_max_bytes),
		.dl_max_datagrams = reported(echoed->dl_max_datagrams),
		.ul_max_bytes = reported_uplink(echoed->ul_max_bytes),
		.ul_max_datagrams = reported(echoed->ul_max_datagrams),
	};
	f->is_agreed = true;
}

static int none_accepted(const struct format *f, struct error *err)
{
	const char *what = f->setup->nwishes > 1	       ? "any version of QMAP"
			   : f->setup->qmap == CONFIG_QMAP_OFF ? "raw IP without QMAP"
							       : "the version of QMAP asked for";
	const char *hint = hint_for_error(f->refusal.qmi_error);
	const char *echoed = qmi_enum_name("aggregation", f->refusal.echoed);
	char why[128];

	if (f->refusal.qmi_error)
		snprintf(why, sizeof(why), "it answers with %s (error %u)",
			 qmi_error_name(f->refusal.qmi_error) ?: "no name known",
			 f->refusal.qmi_error);
	else
		snprintf(why, sizeof(why), "it answers with aggregation %s",
			 echoed ? echoed : "not told");
	error_set(err, -EOPNOTSUPP, "modem does not accept %s: %s", what, why);
	error_exit(err, EXIT_REFUSED);
	if (hint)
		error_hint(err, "%s", hint);
	else if (f->setup->qmap == CONFIG_QMAP_AUTO)
		error_hint(err, "try qmap=off with one PDN, or newer modem firmware");
	else
		error_hint(err, "leave qmap at auto");
	return -EOPNOTSUPP;
}

int format_answer(struct format *f, const struct qmi_message *m, const struct qmi_result *res,
		  struct error *err)
{
	struct qmi_wda_format echoed;

	qmi_wda_data_format(m, &echoed);
	if (!res->status && agrees(f, &echoed)) {
		agree(f, &echoed);
		return 0;
	}
	f->refusal.qmi_error = res->status ? res->error : 0;
	f->refusal.echoed = echoed.dl_aggregation;
	log_debug("modem refuses aggregation %s: %s",
		  qmi_enum_name("aggregation", aggregation(wish(f))),
		  res->status ? "error" : "echoes something else");
	return next_step(f, f->step + 1) ? 1 : none_accepted(f, err);
}

const struct data_format *format_agreed(const struct format *f)
{
	return f->is_agreed ? &f->agreed : NULL;
}

void format_set_agreed(struct format *f, const struct data_format *agreed)
{
	f->agreed = *agreed;
	f->is_agreed = true;
}

const struct qmi_endpoint *format_endpoint(const struct format *f)
{
	return &f->endpoint;
}

struct format *format_new(struct clients *clients, const struct session_setup *setup)
{
	struct format *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->clients = clients;
	f->setup = setup;
	f->model = qmi_model_find("", "");
	return f;
}

void format_free(struct format **f)
{
	free(*f);
	*f = NULL;
}
