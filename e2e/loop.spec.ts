import { expect, test } from './workbench.ts'

test('edit the greeting, press F5, read it in the console', async ({ workbench }) => {
  await workbench.open('hello.c')
  await workbench.picture('1-opened')
  await workbench.replace('hello.c', 'Hello from ring-3!', 'Saludos from the lagoon!')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.output).toContainText('[user] Saludos from the lagoon!')
  await expect(workbench.machine).toContainText('Exited 0')
  await workbench.picture('2-greeting')
})

test('a mistake is underlined where it is and listed among the problems', async ({ workbench }) => {
  await workbench.open('hello.c')
  await workbench.replace('hello.c', 'sys_log(', 'int total = "five"; sys_log(')
  const squiggle = workbench.page.locator('.squiggly-error')
  await expect(squiggle).toBeVisible()
  await workbench.page.getByRole('tab', { name: /^Problems/ }).click()
  await expect(workbench.problem(/incompatible pointer to integer conversion/)).toBeVisible()

  // The compiler points at `total`: the underline is in that line, under that name.
  const line = workbench.page.locator('.view-line').filter({ hasText: 'int total' })
  const [underlined, text] = [await squiggle.boundingBox(), await line.boundingBox()]
  expect(underlined!.y).toBeGreaterThanOrEqual(text!.y)
  expect(underlined!.y + underlined!.height).toBeLessThanOrEqual(text!.y + text!.height + 1)
  const name = line.getByText('total', { exact: false }).first()
  await expect(name).toBeVisible()
  await workbench.picture('problem')

  // F5 does not boot what does not compile, and says so.
  await workbench.page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('failed after')
  await workbench.problem(/incompatible pointer/).click()
  await expect(workbench.editor('hello.c')).toBeFocused()
  await expect(workbench.page.getByRole('contentinfo')).toContainText('Col 7')
})

test('a program that uses printf is built with the C library', async ({ workbench }) => {
  await workbench.open('posix_hello.c')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('Exited 0', { timeout: 100_000 })
})

test('a null pointer kills the process with an explanation, not the machine', async ({ workbench }) => {
  await workbench.open('fault.c')
  await workbench.page.keyboard.press('F5')
  await expect(workbench.output).toContainText('fault.c:')
  await expect(workbench.machine).toContainText('Exited')
})
