/* Waiting on a condition by the clock: until a time, and for ever. */
#include "base/clock.h"

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool has_changed;

static void *change(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    has_changed = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void test_timespec(void)
{
    struct timespec time = jc_clock_timespec(3 * JC_NS_PER_S + 999999999);
    CHECK(time.tv_sec == 3 && time.tv_nsec == 999999999);
    time = jc_clock_timespec(JC_NS_PER_S);
    CHECK(time.tv_sec == 1 && time.tv_nsec == 0);
}

static void test_until(void)
{
    uint64_t due_ns = jc_clock_ns() + JC_NS_PER_MS;
    pthread_mutex_lock(&lock);
    while (!jc_clock_wait(&changed, &lock, due_ns))
        continue; /* woken for nothing */
    pthread_mutex_unlock(&lock);
    CHECK(jc_clock_ns() >= due_ns);
}

/* Who changes it gets the lock only while it is waited. */
static void test_for_ever(void)
{
    pthread_t thread;
    pthread_mutex_lock(&lock);
    REQUIRE(pthread_create(&thread, NULL, change, NULL) == 0);
    while (!has_changed)
        CHECK(!jc_clock_wait(&changed, &lock, UINT64_MAX));
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
}

int main(void)
{
    test_timespec();
    test_until();
    test_for_ever();
    return check_finish();
}
