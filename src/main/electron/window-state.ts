import { z } from 'zod'

/** Size and place of the window, remembered between starts. */

export interface Rectangle {
  x: number
  y: number
  width: number
  height: number
}

export const WIDTH_MIN = 800
export const HEIGHT_MIN = 500

const DEFAULT_SIZE = { width: 1280, height: 820 }

/** So much of the window must lie on a screen for it to be found and moved, in pixels. */
const VISIBLE_MIN = 100

const side = z.int().min(-100_000).max(100_000)
const schema = z.object({ bounds: z.object({ x: side, y: side, width: side, height: side }), isMaximized: z.boolean() })

export type WindowState = z.infer<typeof schema>

/**
 * What to open the window with. A state that is damaged, too small, or on a screen that is no longer there gives way to the default,
 * centred by the system.
 * @param saved the text of the state file, if there is one
 * @param workAreas of the screens there are now
 */
export function restoreWindowState(saved: string | undefined, workAreas: Rectangle[]): Partial<Rectangle> & { isMaximized: boolean } {
  const state = parseState(saved)
  if (state === undefined) return { ...DEFAULT_SIZE, isMaximized: false }
  const { x, y } = state.bounds
  const width = Math.max(WIDTH_MIN, state.bounds.width)
  const height = Math.max(HEIGHT_MIN, state.bounds.height)
  const isVisible = workAreas.some(
    (area) =>
      Math.min(x + width, area.x + area.width) - Math.max(x, area.x) >= VISIBLE_MIN &&
      // The title bar is at the top: it has to be on the screen.
      y >= area.y &&
      y <= area.y + area.height - VISIBLE_MIN,
  )
  return isVisible ? { x, y, width, height, isMaximized: state.isMaximized } : { width, height, isMaximized: state.isMaximized }
}

function parseState(saved: string | undefined): WindowState | undefined {
  if (saved === undefined) return undefined
  try {
    return schema.parse(JSON.parse(saved))
  } catch {
    return undefined
  }
}
