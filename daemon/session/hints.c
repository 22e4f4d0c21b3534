// SPDX-License-Identifier: GPL-2.0-or-later
#include "hints.h"

#include "qmi/wds.h"
#include "util/array.h"

/* By verbose call end reason. */
static const struct {
	uint16_t type, reason;
	const char *hint;
} hints[] = {
	{QMI_WDS_END_3GPP, 8, "the operator has barred this SIM from data; ask the operator"},
	{QMI_WDS_END_3GPP, 26, "the network is short of resources; try again later"},
	{QMI_WDS_END_3GPP, 27, "check the APN's spelling; the operator knows the right one"},
	{QMI_WDS_END_3GPP, 28, "the network does not offer this IP version; try another ip="},
	{QMI_WDS_END_3GPP, 29, "check user=, password= and auth= of this PDN"},
	{QMI_WDS_END_3GPP, 32, "the subscription may not include this APN; ask the operator"},
	{QMI_WDS_END_3GPP, 33, "the subscription does not include this APN; ask the operator"},
	{QMI_WDS_END_3GPP, 50, "use ip=v4 for this PDN"},
	{QMI_WDS_END_3GPP, 51, "use ip=v6 for this PDN"},
	{QMI_WDS_END_3GPP, 55, "another PDN uses this APN already; leave one of them out"},
	{QMI_WDS_END_INTERNAL, 208, "the network does not allow IPv4 here; use ip=v6"},
	{QMI_WDS_END_INTERNAL, 209, "IPv4 was refused lately; wait some minutes"},
	{QMI_WDS_END_INTERNAL, 210, "the network does not allow IPv6 here; use ip=v4"},
	{QMI_WDS_END_INTERNAL, 211, "IPv6 was refused lately; wait some minutes"},
	{QMI_WDS_END_INTERNAL, 230, "another call uses this APN with other settings"},
	{QMI_WDS_END_INTERNAL, 231, "the modem's profile has another IP version; change ip="},
	{QMI_WDS_END_INTERNAL, 236, "another program has this call; stop it, or use its PDN"},
	{QMI_WDS_END_INTERNAL, 237, "another program uses this mux id; stop it, or use mux="},
	{QMI_WDS_END_INTERNAL, 239, "this APN is not for roaming; ask the operator"},
	{QMI_WDS_END_INTERNAL, 241, "another program has this call; stop it, or use its PDN"},
	{QMI_WDS_END_INTERNAL, 243, "the modem is too hot; let it cool down"},
	{QMI_WDS_END_INTERNAL, 253, "check the APN's spelling"},
	{QMI_WDS_END_INTERNAL, 255, "data is not allowed while roaming; ask the operator"},
	{QMI_WDS_END_INTERNAL, 262, "the modem has no more PDNs to give; attach fewer"},
	{QMI_WDS_END_CALL_MANAGER, 2001, "there is no coverage, or no SIM; check antenna and SIM"},
};

/* Protocol errors without a network's reason. */
static const struct {
	uint16_t error;
	const char *hint;
} error_hints[] = {
	{26, "the modem holds a call that it does not let go of; restart the modem"},
	{5, "the modem has no client ids left; other programs hold them or leaked them: "
	    "restart the modem"},
	{16, "the modem is not provisioned for data; check the SIM"},
	{34, "check user=, password= and auth= of this PDN"},
	{37, "the SIM is not ready; check that it is in and needs no PIN"},
	{43, "the modem does not know this data interface; the control channel may be "
	     "another modem's"},
	{52, "the modem is not ready; wait until it is registered and try again"},
	{82, "the modem does not allow this; is it in the right mode?"},
	{93, "the radio is off; switch it on first (AT+CFUN=1)"},
	{102, "there is no SIM in the modem"},
};

const char *hint_for_error(uint16_t qmi_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(error_hints); i++)
		if (error_hints[i].error == qmi_error)
			return error_hints[i].hint;
	return NULL;
}

const char *hint_for_end(const struct call_end *end)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].type == end->verbose_type && hints[i].reason == end->verbose_reason)
			return hints[i].hint;
	return hint_for_error(end->qmi_error);
}
