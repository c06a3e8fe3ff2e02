// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/direct_memory.h"
#include "client/lane.h"
#include "client/samples.h"
#include "client/vmcoreinfo_option.h"
#include "layout/memory_map.h"
#include "layout/mtree.h"

static const char ram_command[] = "info mtree -f";

/* The stub's word counts, unless it says nothing that is known. */
static int learn_arch(struct guest *guest, const struct rsp_description *description,
	const struct options *options, struct failure *failure)
{
	const char *name = description->architecture;

	guest->arch = *name ? arch_find(name) : NULL;
	if (!guest->arch)
		guest->arch = options->arch;
	if (guest->arch)
		return 0;
	if (!*name)
		return fail(failure, STATUS_UNSUPPORTED,
			"the stub does not tell what its CPU is (say it by --arch x86_64, ...)");
	return fail(failure, STATUS_UNSUPPORTED,
		"the stub's CPU is \"%s\", which this rspdump does not know (--version lists those it does, --arch says which it is like)",
		name);
}

struct cpu_filling {
	struct registers *registers;
	uint64_t digest;
	bool failed;
};

static uint64_t digest_register(
	uint64_t digest, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	digest = digest_bytes(digest, which->name, strlen(which->name));
	return digest_bytes(digest, bytes, size);
}

static void take_register(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	struct cpu_filling *filling = ctx;
	size_t known;

	filling->digest = digest_register(filling->digest, which, bytes, size);
	/* QEMU for PowerPC has lr and others again among the special registers, with stale values.
	 */
	if (registers_find(filling->registers, which->name, &known))
		return;
	/* Names that are too long for the set are of no CPU that we know. */
	if (strlen(which->name) < REGISTER_NAME_MAX && size <= REGISTER_SIZE_MAX &&
		registers_set(filling->registers, which->name, bytes, size))
		filling->failed = true;
}

/* The layout of `g` that the architecture has by custom, for a stub that describes no registers. */
static int describe_by_custom(const struct arch *arch, struct rsp_description *description)
{
	const struct arch_register *custom = arch->default_registers;
	size_t count = 0;

	if (description->count || !custom || !custom[0].name)
		return 0;
	while (custom[count].name)
		count++;
	free(description->registers);
	description->registers = calloc(count, sizeof(*description->registers));
	if (!description->registers)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct rsp_register *which = &description->registers[i];

		snprintf(which->name, sizeof(which->name), "%s", custom[i].name);
		which->number = (uint32_t)i;
		which->bits = custom[i].bits;
	}
	description->count = count;
	return 0;
}

static void choose_variant(struct guest *guest)
{
	if (guest->arch->variant)
		guest->arch = guest->arch->variant(guest->cpus, guest->cpu_count);
}

/*
 * The clusters of a machine are processes of its stub, each with a description of its own CPUs.
 * Makes it the one of a thread's process. Returns 0 or -1.
 */
static int describe_process(const struct guest *guest, const struct rsp_thread *thread,
	struct rsp_description *description, uint64_t *process)
{
	if (thread->process == *process)
		return 0;
	*process = thread->process;
	if (rsp_select_thread(guest->rsp, thread))
		return -1;
	rsp_description_deinit(description);
	return rsp_read_description(guest->rsp, description);
}

static int learn_cpu(struct guest *guest, const struct rsp_thread *thread,
	const struct rsp_description *description, struct failure *failure)
{
	struct registers *registers = &guest->cpus[guest->cpu_count];
	struct cpu_filling filling = { .registers = registers, .digest = guest->register_digest };

	guest->threads[guest->cpu_count] = *thread;
	registers_init(registers, (unsigned)guest->cpu_count++, guest->arch->order);
	if (rsp_read_registers(guest->rsp, thread, description, take_register, &filling))
		return fail_rsp(failure, guest->rsp, "reading registers");
	if (filling.failed)
		return fail(failure, STATUS_FAILED, "no memory for registers");
	guest->register_digest = filling.digest;
	return 0;
}

/*
 * Foresees the registers of threads that follow one another in a process, from the first one on.
 * Returns the number of the next that has to be foreseen.
 */
static size_t foresee_cpus(const struct guest *guest, size_t first, size_t count)
{
	const struct rsp_thread *threads = guest->threads;
	size_t i = first;

	while (i < count && i - first < RSP_FORESEEN_THREADS_MAX &&
		threads[i].process == threads[first].process &&
		rsp_foresee_registers(guest->rsp, &threads[i]))
		i++;
	return i > first ? i : first + 1;
}

/* What is asked for besides the vCPUs, once the target description is known. */
static void foresee_rest(const struct guest *guest)
{
	rsp_foresee_processes(guest->rsp);
	if (guest->arch->monitor_command)
		rsp_foresee_monitor(guest->rsp, guest->arch->monitor_command);
	rsp_foresee_physical_memory(guest->rsp);
	if (!guest->told.ram.count && !rsp_stub(guest->rsp)->memory_map)
		rsp_foresee_monitor(guest->rsp, ram_command);
}

static int learn_cpus(
	struct guest *guest, struct rsp_description *description, struct failure *failure)
{
	uint64_t process;
	size_t count = 0, foreseen = 0;

	if (describe_by_custom(guest->arch, description))
		return fail(failure, STATUS_FAILED, "no memory");
	foresee_rest(guest);
	if (rsp_attach_processes(guest->rsp) ||
		rsp_list_threads(guest->rsp, &guest->threads, &count))
		return fail_rsp(failure, guest->rsp, "listing vCPUs");
	guest->cpus = calloc(count, sizeof(*guest->cpus));
	if (!guest->cpus)
		return fail(failure, STATUS_FAILED, "no memory");
	process = guest->threads[0].process;
	for (size_t i = 0; i < count; i++) {
		const struct rsp_thread thread = guest->threads[i];

		if (describe_process(guest, &thread, description, &process))
			return fail_rsp(failure, guest->rsp, "reading the target description");
		/* A core is of one architecture. */
		if (*description->architecture &&
			arch_find(description->architecture) != guest->arch && i > 0) {
			guest->foreign_count++;
			continue;
		}
		if (i >= foreseen)
			foreseen = foresee_cpus(guest, i, count);
		if (learn_cpu(guest, &thread, description, failure))
			return -1;
	}
	choose_variant(guest);
	return 0;
}

static bool is_lacking(enum rsp_failure failure)
{
	return failure == RSP_UNSUPPORTED || failure == RSP_REFUSED;
}

/* What the stub hides, a monitor may show. That there is none is no failure. */
static int learn_hidden_registers(struct guest *guest, struct failure *failure)
{
	char *text = NULL;

	if (!guest->arch->monitor_command)
		return 0;
	if (rsp_monitor(guest->rsp, guest->arch->monitor_command, &text))
		return is_lacking(rsp_failure(guest->rsp))
		               ? 0
		               : fail_rsp(failure, guest->rsp, "asking the monitor for registers");
	guest->arch->read_monitor(text, guest->cpus, guest->cpu_count);
	free(text);
	choose_variant(guest);
	return 0;
}

static const char ram_advice[] = "give it by --ram 0-0x9ffff,0x100000-..., or a file";

static int take_mtree(struct guest *guest, const char *text, bool all, struct error *error)
{
	enum mtree_want want = all ? MTREE_ALL : MTREE_RAM;

	guest->ram_source = ram_command;
	if (mtree_parse(text, MTREE_RAM, &guest->ram, error) ||
		(all && mtree_parse(text, MTREE_ALL, &guest->memory, error)) ||
		mtree_regions(text, want, &guest->regions, &guest->region_count, error))
		return -1;
	return all || ranges_copy(&guest->memory, &guest->ram) == 0 ? 0 : error_no_memory(error);
}

static int learn_ram_from_monitor(struct guest *guest, bool all, struct failure *failure)
{
	struct error error;
	char *text = NULL;
	int rc;

	if (rsp_monitor(guest->rsp, ram_command, &text)) {
		if (is_lacking(rsp_failure(guest->rsp)))
			return fail(failure, STATUS_UNSUPPORTED,
				"no RAM map: the stub has neither a memory map nor a monitor (%s)",
				ram_advice);
		return fail_rsp(failure, guest->rsp, "asking the monitor for the RAM map");
	}
	rc = take_mtree(guest, text, all, &error);
	free(text);
	if (rc && !fail_no_memory(failure, &error))
		fail(failure, STATUS_UNSUPPORTED, "no RAM map: %s (%s)", error.text, ram_advice);
	return rc;
}

static int take_memory_map(
	struct guest *guest, const char *text, size_t size, bool all, struct failure *failure)
{
	struct memory_map map;
	struct error error;
	int rc;

	memory_map_init(&map);
	rc = memory_map_parse(text, size, &map, &error);
	if (rc == 0 && map.everywhere)
		rc = error_set(&error,
			"the stub's memory map has RAM wherever there is no flash, in a space of %llu GiB",
			(unsigned long long)(ranges_end(&map.all) >> 30));
	else if (rc == 0 && !map.ram.count)
		rc = error_set(&error, "no RAM in the stub's memory map");
	else if (rc)
		error_prefix(&error, "the stub's memory map");
	if (rc && !fail_no_memory(failure, &error))
		fail(failure, STATUS_UNSUPPORTED, "no RAM map: %s (%s)", error.text, ram_advice);
	else if (!rc && (ranges_copy(&guest->ram, &map.ram) ||
				ranges_copy(&guest->memory, all ? &map.all : &map.ram)))
		rc = fail(failure, STATUS_FAILED, "no memory");
	memory_map_deinit(&map);
	return rc;
}

static int learn_ram_from_stub(struct guest *guest, bool all, struct failure *failure)
{
	size_t size = 0;
	char *text = NULL;
	int rc;

	if (!rsp_stub(guest->rsp)->memory_map)
		return learn_ram_from_monitor(guest, all, failure);
	guest->ram_source = "the stub's memory map";
	if (rsp_read_memory_map(guest->rsp, &text, &size))
		return fail_rsp(failure, guest->rsp, "reading the stub's memory map");
	rc = take_memory_map(guest, text, size, all, failure);
	free(text);
	return rc;
}

static int learn_ram(struct guest *guest, const struct options *options, struct failure *failure)
{
	if (!guest->told.ram.count)
		return learn_ram_from_stub(guest, strcmp(options->ram, "all") == 0, failure);
	guest->ram_source = "--ram";
	if (ranges_copy(&guest->ram, &guest->told.ram) ||
		ranges_copy(&guest->memory, &guest->told.memory))
		return fail(failure, STATUS_FAILED, "no memory");
	return 0;
}

/*
 * A stub that reads virtual addresses only may have a RAM map all the same, or none and then its
 * kernel's direct map tells.
 */
static int learn_physical_memory(
	struct guest *guest, const struct options *options, struct failure *failure)
{
	if (rsp_use_physical_memory(guest->rsp) == 0)
		return learn_ram(guest, options, failure);
	if (rsp_failure(guest->rsp) != RSP_UNSUPPORTED)
		return fail_rsp(failure, guest->rsp, "reading physical memory");
	if ((guest->told.ram.count || rsp_stub(guest->rsp)->memory_map) &&
		learn_ram(guest, options, failure))
		return -1;
	return use_direct_map(guest, failure);
}

static int learn_vmcoreinfo(
	struct guest *guest, const struct options *options, struct failure *failure)
{
	struct error error;

	if (strcmp(options->vmcoreinfo, "none") == 0) {
		snprintf(guest->vmcoreinfo_missing, sizeof(guest->vmcoreinfo_missing),
			"--vmcoreinfo none");
		return 0;
	}
	if (strcmp(options->vmcoreinfo, "auto") != 0) {
		guest->vmcoreinfo_source = options->vmcoreinfo;
		return take_vmcoreinfo_option(guest, options, failure);
	}
	if (kernel_find_vmcoreinfo(&guest->kernel, &guest->ram, &guest->reader, &error) == 0)
		guest->vmcoreinfo_source = "the kernel's data";
	else if (fail_no_memory(failure, &error))
		return -1;
	else
		snprintf(guest->vmcoreinfo_missing, sizeof(guest->vmcoreinfo_missing), "%s",
			error.text);
	return 0;
}

static int learn_kernel(struct guest *guest, const struct options *options, struct failure *failure)
{
	guest->memory_state = (struct guest_memory_state){
		.rsp = guest->rsp,
		.hostmem = guest->hostmem,
		.hostpipe = guest->hostpipe,
		.ram = &guest->ram,
	};
	guest->reader = guest_memory_interface(&guest->memory_state);
	if (guest->has_direct)
		kernel_find_mappings_by(
			&guest->kernel, &guest->direct.table, &guest->ram, &guest->reader);
	else
		kernel_find_mappings(&guest->kernel, guest->arch, guest->cpus, guest->cpu_count,
			&guest->ram, &guest->reader);
	if (guest->kernel.no_memory)
		return fail(failure, STATUS_FAILED, "no memory");
	if (learn_vmcoreinfo(guest, options, failure))
		return -1;
	if (guest->memory_state.lost)
		return fail_rsp(failure, guest->rsp, "reading memory");
	return 0;
}

int guest_prepare(struct guest *guest, const struct options *options, struct failure *failure)
{
	memset(guest, 0, sizeof(*guest));
	ranges_init(&guest->ram);
	ranges_init(&guest->memory);
	kernel_init(&guest->kernel);
	return ram_option_read(&guest->told, options, failure);
}

int guest_learn(struct guest *guest, struct rsp *rsp, const struct options *options,
	struct failure *failure)
{
	struct rsp_description description;
	struct error error;
	int rc = -1;

	guest->rsp = rsp;
	/* A stub without one has to be helped by --arch. */
	if (rsp_read_description(rsp, &description) && rsp_failure(rsp) != RSP_UNSUPPORTED)
		fail_rsp(failure, rsp, "reading the target description");
	else if (learn_arch(guest, &description, options, failure) == 0 &&
		 learn_cpus(guest, &description, failure) == 0)
		rc = learn_hidden_registers(guest, failure);
	rsp_description_deinit(&description);
	if (rc)
		return -1;
	if (guest->arch->check(guest->cpus, guest->cpu_count, &error))
		return fail(failure, STATUS_UNSUPPORTED, "%s", error.text);
	if (learn_physical_memory(guest, options, failure))
		return -1;
	return lane_choose(guest, options, failure) ? -1 : learn_kernel(guest, options, failure);
}

static void add_to_digest(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	uint64_t *digest = ctx;

	*digest = digest_register(*digest, which, bytes, size);
}

int guest_digest_registers(const struct guest *guest, uint64_t *digest)
{
	uint64_t process = guest->threads[0].process;
	struct rsp_description description;
	int rc;

	*digest = 0;
	if (rsp_select_thread(guest->rsp, &guest->threads[0]))
		return -1;
	rc = rsp_read_description(guest->rsp, &description);
	if (rc && rsp_failure(guest->rsp) == RSP_UNSUPPORTED)
		rc = describe_by_custom(guest->arch, &description);
	for (size_t i = 0; rc == 0 && i < guest->cpu_count; i++) {
		rc = describe_process(guest, &guest->threads[i], &description, &process);
		if (rc == 0)
			rc = rsp_read_registers(guest->rsp, &guest->threads[i], &description,
				add_to_digest, digest);
	}
	rsp_description_deinit(&description);
	return rc;
}

void guest_deinit(struct guest *guest)
{
	for (size_t i = 0; i < guest->cpu_count; i++)
		registers_deinit(&guest->cpus[i]);
	free(guest->cpus);
	free(guest->threads);
	ram_option_deinit(&guest->told);
	ranges_deinit(&guest->ram);
	ranges_deinit(&guest->memory);
	kernel_deinit(&guest->kernel);
	rsp_hostmem_close(guest->hostmem);
	rsp_hostpipe_close(guest->hostpipe);
	free(guest->regions);
	memset(guest, 0, sizeof(*guest));
}

bool guest_try_vmcoreinfo(struct guest *guest, uint64_t paddr, size_t size_max)
{
	struct vmcoreinfo candidate;
	struct error error = { .no_memory = false };
	bool taken = false;

	vmcoreinfo_init(&candidate);
	if (vmcoreinfo_read(&candidate, &guest->reader, paddr, &error) == 0 &&
		candidate.size <= size_max &&
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->reader, &error) == 0) {
		guest->vmcoreinfo_source = "a page of the guest";
		taken = true;
	} else if (error.no_memory || guest->memory_state.lost) {
		snprintf(guest->vmcoreinfo_missing, sizeof(guest->vmcoreinfo_missing), "%s",
			error.no_memory ? error.text : rsp_error(guest->rsp));
	}
	vmcoreinfo_deinit(&candidate);
	return taken;
}
