;; Three functions to call from outside. A module has no memory of the kernel's and no system calls: it computes with what it
;; is given, and returns.
(module
  ;; add(a, b): the sum, modulo 2^32
  (func (export "add") (param $a i32) (param $b i32) (result i32)
    (i32.add (local.get $a) (local.get $b)))

  ;; factorial(n): n! modulo 2^32, and 1 for anything below 2
  (func $factorial (export "factorial") (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2))
      (then (i32.const 1))
      (else
        (i32.mul
          (local.get $n)
          (call $factorial (i32.sub (local.get $n) (i32.const 1)))))))

  ;; get_magic_number(): 42
  (func (export "get_magic_number") (result i32)
    (i32.const 42)))
