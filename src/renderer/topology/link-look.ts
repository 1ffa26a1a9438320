import type { LabLink } from '../../protocol/lab.ts'
import type { I18n } from '../i18n/i18n.ts'
import { LINK_PRESETS } from '../lab/topology.ts'
import { formatQuantity } from './quantities.ts'

/** What sets a link apart from a plain cable, for its label: `40 ms · 2 Mbit/s · 20 % lost`; empty for a plain one. */
export function linkSummary({ impairments }: LabLink, i18n: I18n): string {
  const plain = LINK_PRESETS.cable
  const { latencyNs, bandwidthBps, loss, duplicate, reorder, corrupt } = impairments
  const percent = (value: number): string => formatQuantity('probability', value, i18n)!
  return [
    latencyNs !== plain.latencyNs && formatQuantity('time', latencyNs, i18n),
    bandwidthBps !== plain.bandwidthBps && (formatQuantity('bandwidth', bandwidthBps, i18n) ?? i18n.t('lab.link.unlimitedShort')),
    loss > 0 && i18n.t('lab.link.lossShort', { value: percent(loss) }),
    duplicate + reorder + corrupt > 0 && i18n.t('lab.link.moreShort'),
  ]
    .filter(Boolean)
    .join(' · ')
}
