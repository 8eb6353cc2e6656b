/* SipHash-2-4 against the vectors its authors published: key 00 01 .. 0f, messages 00 01 .. of each length. */
#include "base/siphash.h"

#include "check.h"

int main(void)
{
    static const uint64_t expected[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
        UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
        UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
        UINT64_C(0xa129ca6149be45e5)};
    const struct jc_siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    unsigned char message[JC_COUNT(expected)];
    for (size_t n = 0; n < JC_COUNT(expected); n++) {
        message[n] = (unsigned char)n;
        check_report(jc_siphash(key, message, n) == expected[n], __FILE__, __LINE__, "length %zu", n);
    }
    return check_finish();
}
