// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading of the programs: their cost to the verifier, and their requirements on the kernel. */

#include "tests/unit/test.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "daemon/clat/address.h"
#include "env.h"
#include "qmap/clat.h"
#include "qmap_clat.skel.h"
#include "qmap_observe.skel.h"
#include "qmap_shim.skel.h"

#define BUDGET "tests/bpf/budget"

static const char *skip_reason;
static struct env *env;

struct budget {
	char object[16], program[32];
	unsigned int verified, translated, bytes;
};

/*
 * Programs are longer where the verifier adds zero extensions, and older verifiers look at more
 * instructions.
 */
static bool budget_holds(void)
{
	unsigned int major, minor;
	struct utsname u;

	assert_int_equal(uname(&u), 0);
	assert_int_equal(sscanf(u.release, "%u.%u", &major, &minor), 2);
	return !strcmp(u.machine, "x86_64") && (major > 6 || (major == 6 && minor >= 12));
}

/* Reads the next line that is not a comment. */
static bool read_budget(FILE *f, struct budget *b)
{
	char line[256];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %15[a-z] %31[a-z_] %u %u %u", b->object, b->program,
			   &b->verified, &b->translated, &b->bytes) == 5)
			return true;
	return false;
}

static void check_budget(const struct bpf_object *obj, int version, const struct budget *b)
{
	const struct bpf_program *prog = bpf_object__find_program_by_name(obj, b->program);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info), translated;

	assert_non_null(prog);
	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size), 0);
	translated = info.xlated_prog_len / sizeof(struct bpf_insn);
	print_message(
		"v%d %s: %u of %u instructions verified, %u of %u translated, %u of %u bytes\n",
		version, b->program, info.verified_insns, b->verified, translated, b->translated,
		info.jited_prog_len, b->bytes);
	assert_in_range(info.verified_insns, 1, b->verified);
	assert_in_range(translated, 1, b->translated);
	/* zero if the JIT is off */
	if (info.jited_prog_len)
		assert_in_range(info.jited_prog_len, 1, b->bytes);
}

/* Each program has a line, and each line a program. */
static void check_budgets(const struct bpf_object *obj, const char *object, int version)
{
	unsigned int lines = 0, programs = 0;
	FILE *f = fopen(BUDGET, "re");
	struct bpf_program *prog;
	struct budget b;

	assert_non_null(f);
	while (read_budget(f, &b)) {
		if (strcmp(b.object, object))
			continue;
		check_budget(obj, version, &b);
		lines++;
	}
	fclose(f);
	bpf_object__for_each_program(prog, obj) programs++;
	assert_int_equal(lines, programs);
}

static void check_shim_budgets(int version)
{
	struct qmap_shim *shim = qmap_shim__open();

	assert_non_null(shim);
	shim->rodata->config.dl_version = version;
	shim->rodata->config.ul_version = version;
	shim->rodata->config.ul_max_packet = 1500;
	shim->rodata->avoid_multiple = 512;
	assert_int_equal(qmap_shim__load(shim), 0);
	check_budgets(shim->obj, "shim", version);
	qmap_shim__destroy(shim);
}

static void check_observer_budgets(int version)
{
	struct qmap_observe *observer = qmap_observe__open();

	assert_non_null(observer);
	observer->rodata->config.dl_version = version;
	assert_int_equal(qmap_observe__load(observer), 0);
	check_budgets(observer->obj, "observe", version);
	qmap_observe__destroy(observer);
}

static struct qmap_clat *open_clat(unsigned int prefix_len, unsigned int l2_len)
{
	struct qmap_clat *clat = qmap_clat__open();
	struct qmap_clat_config *config;

	assert_non_null(clat);
	config = (struct qmap_clat_config *)&clat->rodata->clat;
	config->prefix_len = prefix_len;
	config->neutral = prefix_len == 96;
	clat_config_set_link(config, l2_len);
	return clat;
}

static void check_clat_budgets(unsigned int prefix_len)
{
	struct qmap_clat *clat = open_clat(prefix_len, 14);

	assert_int_equal(qmap_clat__load(clat), 0);
	check_budgets(clat->obj, "clat", (int)prefix_len);
	qmap_clat__destroy(clat);
}

TEST(test_budget)
{
	static const int others[] = {QMAP_V1, QMAP_V4};

	if (skip_reason || !budget_holds())
		skip();
	check_budgets(env->skel->obj, "xdp", QMAP_V5);
	check_shim_budgets(QMAP_V5);
	check_observer_budgets(QMAP_V5);
	check_clat_budgets(96);
	check_clat_budgets(40);
	for (unsigned int i = 0; i < 2; i++) {
		struct env *e;

		assert_int_equal(env_new(&e, others[i], 1500), 0);
		check_budgets(e->skel->obj, "xdp", others[i]);
		env_free(&e);
		check_shim_budgets(others[i]);
		check_observer_budgets(others[i]);
	}
}

/* Loads as on a CPU without unaligned access; libbpf prints the verifier's log if it refuses. */
static int load_strictly(struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		bpf_program__set_flags(prog, bpf_program__flags(prog) | BPF_F_STRICT_ALIGNMENT);
	}
	return bpf_object__load(obj);
}

static int load_xdp_strictly(int version)
{
	struct qmap_xdp *xdp = qmap_xdp__open();
	int ret;

	assert_non_null(xdp);
	xdp->rodata->config.dl_version = version;
	xdp->rodata->config.ul_version = version;
	ret = load_strictly(xdp->obj);
	qmap_xdp__destroy(xdp);
	return ret;
}

static int load_shim_strictly(int version)
{
	struct qmap_shim *shim = qmap_shim__open();
	int ret;

	assert_non_null(shim);
	shim->rodata->config.dl_version = version;
	shim->rodata->config.ul_version = version;
	shim->rodata->avoid_multiple = 512;
	ret = load_strictly(shim->obj);
	qmap_shim__destroy(shim);
	return ret;
}

static int load_observer_strictly(int version)
{
	struct qmap_observe *observer = qmap_observe__open();
	int ret;

	assert_non_null(observer);
	observer->rodata->config.dl_version = version;
	ret = load_strictly(observer->obj);
	qmap_observe__destroy(observer);
	return ret;
}

static int load_clat_strictly(unsigned int prefix_len, unsigned int l2_len)
{
	struct qmap_clat *clat = open_clat(prefix_len, l2_len);
	int ret;

	ret = load_strictly(clat->obj);
	qmap_clat__destroy(clat);
	return ret;
}

/*
 * Without CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS (MIPS, older ARM) the verifier assumes that
 * packets are aligned to two bytes and refuses programs that need more. The flag makes this
 * machine's verifier do the same.
 */
TEST(test_strict_alignment)
{
	static const int versions[] = {QMAP_V1, QMAP_V4, QMAP_V5};
	libbpf_print_fn_t print;

	if (skip_reason)
		skip();
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(load_xdp_strictly(versions[i]), 0);
		assert_int_equal(load_shim_strictly(versions[i]), 0);
		assert_int_equal(load_observer_strictly(versions[i]), 0);
		assert_int_equal(load_clat_strictly(i ? 64 : 96, i < 2 ? 14 : 0), 0);
	}
	/* the daemon then loads the programs of 464XLAT without their fast path */
	print = libbpf_set_print(NULL);
	assert_int_not_equal(load_clat_strictly(96, 0), 0);
	libbpf_set_print(print);
}

/* Header of .BTF.ext (kernel Documentation/bpf/btf.rst). */
struct btf_ext_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t head_len;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t core_relo_off, core_relo_len;
};

/* Writes the object file in the skeleton to a file. */
static int object_file(void)
{
	int fd = memfd_create("qmap_xdp.bpf.o", MFD_CLOEXEC);
	const void *elf;
	size_t size;

	elf = qmap_xdp__elf_bytes(&size);
	assert_true(fd >= 0 && write(fd, elf, size) == (ssize_t)size);
	return fd;
}

/* CO-RE relocations would need the kernel's BTF, which routers do not have. Needs no root. */
TEST(test_no_relocations)
{
	const struct btf_ext_head *head;
	struct btf_ext *ext = NULL;
	int fd = object_file();
	struct btf *btf;
	char path[32];
	uint32_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	btf = btf__parse_elf(path, &ext);
	assert_non_null(btf);
	assert_non_null(ext);
	head = btf_ext__get_raw_data(ext, &size);
	assert_non_null(head);
	assert_true(size >= sizeof(*head) && head->func_info_len > 0);
	if (head->head_len >= sizeof(*head))
		assert_int_equal(head->core_relo_len, 0);
	btf_ext__free(ext);
	btf__free(btf);
	close(fd);
}

static int put_in_devmap(const struct bpf_program *prog)
{
	struct bpf_devmap_val val = {.ifindex = env->trunk, .bpf_prog.fd = bpf_program__fd(prog)};
	int map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "test", 4, sizeof(val), 1, NULL), ret;
	uint32_t zero = 0;

	assert_true(map >= 0);
	ret = bpf_map_update_elem(map, &zero, &val, 0) ? -errno : 0;
	close(map);
	return ret;
}

/* A device map only takes programs of its type, and these run nowhere else. */
TEST(test_trim_belongs_in_devmap)
{
	uint8_t packet[64] = {0};

	if (skip_reason)
		skip();
	assert_int_equal(put_in_devmap(env->skel->progs.qmap_trim), 0);
	assert_int_equal(put_in_devmap(env->skel->progs.qmap_split), -EINVAL);
	assert_int_equal(put_in_devmap(env->skel->progs.qmap_deliver), -EINVAL);
	assert_int_equal(env_run(env->skel->progs.qmap_trim, packet, sizeof(packet), NULL, NULL),
			 -EINVAL);
}

/* Maps outlive the daemon that created them, so their sizes must be those of the headers. */
TEST(test_map_sizes)
{
	if (skip_reason)
		skip();
	assert_int_equal(bpf_map__max_entries(env->skel->maps.copies), QMAP_MAX_FRAMES + 1);
	assert_int_equal(bpf_map__max_entries(env->skel->maps.ports), QMAP_MAX_MUX);
	assert_int_equal(bpf_map__value_size(env->skel->maps.ports), sizeof(struct qmap_port));
	assert_int_equal(bpf_map__value_size(env->skel->maps.port_stats),
			 sizeof(struct qmap_port_stats));
	assert_int_equal(bpf_map__value_size(env->skel->maps.trunk_stats),
			 sizeof(struct qmap_trunk_stats));
}

static int set_up(void **state)
{
	int ret;

	skip_reason = env_start();
	if (skip_reason) {
		print_message("SKIP: %s\n", skip_reason);
		return 0;
	}
	ret = env_new(&env, QMAP_V5, 1500);
	if (ret)
		print_error("cannot load the programs: %s\n", strerror(-ret));
	return ret;
}

static int tear_down(void **state)
{
	env_free(&env);
	return 0;
}

TEST_GROUP(set_up, tear_down);
