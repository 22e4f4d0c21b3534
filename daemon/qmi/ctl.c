// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl.h"

#include <errno.h>
#include <string.h>

#define TLV_SERVICE  0x01 /* Allocate CID: u8 */
#define TLV_DEVICE   0x01 /* Proxy Open: path, not NUL-terminated */
#define TLV_CLIENT   0x01 /* Allocate and Release CID: service u8, client id u8 */
#define TLV_SERVICES 0x01 /* Get Version Info: count u8, {service u8, major u16, minor u16} */

void qmi_ctl_allocate_cid(struct qmi_request *r, uint8_t service)
{
	qmi_request_init(r, QMI_CTL_ALLOCATE_CID);
	qmi_put_tlv_u8(&r->tlvs, TLV_SERVICE, service);
}

void qmi_ctl_release_cid(struct qmi_request *r, uint8_t service, uint8_t id)
{
	const uint8_t client[] = {service, id};

	qmi_request_init(r, QMI_CTL_RELEASE_CID);
	qmi_put_tlv(&r->tlvs, TLV_CLIENT, client, sizeof(client));
}

void qmi_ctl_proxy_open(struct qmi_request *r, const char *path)
{
	qmi_request_init(r, QMI_CTL_PROXY_OPEN);
	qmi_put_tlv(&r->tlvs, TLV_DEVICE, path, strlen(path));
}

bool qmi_ctl_allocated(const struct qmi_message *m, uint8_t *service, uint8_t *id)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, TLV_CLIENT, &t) || t.len < 2)
		return false;
	*service = t.value[0];
	*id = t.value[1];
	return *id != 0 && *id != QMI_CID_BROADCAST;
}

bool qmi_ctl_asked_service(const struct qmi_message *m, uint8_t *service)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, TLV_SERVICE, &t) || t.len != 1)
		return false;
	*service = t.value[0];
	return true;
}

bool qmi_ctl_asked_device(const struct qmi_message *m, char *path, size_t size)
{
	struct qmi_tlv t;

	if (!qmi_tlv_find(m->tlvs, TLV_DEVICE, &t) || !t.len || t.len >= size ||
	    memchr(t.value, 0, t.len))
		return false;
	memcpy(path, t.value, t.len);
	path[t.len] = '\0';
	return true;
}

int qmi_ctl_services(const struct qmi_message *m, uint64_t *services)
{
	struct qmi_cursor c;
	struct qmi_tlv t;
	uint64_t found = 0;
	uint8_t n;

	if (!qmi_tlv_find(m->tlvs, TLV_SERVICES, &t))
		return -ENOMSG;
	c = qmi_cursor_of(&t);
	for (n = qmi_read_u8(&c); n; n--) {
		uint8_t s = qmi_read_u8(&c);

		qmi_read_le32(&c);
		if (c.bad)
			return -EBADMSG;
		if (s < 64)
			found |= 1ull << s;
	}
	*services = found;
	return 0;
}
