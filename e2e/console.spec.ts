import { expect, test } from './workbench.ts'

test('what is typed reaches the program', async ({ workbench }) => {
  await workbench.open('echo.c')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('Running')
  await workbench.typeIntoConsole('tide and current\n')
  await expect(workbench.output.getByText('tide and current').nth(1)).toBeVisible()
  await workbench.picture('echo')
})

test('Stop ends a program that does not end by itself, at once', async ({ workbench }) => {
  await workbench.open('spin.c')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('Running')
  await workbench.button('Stop').click()
  // At once, as a person sees it; how many milliseconds is a matter for a benchmark.
  await expect(workbench.machine).toContainText('Stopped', { timeout: 2000 })
  await workbench.picture('stopped')

  await workbench.button('Reset').click()
  await expect(workbench.machine).toContainText('Running')
  await workbench.page.keyboard.press('Shift+F5')
  await expect(workbench.machine).toContainText('Stopped', { timeout: 2000 })
})
