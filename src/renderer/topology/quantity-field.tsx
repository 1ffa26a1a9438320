import type { ReactElement } from 'react'
import { useId, useState } from 'react'
import { useI18n } from '../ui/context.tsx'
import type { Quantity } from './quantities.ts'
import { formatQuantity, nearestStop, parseQuantity, SCALES } from './quantities.ts'

/** A number with its unit, to be typed or dragged. The slider's steps grow with the value, since one ms matters at 2 and not at 500. */
export function QuantityField({
  label,
  quantity,
  value,
  min = SCALES[quantity].min,
  onChange,
}: {
  label: string
  quantity: Quantity
  /** In the base unit; null when several links differ. */
  value: number | null
  min?: number
  onChange: (value: number) => void
}): ReactElement {
  const i18n = useI18n()
  const { t } = i18n
  const [typed, setTyped] = useState<string | null>(null)
  const id = useId()
  const stops = SCALES[quantity].stops.filter((stop) => stop >= min || stop === 0)
  const steps = min > 0 && quantity !== 'bandwidth' ? stops.filter((stop) => stop > 0) : stops
  const written = value === null ? '' : (formatQuantity(quantity, value, i18n) ?? t('lab.link.unlimited'))
  const isWrong = typed !== null && parseQuantity(quantity, typed, min) === null
  const finish = (): void => {
    const next = typed === null ? null : parseQuantity(quantity, typed, min)
    if (next !== null && next !== value) onChange(next)
    setTyped(null)
  }
  return (
    <div className="quantity">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        value={typed ?? written}
        placeholder={value === null ? t('lab.link.mixed') : undefined}
        aria-invalid={isWrong}
        spellCheck={false}
        autoComplete="off"
        onFocus={(event) => event.target.select()}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === 'Enter') finish()
          else if (event.key === 'Escape') setTyped(null)
          else return
          event.stopPropagation()
        }}
      />
      <input
        type="range"
        aria-label={label}
        aria-valuetext={written}
        min={0}
        max={steps.length - 1}
        step={1}
        value={value === null ? 0 : nearestStop(steps, value)}
        onChange={(event) => onChange(steps[Number(event.target.value)])}
      />
    </div>
  )
}
