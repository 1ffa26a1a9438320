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

  // The compiler points at `total`: the underline is below that word, and about as wide.
  const line = workbench.page.locator('.view-line').filter({ hasText: 'int total' })
  await expect(async () => {
    const underlined = (await squiggle.boundingBox())!
    const word = await line.evaluate(element => {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const start = node.textContent!.indexOf('total')
        if (start < 0) continue
        const range = document.createRange()
        range.setStart(node, start)
        range.setEnd(node, start + 'total'.length)
        const { x, y, width, height } = range.getBoundingClientRect()
        return { x, y, width, height }
      }
      throw new Error('the line has no `total`')
    })
    expect(Math.abs(underlined.x - word.x)).toBeLessThan(3)
    expect(Math.abs(underlined.width - word.width)).toBeLessThan(6)
    expect(Math.abs(underlined.y - word.y)).toBeLessThan(word.height)
  }).toPass()
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
