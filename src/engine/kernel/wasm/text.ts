const LENGTH_MAX = 64

/** Text of a program's, made fit for a line of the console. */
export const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, LENGTH_MAX)
