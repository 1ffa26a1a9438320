/* Five bodies that attract one another: scalar doubles, divisions and square roots. */
#include "work.h"
#include <emmintrin.h>

enum { BODIES = 5, STEPS = 60000 };

struct body {
  double x, y, z, vx, vy, vz, mass;
};

static double root(double x) {
  __m128d value = _mm_set_sd(x);
  return _mm_cvtsd_f64(_mm_sqrt_sd(value, value));
}

uint32_t work(void) {
  struct body bodies[BODIES];
  for (int i = 0; i < BODIES; i++)
    bodies[i] = (struct body){i * 1.5 + 1, i * 0.7 - 2, 3.0 / (i + 1), 0.01 * i, -0.02 * i, 0.005 * i, i == 0 ? 40 : 1.0 / (i + 1)};
  for (int step = 0; step < STEPS; step++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        struct body *a = &bodies[i], *b = &bodies[j];
        double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;
        double square = x * x + y * y + z * z + 0.01;
        double force = 0.001 / (square * root(square));
        a->vx -= x * b->mass * force, a->vy -= y * b->mass * force, a->vz -= z * b->mass * force;
        b->vx += x * a->mass * force, b->vy += y * a->mass * force, b->vz += z * a->mass * force;
      }
    for (int i = 0; i < BODIES; i++) {
      struct body *a = &bodies[i];
      a->x += 0.001 * a->vx, a->y += 0.001 * a->vy, a->z += 0.001 * a->vz;
    }
  }
  return (uint32_t)(int32_t)(bodies[0].x * 1e6) ^ (uint32_t)(int32_t)(bodies[3].vy * 1e6);
}
