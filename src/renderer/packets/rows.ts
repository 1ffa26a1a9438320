import type { CapturedFrame } from '../../protocol/lab.ts'
import type { I18n } from '../i18n/i18n.ts'
import { decodeFrame } from './decode.ts'
import type { DecodedFrame, Info } from './fields.ts'
import { parseFilter } from './filter.ts'

/** A frame as the list shows it. */
export interface PacketRow {
  frame: CapturedFrame
  decoded: DecodedFrame
  info: string
  fate: string
}

/** A sentence of the decoder's in the person's language. */
export function infoText({ name, values }: Info, { t }: I18n): string {
  // Ports and sequence numbers are names more than quantities: they are not grouped.
  const texts = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))
  return (t as (key: string, values: Record<string, string>) => string)(`packet.info.${name}`, texts)
}

/**
 * The rows that pass a filter. Frames only ever come at the end and go at the beginning, so a step costs what is new in it, not what
 * is there.
 */
export class PacketRows {
  readonly #i18n: I18n
  readonly #cache = new WeakMap<CapturedFrame, PacketRow>()
  #filterText = ''
  #passes = parseFilter('')
  #frames: readonly CapturedFrame[] = []
  #rows: readonly PacketRow[] = []

  constructor(i18n: I18n) {
    this.#i18n = i18n
  }

  update(frames: readonly CapturedFrame[], filterText: string): readonly PacketRow[] {
    if (filterText !== this.#filterText) {
      this.#filterText = filterText
      this.#passes = parseFilter(filterText)
      this.#rows = this.#filter(frames)
    } else if (frames !== this.#frames) {
      const [first] = frames
      const last = this.#frames.at(-1)
      // The newest frame of the last step, wherever the beginning has moved to.
      const at = last === undefined ? -1 : frames.lastIndexOf(last)
      if (at < 0) this.#rows = this.#filter(frames)
      else {
        const kept = this.#rows.findIndex(({ frame }) => frame.number >= first.number)
        const added = this.#filter(frames.slice(at + 1))
        if (kept !== 0 || added.length > 0) this.#rows = [...(kept < 0 ? [] : this.#rows.slice(kept)), ...added]
      }
    }
    this.#frames = frames
    return this.#rows
  }

  #filter(frames: readonly CapturedFrame[]): PacketRow[] {
    return frames.map((frame) => this.#row(frame)).filter((row) => this.#passes(row))
  }

  #row(frame: CapturedFrame): PacketRow {
    const known = this.#cache.get(frame)
    if (known) return known
    const decoded = decodeFrame(frame.bytes)
    const row = { frame, decoded, info: infoText(decoded.info, this.#i18n), fate: this.#i18n.t(`packet.fate.${frame.fate}`) }
    this.#cache.set(frame, row)
    return row
  }
}
