/*
 * Loads a WebAssembly module into the kernel and calls its functions. The
 * module is test.wat, built to /lib/test.wasm.
 *
 * The kernel runs the module in this program's time slices: a module that never
 * returned would hold up this program and nobody else.
 */
#include <atoll.h>
#include <text.h>

static const char path[] = "/lib/test.wasm";
static char image[16384];
static int failures;

/* Calls a function of the module and compares what it returns. */
static void expect(int module, const char *function, const int32_t *arguments,
                   size_t count, int32_t expected) {
  int32_t result = 0;
  int error = sys_wasm_exec(module, function, arguments, count, &result);
  print(function);
  if (error < 0) {
    print(": error ");
    print_number(-error);
  } else {
    print(" = ");
    print_number(result);
  }
  if (error < 0 || result != expected) {
    print(", expected ");
    print_number(expected);
    failures++;
  }
  print("\n");
}

void _start(void) {
  int fd = sys_open(path, O_RDONLY, 0);
  int64_t length = fd < 0 ? fd : sys_read(fd, image, sizeof image);
  if (length < 0) {
    complain("wasm_test", path, length);
    sys_exit(1);
  }
  sys_close(fd);

  int module = sys_wasm_load(image, (size_t)length, path);
  if (module < 0) {
    complain("wasm_test", path, module);
    sys_exit(1);
  }
  expect(module, "add", (int32_t[]){40, 2}, 2, 42);
  expect(module, "factorial", (int32_t[]){10}, 1, 3628800);
  expect(module, "get_magic_number", 0, 0, 42);
  sys_wasm_unload(module);
  print(failures == 0 ? "wasm_test: all is well\n"
                      : "wasm_test: something is wrong\n");
  sys_exit(failures != 0);
}
