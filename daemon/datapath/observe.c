// SPDX-License-Identifier: GPL-2.0-or-later
#include "observe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "qmap_observe.skel.h"
#include "qmap_commands.h"
#include "hold.h"
#include "port_map.h"
#include "renew.h"
#include "trunk_filter.h"
#include "xdp_link.h"

#define PROGRAM "qmap_observe"
#define NEEDS	"5.8"

bool observe_is_split(const struct datapath *dp)
{
	return !strcmp(dp->pins->datapath, datapath_qmimux.name);
}

static int load(struct qmap_observe **out, const struct datapath *dp,
		const struct qmap_config *config, struct error *err)
{
	struct qmap_observe *skel = qmap_observe__open();
	__u32 zero = 0;
	int ret = 0, fd;

	if (!skel)
		return error_set(err, -errno, "cannot open the BPF programs: %s", strerror(errno));
	memcpy((void *)&skel->rodata->config, config, sizeof(*config));
	skel->rodata->is_split = dp && observe_is_split(dp);
	if (dp)
		ret = datapath_reuse_maps(dp, skel->obj);
	ret = ret ?: qmap_observe__load(skel);
	if (ret) {
		qmap_observe__destroy(skel);
		return bpf_load_error(ret, NEEDS, err);
	}
	fd = bpf_program__fd(skel->progs.qmap_observe);
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.again), &zero, &fd, BPF_ANY)) {
		ret = error_set(err, -errno, "cannot write a BPF map: %s", strerror(errno));
		qmap_observe__destroy(skel);
		return ret;
	}
	*out = skel;
	return 0;
}

int observe_probe(struct error *why)
{
	const struct qmap_config config = {.dl_version = QMAP_V5};
	struct qmap_observe *skel = NULL;
	int ret = load(&skel, NULL, &config, why);

	qmap_observe__destroy(skel);
	return ret;
}

int observe_attach(struct datapath *dp, const struct data_format *format, struct error *err)
{
	const struct qmap_config config = bpf_config(dp->trunk, format);
	struct qmap_observe *skel = NULL;
	int ret = load(&skel, dp, &config, err);

	if (ret)
		return ret;
	ret = renew_put_config(dp->pins, &config, err) ?: datapath_keep_maps(dp, skel->obj, err);
	/* where qmi_wwan splits, the trunk's netdev only loses what has been delivered already */
	if (!ret && !observe_is_split(dp))
		ret = datapath_start_lost(dp, bpf_map__fd(skel->maps.trunk_stats), err);
	ret = ret ?: trunk_filter_attach(dp->trunk, bpf_program__fd(skel->progs.qmap_observe), err);
	qmap_observe__destroy(skel);
	return ret;
}

void observe_detach(struct datapath *dp)
{
	trunk_filter_remove(dp->nl, dp->trunk, PROGRAM);
}

/* Loads the program as it was loaded for this trunk. */
static int load_again(struct qmap_observe **out, struct datapath *dp, struct error *err)
{
	struct qmap_config config;

	return renew_get_config(dp->pins, &config, err) ?: load(out, dp, &config, err);
}

/* A program that is replaced keeps the array that it was loaded with; the pin follows the new one. */
static int keep_again(struct datapath *dp, const struct qmap_observe *skel, struct error *err)
{
	return renew_pin(dp->pins, dp->pin[OBSERVE_AGAIN].name, bpf_map__fd(skel->maps.again),
			 &dp->fd[OBSERVE_AGAIN], err);
}

int observe_renew(struct datapath *dp, bool *changed, struct error *err)
{
	struct qmap_observe *skel = NULL;
	int ret = load_again(&skel, dp, err);

	if (ret)
		return ret;
	*changed = false;
	ret = trunk_filter_renew(dp->trunk, PROGRAM, bpf_program__fd(skel->progs.qmap_observe),
				 changed, err);
	if (!ret && *changed)
		ret = keep_again(dp, skel, err);
	qmap_observe__destroy(skel);
	return ret;
}

static enum keep_look look_filter(void *arg, char *detail)
{
	const struct datapath *dp = arg;

	return trunk_filter_look(dp->trunk, PROGRAM, detail);
}

static int attach_filter(void *arg, struct error *err)
{
	struct datapath *dp = arg;
	struct qmap_observe *skel = NULL;
	int ret = load_again(&skel, dp, err);

	if (ret)
		return ret;
	ret = trunk_filter_attach(dp->trunk, bpf_program__fd(skel->progs.qmap_observe), err)
		      ?: keep_again(dp, skel, err);
	qmap_observe__destroy(skel);
	return ret;
}

const struct keep_row observe_rows[] = {
	{.what = RENEW_WHAT, .budget = RENEW_BUDGET, .look = look_filter, .fix = attach_filter},
	{0},
};

/* --- ports --- */

int observe_add_port(struct datapath *dp, unsigned int mux, unsigned int ifindex, struct error *err)
{
	const struct qmap_port port = {.ifindex = ifindex};

	return datapath_zero_stats(dp->fd[OBSERVE_PORT_STATS], mux, err)
		       ?: port_map_write(dp->fd[OBSERVE_PORTS], mux, &port, err);
}

/* From here on the counters are of a mux id that no PDN has. */
int observe_del_port(struct datapath *dp, unsigned int mux, struct error *err)
{
	return port_map_write(dp->fd[OBSERVE_PORTS], mux, &(struct qmap_port){0}, err)
		       ?: datapath_zero_stats(dp->fd[OBSERVE_PORT_STATS], mux, err);
}

int observe_flow(struct datapath *dp, unsigned int mux, bool on, struct error *err)
{
	return port_map_flow(dp->fd[OBSERVE_PORTS], mux, on, err);
}

int observe_running(struct datapath *dp, unsigned int mux, bool up, struct error *err)
{
	return port_map_running(dp->fd[OBSERVE_PORTS], mux, up, err);
}

int observe_stats(struct datapath *dp, struct observe_stats *out, struct error *err)
{
	return datapath_sum_percpu(dp->fd[OBSERVE_TRUNK_STATS], 1,
				   sizeof(out->trunk) / sizeof(__u64), (__u64 *)&out->trunk, err)
		       ?: datapath_sum_percpu(dp->fd[OBSERVE_PORT_STATS], QMAP_MAX_MUX,
					      sizeof(out->count[0]) / sizeof(__u64),
					      (__u64 *)out->count, err)
		       ?: port_map_read_all(dp->fd[OBSERVE_PORTS], out->port, err);
}

int observe_event_fd(struct datapath *dp)
{
	return datapath_event_fd(dp, OBSERVE_EVENTS, true);
}

int observe_events(struct datapath *dp, struct error *err)
{
	dp->wait_ms = hold_look(dp);
	if (!dp->commands)
		return 0;
	commands_obey(dp->commands, !dp->cannot_hold);
	return commands_read(dp->commands, err);
}

int observe_wait_ms(const struct datapath *dp)
{
	return dp->wait_ms;
}
