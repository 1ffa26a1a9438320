import { useEffect, useState } from 'react'
import type { ProjectPath } from '../../protocol/service.ts'
import { useApp } from '../ui/context.tsx'

export interface ListedLab {
  path: ProjectPath
  name: string
  isTemplate: boolean
}

/** The labs that can be opened: the project's, then the templates. */
export function useLabs(): readonly ListedLab[] {
  const { workbench } = useApp()
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
  return labs
}
