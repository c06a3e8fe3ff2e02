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
struct rsp_reply;

struct rsp_quirks {
	const char *name;
	/*
	 * Whether the stub is of this kind: by its features, or by asking something that only this
	 * kind answers. 1 if so, 0 if not, -1 on failure. May set stub.version and whatever else of
	 * rsp->stub it learns.
	 */
	int (*recognise)(struct rsp *rsp);
	/* The same by an answer to qfThreadInfo, of a stub that does not know qSupported. */
	int (*recognise_by_threads)(struct rsp *rsp, const struct rsp_reply *reply);
	size_t read_size; /* bytes that a read asks for; 0: what the stated PacketSize allows */
	/* The <architecture> on which reads take physical addresses, "" on all; NULL for none. */
	const char *physical_on;
	/* Monitor commands that make reads take physical and virtual addresses; NULL for none. */
	const char *physical_command, *virtual_command;

	bool pipelines; /* takes further requests while answers are under way, acknowledged or not
	                 */
	/* Acknowledges each request, and right in front of its answer; see step.c. */
	bool signs_each;
	bool one_at_a_time; /* not even where nothing is acknowledged */
	/*
	 * Answers requests for what is behind the end of an object or of the list of threads with
	 * an error or the end again. Not so OpenOCD: it copies from behind its target.xml.
	 */
	bool answers_past_end;
	/*
	 * Has a process for each cluster of CPUs, and shows the first one until it is asked to
	 * attach others.
	 */
	bool clusters;
	bool lists_threads; /* always: one that lists none has no guest */
	/* Lists its CPUs as threads with negative numbers, in front of those that are tasks. */
	bool cpus_are_shadows;

	bool no_monitor; /* must not be asked to run commands */
	/* Its monitor has pmemsave, which writes physical memory to a file of its host, and
	 * gpa2hva, which tells where in its own memory that is. */
	bool has_host_commands;

	bool closing_leaves_stopped; /* does not let the guest run when the connection ends */
	bool always_resumes;         /* lets it run then, whatever was said */
	bool ends_guest;             /* ends it then, with its VM */
	bool deaf_to_detach;         /* goes away without an answer */
};

/* The careful row: rsp->quirks until the stub is recognised, and if it never is. */
extern const struct rsp_quirks rsp_quirks_unknown;

/* Tries the rows in turn and sets rsp->quirks. Returns 0, or -1 if the connection failed. */
int rsp_recognise(struct rsp *rsp);

/*
 * Looks at the answer to qfThreadInfo of a stub that has told nothing of itself, and sets
 * rsp->quirks if that tells what it is. Returns as rsp_recognise().
 */
int rsp_recognise_by_threads(struct rsp *rsp, const struct rsp_reply *reply);

/*
 * Asks a stub of which nothing is known for the commands of its monitor, and sets rsp->quirks if
 * they tell what it is. Returns as rsp_recognise().
 */
int rsp_recognise_by_monitor(struct rsp *rsp);

#endif
