/* gzip: what comes out goes back in, and what gets no shorter is left alone. */
#include "server/policy/compress.h"

#include <zlib.h>

#include "base/rng.h"
#include "check.h"

static void check_round_trip(const char *data, size_t n)
{
    JC_AUTO_BUF struct jc_buf out = {0};
    REQUIRE(jc_compress_gzip(data, n, &out));
    CHECK(out.n < n);
    CHECK((unsigned char)out.data[0] == 0x1f && (unsigned char)out.data[1] == 0x8b);
    JC_AUTO_FREE char *back = malloc(n + 1);
    REQUIRE(back);
    z_stream stream = {.next_in = (unsigned char *)out.data, .avail_in = (unsigned)out.n};
    stream.next_out = (unsigned char *)back;
    stream.avail_out = (unsigned)n + 1;
    REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
    CHECK_INT(inflate(&stream, Z_FINISH), Z_STREAM_END);
    CHECK_INT(stream.total_out, n);
    CHECK_INT(stream.total_in, out.n);
    CHECK(memcmp(back, data, n) == 0);
    inflateEnd(&stream);
}

static void test_text(void)
{
    static const size_t sizes[] = {100, 1024, 70000, 1000000};
    for (size_t s = 0; s < JC_COUNT(sizes); s++) {
        JC_AUTO_FREE char *data = malloc(sizes[s]);
        REQUIRE(data);
        struct jc_rng rng = jc_rng_seeded(s);
        for (size_t i = 0; i < sizes[s]; i++)
            data[i] = "0123456789\"{}:,"[jc_rng_next(&rng) % (i % 7 ? 3 : 15)];
        check_round_trip(data, sizes[s]);
    }
}

static void test_noise(void)
{
    unsigned char noise[5000];
    struct jc_rng rng = jc_rng_seeded(9);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)jc_rng_next(&rng);
    JC_AUTO_BUF struct jc_buf out = {0};
    CHECK(!jc_compress_gzip(noise, sizeof noise, &out));
    CHECK(!jc_compress_gzip("", 0, &out));
    CHECK(!jc_compress_gzip("a", 1, &out));
    CHECK(!jc_compress_gzip("short", 5, &out));
    CHECK_INT(out.n, 0);
}

int main(void)
{
    test_text();
    test_noise();
    return check_finish();
}
