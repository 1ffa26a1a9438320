import { useEffect, useMemo, useState } from 'react'
import type { ProjectPath } from '../../protocol/service.ts'
import { templateText } from '../lab/template-texts.ts'
import { useApp, useI18n } from '../ui/context.tsx'

export interface ListedLab {
  path: ProjectPath
  name: string
  isTemplate: boolean
}

/** The labs that can be opened: the project's, then the templates, in the language of the workbench. */
export function useLabs(): readonly ListedLab[] {
  const { workbench } = useApp()
  const { t } = useI18n()
  const [labs, setLabs] = useState<readonly ListedLab[]>([])
  useEffect(() => {
    let isOver = false
    void workbench.lab.list().then((found) => {
      if (!isOver) setLabs(found)
    })
    return () => {
      isOver = true
    }
  }, [workbench])
  return useMemo(() => labs.map((lab) => (lab.isTemplate ? { ...lab, name: templateText(t, lab.name) } : lab)), [labs, t])
}
