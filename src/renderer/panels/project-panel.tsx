import type { KeyboardEvent, ReactElement } from 'react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { ProjectPath } from '../../protocol/service.ts'
import { allProblems } from '../state/diagnostics.ts'
import { isDirty } from '../state/documents.ts'
import { folderOf, isWithin, joinPath } from '../state/paths.ts'
import type { TreeRow } from '../state/project.ts'
import { treeRows } from '../state/project.ts'
import { useStore } from '../state/use-store.ts'
import { Button } from '../ui/button.tsx'
import { useApp, useI18n } from '../ui/context.tsx'
import { Icon } from '../ui/icons.tsx'
import { Menu } from '../ui/menu.tsx'
import { keyLabel } from '../commands/keys.ts'
import { IS_MAC } from '../commands/commands.ts'
import { NameField } from './name-field.tsx'

interface OpenMenu {
  row: TreeRow
  x: number
  y: number
}

/** The project's files as an ARIA tree (WAI-ARIA Authoring Practices, tree view): one tab stop, arrow keys inside. */
export function ProjectPanel(): ReactElement {
  const { workbench } = useApp()
  const { project } = workbench
  const { t, locale } = useI18n()
  const { entries, expanded } = useStore(project.store)
  const newFileFolder = useStore(workbench.newFileFolder)
  const activePath = useStore(workbench.activePath)
  const [focusedPath, setFocusedPath] = useState<ProjectPath | null>(null)
  const [renaming, setRenaming] = useState<ProjectPath | null>(null)
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const treeRef = useRef<HTMLDivElement>(null)
  const typeAhead = useRef({ text: '', time: 0 })
  const rows = useMemo(() => treeRows(entries ?? [], expanded), [entries, expanded])
  const closeMenu = useCallback(() => setMenu(null), [])
  const focused = rows.find((row) => row.path === focusedPath) ?? rows.find((row) => row.path === activePath) ?? rows[0]

  useEffect(() => {
    if (activePath !== null) project.reveal(activePath)
  }, [activePath, project])

  const focusRow = (row: TreeRow | undefined): void => {
    if (!row) return
    setFocusedPath(row.path)
    treeRef.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(row.path)}"]`)?.focus()
  }
  const activate = (row: TreeRow): void => {
    if (row.kind === 'directory') project.setExpanded(row.path, !row.isExpanded)
    else workbench.openDocument(row.path)
  }
  const finishRename = (row: TreeRow, name: string | null): void => {
    setRenaming(null)
    const target = name === null ? row.path : joinPath(folderOf(row.path), name)
    if (target !== row.path) {
      setFocusedPath(target)
      void workbench.renameFile(row.path, target)
    }
    requestAnimationFrame(() => focusRow({ ...row, path: target }))
  }
  const finishNewFile = (name: string | null): void => {
    const folder = newFileFolder ?? ''
    workbench.newFileFolder.set(null)
    if (name !== null) void workbench.createFile(joinPath(folder, name))
    else requestAnimationFrame(() => focusRow(focused))
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!focused || event.ctrlKey || event.metaKey || event.altKey) return
    const index = rows.indexOf(focused)
    switch (event.key) {
      case 'ArrowDown':
        focusRow(rows[index + 1])
        break
      case 'ArrowUp':
        focusRow(rows[index - 1])
        break
      case 'Home':
        focusRow(rows[0])
        break
      case 'End':
        focusRow(rows.at(-1))
        break
      case 'ArrowRight':
        if (focused.kind === 'directory' && !focused.isExpanded) project.setExpanded(focused.path, true)
        else if (focused.kind === 'directory' && rows[index + 1]?.level === focused.level + 1) focusRow(rows[index + 1])
        break
      case 'ArrowLeft':
        if (focused.isExpanded) project.setExpanded(focused.path, false)
        else focusRow(rows.find((row) => row.path === folderOf(focused.path)))
        break
      case 'Enter':
      case ' ':
        activate(focused)
        break
      case 'F2':
        setRenaming(focused.path)
        break
      case 'Delete':
        workbench.confirmDelete(focused.path)
        break
      case 'F10':
      case 'ContextMenu': {
        if (event.key === 'F10' && !event.shiftKey) return
        const box = (document.activeElement ?? treeRef.current!).getBoundingClientRect()
        setMenu({ row: focused, x: box.left + 24, y: box.bottom })
        break
      }
      default: {
        if (event.key.length !== 1) return
        const fresh = event.timeStamp - typeAhead.current.time > 700
        typeAhead.current = { text: (fresh ? '' : typeAhead.current.text) + event.key.toLowerCase(), time: event.timeStamp }
        const after = [...rows.slice(index + (fresh ? 1 : 0)), ...rows.slice(0, index + 1)]
        focusRow(after.find((row) => row.name.toLowerCase().startsWith(typeAhead.current.text)))
      }
    }
    event.preventDefault()
    event.stopPropagation()
  }

  if (entries === null) return <p className="panel-hint">{t('project.loading')}</p>
  const newFileField = (folder: ProjectPath, level: number): ReactElement => (
    <NameField
      key="new"
      level={level}
      folder={folder}
      initial=""
      label={t('project.nameLabel')}
      hint={t('project.nameHint')}
      onDone={finishNewFile}
    />
  )
  return (
    <div className="project">
      <div ref={treeRef} role="tree" aria-label={t('project.tree')} className="tree" onKeyDown={onKeyDown}>
        {newFileFolder === '' && newFileField('', 1)}
        {rows.map((row) => [
          renaming === row.path ? (
            <NameField
              key={row.path}
              level={row.level}
              folder={folderOf(row.path)}
              initial={row.name}
              label={t('project.renameLabel', { name: row.name })}
              onDone={(name) => finishRename(row, name)}
            />
          ) : (
            <Row
              key={row.path}
              row={row}
              isFocusable={row === focused}
              isSelected={row.path === activePath}
              onActivate={() => {
                setFocusedPath(row.path)
                activate(row)
              }}
              onMenu={(x, y) => {
                setFocusedPath(row.path)
                setMenu({ row, x, y })
              }}
            />
          ),
          newFileFolder === row.path && newFileFolder !== '' && newFileField(row.path, row.level + 1),
        ])}
      </div>
      {rows.length === 0 && newFileFolder === null && (
        <div className="panel-hint">
          <p>{t('project.empty')}</p>
          <Button icon="plus" onClick={() => workbench.startNewFile('')}>
            {t('project.empty.action')}
          </Button>
        </div>
      )}
      {menu && (
        <Menu
          label={t('project.actions', { name: menu.row.name })}
          x={menu.x}
          y={menu.y}
          onClose={closeMenu}
          items={[
            ...(menu.row.kind === 'file'
              ? [{ label: t('project.open'), key: keyLabel('Enter', IS_MAC, locale), run: () => activate(menu.row) }]
              : []),
            {
              label: t('project.newFile'),
              run: () => workbench.startNewFile(menu.row.kind === 'directory' ? menu.row.path : folderOf(menu.row.path)),
            },
            { label: t('project.rename'), key: 'F2', run: () => setRenaming(menu.row.path) },
            {
              label: t('project.delete'),
              key: keyLabel('Delete', IS_MAC, locale),
              isDanger: true,
              run: () => workbench.confirmDelete(menu.row.path),
            },
          ]}
        />
      )}
    </div>
  )
}

function Row({
  row,
  isFocusable,
  isSelected,
  onActivate,
  onMenu,
}: {
  row: TreeRow
  isFocusable: boolean
  isSelected: boolean
  onActivate: () => void
  onMenu: (x: number, y: number) => void
}): ReactElement {
  const { workbench } = useApp()
  const { t } = useI18n()
  const isUnsaved = useStore(workbench.documents.store, (documents) =>
    row.kind === 'file'
      ? documents.has(row.path) && isDirty(documents.get(row.path)!)
      : !row.isExpanded && [...documents.values()].some((document) => isWithin(document.path, row.path) && isDirty(document)),
  )
  const problems = useStore(workbench.diagnostics.store)
  const errors = allProblems(problems).filter(
    ({ severity, path }) =>
      severity === 'error' && (path === row.path || (row.kind === 'directory' && !row.isExpanded && isWithin(path, row.path))),
  ).length
  const isFolder = row.kind === 'directory'
  return (
    <div
      role="treeitem"
      className={`tree-row ${errors > 0 ? 'tree-row-wrong' : ''}`}
      data-path={row.path}
      data-level={row.level}
      style={{ paddingInlineStart: 8 + (row.level - 1) * 14 }}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={isFolder ? row.isExpanded : undefined}
      aria-selected={isSelected}
      tabIndex={isFocusable ? 0 : -1}
      onClick={onActivate}
      onContextMenu={(event) => {
        event.preventDefault()
        event.currentTarget.focus()
        onMenu(event.clientX, event.clientY)
      }}
      data-autofocus={isFocusable ? '' : undefined}
    >
      <span className="tree-icon">
        {isFolder ? <Icon name={row.isExpanded ? 'chevronDown' : 'chevronRight'} /> : <FileMark path={row.path} />}
      </span>
      <span className="tree-name">{row.name}</span>
      {errors > 0 && (
        <>
          <span className="visually-hidden">, {t('project.row.problems', { count: errors })}</span>
          <span className="tree-count" aria-hidden="true">
            {errors}
          </span>
        </>
      )}
      {isUnsaved && (
        <>
          <span className="visually-hidden">, {t('panel.unsaved')}</span>
          <span className="dot" aria-hidden="true" />
        </>
      )}
    </div>
  )
}

/** Two letters that tell the kinds of file apart at a glance. */
export function FileMark({ path }: { path: ProjectPath }): ReactElement {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  const marks: Record<string, [text: string, kind: string]> = {
    c: ['C', 'c'],
    h: ['H', 'h'],
    wat: ['W', 'w'],
    wasm: ['W', 'b'],
    elf: ['E', 'b'],
    md: ['M', 'b'],
    json: ['{}', 'b'],
  }
  const [text, kind] = marks[extension] ?? ['', '']
  if (text === '') return <Icon name="file" size={14} />
  // A picture made of letters: drawn by the style sheet, so that it is no text to search or read out.
  return <span className={`file-mark file-mark-${kind}`} data-mark={text} aria-hidden="true" />
}
