/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rspdump can be told to do: one function and one file each. They print what has to be said.
 */
#ifndef CLIENT_VERBS_H
#define CLIENT_VERBS_H

#include "client/options.h"

enum status dump_run(const struct options *options);
enum status info_run(const struct options *options);
enum status release_run(const struct options *options);
enum status upload_run(const struct options *options);

/* --version: formats, CPUs and libraries of this build. */
void version_print(FILE *to);

#endif
