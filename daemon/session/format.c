// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The data format: QMAP versions are requested from the newest down until the modem agrees. Its
 * echoed values count, not its "success": EC25 accepts v5 and echoes "aggregation off".
 */
#include "internal.h"

#include <qmap/abi.h>

#include "util/log.h"
#include "qmi/names.h"

/* Frames per aggregate to request by default, as ModemManager does. */
#define DL_MAX_DATAGRAMS 32

/* Quectel's own connection manager requests these, and notes that more frames gain nothing. */
#define UL_MAX_DATAGRAMS 11
#define UL_MAX_BYTES	 8192

/* One packet of 1500 bytes with the longest header and pad. */
#define UL_LEAST_BYTES (8 + 1500 + 3)

static const struct {
	int version;
	uint32_t aggregation;
} ladder[] = {
	{QMAP_V5, QMI_AGGREGATION_QMAP_V5},
	{QMAP_V4, QMI_AGGREGATION_QMAP_V4},
	{QMAP_V1, QMI_AGGREGATION_QMAP_V1},
	{QMAP_OFF, QMI_AGGREGATION_OFF},
};

#define STEPS (sizeof(ladder) / sizeof(ladder[0]))

/* "auto" means any QMAP version: raw IP must be configured. */
static bool wanted(const struct session *s, unsigned int step)
{
	if (s->setup.qmap == CONFIG_QMAP_AUTO)
		return ladder[step].version != QMAP_OFF &&
		       (!s->known->limits_qmap || ladder[step].version <= (int)s->known->qmap);
	return ladder[step].version == (int)s->setup.qmap;
}

static bool next_step(struct session *s, unsigned int from)
{
	for (s->step = from; s->step < STEPS; s->step++)
		if (wanted(s, s->step))
			return true;
	return false;
}

bool session_format_first(struct session *s)
{
	session_find_model(s);
	session_endpoint(s);
	if (s->setup.qmap == CONFIG_QMAP_OFF && s->known->forces_qmap) {
		error_set(&s->error, -EOPNOTSUPP, "%s sends QMAP whatever it is told, so %s",
			  s->model, "it cannot be used with qmap=off");
		error_exit(&s->error, EXIT_REFUSED);
		error_hint(&s->error, "leave qmap at auto; one PDN over QMAP does the same");
		return false;
	}
	return next_step(s, 0);
}

static unsigned int smaller(unsigned int a, unsigned int limit)
{
	return limit && limit < a ? limit : a;
}

void session_format_request(struct session *s, struct qmi_request *r)
{
	const struct qmi_wda_format f = {
		.link_protocol = QMI_LINK_RAW_IP,
		.ul_aggregation = ladder[s->step].aggregation,
		.dl_aggregation = ladder[s->step].aggregation,
		.dl_max_datagrams =
			s->setup.dl_max_datagrams ? s->setup.dl_max_datagrams : DL_MAX_DATAGRAMS,
		.dl_max_bytes = smaller(s->known->dl_max_bytes, s->setup.dl_max_bytes),
		.ul_max_datagrams = UL_MAX_DATAGRAMS,
		.ul_max_bytes = UL_MAX_BYTES,
	};

	qmi_wda_set_data_format(r, &f, &s->endpoint);
}

static bool agrees(const struct session *s, const struct qmi_wda_format *f)
{
	uint32_t asked = ladder[s->step].aggregation;

	if (f->link_protocol != QMI_WDA_NOT_TOLD && f->link_protocol != QMI_LINK_RAW_IP)
		return false;
	if (asked == QMI_AGGREGATION_OFF)
		return f->dl_aggregation == QMI_WDA_NOT_TOLD || f->dl_aggregation == asked;
	return f->dl_aggregation == asked && f->ul_aggregation == asked &&
	       f->dl_max_bytes != QMI_WDA_NOT_TOLD && f->dl_max_bytes;
}

static unsigned int told(uint32_t v)
{
	return v == QMI_WDA_NOT_TOLD ? 0 : v;
}

/* A modem that takes less than one packet at a time could not send a packet of full size. */
static unsigned int told_uplink(uint32_t v)
{
	unsigned int bytes = told(v);

	if (!bytes || bytes >= UL_LEAST_BYTES)
		return bytes;
	log_warning(
		"modem says that it takes %u bytes of uplink at most, which is less than a packet: "
		"taken for no limit",
		bytes);
	return 0;
}

static void agreed(struct session *s, const struct qmi_wda_format *f)
{
	s->format = (struct data_format){
		.version = ladder[s->step].version,
		.dl_max_bytes = told(f->dl_max_bytes),
		.dl_max_datagrams = told(f->dl_max_datagrams),
		.ul_max_bytes = told_uplink(f->ul_max_bytes),
		.ul_max_datagrams = told(f->ul_max_datagrams),
	};
	s->formatted = true;
}

int session_format_answer(struct session *s, const struct qmi_message *m,
			  const struct qmi_result *res)
{
	struct qmi_wda_format f;

	qmi_wda_data_format(m, &f);
	if (!res->status && agrees(s, &f)) {
		agreed(s, &f);
		return 0;
	}
	s->refusal.qmi_error = res->status ? res->error : 0;
	s->refusal.echoed = f.dl_aggregation;
	log_debug("modem refuses aggregation %s: %s",
		  qmi_enum_name("aggregation", ladder[s->step].aggregation),
		  res->status ? "error" : "echoes something else");
	if (next_step(s, s->step + 1))
		return 1;
	session_error_format(s);
	return -EREMOTEIO;
}
