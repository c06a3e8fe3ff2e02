// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/direct_memory.h"

/* Looks for it by one vCPU. 0 if found, 1 with why if not, -1 on failure. */
static int try_cpu(struct guest *guest, size_t index, struct error *why, struct failure *failure)
{
	struct guest_memory_state state = { .rsp = guest->rsp };
	const struct guest_memory memory = guest_memory_interface(&state);
	struct page_table form;
	int rc;

	if (!guest->arch->guess_table || !guest->arch->guess_table(&guest->cpus[index], 0, &form))
		return 1;
	if (rsp_select_thread(guest->rsp, &guest->threads[index]))
		return fail_rsp(failure, guest->rsp, "selecting a vCPU");
	rc = direct_map_find(&guest->direct, guest->arch, &guest->cpus[index], &memory, why);
	if (rc == 0 && !guest->ram.count) {
		guest->ram_source = "the kernel's direct map";
		rc = direct_map_ram(&guest->direct, &memory, &guest->ram, why);
	}
	if (state.lost)
		return fail_rsp(failure, guest->rsp, "reading memory");
	return rc ? 1 : 0;
}

int use_direct_map(struct guest *guest, struct failure *failure)
{
	struct error why;
	int rc = 1;

	error_set(&why, "no vCPU runs in a kernel of which it can be found; try again");
	for (size_t i = 0; i < guest->cpu_count && rc > 0; i++)
		rc = try_cpu(guest, i, &why, failure);
	if (rc < 0 || (rc > 0 && fail_no_memory(failure, &why)))
		return -1;
	if (rc > 0)
		return fail(failure, STATUS_UNSUPPORTED,
			"the stub reads virtual addresses only, and physical memory is not found behind them: %s",
			why.text);
	if (!guest->memory.count && ranges_copy(&guest->memory, &guest->ram))
		return fail(failure, STATUS_FAILED, "no memory");
	guest->has_direct = true;
	rsp_set_memory_base(guest->rsp, guest->direct.base);
	return 0;
}
