// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/tell.h"

const char *found_text(enum found found)
{
	static const char *const texts[] = {
		[FOUND_UNKNOWN] = "unknown",
		[FOUND_RUNNING] = "running",
		[FOUND_STOPPED] = "stopped",
	};

	return texts[found];
}

void report_stub_json(struct json *json, const struct attachment *attachment)
{
	const struct rsp_stub *stub = rsp_stub(attachment->rsp);

	json_open(json, "stub", '{');
	json_string(json, "name", stub->name);
	json_string(json, "version", stub->version);
	json_string(json, "features", stub->features);
	json_number(json, "packet_size", stub->packet_size);
	json_number(json, "read_size", stub->read_size);
	json_bool(json, "pipelines", stub->pipelines);
	json_bool(json, "physical_memory", stub->physical_memory);
	json_string(json, "run_state", attachment->run_state);
	json_string(json, "found", found_text(attachment->found));
	json_close(json, '}');
}

void report_ranges_json(struct json *json, const char *name, const struct ranges *ranges)
{
	json_open(json, name, '[');
	for (size_t i = 0; i < ranges->count; i++) {
		json_open(json, NULL, '{');
		json_number(json, "start", ranges->items[i].start);
		json_number(json, "size", ranges->items[i].size);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void report_kernel_json(struct json *json, const struct guest *guest)
{
	const struct kernel *kernel = &guest->kernel;
	const struct vmcoreinfo *info = &kernel->vmcoreinfo;

	json_open(json, "kernel", '{');
	json_bool(json, "mapped", kernel->mapped);
	if (kernel->mapped) {
		json_number(json, "text", kernel->text.vaddr);
		json_number(json, "text_paddr", kernel->text.paddr);
		json_number(json, "text_size", kernel->text.size);
		json_number(json, "direct_map", kernel->direct_map);
		json_signed(json, "phys_base", kernel->phys_base);
		json_number(json, "page_table", kernel->table.root);
		json_number(json, "page_table_levels", kernel->table.levels);
	}
	json_string(json, "release", info->text ? info->release : "");
	json_string(json, "version", kernel->utsname[UTS_VERSION]);
	json_string(json, "nodename", kernel->utsname[UTS_NODENAME]);
	json_close(json, '}');
	json_open(json, "vmcoreinfo", '{');
	json_bool(json, "found", info->text != NULL);
	if (info->text) {
		json_string(json, "source", guest->vmcoreinfo_source);
		json_number(json, "size", info->size);
		if (info->paddr != VMCOREINFO_NOWHERE)
			json_number(json, "paddr", info->paddr);
	} else {
		json_string(json, "reason", guest->vmcoreinfo_missing);
	}
	json_close(json, '}');
}

void report_guest_json(struct json *json, const struct guest *guest)
{
	json_open(json, "guest", '{');
	json_string(json, "arch", guest->arch->name);
	json_number(json, "cpus", guest->cpu_count);
	json_number(json, "cpus_left_out", guest->foreign_count);
	json_string(json, "ram_source", guest->ram_source);
	report_ranges_json(json, "ram", &guest->ram);
	json_close(json, '}');
	report_kernel_json(json, guest);
}

void report_failure_json(struct json *json, const struct failure *failure)
{
	json_string(json, "status",
		failure->status == STATUS_DONE || failure->status == STATUS_INCOMPLETE ? "completed"
										       : "failed");
	json_number(json, "exit_status", failure->status);
	if (failure->status != STATUS_DONE)
		json_string(json, "error", failure->text);
}

/* The words of a guest or a stub, which are not to move the cursor. */
static void put_words(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void report_stub_text(const struct attachment *attachment)
{
	const struct rsp_stub *stub = rsp_stub(attachment->rsp);

	printf("stub        %s ", stub->name);
	put_words(stub->version);
	printf("\nfeatures    ");
	put_words(stub->features);
	printf("\nreads       %zu bytes each, %s\n", stub->read_size,
		stub->pipelines ? "many on their way at once" : "one after the other");
	printf("found       %s%s", found_text(attachment->found),
		attachment->run_state[0] ? ", now " : "");
	put_words(attachment->run_state);
	printf("%s\n",
		stub->closing_leaves_stopped ? "; stands still if a client just goes away" : "");
}

void report_ranges_text(const struct ranges *ranges)
{
	char amount[AMOUNT_TEXT_SIZE];

	printf("memory      %s\n", amount_text(amount, (double)ranges_total(ranges)));
	for (size_t i = 0; i < ranges->count; i++)
		printf("            %016" PRIx64 "-%016" PRIx64 "  %s\n", ranges->items[i].start,
			ranges->items[i].start + ranges->items[i].size - 1,
			amount_text(amount, (double)ranges->items[i].size));
}

void report_guest_text(const struct guest *guest)
{
	const struct kernel *kernel = &guest->kernel;

	printf("CPUs        %zu, %s\n", guest->cpu_count, guest->arch->name);
	report_ranges_text(&guest->memory);
	printf("            from %s\n", guest->ram_source);
	if (kernel->vmcoreinfo.text) {
		printf("kernel      Linux %s ", kernel->vmcoreinfo.release);
		put_words(kernel->utsname[UTS_VERSION]);
		putchar('\n');
	} else {
		printf("kernel      %s\n", kernel->mapped ? "Linux by its page tables" : "unknown");
	}
	if (kernel->mapped) {
		printf("  image     %016" PRIx64 " at %" PRIx64 ", phys_base %" PRId64 "\n",
			kernel->text.vaddr, kernel->text.paddr, kernel->phys_base);
		printf("  RAM       mapped at %016" PRIx64 ", %u-level page tables at %" PRIx64
		       "\n",
			kernel->direct_map, kernel->table.levels, kernel->table.root);
	}
	if (kernel->vmcoreinfo.text)
		printf("VMCOREINFO  %zu bytes, from %s\n", kernel->vmcoreinfo.size,
			guest->vmcoreinfo_source);
	else
		printf("VMCOREINFO  none: %s\n", guest->vmcoreinfo_missing);
}

static void report_page_tables(const struct options *options, const struct plan *plan)
{
	if (!plan->page_tables) {
		tell(options, TELL_WARNING,
			"--paging: no vCPU has paging on, or the stub does not show its page table");
		return;
	}
	if (!plan->page_tables_whole)
		tell(options, TELL_WARNING,
			"--paging: the page tables are too many to be read to their end");
	tell(options, TELL_DETAIL, "%zu PT_LOADs by %zu page tables", plan->core.mapping_count,
		plan->page_tables);
}

void report_gaps(const struct options *options, const struct guest *guest, const struct plan *plan)
{
	if (plan->missing[0])
		tell(options, TELL_WARNING, "zero in the core, as the stub does not give them: %s",
			plan->missing);
	if (guest->foreign_count)
		tell(options, TELL_WARNING,
			"%zu vCPUs of another architecture than %s are not in the core",
			guest->foreign_count, guest->arch->name);
	if (options->paging)
		report_page_tables(options, plan);
	else if (!guest->kernel.mapped)
		tell(options, TELL_WARNING,
			"no Linux kernel in the page tables of any vCPU: virtual addresses in the core are physical ones");
	if (!guest->kernel.vmcoreinfo.text && !plan->late_vmcoreinfo_max)
		tell(options, TELL_WARNING, "no VMCOREINFO in the core: %s",
			guest->vmcoreinfo_missing);
}
