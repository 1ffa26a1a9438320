import type { LabEvents, LabService } from './lab.ts'
import type { WorkbenchEvents, WorkbenchService } from './service.ts'

/** All that a shell offers the workbench it shows. */
export type ShellService = WorkbenchService & LabService
/** All that a shell tells the workbench. */
export type ShellEvents = WorkbenchEvents & LabEvents
