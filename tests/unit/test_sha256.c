/* SHA-256 and HMAC: the examples of FIPS 180-4 and RFC 4231, every cut into pieces, comparison. */
#include "cmocka_all.h"

#include <string.h>

#include "base/sha256.h"

static void expect(const unsigned char *sum, const char *want) {
    char text[2 * HEED_SHA256_SIZE + 1];
    assert_string_equal(heed__hex(sum, HEED_SHA256_SIZE, text), want);
}

static void published_sums(void **state) {
    (void)state;
    unsigned char sum[HEED_SHA256_SIZE];
    heed__sha256("", 0, sum);
    expect(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    heed__sha256("abc", 3, sum);
    expect(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    heed__sha256(two, strlen(two), sum);
    expect(sum, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    heed_sha256 s;
    char many[1000];
    memset(many, 'a', sizeof many);
    heed__sha256_init(&s);
    for (int i = 0; i < 1000; i++) heed__sha256_add(&s, many, sizeof many);
    heed__sha256_end(&s, sum);
    expect(sum, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_equal_the_whole(void **state) {
    (void)state;
    unsigned char data[300], whole[HEED_SHA256_SIZE], sum[HEED_SHA256_SIZE];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 7);
    for (size_t size = 0; size <= sizeof data; size += 3) {
        heed__sha256(data, size, whole);
        for (size_t cut = 0; cut <= size; cut++) {
            heed_sha256 s;
            heed__sha256_init(&s);
            heed__sha256_add(&s, data, cut);
            heed__sha256_add(&s, NULL, 0);
            heed__sha256_add(&s, data + cut, size - cut);
            heed__sha256_end(&s, sum);
            assert_memory_equal(sum, whole, sizeof sum);
        }
    }
}

static void keyed_sums(void **state) {
    (void)state;
    unsigned char sum[HEED_SHA256_SIZE], key[131];
    memset(key, 0x0b, 20);
    heed__hmac(key, 20, "Hi There", 8, sum);
    expect(sum, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    heed__hmac("Jefe", 4, "what do ya want for nothing?", 28, sum);
    expect(sum, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";
    heed__hmac(key, sizeof key, text, strlen(text), sum);
    expect(sum, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void comparison(void **state) {
    (void)state;
    unsigned char a[32] = { 0 }, b[32] = { 0 };
    assert_true(heed__equal_secret(a, b, 0));
    assert_true(heed__equal_secret(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 128;
        assert_false(heed__equal_secret(a, b, sizeof a));
        b[i] = 0;
    }
    assert_int_equal(heed__random_bytes(a, sizeof a, NULL), 0);
    assert_int_equal(heed__random_bytes(b, sizeof b, NULL), 0);
    assert_false(heed__equal_secret(a, b, sizeof a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_sums),
        cmocka_unit_test(pieces_equal_the_whole),
        cmocka_unit_test(keyed_sums),
        cmocka_unit_test(comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
