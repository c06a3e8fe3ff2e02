// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/info_core.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/report.h"
#include "client/tell.h"
#include "layout/core_file.h"

static int read_at(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const int *fd = ctx;
	uint8_t *to = buf;

	while (size) {
		ssize_t n = pread(*fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		to += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_core(struct core_file *file, const char *path, struct failure *failure)
{
	struct error error;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || fstat(fd, &st)) {
		rc = fail(failure, STATUS_FAILED, "%s", strerror(errno));
	} else {
		struct core_source source = {
			.read_at = read_at,
			.ctx = &fd,
			.size = (uint64_t)st.st_size,
		};

		if (core_file_read(file, &source, &error))
			rc = fail(failure, STATUS_FAILED, "%s", error.text);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static void print_cpus(const struct core_file *file)
{
	printf("CPUs        %u", file->cpus);
	if (file->arch)
		printf(", %s", file->arch->name);
	else if (file->machine)
		printf(", ELF machine %u", file->machine);
	printf("%s\n", file->qemu_notes ? ", with QEMU's notes" : "");
}

static void print_text(const struct core_file *file)
{
	printf("core        %s%s, %u bits, %s byte order%s\n", file->format,
		file->flattened ? ", flattened" : "", file->bits,
		file->order == BIG ? "big" : "little",
		file->complete ? "" : ", cut off: it ends before its memory does");
	print_cpus(file);
	report_ranges_text(&file->memory);
	if (file->page_size)
		printf("            %" PRIu64 " pages of %" PRIu64 " bytes, %" PRIu64
		       " of them in the core: dump level %u\n",
			file->page_count, file->page_size, file->pages_held, file->dump_level);
	else
		printf("            in %zu segments, %s\n", file->mapping_count,
			file->virtual_addresses ? "with virtual addresses"
						: "by physical addresses only");
	if (file->vmcoreinfo.text)
		printf("kernel      Linux %s\nVMCOREINFO  %zu bytes\n", file->vmcoreinfo.release,
			file->vmcoreinfo.size);
	else
		printf("VMCOREINFO  none\n");
}

static void print_json(
	const struct core_file *file, const struct options *options, const struct failure *failure)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	report_failure_json(&json, failure);
	json_string(&json, "core", options->target);
	if (failure->status == STATUS_DONE) {
		json_string(&json, "format", file->format);
		json_bool(&json, "flattened", file->flattened);
		json_number(&json, "bits", file->bits);
		json_string(&json, "byte_order", file->order == BIG ? "big" : "little");
		json_number(&json, "elf_machine", file->machine);
		json_string(&json, "arch", file->arch ? file->arch->name : "");
		json_number(&json, "cpus", file->cpus);
		json_bool(&json, "qemu_notes", file->qemu_notes);
		json_bool(&json, "complete", file->complete);
		json_bool(&json, "virtual_addresses", file->virtual_addresses);
		json_number(&json, "segments", file->mapping_count);
		json_number(&json, "page_bytes", file->page_size);
		json_number(&json, "pages", file->page_count);
		json_number(&json, "pages_held", file->pages_held);
		json_number(&json, "dump_level", file->dump_level);
		json_string(
			&json, "release", file->vmcoreinfo.text ? file->vmcoreinfo.release : "");
		json_number(&json, "vmcoreinfo_bytes", file->vmcoreinfo.size);
		json_number(&json, "memory_bytes", ranges_total(&file->memory));
		report_ranges_json(&json, "memory", &file->memory);
	}
	json_close(&json, '}');
	fputc('\n', stdout);
}

enum status info_of_core(const struct options *options)
{
	struct core_file file;
	struct failure failure = { .status = STATUS_DONE };

	core_file_init(&file);
	if (read_core(&file, options->target, &failure))
		tell(options, TELL_ERROR, "%s", failure.text);
	else if (!options->json)
		print_text(&file);
	if (options->json)
		print_json(&file, options, &failure);
	core_file_deinit(&file);
	return failure.status;
}
