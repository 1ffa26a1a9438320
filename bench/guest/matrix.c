/* Products of 96 by 96 matrices of doubles: the inner loop is SSE2 on pairs. */
#include "work.h"

enum { N = 96, PASSES = 36 };

static double a[N][N], b[N][N], c[N][N];

uint32_t work(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = (i * 7 + j) % 13 * 0.37 - 2, b[i][j] = (i + j * 5) % 11 * 0.19 - 1;
  uint32_t sum = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) c[i][j] = pass * 0.1;
    for (int i = 0; i < N; i++)
      for (int k = 0; k < N; k++) {
        double factor = a[i][k];
        for (int j = 0; j < N; j++) c[i][j] += factor * b[k][j];
      }
    sum = sum * 31 + (uint32_t)(int32_t)((c[pass][N - 1 - pass] + c[N / 2][pass]) * 1e6);
  }
  return sum;
}
