import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { appRoot } from '../main/service/app-root.ts'
import { UserError } from '../main/service/errors.ts'
import { parseDurationNs, parseMemory, parseSeed, parseTier, RAM_BYTES_DEFAULT, SEED_DEFAULT } from '../main/service/machine-options.ts'
import { ExitStatus } from './exit-status.ts'
import { hoistOptions } from './hoist.ts'
import { describeFailure, isForUser, say } from './report.ts'

/** Threads for a lab; more would only wait for one another. */
const WORKERS_MAX = 64

/** Options that `run` and `boot` take behind FILE too; what else stands there is the program's. */
const HOISTED: Record<string, string[]> = {
  run: ['--memory', '--seed', '--time-limit', '--tier', '--files'],
  boot: ['--memory', '--time-limit', '--tier', '--append', '--initrd', '--module'],
}

/** What people who doubt the processor, or work on it, want to choose. */
const TIER_HELP = 'auto, interpreter, translator, or checked: both, held against each other at random instructions'

/** Lets commander say which option a wrong value was given to. */
function parser<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (error instanceof UserError) throw new InvalidArgumentError(error.message)
      throw error
    }
  }
}

const collect = (one: string, all: string[]): string[] => [...all, one]

function parseRounds(text: string): number {
  const rounds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (rounds < 1) throw new UserError(`expected a number of rounds from 1 to 9999, found '${text}'`)
  return rounds
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65535)) throw new UserError(`expected a port from 0 to 65535, found '${text}'`)
  return port
}

function parseWorkers(text: string): number {
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(workers <= WORKERS_MAX)) throw new UserError(`expected a number of workers from 0 to ${WORKERS_MAX}, found '${text}'`)
  return workers
}

const LAB_EXIT_STATUS = `
Exit status:
  0      every check passed
  1      a check failed
  2      the arguments, the lab or the source of a program are wrong`

/** The program with its commands; each command leaves its exit status in `end`. */
function createProgram(end: (status: number) => void): Command {
  const program = new Command('atoll')
    .description('A workbench for a small decentralised operating system on emulated x86-64 machines.')
    .version(version(), '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'atoll: ')) })
    .showHelpAfterError('(atoll --help shows what there is)')

  program
    .command('run')
    .summary('build FILE if it is source, boot a machine, run it')
    .description(
      'Builds FILE if it is source (.c, .S, .s, .wat), boots one machine and runs it as the first program. An ELF file or a\n' +
        'WebAssembly module (WASI preview 1) is run as it is. Of a module without _start, --invoke NAME ARG… calls an exported function\n' +
        'and prints what it returns.\n\n' +
        'Standard output is the serial console to the byte, standard input is typed into it, everything else goes to standard error.\n' +
        'From a terminal the clock is paced to the wall, from a pipe it does not wait. At a terminal, Ctrl-C goes to the program;\n' +
        'pressed twice it ends Atoll.',
    )
    .usage('FILE [ARG…] [--memory 64M] [--seed N] [--time-limit 10s]')
    .argument('<FILE>', 'a C, assembly or WAT source, a static ELF file for x86-64, or a WebAssembly module')
    .argument('[ARG...]', 'arguments of the program; behind -- also those that look like options of this command')
    .option('--memory <amount>', "the machine's memory, such as 64M", parser(parseMemory), RAM_BYTES_DEFAULT)
    .option('--seed <number>', 'where all randomness of the run comes from', parser(parseSeed), SEED_DEFAULT)
    .option('--time-limit <duration>', 'ends the run after so much virtual time, such as 10s or 250ms', parser(parseDurationNs))
    .option('--tier <tier>', TIER_HELP, parser(parseTier), 'auto')
    .option('--files <folder>', "copies a folder's files into the machine's RAM file system")
    .addHelpText('after', exitStatusHelp("0-255  the program's own"))
    .passThroughOptions()
    .action(async (file: string, args: string[], { memory, seed, timeLimit, tier, files }) => {
      const { run } = await import('./run.ts')
      end(await run(file, args, { ramBytes: memory, seed, limitNs: timeLimit, tier, files }))
    })

  program
    .command('build')
    .summary('build FILE… without running it')
    .description('Builds a program from one source, or from several that are linked together; a .wat file becomes a WebAssembly module.')
    .argument('<FILE...>', 'C and assembly sources, or one .wat file')
    .requiredOption('-o, --output <OUT>', 'the file to write')
    .action(async (files: string[], { output }) => {
      const { build } = await import('./build.ts')
      end(await build(files, output))
    })

  program
    .command('boot')
    .summary('boot a kernel of your own')
    .description(
      "Boots a Linux bzImage or a Multiboot kernel (1 or 2, ELF or flat) on a machine without Atoll's kernel. Its first serial\n" +
        'port is standard input and output; a write of V to the debug-exit port 0xf4 ends the machine with status (V << 1) | 1,\n' +
        "as QEMU's isa-debug-exit does. A stock Linux wants --append console=ttyS0 and --memory 256M.",
    )
    .usage("KERNEL [--append ARGS] [--initrd FILE] [--module 'FILE ARGS']… [--memory 64M] [--time-limit 10s]")
    .argument('<KERNEL>', 'a Linux bzImage with a 64-bit entry point, or a Multiboot image')
    .option('--append <text>', "the kernel's command line", '')
    .option('--initrd <file>', "Linux's initial RAM disk; a Multiboot kernel's first module")
    .option('--module <module>', 'a module for a Multiboot kernel, with its command line; again for more', collect, [])
    .option('--memory <amount>', "the machine's memory, such as 64M", parser(parseMemory), RAM_BYTES_DEFAULT)
    .option('--time-limit <duration>', 'ends the run after so much virtual time', parser(parseDurationNs))
    .option('--tier <tier>', TIER_HELP, parser(parseTier), 'auto')
    .addHelpText('after', exitStatusHelp('(V << 1) | 1  what the kernel wrote to the debug-exit port; 0 when it switched off or halted'))
    .action(async (file: string, { append, initrd, module, memory, timeLimit, tier }) => {
      const { boot } = await import('./boot.ts')
      end(await boot(file, { append, initrd, modules: module, ramBytes: memory, limitNs: timeLimit, tier }))
    })

  const lab = program.command('lab').summary('run labs: machines, and the network between them')
  lab
    .command('run')
    .summary('run a lab without waiting for the wall')
    .description(
      'Builds the programs of a lab, boots its machines and lets virtual time pass. Standard output has the lines of every console\n' +
        'behind the name of its machine, and last a line `trace HASH`: two runs with the same hash did the same, to the byte and the\n' +
        'nanosecond.',
    )
    .argument('<LAB>', 'a folder with a lab.json')
    .option('--until <duration>', "ends at this virtual time, such as 30s; otherwise the lab's own duration", parser(parseDurationNs))
    .option('--seed <number>', "where all randomness of the run comes from; otherwise the lab's own seed", parser(parseSeed))
    .option('--workers <number>', 'threads to spread the machines over, which changes nothing but the speed', parser(parseWorkers))
    .option('--capture <file>', 'writes every frame of every link, as pcapng')
    .option('--trace <file>', "writes what happened, as Chrome's trace JSON, which Perfetto opens")
    .addHelpText('after', LAB_EXIT_STATUS)
    .action(async (path: string, { until, seed, workers, capture, trace }) => {
      const { runLab } = await import('./lab/run.ts')
      end(await runLab(path, { untilNs: until, seed, workers, capture, trace }))
    })

  program
    .command('serve')
    .summary('the workbench in a browser on this computer')
    .description(
      'Serves the workbench to browsers on this computer and prints its address, which contains a key: whoever has it is let in.\n' +
        'The project is $ATOLL_PROJECT, else ~/Atoll; a folder that does not exist or is empty is filled with examples.',
    )
    .option('--port <number>', 'the port to listen on; 0 for any. Otherwise the one this project had last', parser(parsePort))
    .option('--project <folder>', "the project's folder")
    .option('--no-open', 'does not open a browser')
    .action(async ({ port, project, open }) => {
      const { serve } = await import('./serve.ts')
      end(await serve({ port, project, open }))
    })

  program
    .command('bench')
    .summary('measure, beside a peer where one is installed')
    .argument('[NAME...]', 'benchmarks; all of them when left out')
    .option('--rounds <number>', 'interleaved rounds', parser(parseRounds))
    .option('--json', 'one JSON document instead of tables')
    .action(async (names: string[], { rounds, json }) => {
      const { bench } = await import('./bench.ts')
      end(await bench(names, { rounds, json }))
    })
  return program
}

function exitStatusHelp(own: string): string {
  return `
Exit status:
  ${own}
  2      the arguments, the file or its source are wrong
  70     the kernel panicked, or the processor shut down after a triple fault
  124    the time limit was reached
  130    Ctrl-C twice`
}

function version(): string {
  return (JSON.parse(readFileSync(join(appRoot(), 'package.json'), 'utf8')) as { version: string }).version
}

/** The command line. Ends the process with the status of what was asked for; whatever is wrong is a sentence on standard error. */
export async function main(argv: readonly string[]): Promise<void> {
  let status: number = ExitStatus.OK
  const [name, ...args] = argv
  const hoisted = HOISTED[name]
  try {
    const program = createProgram((ended) => (status = ended))
    await program.parseAsync(hoisted === undefined ? [...argv] : [name, ...hoistOptions(args, hoisted)], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) status = error.exitCode === 0 ? ExitStatus.OK : ExitStatus.USAGE_OR_BUILD
    else {
      status = isForUser(error) ? ExitStatus.USAGE_OR_BUILD : ExitStatus.KERNEL
      say(describeFailure(error))
    }
  }
  process.exit(status)
}
