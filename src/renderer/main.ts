import '@fontsource-variable/ibm-plex-sans/wght.css'
import '@fontsource/ibm-plex-mono/latin-400.css'
import '@fontsource/ibm-plex-mono/latin-ext-400.css'
import '@fontsource/ibm-plex-mono/latin-600.css'
import '@xterm/xterm/css/xterm.css'
import 'dockview-react/dist/styles/dockview.css'
import '@xyflow/react/dist/base.css'
import './theme/tokens.css'
import './theme/base.css'
import './theme/dock.css'
import './theme/shell.css'
import './theme/panels.css'
import './theme/lab.css'
import './theme/packets.css'
import { createI18n } from './i18n/i18n.ts'
import { createSettings } from './state/settings.ts'
import { browserStorage } from './state/storage.ts'
import { createTheme } from './theme/theme.ts'

/** The longest the first paint waits for the console's typeface, which must be there before cells are measured, in milliseconds. */
const FONT_WAIT_MS = 1500

const storage = browserStorage(window.localStorage)
const settings = createSettings(storage)
const theme = createTheme(settings.store)
const i18n = createI18n(settings.store, navigator.languages)
const { locale } = i18n.get()
document.documentElement.lang = locale
document.documentElement.dataset['editorLanguage'] = locale

const fonts = Promise.all(['400', '600'].map((weight) => document.fonts.load(`${weight} 13px 'IBM Plex Mono'`)))
const fontsOrEnough = Promise.race([fonts, new Promise((resolve) => setTimeout(resolve, FONT_WAIT_MS))])
// Monaco reads its texts while it is being loaded, so they come first.
const editorTexts = locale === 'es' ? import('monaco-editor/nls/lang/es') : Promise.resolve()

await Promise.all([fontsOrEnough, editorTexts])
const { start } = await import('./start.tsx')
start({ root: document.getElementById('root')!, storage, settings, i18n, theme })
