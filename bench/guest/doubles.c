/* Double precision as programs use it: scalar and dependent (bodies that attract each other), and in vectors (a matrix product). */
#include "work.h"

enum { BODIES = 5, STEPS = 30000, SIDE = 96, PASSES = 4 };

static double position[BODIES][3], velocity[BODIES][3], mass[BODIES];
static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

static double root(double value) {
  double result;
  __asm__("sqrtsd %1, %0" : "=x"(result) : "x"(value));
  return result;
}

static void step(double time) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      double d[3], square = 0.01;
      for (int k = 0; k < 3; k++) {
        d[k] = position[i][k] - position[j][k];
        square += d[k] * d[k];
      }
      double magnitude = time / (square * root(square));
      for (int k = 0; k < 3; k++) {
        velocity[i][k] -= d[k] * mass[j] * magnitude;
        velocity[j][k] += d[k] * mass[i] * magnitude;
      }
    }
  for (int i = 0; i < BODIES; i++)
    for (int k = 0; k < 3; k++) position[i][k] += time * velocity[i][k];
}

uint32_t work(void) {
  for (int i = 0; i < BODIES; i++) {
    mass[i] = 1.0 / (i + 1);
    for (int k = 0; k < 3; k++) {
      position[i][k] = (i * 7 + k * 3) % 5 - 1.7;
      velocity[i][k] = ((i * 5 + k) % 7 - 3) * 0.1;
    }
  }
  for (int i = 0; i < STEPS; i++) step(0.001);
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = (i + j) * 0.3;
      right[i][j] = (i - j) * 0.7;
    }
  double sum = position[0][0];
  for (int pass = 0; pass < PASSES; pass++) {
    for (int i = 0; i < SIDE; i++)
      for (int k = 0; k < SIDE; k++)
        for (int j = 0; j < SIDE; j++) product[i][j] += left[i][k] * right[k][j];
    sum += product[pass][SIDE - 1 - pass];
  }
  return (uint32_t)(int64_t)(sum * 1000);
}
