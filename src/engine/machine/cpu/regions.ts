import type { PhysicalMemory } from '../memory.ts'
import type { Block, CodeCache } from './code-cache.ts'
import type { Mmu } from './system/mmu.ts'

export interface RegionEntry { slot: number; index: number; needsFlags: boolean }
export class Regions {
  constructor(_: { memory: PhysicalMemory; cache: CodeCache; table: WebAssembly.Table; mmu: Mmu; eager: boolean; enabled: boolean; memoryPages: number }) {}
  find(_block: Block, _rip: number): RegionEntry | undefined { return undefined }
  translate(_block: Block, _rip: number): boolean { return false }
  invalidate(_address: number, _length: number): void {}
  flush(): void {}
}
