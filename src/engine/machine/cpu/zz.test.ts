import { test, expect } from 'vitest'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { PhysicalMemory } from '../memory.ts'
import { Cpu } from './cpu.ts'
const host: any = { portIn: () => 0, portOut() {}, mmioRead() {}, mmioWrite() {}, hypercall: () => false, acknowledgeInterrupt: () => 0, interruptPending: () => false, nowNs: () => 0, warn: console.log }
const src = `
unsigned fib(unsigned n) { return n < 2 ? n : fib(n-1) + fib(n-2); }
unsigned crc(unsigned n) { static unsigned t[256]; for (int i=0;i<256;i++){unsigned c=i;for(int k=0;k<8;k++)c=c&1?0xedb88320^(c>>1):c>>1;t[i]=c;} unsigned c=~0u; for(unsigned i=0;i<n;i++) c=t[(c^i)&255]^(c>>8); return ~c; }
unsigned sieve(unsigned n){ static unsigned char f[100000]; unsigned cnt=0; for(unsigned r=0;r<n;r++){ for(int i=0;i<100000;i++)f[i]=1; cnt=0; for(unsigned i=2;i<100000;i++) if(f[i]){cnt++; for(unsigned j=i*2;j<100000;j+=i)f[j]=0;} } return cnt; }
unsigned rot(unsigned n){ unsigned a=1,b=2,c=3; for(unsigned i=0;i<n;i++){ a=(a<<5|a>>27)+b; b^=c>>(i&7); c=c*0x9e3779b1u+a; if ((c&7)==3) b++; } return a^b^c; }
long d64(long n){ long s=0; for(long i=1;i<n;i++){ s+= (n*12345678901L)/i - (s%i); } return s; }
__attribute__((section(".text.start"))) void _start(void){ volatile unsigned* out=(unsigned*)0x900000; out[0]=fib(27); out[1]=crc(3000000); out[2]=sieve(20); out[3]=rot(5000000); long d=d64(2000000); out[4]=d; out[5]=d>>32; for(;;) __asm__("hlt"); }
`
for (const opt of ['-O2', '-O0']) {
  test('programs ' + opt, () => {
    writeFileSync('/tmp/zz.c', src)
    execFileSync('node_modules/.bin/zig', ['cc', '-target', 'x86_64-freestanding-none', '-nostdlib', '-static', opt, '-mno-sse', '-fno-stack-protector', '-fno-sanitize=all', '-Wl,--image-base=0x100000', '-o', '/tmp/zz.elf', '/tmp/zz.c'], { env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: '/tmp/zc', ZIG_LOCAL_CACHE_DIR: '/tmp/zc' } })
    const elf = readFileSync('/tmp/zz.elf'); const v = new DataView(elf.buffer, elf.byteOffset)
    const results: any = {}
    for (const tier of ['interpreter', 'auto', 'translator'] as const) {
      const memory = new PhysicalMemory(32 << 20)
      const cpu = new Cpu(memory, host, { tier }); cpu.reset()
      const phoff = Number(v.getBigUint64(32, true)), phnum = v.getUint16(56, true)
      for (let i = 0; i < phnum; i++) { const p = phoff + i * 56; if (v.getUint32(p, true) !== 1) continue; const off = Number(v.getBigUint64(p + 8, true)), va = Number(v.getBigUint64(p + 16, true)), fs = Number(v.getBigUint64(p + 32, true)); memory.write(va, elf.subarray(off, off + fs)) }
      // page tables: identity 1 GiB pages
      memory.writeU64(0x1000, 0x2003n); memory.writeU64(0x2000, 0x83n)
      const s: any = cpu.system.state
      cpu.setCr3(0x1000)
      s.u32[0x538 >> 2] = 0x20; s.u32[0x548 >> 2] = 0x500; s.u32[0x520 >> 2] = 0x80000011
      s.setSegment(1, 8, 0xa09b, 0, 0, 0xffffffff); s.updateMode()
      cpu.rip = v.getBigUint64(24, true); cpu.setGpr(4, 0x1f0000n - 8n)
      const t = performance.now(); let n = 0
      for (let i = 0; i < 5000 && !cpu.halted && !cpu.shutdown; i++) n += cpu.run(1e6)
      const ms = performance.now() - t
      results[tier] = [n, ...[0, 1, 2, 3, 4, 5].map((i) => memory.readU32(0x900000 + i * 4)), cpu.getRflags()]
      console.log(opt, tier, n, ms.toFixed(0) + 'ms', (n / ms / 1000).toFixed(0) + ' MIPS', results[tier].slice(1), cpu.halted, cpu.shutdownReason, cpu.rip.toString(16))
    }
    expect(results.auto).toEqual(results.interpreter)
    expect(results.translator).toEqual(results.interpreter)
  }, 60000)
}
