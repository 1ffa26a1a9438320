import type { ReactElement } from 'react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { topologyOf } from '../lab/lab.ts'
import { baseName } from '../state/paths.ts'
import { useStore } from '../state/use-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Canvas } from './canvas.tsx'
import { CanvasToolbar } from './canvas-toolbar.tsx'
import { Inspector } from './inspector.tsx'
import { useLabs } from './use-labs.ts'

/** Narrower than this, in pixels, the inspector would leave no room to draw; it starts closed. */
const INSPECTOR_ROOM_MIN = 620

/** The lab: its drawing and what can be done with it. */
export function TopologyPanel(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const load = useStore(bench.lab.store, (view) => view.load)
  const topology = useStore(bench.lab.store, topologyOf)
  const problem = useStore(bench.lab.store, ({ status }) => (status.phase === 'failed' ? status.message : undefined))
  const [isInspectorOpen, setInspectorOpen] = useState(true)
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => bench.traffic.watch(), [bench])
  useEffect(() => {
    const width = ref.current?.clientWidth ?? 0
    if (width > 0 && width < INSPECTOR_ROOM_MIN) setInspectorOpen(false)
  }, [])
  const inspect = useCallback(() => {
    setInspectorOpen(true)
    requestAnimationFrame(() => ref.current?.querySelector<HTMLElement>('[data-inspect]')?.focus())
  }, [])
  const drawsNothing = topology?.nodes.length === 0
  return (
    <div
      ref={ref}
      className="topology"
      data-lab=""
      onKeyDown={({ key, target }) => {
        // Back from the inspector to what it was about.
        if (key !== 'Escape' || !(target instanceof Element) || !target.closest('.inspector')) return
        const [node] = bench.selection.get().nodes
        if (node !== undefined) bench.canvas?.focusNode(node)
        else ref.current?.querySelector<HTMLElement>('[data-canvas]')?.focus()
      }}
    >
      <Unopened />
      {topology ? (
        <>
          <CanvasToolbar isInspectorOpen={isInspectorOpen} onToggleInspector={() => setInspectorOpen((isOpen) => !isOpen)} />
          {problem && (
            <div className="document-bar" role="alert">
              <Icon name="warning" />
              <p>{problem}</p>
            </div>
          )}
          <div className="topology-body">
            <div className="topology-canvas">
              <Canvas topology={topology} onInspect={inspect} />
              {drawsNothing && <FirstSteps />}
            </div>
            {isInspectorOpen && <Inspector topology={topology} />}
          </div>
        </>
      ) : load.kind === 'failed' ? (
        <div className="topology-empty" role="alert">
          <h1>{t('lab.loadFailed')}</h1>
          <p>{load.message}</p>
          <Button onClick={() => void bench.lab.attached()}>{t('editor.retry')}</Button>
        </div>
      ) : load.kind === 'loading' ? (
        <p className="panel-hint">{t('lab.loading')}</p>
      ) : (
        <NoLab />
      )}
    </div>
  )
}

/** A lab that could not be opened: why, and the ways to go on. */
function Unopened(): ReactElement | null {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const unopened = useStore(bench.unopened)
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // Whoever asked for the lab from here finds the way on under the hand.
    const focused = document.activeElement
    if (unopened && (focused === document.body || focused?.closest('[data-lab]'))) ref.current?.querySelector('button')?.focus()
  }, [unopened])
  if (!unopened) return null
  const { path, message, mistake } = unopened
  return (
    <div ref={ref} className="document-bar lab-unopened">
      <Icon name="error" />
      <p role="alert">
        <strong>{t('notice.lab.openFailed')}</strong>
        {message}
      </p>
      <div className="inspector-actions">
        {mistake && (
          <Button data-autofocus="" icon="file" onClick={() => workbench.openDocument(mistake.path, mistake)}>
            {t('lab.unopened.file', { name: baseName(mistake.path), line: mistake.line })}
          </Button>
        )}
        <Button icon="reset" data-autofocus={mistake ? undefined : ''} onClick={() => bench.leaving(() => void bench.open(path))}>
          {t('editor.retry')}
        </Button>
        <IconButton icon="close" label={t('notice.dismiss')} onClick={() => bench.unopened.set(null)} />
      </div>
    </div>
  )
}

/** On a canvas with nothing on it: how to begin. */
function FirstSteps(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  return (
    <div className="first-steps">
      <h2>{t('lab.first.title')}</h2>
      <ol>
        <li>{t('lab.first.add')}</li>
        <li>{t('lab.first.wire')}</li>
        <li>{t('lab.first.start')}</li>
      </ol>
      <div className="inspector-actions">
        <Button variant="primary" icon="machine" onClick={() => bench.add('machine')}>
          {t('command.lab.addMachine')}
        </Button>
        <Button icon="switch" onClick={() => bench.add('switch')}>
          {t('command.lab.addSwitch')}
        </Button>
      </div>
    </div>
  )
}

/** While no lab is open: what one is, and the ways in. */
function NoLab(): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const bench = workbench.lab
  const labs = useLabs()
  return (
    <div className="topology-empty">
      <LittleNetwork />
      <h1>{t('lab.none.title')}</h1>
      <p>{t('lab.none.detail')}</p>
      <div className="inspector-actions">
        <Button variant="primary" icon="plus" data-autofocus="" onClick={() => void bench.create()}>
          {t('command.lab.new')}
        </Button>
      </div>
      {labs.length > 0 && (
        <section className="lab-cards" aria-label={t('lab.none.open')}>
          <h2>{t('lab.none.open')}</h2>
          <ul>
            {labs.map(({ path, name, isTemplate }) => (
              <li key={path}>
                <button type="button" className="lab-card" onClick={() => void bench.open(path, isTemplate ? name : undefined)}>
                  <Icon name="network" />
                  <span>{name || path}</span>
                  {path !== name && <small>{isTemplate ? t('lab.template') : path}</small>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

/** Three machines on a wire, as a picture of what this place is for. */
function LittleNetwork(): ReactElement {
  return (
    <svg className="little-network" width="148" height="60" viewBox="0 0 148 60" fill="none" aria-hidden="true">
      <path className="little-wires" d="M24 44 L74 16 M124 44 L74 16 M74 16 V50" />
      <rect x="62" y="8" width="24" height="16" rx="4" />
      <circle cx="24" cy="46" r="10" />
      <circle cx="74" cy="48" r="10" />
      <circle cx="124" cy="46" r="10" />
      <circle className="little-lagoon" cx="24" cy="46" r="3.4" />
      <circle className="little-lagoon" cx="74" cy="48" r="3.4" />
      <circle className="little-lagoon" cx="124" cy="46" r="3.4" />
    </svg>
  )
}
