/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of each stub beyond what it says of itself: one row each. A stub without a row
 * gets the careful one.
 */
#ifndef RSP_QUIRKS_H
#define RSP_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>

struct rsp;

struct rsp_quirks {
	const char *name;
	/*
	 * Asks the stub something that only this kind answers. 1 if it is of the kind, 0 if not,
	 * -1 on failure. May set stub.version and whatever else of rsp->stub it learns.
	 */
	int (*recognise)(struct rsp *rsp);
	bool pipelines; /* takes further requests while answers are under way, acknowledged or not
	                 */
	/*
	 * Answers requests for what is behind the end of an object or of the list of threads with
	 * an error or the end again. Not so OpenOCD: it copies from behind its target.xml.
	 */
	bool answers_past_end;
	bool closing_leaves_stopped; /* does not let the guest run when the connection ends */
	/* Its monitor has pmemsave, which writes physical memory to a file of its host, and
	 * gpa2hva, which tells where in its own memory that is. */
	bool has_host_commands;
};

/* Tries the rows in turn and sets rsp->quirks. Returns 0, or -1 if the connection failed. */
int rsp_recognise(struct rsp *rsp);

#endif
