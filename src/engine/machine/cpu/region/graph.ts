/**
 * Control flow as WebAssembly wants it: dominators, natural loops, and for each entry the chain of loop headers through
 * which it is reached. After N. Ramsey, "Beyond Relooper" (ICFP 2022); entries into loops are the addition.
 *
 * Node 0 is the dispatcher, in front of everything; blocks are nodes 1 to n.
 */
export interface Flow {
  /** Real successors inside the region, by node. */
  successors: readonly (readonly number[])[]
  /** Successors that only show where code belongs: a call is followed by its return address. */
  pretended: readonly (readonly number[])[]
  /** Nodes where the region can be entered although no loop starts there. */
  entries: readonly number[]
}

export interface Structure {
  /** Position in reverse postorder; -1 for nodes that cannot be reached. */
  order: readonly number[]
  /** Dominator tree: children of each node, last in reverse postorder first. */
  children: readonly (readonly number[])[]
  isHeader: readonly boolean[]
  /** Nodes that need a label: more than one forward edge leads there, or a dispatch does. */
  isMerge: readonly boolean[]
  /** All entries: those given, the loop headers, and the targets of irreducible edges. */
  entries: readonly number[]
  /** At the dispatcher (0) and at loop headers: where a selected entry is looked for next. */
  routes: readonly ReadonlyMap<number, number>[]
  /** Whether an edge is taken through the dispatcher instead of by a structured branch. */
  isDispatched: (from: number, to: number) => boolean
}

interface Dominators {
  order: number[]
  reversePostorder: number[]
  immediate: number[]
}

function reversePostorder(edges: readonly (readonly number[])[]): number[] {
  const seen = new Uint8Array(edges.length)
  const post: number[] = []
  const stack: { node: number; next: number }[] = [{ node: 0, next: 0 }]
  seen[0] = 1
  while (stack.length > 0) {
    const top = stack[stack.length - 1]
    const successors = edges[top.node]
    if (top.next < successors.length) {
      const successor = successors[top.next++]
      if (seen[successor] === 0) {
        seen[successor] = 1
        stack.push({ node: successor, next: 0 })
      }
    } else {
      post.push(top.node)
      stack.pop()
    }
  }
  return post.reverse()
}

/** Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm". */
function dominators(edges: readonly (readonly number[])[]): Dominators {
  const reverse = reversePostorder(edges)
  const order = edges.map(() => -1)
  reverse.forEach((node, position) => {
    order[node] = position
  })
  const predecessors = edges.map((): number[] => [])
  for (const node of reverse) for (const successor of edges[node]) predecessors[successor].push(node)
  const immediate = edges.map(() => -1)
  immediate[0] = 0
  const common = (a: number, b: number): number => {
    while (a !== b) {
      while (order[a] > order[b]) a = immediate[a]
      while (order[b] > order[a]) b = immediate[b]
    }
    return a
  }
  for (let changed = true; changed;) {
    changed = false
    for (const node of reverse) {
      if (node === 0) continue
      let candidate = -1
      for (const predecessor of predecessors[node])
        if (immediate[predecessor] >= 0) candidate = candidate < 0 ? predecessor : common(predecessor, candidate)
      if (immediate[node] !== candidate) {
        immediate[node] = candidate
        changed = true
      }
    }
  }
  return { order, reversePostorder: reverse, immediate }
}

function dominates(d: Dominators, a: number, b: number): boolean {
  while (d.order[b] > d.order[a]) b = d.immediate[b]
  return a === b
}

const edgeKey = (from: number, to: number): number => from * 65536 + to

export function structure(flow: Flow): Structure {
  const count = flow.successors.length
  const roots = new Set(flow.entries)
  // Loops are those of the program itself, a call being followed by its return.
  const plain = flow.successors.map((successors, node) => (node === 0 ? [] : [...successors, ...flow.pretended[node]]))
  plain[0] = reachableRoots(plain, flow.entries)
  const first = dominators(plain)

  const body = new Map<number, Set<number>>()
  const irreducible = new Set<number>()
  const irreducibleTargets = new Set<number>()
  const predecessors = plain.map((): number[] => [])
  for (const node of first.reversePostorder) for (const successor of plain[node]) predecessors[successor].push(node)
  for (const node of first.reversePostorder)
    for (const successor of plain[node]) {
      if (first.order[successor] > first.order[node]) continue
      if (!dominates(first, successor, node)) {
        irreducible.add(edgeKey(node, successor))
        irreducibleTargets.add(successor)
        continue
      }
      const members = body.get(successor) ?? new Set([successor])
      body.set(successor, members)
      const stack = [node]
      while (stack.length > 0) {
        const member = stack.pop() as number
        if (members.has(member)) continue
        members.add(member)
        for (const predecessor of predecessors[member]) stack.push(predecessor)
      }
    }
  // Enclosing headers of each node, outermost first.
  const headers = [...body.keys()].sort((a, b) => first.order[a] - first.order[b])
  const entries = [...new Set([...roots, ...headers, ...irreducibleTargets])].filter((node) => first.order[node] >= 0)
  const routes = flow.successors.map(() => new Map<number, number>())
  const dispatch = flow.successors.map(() => new Set<number>())
  for (const entry of entries) {
    let from = 0
    for (const header of headers) {
      if (header === entry || !(body.get(header) as Set<number>).has(entry)) continue
      routes[from].set(entry, header)
      dispatch[from].add(header)
      from = header
    }
    routes[from].set(entry, entry)
    dispatch[from].add(entry)
  }

  const isIrreducible = (from: number, to: number): boolean => irreducible.has(edgeKey(from, to))
  const edges = flow.successors.map((successors, node) => [
    ...new Set([...dispatch[node], ...(node === 0 ? [] : successors.filter((successor) => !isIrreducible(node, successor)))]),
  ])
  const final = dominators(edges)
  // With the dispatch edges in place a few more edges may have become irreducible.
  const isDispatched = (from: number, to: number): boolean =>
    isIrreducible(from, to) || (final.order[to] <= final.order[from] && !dominates(final, to, from))
  const children = edges.map((): number[] => [])
  for (const node of final.reversePostorder) if (node !== 0) children[final.immediate[node]].push(node)
  for (const list of children) list.sort((a, b) => final.order[b] - final.order[a])
  const forward = new Int32Array(count)
  for (const node of final.reversePostorder)
    for (const successor of node === 0 ? [] : flow.successors[node])
      if (!isDispatched(node, successor) && final.order[successor] > final.order[node]) forward[successor]++
  const isMerge = edges.map((_, node) => forward[node] > 1)
  for (const targets of dispatch) for (const target of targets) isMerge[target] = true
  const isHeader = edges.map((_, node) => body.has(node))
  return { order: final.order, children, isHeader, isMerge, entries, routes, isDispatched }
}

/** The given roots that no other root reaches, plus as many more as it takes to reach them all. */
function reachableRoots(edges: readonly (readonly number[])[], entries: readonly number[]): number[] {
  const reached = new Uint8Array(edges.length)
  const roots: number[] = []
  for (const entry of entries) {
    if (reached[entry] === 1) continue
    roots.push(entry)
    const stack = [entry]
    while (stack.length > 0) {
      const node = stack.pop() as number
      if (reached[node] === 1) continue
      reached[node] = 1
      for (const successor of edges[node]) stack.push(successor)
    }
  }
  return roots
}
