/* O*NET-SOC codes as text: "15-1252.00". Threads: any. */
#ifndef JC_DATA_SOC_CODE_H
#define JC_DATA_SOC_CODE_H

#include <stdbool.h>
#include <stddef.h>

#define JC_SOC_CODE_SIZE 11 /* with the NUL */

/* Reads "dd-dddd.dd", or "dd-dddd" as that with ".00", with blanks around it. False where it is neither. */
bool jc_soc_code_parse(const char *text, size_t n, char ret_code[JC_SOC_CODE_SIZE]);

#endif
