#ifndef MARTLET_CKERNELS_H
#define MARTLET_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Whether this machine reads half-precision numbers as fast as it computes: only then is a copy of them worth reading.
int martlet_reads_halves(void);

/// The dot products of a query with `count` rows of `width` numbers each, one after another in memory.
void martlet_dot_rows(const float *rows, size_t count, size_t width, const float *query, float *products);

/// The same with rows of half-precision numbers (IEEE 754 binary16); each product is off by no more than 2^-11 of the
/// product of both lengths, beside what adding up costs.
void martlet_dot_rows_half(const uint16_t *rows, size_t count, size_t width, const float *query, float *products);

/// The dot product in double precision, added up in order: alike on every machine.
double martlet_dot_exact(const float *row, const float *query, size_t width);

/// Rounds numbers to half precision; what is too large becomes infinite.
void martlet_to_halves(const float *numbers, size_t count, uint16_t *halves);

#endif
