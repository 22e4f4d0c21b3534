// SPDX-License-Identifier: GPL-2.0-or-later
/* WDA: the data format, and the modem-side loopback. */
#include "wda.h"
#include "service.h"
#include "util.h"

#define LINK_RAW_IP	2
#define ENDPOINT_HSUSB	2
#define ENDPOINT_PCIE	3
#define MAX_PADDING	60 /* with alignment added, it must fit 6 bits */
#define MAX_REPLICATION 16

enum qmi_error wda_check_endpoint(const struct modem *m, const struct qmi_msg *req, uint8_t type)
{
	uint16_t len;
	const uint8_t *p = qmi_find(req, type, &len);
	uint32_t kind;

	if (!p)
		return QMI_OK;
	if (len != 8)
		return QMI_MALFORMED;
	kind = get_le32(p);
	if ((kind != ENDPOINT_HSUSB && kind != ENDPOINT_PCIE) ||
	    get_le32(p + 4) != m->options.interface)
		return QMI_INTERFACE_NOT_FOUND;
	return QMI_OK;
}

void wda_reset(struct modem *m)
{
	uint32_t protocol = m->model.forced ? WDA_QMAP_V1 : WDA_OFF;

	m->format = (struct data_format){
		.link = LINK_RAW_IP,
		.ul = protocol,
		.dl = protocol,
		.dl_max_datagrams = m->model.dl_max_datagrams,
		.dl_max_size = m->model.dl_max_size,
		.ul_max_datagrams = m->model.ul_max_datagrams,
		.ul_max_size = m->model.ul_max_size,
	};
	m->loopback = 0;
}

static uint32_t best_protocol(const struct model *model)
{
	static const uint32_t order[] = {WDA_QMAP_V5, WDA_QMAP_V4, WDA_QMAP_V1};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (model->protocols & 1u << order[i])
			return order[i];
	return WDA_OFF;
}

/* Maps the requested protocol in *value to the one in force, and then to the echo. */
static enum qmi_error choose_protocol(const struct model *model, uint32_t *value)
{
	if (*value == WDA_OFF) {
		if (model->forced)
			*value = WDA_QMAP_V1;
		return QMI_OK;
	}
	if (*value < 32 && model->protocols & 1u << *value)
		return QMI_OK;
	switch (model->refusal) {
	case REFUSE_OFF:
		*value = WDA_OFF;
		return QMI_OK;
	case REFUSE_LOWER:
		*value = best_protocol(model);
		return QMI_OK;
	case REFUSE_ERROR:
		break;
	}
	return QMI_INVALID_ARG;
}

/* An optional u32 of which the modem grants at most `max`; 0 requests the maximum. */
static enum qmi_error grant(const struct qmi_msg *req, uint8_t type, uint32_t max, uint32_t *value)
{
	uint32_t v;
	enum qmi_error err = qmi_get_u32(req, type, &v);

	if (err == QMI_MISSING_ARG)
		return QMI_OK;
	if (!err)
		*value = v && v < max ? v : max;
	return err;
}

static enum qmi_error read_protocol(const struct model *model, const struct qmi_msg *req,
				    uint8_t type, uint32_t *value)
{
	enum qmi_error err = qmi_get_u32(req, type, value);

	if (err == QMI_MISSING_ARG)
		return QMI_OK;
	return err ? err : choose_protocol(model, value);
}

static enum qmi_error read_small(const struct qmi_msg *req, struct data_format *f)
{
	uint32_t padding = f->dl_padding, link = 0;
	enum qmi_error err;

	/* asked for Ethernet, Quectel's firmware echoes raw IP */
	err = qmi_get_u32(req, 0x11, &link);
	if (err && err != QMI_MISSING_ARG)
		return err;
	err = qmi_get_u8(req, 0x10, &f->qos);
	if (err && err != QMI_MISSING_ARG)
		return err;
	err = qmi_get_u8(req, 0x1a, &f->flow);
	if (err && err != QMI_MISSING_ARG)
		return err;
	err = qmi_get_u32(req, 0x19, &padding);
	if (err && err != QMI_MISSING_ARG)
		return err;
	f->dl_padding = padding > MAX_PADDING ? MAX_PADDING : padding;
	return QMI_OK;
}

static enum qmi_error read_format(const struct modem *m, const struct qmi_msg *req,
				  struct data_format *f)
{
	const struct model *model = &m->model;
	enum qmi_error err;

	err = wda_check_endpoint(m, req, 0x17);
	if (!err)
		err = read_small(req, f);
	if (!err)
		err = read_protocol(model, req, 0x12, &f->ul);
	if (!err)
		err = read_protocol(model, req, 0x13, &f->dl);
	if (!err)
		err = grant(req, 0x15, model->dl_max_datagrams, &f->dl_max_datagrams);
	if (!err)
		err = grant(req, 0x16, model->dl_max_size, &f->dl_max_size);
	if (!err)
		err = grant(req, 0x1b, model->ul_max_datagrams, &f->ul_max_datagrams);
	if (!err)
		err = grant(req, 0x1c, model->ul_max_size, &f->ul_max_size);
	return err;
}

/* The response numbers its TLVs differently from the request: 0x17, 0x18, 0x1a, 0x1b. */
static void put_format(const struct data_format *f, struct qmi_tlvs *out)
{
	qmi_put_u32(out, 0x13, f->dl);
	qmi_put_u32(out, 0x12, f->ul);
	qmi_put_u32(out, 0x11, f->link);
	qmi_put_u8(out, 0x10, f->qos);
	qmi_put_u32(out, 0x14, 0);
	qmi_put_u32(out, 0x16, f->dl ? f->dl_max_size : 0);
	qmi_put_u32(out, 0x15, f->dl ? f->dl_max_datagrams : 0);
	qmi_put_u32(out, 0x17, f->ul ? f->ul_max_datagrams : 0);
	qmi_put_u32(out, 0x18, f->ul ? f->ul_max_size : 0);
	qmi_put_u32(out, 0x1a, f->dl ? f->dl_padding : 0);
	qmi_put_u8(out, 0x1b, f->flow);
}

static bool calls_up(const struct modem *m)
{
	for (unsigned int i = 0; i < m->options.pdns; i++)
		if (m->pdns[i].users[FAMILY_V4] || m->pdns[i].users[FAMILY_V6])
			return true;
	return false;
}

static enum qmi_error set_format(struct modem *m, struct client *c, const struct qmi_msg *req,
				 struct qmi_tlvs *out)
{
	struct data_format f = m->format;
	enum qmi_error err = read_format(m, req, &f);

	if (err)
		return err;
	/*
	 * A new format tears the data path down and builds it up again, so it is refused under
	 * traffic.
	 */
	if (calls_up(m) && memcmp(&f, &m->format, sizeof(f)))
		return QMI_INCOMPATIBLE_STATE;
	m->format = f;
	put_format(&f, out);
	return QMI_OK;
}

static enum qmi_error get_format(struct modem *m, struct client *c, const struct qmi_msg *req,
				 struct qmi_tlvs *out)
{
	enum qmi_error err = wda_check_endpoint(m, req, 0x10);

	if (!err)
		put_format(&m->format, out);
	return err;
}

static enum qmi_error set_loopback(struct modem *m, struct client *c, const struct qmi_msg *req,
				   struct qmi_tlvs *out)
{
	uint32_t factor = 1;
	uint8_t state;
	enum qmi_error err = qmi_get_u8(req, 0x01, &state);

	if (err)
		return err;
	err = qmi_get_u32(req, 0x10, &factor);
	if (err && err != QMI_MISSING_ARG)
		return err;
	if (state > 1 || factor > MAX_REPLICATION)
		return QMI_INVALID_ARG;
	m->loopback = state ? (factor ? factor : 1) : 0;
	return QMI_OK;
}

static const struct qmi_message messages[] = {
	{0x0020, "set_data_format", set_format},
	{0x0021, "get_data_format", get_format},
	{0x002f, "set_loopback", set_loopback},
	{0},
};

const struct service wda_service = {QMI_SERVICE_WDA, 1, 16, messages};
