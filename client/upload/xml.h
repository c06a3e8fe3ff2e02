/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little that is read of the XML that S3 and Azure answer with, which is hostile as all that
 * comes by the wire: the text of elements without attributes or children.
 */
#ifndef CLIENT_UPLOAD_XML_H
#define CLIENT_UPLOAD_XML_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text of the first element of that name from `from` on, its five entities decoded, blanks
 * around it left out. Returns where the search can go on, or NULL if there is none that fits.
 */
const char *xml_text(const char *from, const char *name, char *text, size_t room);

#endif
