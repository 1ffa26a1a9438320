import type { ReactElement } from 'react'
import type { LabLink, LinkImpairments } from '../../protocol/lab.ts'
import { isLabUp } from '../lab/lab.ts'
import type { LinkPreset } from '../lab/topology.ts'
import { LINK_PRESETS, presetOf } from '../lab/topology.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useApp, useCommand, useI18n } from '../ui/context.tsx'
import { Field, InspectorHead } from './fields.tsx'
import type { Quantity } from './quantities.ts'
import { formatBitRate, formatQuantity } from './quantities.ts'
import { QuantityField } from './quantity-field.tsx'

/** What one changes most comes first. */
const FIELDS = [
  ['loss', 'probability'],
  ['latencyNs', 'time'],
  ['jitterNs', 'time'],
  ['bandwidthBps', 'bandwidth'],
  ['queueBytes', 'bytes'],
  ['duplicate', 'probability'],
  ['reorder', 'probability'],
  ['corrupt', 'probability'],
] as const satisfies readonly (readonly [keyof LinkImpairments, Quantity])[]

/** A lab advances in windows of its smallest latency: with none at all it would stand still. */
const LATENCY_NS_MIN = 10_000

/** One link, or several at once: how it treats what crosses it, which can be changed while it does. */
export function LinkInspector({ links }: { links: LabLink[] }): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const remove = useCommand(workbench.commands.lab.remove)
  const ids = new Set(links.map(({ id }) => id))
  const presets = new Set(links.map(({ impairments }) => presetOf(impairments)))
  const preset = presets.size === 1 ? [...presets][0] : null
  const [first] = links
  const common = (key: keyof LinkImpairments): number | null =>
    links.every(({ impairments }) => impairments[key] === first.impairments[key]) ? first.impairments[key] : null
  return (
    <>
      <InspectorHead
        title={links.length === 1 ? bench.linkName(first.id) : t('lab.links.several', { count: links.length })}
        kind={t('lab.kind.link')}
      >
        <IconButton icon="trash" label={remove.label} title={remove.tooltip} onClick={remove.run} />
      </InspectorHead>
      {links.length === 1 && <LinkState link={first} />}
      <Field label={t('lab.link.preset')}>
        {(id) => (
          <select
            id={id}
            className="input"
            data-inspect=""
            value={preset ?? ''}
            onChange={({ target: { value } }) => bench.changeLinks(ids, LINK_PRESETS[value as LinkPreset])}
          >
            {preset === null && <option value="">{t('lab.link.preset.custom')}</option>}
            {(Object.keys(LINK_PRESETS) as LinkPreset[]).map((name) => (
              <option key={name} value={name}>
                {t(`lab.link.preset.${name}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="quantities">
        {FIELDS.map(([key, quantity]) => (
          <QuantityField
            key={key}
            label={t(`lab.link.${key}`)}
            quantity={quantity}
            value={common(key)}
            min={key === 'latencyNs' ? LATENCY_NS_MIN : undefined}
            onChange={(value) => bench.changeLinks(ids, { [key]: value }, key)}
          />
        ))}
      </div>
    </>
  )
}

/** How the link fares: whole or cut, what it carries, and how it is treated when an event of the lab has changed that. */
function LinkState({ link }: { link: LabLink }): ReactElement {
  const { workbench } = useApp()
  const i18n = useI18n()
  const { t, number } = i18n
  const bench = workbench.lab
  const isUp = useStore(bench.lab.store, isLabUp)
  const status = useStore(bench.lab.store, (view) => view.status.links.find((candidate) => candidate.link === link.id))
  const rate = useStore(bench.lab.store, ({ rates }) => rates.get(link.id))
  if (!isUp || !status) return <p className="field-hint">{t('lab.link.atRest')}</p>
  const lossNow = status.impairments.loss
  return (
    <section className="inspector-section">
      <div className="link-state">
        <p className={status.isCut ? 'is-broken' : ''}>{t(status.isCut ? 'lab.link.isCut' : 'lab.link.isWhole')}</p>
        <Button
          variant={status.isCut ? 'primary' : 'plain'}
          icon={status.isCut ? 'heal' : 'scissors'}
          onClick={() => void bench.toggleCut(link.id)}
        >
          {t(status.isCut ? 'lab.link.healShort' : 'lab.link.cutShort')}
        </Button>
      </div>
      <dl className="readout">
        <div>
          <dt>{t('lab.link.rate')}</dt>
          <dd>
            {rate
              ? t('lab.link.rate.value', {
                  frames: number(rate.framesPerSecond, { maximumSignificantDigits: 3 }),
                  bits: formatBitRate(rate.bitsPerSecond, i18n),
                })
              : '–'}
          </dd>
        </div>
        <div>
          <dt>{t('lab.link.delivered')}</dt>
          <dd>{t('lab.link.delivered.value', { delivered: status.deliveredFrames, sent: status.sentFrames })}</dd>
        </div>
        <div>
          <dt>{t('lab.link.dropped')}</dt>
          <dd className={status.droppedFrames > 0 ? 'is-broken' : ''}>{number(status.droppedFrames)}</dd>
        </div>
        {lossNow !== link.impairments.loss && (
          <div>
            <dt>{t('lab.link.lossNow')}</dt>
            <dd>{formatQuantity('probability', lossNow, i18n)}</dd>
          </div>
        )}
      </dl>
    </section>
  )
}
