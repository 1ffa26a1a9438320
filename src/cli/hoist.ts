/**
 * `atoll run` and `atoll boot` take their own options before and after FILE, as their usage line shows them, and hand everything else to
 * the program. This puts the command's own options in front of FILE and a `--` behind them, which is what a parser of options understands.
 * After a `--` of the user's own, nothing is taken.
 * @param args behind the name of the command
 * @param valued options that take a value, such as `--memory`
 */
export function hoistOptions(args: readonly string[], valued: readonly string[]): string[] {
  const isOwn = (arg: string): boolean => valued.some((name) => arg === name || arg.startsWith(`${name}=`))
  const own: string[] = []
  const rest: string[] = []
  let isValueMissing = false
  let index = 0
  const take = (): void => {
    const arg = args[index]
    own.push(arg)
    if (arg.includes('=')) return
    if (index + 1 < args.length) own.push(args[(index += 1)])
    else isValueMissing = true
  }
  // In front of FILE every option is the command's, known or not; the parser will say.
  for (; index < args.length && args[index].startsWith('-') && args[index] !== '--'; index += 1) {
    if (isOwn(args[index])) take()
    else own.push(args[index])
  }
  if (args[index] === '--') index += 1
  if (index < args.length) rest.push(args[index])
  for (index += 1; index < args.length && args[index] !== '--'; index += 1) {
    if (isOwn(args[index])) take()
    else rest.push(args[index])
  }
  rest.push(...args.slice(index + 1))
  return rest.length === 0 || isValueMissing ? own : [...own, '--', ...rest]
}
