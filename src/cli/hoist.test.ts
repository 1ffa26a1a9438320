import { describe, expect, it } from 'vitest'
import { hoistOptions } from './hoist.ts'

const VALUED = ['--memory', '--seed']

describe('hoistOptions', () => {
  it.each([
    ['a.c', '-- a.c'],
    ['a.c x y', '-- a.c x y'],
    ['--memory 64M a.c x', '--memory 64M -- a.c x'],
    ['a.c x --memory 64M y', '--memory 64M -- a.c x y'],
    ['a.c --seed=3 -n 5 --help', '--seed=3 -- a.c -n 5 --help'],
    ['a.c -- --memory 64M', '-- a.c --memory 64M'],
    ['a.c x -- -- y', '-- a.c x -- y'],
    ['-- -odd.c --seed 1', '--seed 1 -- -odd.c'],
    ['--help', '--help'],
    ['--what a.c', '--what -- a.c'],
    ['a.c --memory', '--memory'],
    ['--memory', '--memory'],
    ['', ''],
  ])('%s → %s', (args, expected) => {
    const split = (text: string): string[] => text.split(' ').filter((word) => word !== '')
    expect(hoistOptions(split(args), VALUED)).toEqual(split(expected))
  })
})
