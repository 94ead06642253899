// Loops over vectors. A build for any x86-64 machine has only SSE2 to offer; what this machine can do beyond that is
// found out when the first of them runs.

#include "CKernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_WIDE_PATH 1
#define WIDE __attribute__((target("avx2,fma,f16c")))
#endif

static int has_wide_vectors(void) {
#ifdef HAS_WIDE_PATH
    static int known = -1;
    int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (found < 0) {
        __builtin_cpu_init();
        found = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
        __atomic_store_n(&known, found, __ATOMIC_RELAXED);
    }
    return found;
#else
    return 0;
#endif
}

int martlet_reads_halves(void) { return has_wide_vectors(); }

// Four sums at once keep additions from waiting for each other.
static float dot_portable(const float *row, const float *query, size_t width) {
    float sums[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= width; i += 4) {
        for (size_t lane = 0; lane < 4; lane++) sums[lane] += row[i + lane] * query[i + lane];
    }
    for (; i < width; i++) sums[0] += row[i] * query[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3FF, bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000 | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float value = (float)fraction * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint16_t float_to_half(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return sign | 0x7E00;   // not a number
    if (magnitude >= 0x477FF000) return sign | 0x7C00;  // rounds to more than the largest
    if (magnitude < 0x38800000) {
        // Below the smallest normal one, steps are 2^-24 wide; adding 0.5 rounds the last of them, ties to even.
        float shifted;
        memcpy(&shifted, &magnitude, sizeof shifted);
        shifted += 0.5f;
        uint32_t rounded;
        memcpy(&rounded, &shifted, sizeof rounded);
        return sign | (uint16_t)(rounded - 0x3F000000);
    }
    uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
    return sign | (uint16_t)((rounded - 0x38000000) >> 13);
}

#ifdef HAS_WIDE_PATH

WIDE static float sum(__m256 lanes) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

WIDE static void dot_rows_wide(const float *rows, size_t count, size_t width, const float *query, float *products) {
    for (size_t row = 0; row < count; row++, rows += width) {
        __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
        size_t i = 0;
        for (; i + 32 <= width; i += 32) {
            a = _mm256_fmadd_ps(_mm256_loadu_ps(rows + i), _mm256_loadu_ps(query + i), a);
            b = _mm256_fmadd_ps(_mm256_loadu_ps(rows + i + 8), _mm256_loadu_ps(query + i + 8), b);
            c = _mm256_fmadd_ps(_mm256_loadu_ps(rows + i + 16), _mm256_loadu_ps(query + i + 16), c);
            d = _mm256_fmadd_ps(_mm256_loadu_ps(rows + i + 24), _mm256_loadu_ps(query + i + 24), d);
        }
        for (; i + 8 <= width; i += 8) {
            a = _mm256_fmadd_ps(_mm256_loadu_ps(rows + i), _mm256_loadu_ps(query + i), a);
        }
        float product = sum(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
        for (; i < width; i++) product += rows[i] * query[i];
        products[row] = product;
    }
}

WIDE static __m256 load_halves(const uint16_t *halves) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves));
}

WIDE static void dot_rows_half_wide(
    const uint16_t *rows, size_t count, size_t width, const float *query, float *products
) {
    for (size_t row = 0; row < count; row++, rows += width) {
        __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
        size_t i = 0;
        for (; i + 32 <= width; i += 32) {
            a = _mm256_fmadd_ps(load_halves(rows + i), _mm256_loadu_ps(query + i), a);
            b = _mm256_fmadd_ps(load_halves(rows + i + 8), _mm256_loadu_ps(query + i + 8), b);
            c = _mm256_fmadd_ps(load_halves(rows + i + 16), _mm256_loadu_ps(query + i + 16), c);
            d = _mm256_fmadd_ps(load_halves(rows + i + 24), _mm256_loadu_ps(query + i + 24), d);
        }
        for (; i + 8 <= width; i += 8) {
            a = _mm256_fmadd_ps(load_halves(rows + i), _mm256_loadu_ps(query + i), a);
        }
        float product = sum(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
        for (; i < width; i++) product += half_to_float(rows[i]) * query[i];
        products[row] = product;
    }
}

#endif

void martlet_dot_rows(const float *rows, size_t count, size_t width, const float *query, float *products) {
#ifdef HAS_WIDE_PATH
    if (has_wide_vectors()) {
        dot_rows_wide(rows, count, width, query, products);
        return;
    }
#endif
    for (size_t row = 0; row < count; row++) products[row] = dot_portable(rows + row * width, query, width);
}

void martlet_dot_rows_half(const uint16_t *rows, size_t count, size_t width, const float *query, float *products) {
#ifdef HAS_WIDE_PATH
    if (has_wide_vectors()) {
        dot_rows_half_wide(rows, count, width, query, products);
        return;
    }
#endif
    for (size_t row = 0; row < count; row++) {
        float product = 0;
        for (size_t i = 0; i < width; i++) product += half_to_float(rows[row * width + i]) * query[i];
        products[row] = product;
    }
}

double martlet_dot_exact(const float *row, const float *query, size_t width) {
    double product = 0;
    for (size_t i = 0; i < width; i++) product += (double)row[i] * (double)query[i];
    return product;
}

void martlet_to_halves(const float *numbers, size_t count, uint16_t *halves) {
    for (size_t i = 0; i < count; i++) halves[i] = float_to_half(numbers[i]);
}
