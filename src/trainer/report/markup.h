/* Text of any origin into HTML and SVG. Threads: any. */
#ifndef JC_TRAINER_MARKUP_H
#define JC_TRAINER_MARKUP_H

#include "base/buf.h"

/* Appends `text` with < > & " ' as references, so that it is text and nothing else, between tags and in quoted
 * attributes. Control characters become blanks, a text that is not UTF-8 keeps its ASCII alone. More than max_chars
 * characters (0 = any number) end in an ellipsis. */
void jc_markup_put_text(struct jc_buf *out, const char *text, size_t max_chars);

#endif
