// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/quirks.h"

#include "rsp/connection.h"
#include "rsp/fingerprint.h"

const struct rsp_quirks rsp_quirks_unknown = { .name = "unknown" };

/* The first that fits counts. */
static const struct rsp_quirks rows[] = {
	{
		.name = "QEMU",
		.recognise = rsp_is_qemu,
		/* 7.2, 10.0 and 11.1: 2000 requests in one write came back in order. */
		.pipelines = true,
		/* 7.2 to 11.1 */
		.signs_each = true,
		/* 7.2 */
		.answers_past_end = true,
		/* sifive_u, xlnx-zcu102 */
		.clusters = true,
		.lists_threads = true,
		.has_host_commands = true,
		.closing_leaves_stopped = true,
	},
	{
		.name = "Firecracker",
		.recognise = rsp_is_firecracker,
		.pipelines = true,
		.lists_threads = true,
		.ends_guest = true,
	},
	{
		.name = "Cloud Hypervisor",
		.recognise = rsp_is_cloud_hypervisor,
		.pipelines = true,
		.lists_threads = true,
		/* Its walk of page tables passes addresses of the lower half through. */
		.physical_on = "aarch64",
		.closing_leaves_stopped = true,
	},
	{
		.name = "crosvm",
		.recognise = rsp_is_crosvm,
		.pipelines = true,
		.lists_threads = true,
		.physical_on = "aarch64",
		.always_resumes = true,
	},
	{
		/* Ignores acknowledgements, and takes its input byte by byte from the stream. */
		.name = "gdbstub crate",
		.recognise = rsp_is_gdbstub_crate,
		.pipelines = true,
		.lists_threads = true,
	},
	{
		/* A request before the acknowledgement of an answer drops what is left of it. */
		.name = "bhyve",
		.recognise = rsp_is_bhyve,
		.one_at_a_time = true,
		.always_resumes = true,
	},
	{
		/* Puts the pages of longer reads over each other. */
		.name = "VirtualBox",
		.recognise = rsp_is_virtualbox,
		.read_size = 0x1000,
		.always_resumes = true,
	},
	{
		.name = "OpenOCD",
		.recognise = rsp_is_openocd,
		.physical_on = "",
	},
	{
		.name = "Black Magic Probe",
		.recognise = rsp_is_black_magic,
		.one_at_a_time = true,
		.read_size = 0x200,
		.physical_on = "",
	},
	{
		.name = "Renode",
		.recognise = rsp_is_renode,
		.pipelines = true,
		.physical_on = "",
		.always_resumes = true,
	},
	{
		/* Throws away what it has of its input whenever it sends. */
		.name = "gem5",
		.recognise = rsp_is_gem5,
		.one_at_a_time = true,
		/* A command ends the simulation's loop, and has no answer. */
		.no_monitor = true,
		.always_resumes = true,
		.deaf_to_detach = true,
	},
	{
		.name = "rr",
		.recognise = rsp_is_rr,
		.one_at_a_time = true,
		.physical_on = "",
	},
	{
		.name = "valgrind",
		.recognise = rsp_is_valgrind,
		.physical_on = "",
	},
	{
		.name = "gdbserver",
		.recognise = rsp_is_gdbserver,
		.physical_on = "",
	},
	{
		/* Writes behind the end of its buffer of 1024 bytes (x86) if it is asked to. */
		.name = "kgdb",
		.recognise_by_threads = rsp_lists_as_kgdb,
		.one_at_a_time = true,
		.read_size = 0x100,
		.cpus_are_shadows = true,
		.no_monitor = true,
		.closing_leaves_stopped = true,
	},
	{
		/* Has a buffer of 4096 digits. */
		.name = "gdbsx",
		.recognise_by_threads = rsp_lists_as_gdbsx,
		.one_at_a_time = true,
		.read_size = 0x400,
		.always_resumes = true,
	},
	{
		/* Has a buffer of 255 bytes, and no error for what cannot be read. */
		.name = "Bochs",
		.recognise_by_threads = rsp_lists_as_bochs,
		.one_at_a_time = true,
		.read_size = 0x80,
		.closing_leaves_stopped = true,
	},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct rsp_quirks vmware = {
	.name = "VMware",
	.recognise = rsp_is_vmware,
	.physical_command = "phys",
	.virtual_command = "virt",
};

static void take_row(struct rsp *rsp, const struct rsp_quirks *row)
{
	struct rsp_stub *stub = &rsp->stub;

	rsp->quirks = row;
	stub->name = row->name;
	stub->pipelines = row->pipelines || (stub->no_ack && !row->one_at_a_time);
	if (row->read_size)
		stub->read_size = row->read_size;
	stub->closing_leaves_stopped = row->closing_leaves_stopped;
	stub->always_resumes = row->always_resumes;
	stub->ends_guest = row->ends_guest;
}

int rsp_recognise(struct rsp *rsp)
{
	for (size_t i = 0; i < ROWS; i++) {
		int rc = rows[i].recognise ? rows[i].recognise(rsp) : 0;

		if (rc < 0)
			return -1;
		if (rc > 0) {
			take_row(rsp, &rows[i]);
			return 0;
		}
	}
	take_row(rsp, &rsp_quirks_unknown);
	return 0;
}

static bool is_unknown(const struct rsp *rsp)
{
	return rsp->quirks == &rsp_quirks_unknown;
}

int rsp_recognise_by_threads(struct rsp *rsp, const struct rsp_reply *reply)
{
	for (size_t i = 0; i < ROWS && is_unknown(rsp) && !rsp->stub.features[0]; i++) {
		int rc = rows[i].recognise_by_threads ? rows[i].recognise_by_threads(rsp, reply)
		                                      : 0;

		if (rc < 0)
			return -1;
		if (rc > 0)
			take_row(rsp, &rows[i]);
	}
	return 0;
}

int rsp_recognise_by_monitor(struct rsp *rsp)
{
	int rc = is_unknown(rsp) ? vmware.recognise(rsp) : 0;

	if (rc > 0)
		take_row(rsp, &vmware);
	return rc < 0 ? -1 : 0;
}
