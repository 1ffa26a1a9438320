import { expect, test } from './workbench.ts'

test('the whole loop works without a mouse', async ({ workbench }) => {
  const { page } = workbench
  // Any file, from the palette.
  await page.keyboard.press('F1')
  const palette = page.getByRole('dialog', { name: 'Command palette' })
  await palette.getByRole('combobox').fill('echo.c')
  await page.keyboard.press('Enter')
  await expect(workbench.editor('echo.c')).toBeFocused()

  await page.keyboard.press('F5')
  await expect(workbench.machine).toContainText('Running')
  // To the console and back.
  await page.keyboard.press('Control+j')
  await expect(workbench.console.getByRole('textbox')).toBeFocused()
  await page.keyboard.type('no mouse\n')
  await expect(workbench.output.getByText('no mouse').nth(1)).toBeVisible()
  await page.keyboard.press('Shift+F5')
  await expect(workbench.machine).toContainText('Stopped')
  await page.keyboard.press('Control+j')
  await expect(workbench.editor('echo.c')).toBeFocused()
  await workbench.picture('keyboard')
})

test('the project tree is walked with arrow keys', async ({ workbench }) => {
  const { page } = workbench
  await page.keyboard.press('F1')
  await page.getByRole('combobox').fill('Show project')
  await page.keyboard.press('Enter')
  const focused = workbench.tree.locator('[role=treeitem]:focus')
  await expect(focused).toHaveCount(1)
  await page.keyboard.press('End')
  await page.keyboard.press('Home')
  await page.keyboard.type('hello')
  await expect(focused).toHaveAccessibleName(/^hello\.c/)
  await page.keyboard.press('Enter')
  await expect(workbench.editor('hello.c')).toBeFocused()
})
