/*
 * HTML, or text that may hold some, to plain text. Written for postings as they come: cut off in the middle, with
 * stray '<' and '&', never refused. Tags, comments, and script and style with what they hold go; tags that end a line
 * or a block leave a blank; character references are decoded once. A '<' that opens no tag is text. Threads: any.
 */
#ifndef JC_TEXT_HTML_H
#define JC_TEXT_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends the text of html[0..n), valid UTF-8, to *out; the result is valid UTF-8 of at most n bytes. Linear in n. */
void jc_html_put_text(struct jc_buf *out, const char *html, size_t n);

/* The code point of a named character reference without '&' and ';' (HTML 4's 252 and a few of HTML 5), or 0. */
#define JC_HTML_ENTITY_MAX 8 /* bytes of the longest name */
uint32_t jc_html_entity(const char *name, size_t n);

#endif
