import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from './workbench.ts'

test('after a reload everything is there again', async ({ workbench }) => {
  await workbench.open('echo.c')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('Running')
  await workbench.typeIntoConsole('before\n')
  await expect(workbench.output.getByText('before').nth(1)).toBeVisible()
  await workbench.open('hello.c')
  await workbench.replace('hello.c', 'Hello from ring-3!', 'Written a moment ago')

  await workbench.page.reload()
  await expect(workbench.page.locator('.view-lines')).toContainText('Written a moment ago')
  await expect(workbench.output).toContainText('before')
  await expect(workbench.machine).toContainText('Running')
  await workbench.typeIntoConsole('after\n')
  await expect(workbench.output.getByText('after').nth(1)).toBeVisible()
  await workbench.picture('reloaded')
})

test('when the server dies in the middle of a run, no text is lost', async ({ workbench, server }) => {
  await workbench.open('echo.c')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('Running')
  await workbench.open('hello.c')
  await workbench.replace('hello.c', 'Hello from ring-3!', 'Typed before the crash')

  await server.kill()
  await expect(workbench.page.getByText('The connection to Atoll is lost.')).toBeVisible()
  await workbench.replace('hello.c', 'before the crash', 'before and after the crash')
  await workbench.picture('disconnected')

  await server.start()
  await expect(workbench.page.getByText('Connected again. Nothing was lost.')).toBeVisible()
  await workbench.editor('hello.c').press('Control+s')
  await expect.poll(() => readFileSync(join(server.project, 'hello.c'), 'utf8')).toContain('Typed before and after the crash')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.output).toContainText('[user] Typed before and after the crash')
})

test('two windows show one machine and one file', async ({ workbench, openWindow, server }) => {
  const other = await openWindow()
  await workbench.open('echo.c')
  await workbench.page.keyboard.press('F5')
  await expect(other.machine).toContainText('Running')
  await other.typeIntoConsole('from the other window\n')
  await expect(workbench.output.getByText('from the other window').nth(1)).toBeVisible()

  await other.open('hello.c')
  await workbench.open('hello.c')
  await workbench.replace('hello.c', 'Hello from ring-3!', 'Saved in one window')
  await workbench.editor('hello.c').press('Control+s')
  await expect.poll(() => readFileSync(join(server.project, 'hello.c'), 'utf8')).toContain('Saved in one window')
  await expect(other.page.locator('.view-lines')).toContainText('Saved in one window')

  await other.button('Stop').click()
  await expect(workbench.machine).toContainText('Stopped')
})
