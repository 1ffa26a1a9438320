/* A bytecode interpreter: one switch in a loop, so a jump through a table for each of its instructions. */
#include "work.h"

enum { PUSH, ADD, MULTIPLY, XOR, LOAD, STORE, DECREMENT, JUMP_NOT_ZERO, SHIFT, SWAP, HALT };

uint32_t work(void) {
  static const uint8_t program[] = {LOAD, 1, LOAD,     0, MULTIPLY, PUSH, 7, ADD,  STORE, 1, LOAD, 1,           SHIFT, 13, LOAD,
                                    1,    XOR,  LOAD,  2, ADD,      SWAP, STORE, 2, LOAD,  0, DECREMENT, STORE, 0,     LOAD, 0,
                                    JUMP_NOT_ZERO, 0, HALT};
  uint32_t stack[64], variables[4] = {250000, 1, 0, 0}, top = 0;
  for (uint32_t at = 0;;) {
    switch (program[at++]) {
    case PUSH: stack[top++] = program[at++]; break;
    case ADD: top--; stack[top - 1] += stack[top]; break;
    case MULTIPLY: top--; stack[top - 1] *= stack[top]; break;
    case XOR: top--; stack[top - 1] ^= stack[top]; break;
    case LOAD: stack[top++] = variables[program[at++]]; break;
    case STORE: variables[program[at++]] = stack[--top]; break;
    case DECREMENT: stack[top - 1]--; break;
    case JUMP_NOT_ZERO: at = stack[--top] ? program[at] : at + 1; break;
    case SHIFT: stack[top - 1] >>= program[at++]; break;
    case SWAP: if (top > 1) { uint32_t kept = stack[top - 1]; stack[top - 1] = stack[top - 2]; stack[top - 2] = kept; } break;
    case HALT: return variables[1] ^ variables[2];
    }
  }
}
