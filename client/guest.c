// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lane.h"
#include "client/vmcoreinfo_option.h"
#include "layout/mtree.h"

static int learn_arch(
	struct guest *guest, const struct rsp_description *description, struct failure *failure)
{
	guest->arch = arch_find(description->architecture);
	if (guest->arch)
		return 0;
	return fail(failure, STATUS_UNSUPPORTED,
		"the stub's CPU is \"%s\", which this rspdump does not know (--version lists those it does)",
		description->architecture);
}

struct cpu_filling {
	struct registers *registers;
	bool failed;
};

static void take_register(
	void *ctx, const struct rsp_register *which, const uint8_t *bytes, size_t size)
{
	struct cpu_filling *filling = ctx;

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

static int learn_cpus(
	struct guest *guest, struct rsp_description *description, struct failure *failure)
{
	size_t count = 0;

	if (describe_by_custom(guest->arch, description))
		return fail(failure, STATUS_FAILED, "no memory");
	if (rsp_list_threads(guest->rsp, &guest->threads, &count))
		return fail_rsp(failure, guest->rsp, "listing vCPUs");
	guest->cpus = calloc(count, sizeof(*guest->cpus));
	if (!guest->cpus)
		return fail(failure, STATUS_FAILED, "no memory");
	for (size_t i = 0; i < count; i++) {
		struct cpu_filling filling = { .registers = &guest->cpus[i] };

		registers_init(&guest->cpus[i], (unsigned)i, guest->arch->order);
		guest->cpu_count++;
		if (rsp_read_registers(
			    guest->rsp, &guest->threads[i], description, take_register, &filling))
			return fail_rsp(failure, guest->rsp, "reading registers");
		if (filling.failed)
			return fail(failure, STATUS_FAILED, "no memory for registers");
	}
	if (guest->arch->variant)
		guest->arch = guest->arch->variant(guest->cpus, guest->cpu_count);
	return 0;
}

/* What the stub hides, a monitor may show. That there is none is no failure. */
static int learn_hidden_registers(struct guest *guest, struct failure *failure)
{
	char *text = NULL;

	if (!guest->arch->monitor_command)
		return 0;
	if (rsp_monitor(guest->rsp, guest->arch->monitor_command, &text))
		return rsp_failure(guest->rsp) == RSP_UNSUPPORTED ||
		                       rsp_failure(guest->rsp) == RSP_REFUSED
		               ? 0
		               : fail_rsp(failure, guest->rsp, "asking the monitor for registers");
	guest->arch->read_monitor(text, guest->cpus, guest->cpu_count);
	free(text);
	return 0;
}

static int learn_ram_from_monitor(struct guest *guest, bool all, struct failure *failure)
{
	static const char advice[] = "give it by --ram 0-0x9ffff,0x100000-...";
	struct error error;
	char *text = NULL;
	int rc;

	if (rsp_monitor(guest->rsp, "info mtree -f", &text)) {
		if (rsp_failure(guest->rsp) == RSP_UNSUPPORTED ||
			rsp_failure(guest->rsp) == RSP_REFUSED)
			return fail(failure, STATUS_UNSUPPORTED,
				"no RAM map: the stub has neither a memory map nor a monitor (%s)",
				advice);
		return fail_rsp(failure, guest->rsp, "asking the monitor for the RAM map");
	}
	rc = mtree_parse(text, MTREE_RAM, &guest->ram, &error);
	if (rc == 0)
		rc = all ? mtree_parse(text, MTREE_ALL, &guest->memory, &error)
		         : ranges_copy(&guest->memory, &guest->ram);
	if (rc == 0)
		rc = mtree_regions(text, all ? MTREE_ALL : MTREE_RAM, &guest->regions,
			&guest->region_count, &error);
	free(text);
	guest->ram_source = "info mtree -f";
	if (rc)
		return fail(failure, STATUS_UNSUPPORTED, "no RAM map: %s (%s)", error.text, advice);
	return 0;
}

static int learn_ram(struct guest *guest, const struct options *options, struct failure *failure)
{
	struct error error;

	if (strcmp(options->ram, "auto") == 0)
		return learn_ram_from_monitor(guest, false, failure);
	if (strcmp(options->ram, "all") == 0)
		return learn_ram_from_monitor(guest, true, failure);
	guest->ram_source = "--ram";
	if (ranges_parse(options->ram, &guest->ram, &error))
		return fail(failure, STATUS_USAGE, "--ram: %s", error.text);
	if (ranges_copy(&guest->memory, &guest->ram))
		return fail(failure, STATUS_FAILED, "no memory");
	return 0;
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
		.ram = &guest->ram,
	};
	guest->reader = guest_memory_interface(&guest->memory_state);
	kernel_find_mappings(&guest->kernel, guest->arch, guest->cpus, guest->cpu_count,
		&guest->ram, &guest->reader);
	if (learn_vmcoreinfo(guest, options, failure))
		return -1;
	if (guest->memory_state.lost)
		return fail_rsp(failure, guest->rsp, "reading memory");
	return 0;
}

int guest_learn(struct guest *guest, struct rsp *rsp, const struct options *options,
	struct failure *failure)
{
	struct rsp_description description;
	struct error error;
	int rc = -1;

	memset(guest, 0, sizeof(*guest));
	guest->rsp = rsp;
	ranges_init(&guest->ram);
	ranges_init(&guest->memory);
	kernel_init(&guest->kernel);
	if (rsp_read_description(rsp, &description))
		fail_rsp(failure, rsp, "reading the target description");
	else if (learn_arch(guest, &description, failure) == 0 &&
		 learn_cpus(guest, &description, failure) == 0)
		rc = learn_hidden_registers(guest, failure);
	rsp_description_deinit(&description);
	if (rc)
		return -1;
	if (guest->arch->check(guest->cpus, guest->cpu_count, &error))
		return fail(failure, STATUS_UNSUPPORTED, "%s", error.text);
	if (learn_ram(guest, options, failure))
		return -1;
	if (rsp_use_physical_memory(rsp))
		return fail_rsp(failure, rsp, "reading physical memory");
	return lane_choose(guest, options, failure) ? -1 : learn_kernel(guest, options, failure);
}

void guest_deinit(struct guest *guest)
{
	for (size_t i = 0; i < guest->cpu_count; i++)
		registers_deinit(&guest->cpus[i]);
	free(guest->cpus);
	free(guest->threads);
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
	struct error error;
	bool taken = false;

	vmcoreinfo_init(&candidate);
	if (vmcoreinfo_read(&candidate, &guest->reader, paddr, &error) == 0 &&
		candidate.size <= size_max &&
		kernel_accept_vmcoreinfo(&guest->kernel, &candidate, &guest->reader, &error) == 0) {
		guest->vmcoreinfo_source = "a page of the guest";
		taken = true;
	}
	vmcoreinfo_deinit(&candidate);
	return taken;
}
