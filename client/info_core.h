/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `rspdump info CORE`: what a core file says of itself. */
#ifndef CLIENT_INFO_CORE_H
#define CLIENT_INFO_CORE_H

#include "client/options.h"

enum status info_of_core(const struct options *options);

#endif
