/* The manifest of a bundle that says no more than a manifest must. */
#ifndef JC_TESTS_BUNDLE_MANIFEST_H
#define JC_TESTS_BUNDLE_MANIFEST_H

#include "artifact/manifest.h"
#include "check.h"

/* kind: of the encoder, which is named like it. Free it with jc_manifest_destroy. */
static inline struct jc_manifest *bundle_manifest_create(const char *method, const char *kind)
{
    struct jc_manifest *manifest = jc_manifest_create();
    REQUIRE(manifest);
    manifest->name = strdup("test");
    manifest->taxonomy = strdup("O*NET-SOC 2019");
    manifest->method = strdup(method);
    manifest->data_version = strdup("none");
    manifest->encoder.kind = strdup(kind);
    manifest->encoder.name = strdup(kind);
    manifest->encoder.max_tokens = 16;
    manifest->encoder.part = strdup("title");
    manifest->encoder.chunks = 1;
    return manifest;
}

#endif
