/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --vmcoreinfo ADDR|FILE: a VMCOREINFO that the user knows better about than we do. */
#ifndef CLIENT_VMCOREINFO_OPTION_H
#define CLIENT_VMCOREINFO_OPTION_H

#include "client/guest.h"

/*
 * Reads it and gives it to the guest. One that does not fit the running kernel is taken all the
 * same, with a warning: it may be a crashed kernel's while its kdump kernel runs. Returns 0 or -1.
 */
int take_vmcoreinfo_option(
	struct guest *guest, const struct options *options, struct failure *failure);

#endif
