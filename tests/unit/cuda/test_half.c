/* The host's halves: every half there and back, and rounding between any two neighbours. */
#include "check.h"
#include "cuda/half.h"

static void check_round_trip(void)
{
    for (uint32_t h = 0; h <= 0xffff; h++) {
        const float x = jc_half_to((jc_half)h);
        if (isnan(x))
            CHECK((jc_half_from(x) & 0x7fff) > 0x7c00 && (h & 0x7fff) > 0x7c00);
        else if (!CHECK(jc_half_from(x) == h))
            return;
    }
}

/* Just under, at and just over the middle of a half and the next. */
static void check_rounding(void)
{
    for (uint32_t h = 0; h < 0x7c00; h++) {
        const float low = jc_half_to((jc_half)h), high = h == 0x7bff ? 65536.0f : jc_half_to((jc_half)(h + 1)),
                    middle = low + (high - low) / 2;
        const uint32_t even = h & 1 ? h + 1 : h;
        for (uint32_t sign = 0; sign <= 0x8000; sign += 0x8000) {
            const float s = sign ? -1.0f : 1.0f;
            if (!CHECK(jc_half_from(s * nextafterf(middle, 0)) == (sign | h)) ||
                !CHECK(jc_half_from(s * middle) == (sign | even)) ||
                !CHECK(jc_half_from(s * nextafterf(middle, INFINITY)) == (sign | (h + 1))))
                return;
        }
    }
}

int main(void)
{
    check_round_trip();
    check_rounding();
    CHECK_INT(jc_half_from(1.0f), 0x3c00);
    CHECK_INT(jc_half_from(-2.0f), 0xc000);
    CHECK_INT(jc_half_from(65504.0f), 0x7bff);
    CHECK_INT(jc_half_from(3e38f), 0x7c00);
    CHECK_INT(jc_half_from(-INFINITY), 0xfc00);
    CHECK_NEAR(jc_half_to(0x3555), 0.333251953125, 0);
    CHECK_NEAR(jc_half_to(0x0001), 0x1p-24, 0);
    return check_finish();
}
