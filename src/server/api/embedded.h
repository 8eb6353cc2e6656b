/* Files of the source tree inside the program; embed.py writes the definitions, page.c sends them. */
#ifndef JC_SERVER_API_EMBEDDED_H
#define JC_SERVER_API_EMBEDDED_H

#include <stddef.h>

struct jc_embedded {
    const char *data;
    size_t n;
    const char *hash; /* of the data: 32 hexadecimal digits of its SHA-256 */
};

extern const struct jc_embedded jc_embedded_index_html, jc_embedded_docs_html;
extern const struct jc_embedded jc_embedded_app_js, jc_embedded_service_js, jc_embedded_single_js;
extern const struct jc_embedded jc_embedded_list_js, jc_embedded_csv_js, jc_embedded_dom_js, jc_embedded_docs_js;
extern const struct jc_embedded jc_embedded_style_css, jc_embedded_results_css, jc_embedded_docs_css,
    jc_embedded_icon_svg;
extern const struct jc_embedded jc_embedded_openapi_yaml, jc_embedded_openapi_json;

#endif
