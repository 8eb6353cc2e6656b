/* The names of the major groups of the Standard Occupational Classification 2018. Threads: any. */
#ifndef JC_MODEL_SOC_MAJOR_H
#define JC_MODEL_SOC_MAJOR_H

/* "29" -> "Healthcare Practitioners and Technical"; "" for a code that is none. Static storage. */
const char *jc_soc_major_name(const char *code);

#endif
