/* safetensors: a file written by hand, round trips, and every way a file can lie. */
#include <stdint.h>
#include <unistd.h>

#include "artifact/safetensors.h"
#include "base/buf.h"
#include "base/file.h"
#include "check.h"

static char path[] = "/tmp/jc-test-safetensors-XXXXXX";
static struct jc_err err;

static jc_code open_file(struct jc_safetensors **ret_file)
{
    return jc_safetensors_open(path, ret_file, &err);
}

/* A file of that header and n_data bytes 0, 1, 2, ... The header is padded: the data begins on a multiple of 8. */
static void write_file(const char *header, size_t n_data)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    uint64_t n_header = (strlen(header) + 7) / 8 * 8;
    jc_buf_put(&buf, &n_header, 8);
    jc_buf_puts(&buf, header);
    while (buf.n < 8 + n_header)
        jc_buf_putc(&buf, ' ');
    for (size_t i = 0; i < n_data; i++)
        jc_buf_putc(&buf, (char)i);
    REQUIRE_OK(jc_file_write(path, buf.data, buf.n, &err));
}

static void check_refused(const char *header, size_t n_data, const char *part)
{
    struct jc_safetensors *file = NULL;
    write_file(header, n_data);
    CHECK_FAILS(open_file(&file), JC_E_FORMAT, part);
    CHECK_CONTAINS(err.text, path);
    CHECK(!file);
}

static void test_by_hand(void)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    write_file("{\"__metadata__\":{\"format\":\"pt\"},"
               "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
               "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[8,8]},"
               "\"a\":{\"shape\":[2,2],\"data_offsets\":[0,8],\"dtype\":\"F16\"},"
               "\"scalar\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[11,12]}}",
               12);
    REQUIRE_OK(open_file(&file));
    size_t n;
    const struct jc_tensor *tensors = jc_safetensors_tensors(file, &n);
    REQUIRE(n == 4);
    CHECK_STR(tensors[0].name, "a");
    CHECK_STR(tensors[1].name, "empty");
    CHECK_STR(tensors[2].name, "b");
    CHECK_STR(tensors[3].name, "scalar");
    CHECK(tensors[0].dtype == JC_DTYPE_F16 && tensors[0].rank == 2 && tensors[0].shape[1] == 2);
    CHECK(tensors[2].n_bytes == 3 && memcmp(tensors[2].data, "\x08\x09\x0a", 3) == 0);
    CHECK(tensors[3].rank == 0 && *(const unsigned char *)tensors[3].data == 11);
    CHECK(jc_safetensors_find(file, "b") == &tensors[2]);
    CHECK(!jc_safetensors_find(file, "c"));
    CHECK(!jc_safetensors_find(file, "__metadata__"));
}

static void test_no_tensors(void)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    size_t n = 1;
    write_file("{}", 0);
    REQUIRE_OK(open_file(&file));
    jc_safetensors_tensors(file, &n);
    CHECK_INT(n, 0);
}

static void test_round_trip(void)
{
    static const float floats[] = {1.5f, -0.0f, INFINITY, 3e-45f, 5, 6};
    static const int64_t longs[] = {INT64_MIN, 7};
    static const unsigned char bytes[] = {1, 2, 3};
    const struct jc_tensor tensors[] = {
        {"bytes", JC_DTYPE_U8, 1, {3}, bytes, 3},
        {"w\"\\\n\xc3\xa9", JC_DTYPE_F32, 2, {2, 3}, floats, sizeof floats},
        {"longs", JC_DTYPE_I64, 3, {1, 2, 1}, longs, sizeof longs},
        {"none", JC_DTYPE_F32, 4, {1, 0, 2, 3}, NULL, 0},
    };
    const struct jc_tensor reversed[] = {tensors[3], tensors[2], tensors[1], tensors[0]};
    JC_AUTO_BUF struct jc_buf first = {0}, second = {0};
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;

    REQUIRE_OK(jc_safetensors_write(path, reversed, 4, &err));
    REQUIRE_OK(jc_file_read(path, 10000, &second, &err));
    REQUIRE_OK(jc_safetensors_write(path, tensors, 4, &err));
    REQUIRE_OK(jc_file_read(path, 10000, &first, &err));
    CHECK(first.n == second.n && memcmp(first.data, second.data, first.n) == 0);

    REQUIRE_OK(open_file(&file));
    for (size_t i = 0; i < 4; i++) {
        const struct jc_tensor *read = jc_safetensors_find(file, tensors[i].name);
        REQUIRE(read);
        CHECK(read->dtype == tensors[i].dtype && read->rank == tensors[i].rank);
        CHECK(memcmp(read->shape, tensors[i].shape, sizeof read->shape) == 0);
        REQUIRE(read->n_bytes == tensors[i].n_bytes);
        CHECK(!read->n_bytes || memcmp(read->data, tensors[i].data, read->n_bytes) == 0);
    }

    const float *data = NULL;
    const char *name = tensors[1].name;
    REQUIRE_OK(jc_safetensors_get_f32(file, name, 2, (const size_t[]){2, 3}, &data, &err));
    CHECK(memcmp(data, floats, sizeof floats) == 0);
    CHECK_FAILS(jc_safetensors_get_f32(file, name, 2, (const size_t[]){3, 2}, &data, &err), JC_E_FORMAT,
                "F32 [2, 3], not F32 [3, 2]");
    CHECK_FAILS(jc_safetensors_get_f32(file, name, 1, (const size_t[]){6}, &data, &err), JC_E_FORMAT, "not F32 [6]");
    CHECK_FAILS(jc_safetensors_get_f32(file, "longs", 1, (const size_t[]){2}, &data, &err), JC_E_FORMAT,
                "tensor 'longs' is I64 [1, 2, 1], not F32 [2]");
    CHECK_FAILS(jc_safetensors_get_f32(file, "what", 0, NULL, &data, &err), JC_E_FORMAT,
                "tensor 'what' (F32 []) is missing");
}

static void test_writer_refuses(void)
{
    static const float x[2];
    struct jc_tensor two[] = {{"a", JC_DTYPE_F32, 1, {2}, x, 8}, {"a", JC_DTYPE_U8, 1, {8}, x, 8}};
    CHECK_FAILS(jc_safetensors_write(path, two, 2, &err), JC_E_INVALID, "two tensors are named 'a'");
    two[0].n_bytes = 4;
    CHECK_FAILS(jc_safetensors_write(path, two, 1, &err), JC_E_INVALID, "tensor 'a'");
    two[0].name = "__metadata__";
    two[0].n_bytes = 8;
    CHECK_FAILS(jc_safetensors_write(path, two, 1, &err), JC_E_INVALID, "__metadata__");
    CHECK_FAILS(jc_safetensors_write("/nonexistent/x", two + 1, 1, &err), JC_E_IO, "/nonexistent/x");
}

#define T(name, dtype, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_wrong_layout(void)
{
    check_refused("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]", "[3,7]") "}", 7, "'b' overlaps 'a'");
    check_refused("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]", "[0,4]") "}", 4, "'b' overlaps 'a'");
    check_refused("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[2]", "[5,7]") "}", 7, "1 unused bytes in front");
    check_refused("{" T("a", "U8", "[4]", "[0,4]") "}", 5, "1 unused bytes behind");
    check_refused("{}", 1, "1 unused bytes behind");
    check_refused("{" T("a", "U8", "[4]", "[0,4]") "}", 3, "tensor 'a': data_offsets are not a range inside the 3");
    check_refused("{" T("a", "U8", "[4]", "[4,0]") "}", 4, "data_offsets are not a range");
    check_refused("{" T("a", "U8", "[4]", "[-4,0]") "}", 4, "data_offsets: element 0 is not a count");
    check_refused("{" T("a", "U8", "[4]", "[0]") "}", 4, "data_offsets are not a range");
    check_refused("{" T("a", "U8", "[4]", "[0,4,4]") "}", 4, "data_offsets has 3 elements");
    check_refused("{" T("a", "U8", "[4]", "[0.0,4]") "}", 4, "data_offsets: element 0");
    check_refused("{" T("a", "U8", "[4]", "[0,9223372036854775807]") "}", 4, "data_offsets are not a range");
    check_refused("{" T("a", "U8", "[1]", "[0,1]") "," T("b", "F32", "[1]", "[1,5]") "}", 5,
                  "tensor 'b': data is not aligned to its 4-byte elements");
}

static void test_wrong_tensors(void)
{
    check_refused("{" T("a", "U8", "[5]", "[0,4]") "}", 4, "tensor 'a': 4 data bytes do not make U8 [5]");
    check_refused("{" T("a", "F32", "[4]", "[0,4]") "}", 4, "4 data bytes do not make F32 [4]");
    check_refused("{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, "0 data bytes do not make F32");
    check_refused("{" T("a", "F32", "[9223372036854775807,3]", "[0,4]") "}", 4, "do not make F32 [9223372036854775807");
    check_refused("{" T("a", "U8", "[-1]", "[0,1]") "}", 1, "shape: element 0 is not a count");
    check_refused("{" T("a", "U8", "[1,1,1,1,1]", "[0,1]") "}", 1, "shape has 5 elements");
    check_refused("{" T("a", "U8", "1", "[0,1]") "}", 1, "shape is not an array");
    check_refused("{" T("a", "F64", "[1]", "[0,8]") "}", 8, "dtype 'F64' is not one");
    check_refused("{" T("a", "f32", "[1]", "[0,4]") "}", 4, "dtype 'f32' is not one");
    check_refused("{\"a\":{\"dtype\":7,\"shape\":[],\"data_offsets\":[0,1]}}", 1, "dtype is not a string");
    check_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 0, "tensor 'a': not an object of");
    check_refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"x\":[0,1]}}", 1, "data_offsets is not an array");
    check_refused("{\"a\":[]}", 0, "tensor 'a': not an object of");
    check_refused("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ 'a' is not a string");
    check_refused("{\"__metadata__\":[]}", 0, "__metadata__ is not an object");
    check_refused("{" T("a", "U8", "[1]", "[0,1]") "," T("a", "U8", "[1]", "[1,2]") "}", 2, "duplicate");
}

static void test_wrong_headers(void)
{
    static const unsigned char too_long[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    static const unsigned char huge[] = {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'};
    struct jc_safetensors *file = NULL;
    check_refused("[]", 0, "not a JSON object");
    check_refused("{", 0, "header, byte");
    check_refused("{}}", 0, "header, byte");
    check_refused("{\"a\xff\":1}", 0, "header, byte");
    check_refused("{\"a\\u0000\":1}", 0, "header, byte");
    check_refused("", 0, "header");
    REQUIRE_OK(jc_file_write(path, too_long, sizeof too_long, &err));
    CHECK_FAILS(open_file(&file), JC_E_FORMAT, "header of 3 bytes in a file of 10");
    REQUIRE_OK(jc_file_write(path, huge, sizeof huge, &err));
    CHECK_FAILS(open_file(&file), JC_E_FORMAT, "header of 18446744073709551615 bytes");
    for (size_t n = 0; n < 8; n++) {
        REQUIRE_OK(jc_file_write(path, huge, n, &err));
        CHECK_FAILS(open_file(&file), JC_E_FORMAT, "too few");
    }
    CHECK_FAILS(jc_safetensors_open("/nonexistent", &file, &err), JC_E_NOT_FOUND, "/nonexistent");
}

/* Cut after any byte, a file is refused. */
static void test_truncated(void)
{
    static const float x[4] = {1, 2, 3, 4};
    const struct jc_tensor tensor = {"x", JC_DTYPE_F32, 1, {4}, x, sizeof x};
    JC_AUTO_BUF struct jc_buf buf = {0};
    REQUIRE_OK(jc_safetensors_write(path, &tensor, 1, &err));
    REQUIRE_OK(jc_file_read(path, 10000, &buf, &err));
    for (size_t n = 0; n < buf.n; n++) {
        struct jc_safetensors *file = NULL;
        REQUIRE_OK(jc_file_write(path, buf.data, n, &err));
        CHECK_FAILS(open_file(&file), JC_E_FORMAT, path);
    }
}

int main(void)
{
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    test_by_hand();
    test_no_tensors();
    test_round_trip();
    test_writer_refuses();
    test_wrong_layout();
    test_wrong_tensors();
    test_wrong_headers();
    test_truncated();
    unlink(path);
    return check_finish();
}
