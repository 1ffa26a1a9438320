import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LabView } from './lab.ts'
import { expect, test } from './workbench.ts'

/** The block that a pcapng file begins with, in its byte order (draft-ietf-opsawg-pcapng, section 4.1). */
const SECTION_HEADER = 0x0a0d0d0a
const ENHANCED_PACKET = 6

/** Types of the blocks of a pcapng file. */
function blockTypes(file: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) types.push(file.readUInt32LE(at))
  return types
}

test('two machines and a switch: drawn, wired, started, pinged, cut off and healed', async ({ workbench }) => {
  test.slow()
  const lab = new LabView(workbench)
  await lab.openNew()
  await lab.drawPair()
  await workbench.picture('lab-1-drawn')
  await lab.start()
  await lab.type('alice', 'ping 10.0.0.2\n')
  await expect(lab.output('alice')).toContainText('64 bytes from 10.0.0.2: seq=2')

  // What crosses the cables, decoded.
  await lab.page.getByRole('tab', { name: 'Packets' }).click()
  await workbench.button('Hold the list').click()
  await lab.packets.getByRole('row', { name: /10\.0\.0\.2 10\.0\.0\.1 ICMP .*Echo reply #/ }).last().click()
  const fields = lab.page.getByRole('tree', { name: 'Headers and fields' })
  await expect(fields.getByRole('treeitem', { name: /^ICMP/ })).toHaveAttribute('aria-selected', 'true')
  await expect(fields.getByRole('treeitem', { name: /^Sequence number/ })).toBeVisible()
  await expect(lab.page.getByRole('group', { name: 'Bytes of the frame' })).toContainText('0000')
  await workbench.picture('lab-2-packets')

  // A link that loses everything, while it runs.
  await lab.link('bob', 'switch-1').focus()
  await lab.page.keyboard.press('Space')
  const loss = lab.properties.getByRole('textbox', { name: 'Loss' })
  await loss.fill('100')
  await loss.press('Enter')
  await expect(lab.output('alice')).toContainText('no answer to seq=')
  await workbench.picture('lab-3-lost')
  await loss.fill('0')
  await loss.press('Enter')
  await expect(lab.output('alice')).toContainText(/no answer to seq=\d+\s*64 bytes from/)

  // And one that is cut, by a click.
  await workbench.button('Cut bob – switch-1').click()
  await expect(lab.link('bob', 'switch-1')).toHaveAccessibleName(/cut$/)
  await expect(lab.output('alice')).toContainText(/64 bytes from [^\n]*ms\s*no answer to seq=\d+/)
  await workbench.button('Heal bob – switch-1').click()
  await expect(lab.link('bob', 'switch-1')).not.toHaveAccessibleName(/cut$/)
  await expect(lab.output('alice')).toContainText(/no answer to seq=\d+\s*64 bytes from [^\n]*ms\s*$/)

  // Processes, live.
  await lab.node('alice').click()
  const processes = lab.page.getByRole('region', { name: 'Processes of alice' })
  await expect(processes.getByRole('row', { name: /ping/ }).first()).toBeVisible()
  await lab.console('alice').getByRole('textbox').focus()
  await lab.page.keyboard.press('Control+c')
  await expect(processes.getByRole('row', { name: /ping/ })).toHaveCount(0)

  // The packets as a file.
  const downloaded = lab.page.waitForEvent('download')
  await workbench.button('Export packets as pcapng').click()
  const download = await downloaded
  expect(download.suggestedFilename()).toBe('my-lab.pcapng')
  const types = blockTypes(readFileSync(await download.path()))
  expect(types[0]).toBe(SECTION_HEADER)
  expect(types.filter(type => type === ENHANCED_PACKET).length).toBeGreaterThan(10)

  // One machine goes; the lab goes on.
  await lab.node('bob').click()
  await lab.properties.getByRole('button', { name: 'Stop' }).click()
  await expect(lab.node('bob', 'Off')).toBeVisible()
  await expect(lab.node('alice', 'Running')).toBeVisible()
  await lab.page.keyboard.press('Shift+F5')
  await expect(lab.page.getByRole('button', { name: 'Lab: Stopped' })).toBeVisible()
})

test('a lab is undone, redone, saved and opened again, and a broken one loses nothing', async ({ workbench, server }) => {
  const lab = new LabView(workbench)
  const { page } = workbench
  await lab.openNew()
  await lab.drawPair()
  await page.keyboard.press('Control+z')
  await expect(lab.link('bob', 'switch-1')).toHaveCount(0)
  await page.keyboard.press('Control+z')
  await page.keyboard.press('Control+z')
  await expect(lab.nodes).toHaveCount(2)
  for (const _ of [1, 2, 3]) await page.keyboard.press('Control+Shift+z')
  await expect(lab.nodes).toHaveCount(3)
  await expect(lab.link('bob', 'switch-1')).toHaveCount(1)

  await page.keyboard.press('Control+s')
  await page.getByRole('textbox', { name: 'Folder' }).fill('labs/pair')
  await page.keyboard.press('Enter')
  await expect.poll(() => readLab(server.project, 'labs/pair')?.nodes.map(({ id }) => id)).toEqual(['alice', 'bob', 'switch-1'])

  server.write('labs/broken/lab.json', '{ "version": 1, "name": "broken", "nodes": [{ "id": "a", "kind": "toaster" }] }')
  await workbench.button('Open lab…').click()
  await page.getByRole('dialog', { name: 'Open lab…' }).getByRole('button', { name: 'labs/broken' }).click()
  await expect(page.getByText(/labs\/broken\/lab\.json: nodes\[0\]\.kind: expected .* found "toaster"/)).toBeVisible()
  await expect(lab.nodes).toHaveCount(3)

  await workbench.button('Open lab…').click()
  await page.getByRole('dialog', { name: 'Open lab…' }).getByRole('button', { name: 'Four on a switch' }).click()
  await expect(lab.nodes).toHaveCount(5)
  await workbench.button('Open lab…').click()
  await page.getByRole('dialog', { name: 'Open lab…' }).getByRole('button', { name: 'labs/pair' }).click()
  await expect(lab.link('alice', 'switch-1')).toHaveCount(1)
  await expect(lab.nodes).toHaveCount(3)
})

test('a lab.json that cannot be read is mended from the lab, without a mouse', async ({ workbench, server }) => {
  const { page } = workbench
  const lab = new LabView(workbench)
  const text = '{\n  "version": 1,\n  "name": "Broken",\n  "nodes": [{ "id": "ana", "kind": "toaster" }]\n}\n'
  server.write('labs/broken/lab.json', text)
  await page.keyboard.press('Control+Shift+l')
  const card = page.getByRole('button', { name: 'labs/broken' })
  await card.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByText('found "toaster"')).toBeVisible()
  await expect(workbench.button('Open lab.json at line 4')).toBeFocused()
  await workbench.picture('lab-broken')
  await page.keyboard.press('Enter')
  await expect(workbench.editor('labs/broken/lab.json')).toBeFocused()
  await expect(page.getByText('9 selected')).toBeVisible()
  // It is underlined like a mistake in a program, and ceases to be as one types.
  await page.keyboard.press('Control+Shift+m')
  await expect(workbench.problem(/found "toaster"/)).toBeVisible()
  await workbench.replace('labs/broken/lab.json', 'toaster', 'machine')
  await expect(workbench.problem(/toaster/)).toHaveCount(0)
  await page.keyboard.press('Control+s')
  await expect.poll(() => readLab(server.project, 'labs/broken')?.nodes).toEqual([{ id: 'ana', kind: 'machine' }])

  await page.keyboard.press('Control+Shift+l')
  await workbench.button('Try again').focus()
  await page.keyboard.press('Enter')
  await expect(lab.nodes).toHaveCount(1)
  await expect(workbench.button('Try again')).toHaveCount(0)
})

test('templates speak the language of the workbench', async ({ workbench }) => {
  const { page } = workbench
  await page.keyboard.press('Control+Shift+l')
  await expect(workbench.button('Four on a switch Template')).toBeVisible()
  await page.keyboard.press('F1')
  await page.getByRole('combobox').fill('Spanish')
  await page.keyboard.press('Enter')
  await workbench.button('Cuatro en un conmutador Plantilla').click()
  await expect(page.getByRole('tab', { name: 'Laboratorio: Cuatro en un conmutador' })).toBeVisible()
  await page.keyboard.press('F5')
  const checks = page.getByRole('region', { name: 'Comprobaciones del laboratorio' })
  await expect(checks.getByText('ana llega hasta bob')).toBeVisible()
  await expect(checks.getByText('reaches')).toHaveCount(0)

  // Words are longer in Spanish; what does not fit gives way, and nothing leaves the window or covers anything.
  for (const width of [1280, 1024, 900, 760]) {
    await page.setViewportSize({ width, height: 700 })
    await expect(workbench.button('Ajustes').first()).toBeInViewport({ ratio: 1 })
    const brand = (await page.getByText('Atoll', { exact: true }).first().boundingBox())!
    const restart = (await page.getByRole('button', { name: 'Reiniciar' }).first().boundingBox())!
    expect(brand.x + brand.width, `${width}`).toBeLessThan(restart.x)
    expect(restart.width, `${width}`).toBeGreaterThan(100)
  }
})

test('a new build starts the machines that run it, a reload and a second window change nothing', async ({ workbench, openWindow }) => {
  test.slow()
  const lab = new LabView(workbench)
  const { page } = workbench
  await lab.openNew()
  await lab.drawPair()
  await lab.node('bob').click()
  await lab.properties.getByRole('combobox', { name: 'Program' }).selectOption('udp_echo.c')
  await lab.start()
  await expect(lab.output('bob')).toContainText('echoing at port 7')
  await lab.type('alice', 'half a line')
  await expect(lab.output('alice')).toContainText('atoll$ half a line')

  await workbench.open('udp_echo.c')
  await workbench.replace('udp_echo.c', 'echoing at port', 'parroting at port')
  await page.keyboard.press('Control+b')
  await expect(lab.output('bob')).toContainText('parroting at port 7')
  await workbench.picture('lab-built')

  await page.reload()
  await expect(lab.output('bob')).toContainText('parroting at port 7')
  // Alice was not started again.
  await expect(lab.output('alice')).toContainText('atoll$ half a line')
  await page.keyboard.press('Control+Shift+l')
  await expect(lab.node('bob', 'Running')).toBeVisible()

  const other = new LabView(await openWindow())
  await other.page.keyboard.press('Control+Shift+l')
  await expect(other.node('alice', 'Running')).toBeVisible()
  await other.tool('Hub').click()
  await expect(lab.node('hub-1')).toBeVisible()
  await other.page.keyboard.press('Control+z')
  await expect(lab.node('hub-1')).toHaveCount(0)
})

test('a lab is drawn, wired, started and cut without a mouse', async ({ workbench }) => {
  const lab = new LabView(workbench)
  const { page } = workbench
  await lab.command('New lab')
  await expect(page.getByRole('heading', { name: 'An empty canvas' })).toBeVisible()
  await page.keyboard.press('m')
  await expect(lab.node('alice')).toBeFocused()
  // A name of one's own.
  await page.keyboard.press('Enter')
  await expect(lab.properties.getByRole('textbox', { name: 'Name' })).toBeFocused()
  await page.keyboard.press('Control+a')
  await page.keyboard.type('ana')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await expect(lab.node('ana')).toBeFocused()
  await page.keyboard.press('m')
  await expect(lab.nodes).toHaveCount(2)
  await page.keyboard.press('c')
  await expect(page.getByRole('dialog', { name: /to…$/ })).toBeVisible()
  await page.keyboard.type('ana')
  await page.keyboard.press('Enter')
  const link = lab.canvas.getByRole('group', { name: /^Link from/ })
  await expect(link).toHaveCount(1)

  await lab.start()
  await lab.node('ana').focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('t')
  await expect(lab.console('ana').getByRole('textbox')).toBeFocused()
  await expect(lab.output('ana')).toContainText('atoll$')
  await page.keyboard.type('ping -c 1 10.0.0.2\n')
  await expect(lab.output('ana')).toContainText('1 received')

  // Ctrl+J leads back to the canvas, and X cuts the link that is selected there.
  await page.keyboard.press('Control+j')
  await link.focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('x')
  await expect(link).toHaveAccessibleName(/cut$/)
  await page.keyboard.press('x')
  await expect(link).not.toHaveAccessibleName(/cut$/)
})

function readLab(project: string, folder: string): { nodes: { id: string }[] } | undefined {
  try {
    return JSON.parse(readFileSync(join(project, folder, 'lab.json'), 'utf8')) as { nodes: { id: string }[] }
  } catch {
    return undefined
  }
}
