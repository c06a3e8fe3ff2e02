// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/vmcoreinfo_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/tell.h"

/* A whole file of at most VMCOREINFO_SIZE_MAX bytes; bytes has room for one more. Its size, or -1.
 */
static ssize_t read_file(const char *path, char *bytes, struct failure *failure)
{
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return fail(failure, errno == ENOMEM ? STATUS_FAILED : STATUS_USAGE,
			"--vmcoreinfo: %s: %s", path,
			errno == ENOMEM ? "no memory" : strerror(errno));
	size = fread(bytes, 1, VMCOREINFO_SIZE_MAX + 1, file);
	if (ferror(file) || size > VMCOREINFO_SIZE_MAX) {
		fail(failure, STATUS_USAGE, "--vmcoreinfo: %s: %s", path,
			ferror(file) ? "cannot be read" : "is too large");
		fclose(file);
		return -1;
	}
	fclose(file);
	return (ssize_t)size;
}

static int parse_file(struct vmcoreinfo *info, const char *path, struct failure *failure)
{
	char *bytes = malloc(VMCOREINFO_SIZE_MAX + 1);
	struct error error;
	ssize_t size = -1;

	if (!bytes)
		return fail(failure, STATUS_FAILED, "no memory");
	size = read_file(path, bytes, failure);
	if (size >= 0 && vmcoreinfo_parse_note(info, bytes, (size_t)size, &error)) {
		if (!fail_no_memory(failure, &error))
			fail(failure, STATUS_USAGE, "--vmcoreinfo: %s: %s", path, error.text);
		size = -1;
	}
	free(bytes);
	return size < 0 ? -1 : 0;
}

int take_vmcoreinfo_option(
	struct guest *guest, const struct options *options, struct failure *failure)
{
	const char *value = options->vmcoreinfo;
	struct vmcoreinfo given;
	struct error error;
	uint64_t paddr;
	int rc = 0;

	vmcoreinfo_init(&given);
	if (parse_amount(value, &paddr) == 0) {
		rc = vmcoreinfo_read(&given, &guest->reader, paddr, &error);
		if (rc && guest->memory_state.lost)
			fail_rsp(failure, guest->rsp, "reading memory");
		else if (rc && !fail_no_memory(failure, &error))
			fail(failure, STATUS_UNSUPPORTED, "--vmcoreinfo: no VMCOREINFO at %s: %s",
				value, error.text);
	} else {
		rc = parse_file(&given, value, failure);
	}
	if (rc == 0 && kernel_accept_vmcoreinfo(&guest->kernel, &given, &guest->reader, &error)) {
		if (fail_no_memory(failure, &error)) {
			rc = -1;
			goto out;
		}
		tell(options, TELL_WARNING, "VMCOREINFO of %s taken as told, though %s", value,
			error.text);
		vmcoreinfo_deinit(&guest->kernel.vmcoreinfo);
		guest->kernel.vmcoreinfo = given;
		vmcoreinfo_init(&given);
	}
out:
	vmcoreinfo_deinit(&given);
	return rc;
}
