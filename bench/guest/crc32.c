/* Table-driven CRC-32: loads, shifts and exclusive or in one long dependency chain. */
#include "work.h"

enum { BYTES = 1 << 16, PASSES = 40 };

static uint32_t table[256];
static uint8_t data[BYTES];

uint32_t work(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
    table[i] = c;
  }
  for (uint32_t i = 0; i < BYTES; i++) data[i] = (uint8_t)(i * 31 + (i >> 8));
  uint32_t crc = 0xffffffff;
  for (int pass = 0; pass < PASSES; pass++)
    for (uint32_t i = 0; i < BYTES; i++) crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
  return ~crc;
}
