import type { ReactElement } from 'react'
import { useEffect, useLayoutEffect, useRef } from 'react'

export interface MenuItem {
  label: string
  key?: string
  isDanger?: boolean
  run: () => void
}

/** A context menu at a point of the window: arrow keys choose, Enter runs, Escape and a click elsewhere close. */
export function Menu({
  label,
  x,
  y,
  items,
  onClose,
}: {
  label: string
  x: number
  y: number
  items: MenuItem[]
  onClose: () => void
}): ReactElement {
  const ref = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const menu = ref.current!
    const { width, height } = menu.getBoundingClientRect()
    menu.style.left = `${Math.min(x, window.innerWidth - width - 8)}px`
    menu.style.top = `${Math.min(y, window.innerHeight - height - 8)}px`
  }, [x, y])
  useEffect(() => {
    const menu = ref.current!
    const before = document.activeElement
    menu.querySelector('button')?.focus()
    const closeOutside = (event: Event): void => {
      if (!(event.target instanceof Node) || !menu.contains(event.target)) onClose()
    }
    window.addEventListener('pointerdown', closeOutside, true)
    window.addEventListener('blur', onClose)
    return () => {
      window.removeEventListener('pointerdown', closeOutside, true)
      window.removeEventListener('blur', onClose)
      if (menu.contains(document.activeElement) || document.activeElement === document.body) {
        if (before instanceof HTMLElement && before.isConnected) before.focus()
      }
    }
  }, [onClose])
  return (
    <div
      ref={ref}
      className="menu"
      role="menu"
      aria-label={label}
      onKeyDown={(event) => {
        event.stopPropagation()
        const buttons = [...ref.current!.querySelectorAll('button')]
        const index = buttons.indexOf(document.activeElement as HTMLButtonElement)
        if (event.key === 'Escape' || event.key === 'Tab') onClose()
        else if (event.key === 'ArrowDown') buttons[(index + 1) % buttons.length].focus()
        else if (event.key === 'ArrowUp') buttons[(index - 1 + buttons.length) % buttons.length].focus()
        else if (event.key === 'Home') buttons[0].focus()
        else if (event.key === 'End') buttons.at(-1)!.focus()
        else return
        event.preventDefault()
      }}
    >
      {items.map(({ label: text, key, isDanger, run }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={isDanger ? 'menu-danger' : undefined}
          onClick={() => {
            onClose()
            run()
          }}
        >
          <span>{text}</span>
          {key && <kbd>{key}</kbd>}
        </button>
      ))}
    </div>
  )
}
