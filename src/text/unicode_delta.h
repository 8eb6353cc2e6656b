/* Where the Unicode data of the reference tokenizer and of utf8proc 2.8 (Unicode 15) differ. For normalize.c alone. */
#ifndef JC_TEXT_UNICODE_DELTA_H
#define JC_TEXT_UNICODE_DELTA_H

#include <stdbool.h>
#include <stdint.h>

/* A mark, punctuation or format character of Unicode 9 to 15 that the reference takes for a plain letter. */
bool jc_unicode_is_plain(uint32_t c);

/* A combining class that came after Unicode 9: 0 in the reference. */
bool jc_unicode_is_classless(uint32_t c);

/* Lower case of a capital that came after Unicode 15; other characters come back as they are. */
uint32_t jc_unicode_tolower(uint32_t c);

#endif
